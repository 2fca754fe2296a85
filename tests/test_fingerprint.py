"""A stage's fingerprint names the code that its results depend on, and nothing else."""

from ruamel.yaml import YAML

from versus.params import Params
from versus.pipeline import fingerprint
from versus.serving.code import CODE, closure
from versus.settings import FAMILIES


def names(*roots: str) -> set[str]:
    return {path.relative_to(CODE).as_posix() for path in closure(roots, fingerprint.WITHOUT_EFFECT)[0]}


def test_a_model_depends_on_its_own_file_and_not_on_its_neighbours() -> None:
    found = names("stages.train_discriminative", "versus.models.discriminative.linear")
    assert {
        "src/versus/fitting/cell.py",
        "src/versus/models/discriminative/linear.py",
        "src/versus/data/prepared.py",
    } <= found
    assert "src/versus/models/discriminative/trees.py" not in found
    assert not any(name.startswith(("src/versus/report", "src/versus/tracking")) for name in found)


def test_imports_inside_functions_count() -> None:
    assert "src/versus/training/loop.py" in names("stages.train_deep_generative", "versus.models.deep_generative.vae")


def test_library_versions_are_part_of_it() -> None:
    lines = list(fingerprint.lines(["versus.models.discriminative.linear"]))
    assert any(line.startswith("scikit-learn==") for line in lines)


def test_templates_are_part_of_what_uses_them() -> None:
    lines = list(fingerprint.lines(["stages.compare"]))
    assert any("templates/" in line for line in lines)


def test_templates_are_part_of_nothing_else() -> None:
    for root in ("stages.prepare", "stages.evaluate", "stages.train_deep_generative"):
        assert not any("templates/" in line for line in fingerprint.lines([root]))


def test_every_file_of_the_library_is_reached_by_a_stage_or_a_command() -> None:
    """What neither reaches is dead."""
    names = ("fingerprint", "prepare", "extractor", "train", "evaluate", "experiment", "compare")
    roots = [f"stages.{name}" for name in names]
    # MLflow loads the first and the last, `-c` and `-m` run the next two, people import the others.
    roots += ["versus.serving.served_model", "versus.pipeline.engine.fork_server", "versus.stage"]
    roots += ["versus.notebook", "versus.estimators", "versus.tracking.server"]
    for package in ("commands", *(f"models.{family}" for family in FAMILIES)):
        folder = CODE / "src/versus" / package.replace(".", "/")
        roots += [f"versus.{package}.{path.stem}" for path in folder.glob("[a-z]*.py")]
    every = {path for path in (CODE / "src/versus").rglob("*.py")}
    assert every - closure(roots)[0] - {CODE / "src/versus/__main__.py"} == set()


def test_a_stage_depends_on_its_own_part_of_the_params_alone() -> None:
    text = """
    datasets: {iris: {source: embedded, name: iris}, wine: {source: embedded, name: wine}}
    discriminative:
      iris-prior: {data: iris, module: baseline, class: PriorBaseline}
      wine-linear: {data: wine, module: linear, class: LogisticRegression, args: {C: %s}}
    """

    def made(c: str) -> dict[str, str]:
        given = YAML(typ="safe").load(text % c)
        return dict(fingerprint.fingerprints(Params.model_validate(given)))

    one, other = made("1.0"), made("2.0")
    assert set(one) == {f"{s}-{c}" for s in ("train", "evaluate") for c in ("iris-prior", "wine-linear")} | {
        "prepare-iris",
        "prepare-wine",
        "extractor-iris",
        "extractor-wine",
        "compare",
    }
    assert {name for name in one if one[name] != other[name]} == {
        "train-wine-linear",
        "evaluate-wine-linear",
        "compare",
    }


def test_weights_of_inception_count_by_their_hash_and_for_extractors_and_the_report() -> None:
    text = """
    datasets: {iris: {source: embedded, name: iris}}
    discriminative: {iris-prior: {data: iris, module: baseline, class: PriorBaseline}}
    """

    def made(more: str = "") -> dict[str, str]:
        return dict(fingerprint.fingerprints(Params.model_validate(YAML(typ="safe").load(text + more))))

    plain, given = made(), made(f"comparison: {{inception: {{path: here/w.pth, sha256: {'a1' * 32}}}}}")
    assert {name for name in plain if plain[name] != given[name]} == {"extractor-iris", "compare"}
    assert "a1" * 32 in given["extractor-iris"]
    assert "here" not in given["extractor-iris"]
    assert "inception.py" in given["extractor-iris"]


SOURCE = """
def area(r):
    return 3.14 * r ** 2
"""
REWORDED = """
# The area of a circle.


def area(
    r,
):
    \"\"\"Compute it.\"\"\"
    return (3.14 * r**2)  # pi is rounded
"""


def test_comments_docstrings_and_layout_have_no_meaning() -> None:
    assert fingerprint.meaning(SOURCE) == fingerprint.meaning(REWORDED)


def test_a_changed_constant_a_name_or_an_order_has() -> None:
    changed = [SOURCE.replace("3.14", "3.15"), SOURCE.replace("area", "surface"), SOURCE.replace("** 2", "* 2")]
    assert len({fingerprint.meaning(source) for source in [SOURCE, *changed]}) == 4
    assert fingerprint.meaning("a = 1\nb = 2") != fingerprint.meaning("b = 2\na = 1")


def test_a_string_that_is_no_docstring_has_meaning() -> None:
    assert fingerprint.meaning("x = 'a'") != fingerprint.meaning("x = 'b'")
    assert fingerprint.meaning("if x:\n    'a'") != fingerprint.meaning("if x:\n    'b'")


def test_bytecode_that_another_process_is_writing_is_no_file_of_a_package(tmp_path) -> None:
    (tmp_path / "__pycache__").mkdir()
    for name in ("a.py", "page.html", "__pycache__/a.cpython-311.pyc", "__pycache__/a.cpython-311.pyc.140405998360240"):
        (tmp_path / name).touch()
    assert fingerprint._without_code(tmp_path) == [tmp_path / "page.html"]
