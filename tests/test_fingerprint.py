"""A stage's fingerprint names the code that its results depend on, and nothing else."""

from stages import fingerprint


def names(*roots: str) -> set[str]:
    return {path.relative_to(fingerprint.CODE).as_posix() for path in fingerprint.closure(roots)[0]}


def test_a_model_depends_on_its_own_file_and_not_on_its_neighbours() -> None:
    found = names("stages.train_discriminative", "versus.models.discriminative.linear")
    assert {"stages/fitting.py", "src/versus/models/discriminative/linear.py", "src/versus/data/prepared.py"} <= found
    assert "src/versus/models/discriminative/trees.py" not in found
    assert not any(name.startswith(("src/versus/report", "src/versus/tracking")) for name in found)


def test_imports_inside_functions_count() -> None:
    assert "src/versus/training/run.py" in names("stages.train_deep_generative")


def test_library_versions_are_part_of_it() -> None:
    lines = list(fingerprint.lines(["versus.models.discriminative.linear"]))
    assert any(line.startswith("scikit-learn==") for line in lines)


def test_templates_are_part_of_what_uses_them() -> None:
    lines = list(fingerprint.lines(["stages.compare"]))
    assert any("templates/" in line for line in lines)


def test_every_file_of_the_library_is_followed_by_some_stage_or_is_without_effect() -> None:
    """Code that no stage reaches is either a command's, or dead."""
    roots = [f"stages.{name}" for name in ("prepare", "evaluate", "compare", "train_deep_generative")]
    for folder in (fingerprint.CODE / "src/versus/models").iterdir():
        roots += [f"versus.models.{folder.name}.{p.stem}" for p in folder.glob("[a-z]*.py")] if folder.is_dir() else []
    reached = names(*roots)
    elsewhere = ("commands", "tracking", "__main__", "params", "recovery", "reproduction", "progress")
    every = {p.relative_to(fingerprint.CODE).as_posix() for p in (fingerprint.CODE / "src/versus").rglob("*.py")}
    unreached = {p for p in every - reached if not any(word in p for word in elsewhere)}
    assert unreached <= {"src/versus/prediction.py", "src/versus/data/inspection.py"}
