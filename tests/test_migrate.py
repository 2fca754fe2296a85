"""A params file of an earlier version gets the names of today, and keeps its comments and its layout."""

import shutil
from pathlib import Path

import pytest

from versus import params
from versus.__main__ import main
from versus.data.preparation import prepare
from versus.settings import FAMILIES

OLD = Path(__file__).parent / "params_of_old_names.yaml"  # the default params of the version before the names changed
TODAY = {
    "trees": "n_estimators",
    "hidden": "hidden_layer_sizes",
    "k": "n_neighbors",
    "covariance": "covariance_type",
    "components": "n_components",
    "latent": "n_latent",
}


def cells(tree):
    return {name: cell for family in FAMILIES for name, cell in tree[family].items()}


def parsed(path):
    return params._plain(params._parse(path))


def migrate(path, *options):
    with pytest.raises(SystemExit) as end:
        main(["migrate", str(path), *options])
    assert end.value.code == 0


@pytest.fixture
def old(tmp_path):
    return Path(shutil.copy(OLD, tmp_path / "params.yaml"))


def test_every_cell_keeps_its_arguments_under_their_new_names(old):
    before = parsed(old)
    migrate(old)
    after = {cell.name: cell for cell in params.cells(params.read(old))}
    assert list(after) == list(cells(before))
    for name, cell in cells(before).items():
        wide = cell["class"] == "ConvolutionalClassifier"  # its `hidden` is one width and stays
        expected = {TODAY.get(k, k) if not wide else k: v for k, v in cell.get("args", {}).items()}
        assert list(after[name].args.items()) == list(expected.items())


def test_comments_and_layout_stay(old):
    before = old.read_text(encoding="utf-8")
    migrate(old)
    after = old.read_text(encoding="utf-8")
    for name, new in TODAY.items():
        before = before.replace(f"{{{name}: ", f"{{{new}: ").replace(f", {name}: ", f", {new}: ")
    assert after == before.replace("  resamples: 2000\n", "")
    migrate(old)
    assert old.read_text(encoding="utf-8") == after


def test_what_changes_is_printed_and_a_dry_run_changes_nothing(old, capsys):
    migrate(old, "--dry-run")
    said = capsys.readouterr().out
    assert "discriminative.digits-knn: k: 3 -> n_neighbors: 3" in said
    assert old.read_bytes() == OLD.read_bytes()


def test_old_names_are_refused_with_the_new_one_and_the_remedy(old):
    with pytest.raises(params.ParamsError, match=r"gate\.resamples: is no setting any more.*versus migrate`"):
        params.read(old)
    old.write_text(old.read_text(encoding="utf-8").replace("  resamples: 2000\n", "\n"), encoding="utf-8")
    with pytest.raises(params.ParamsError) as error:
        params.read(old)
    said = str(error.value).splitlines()
    assert all("`versus migrate`" in line for line in said)
    assert any(f"{old}:71: discriminative.digits-knn.args.k: " in line and "n_neighbors" in line for line in said), said


@pytest.mark.parametrize(
    ("module", "name", "before", "after"),
    [
        (
            "mixture",
            "GaussianMixtureClassifier",
            "covariance: diagonal, steps: 9",
            "covariance_type: diag, max_iter: 9",
        ),
        ("mixture", "GaussianMixtureClassifier", 'tolerance: 1e-3, "starts": 2', 'tol: 1e-3, "n_init": 2'),
        ("kernel", "RBFSVM", "cache_mb: 9, gamma: null, C: 1", "cache_size: 9, gamma: scale, C: 1"),
        ("kernel_density", "KernelDensityClassifier", "variance_floor: 1e-3", "variance_floor: 1e-3"),
        ("naive_bayes", "MixedNaiveBayes", "smoothing: 2, variance_floor: 1e-3", "alpha: 2, var_smoothing: 1e-3"),
    ],
)
def test_names_and_values_of_a_class(tmp_path, module, name, before, after):
    path, family = tmp_path / "params.yaml", "discriminative" if module == "kernel" else "classical_generative"
    text = f"""\
datasets:
  iris: {{source: embedded, name: iris}}
{family}:
  # why this one
  iris-model:
    data: iris
    module: {module}   # the file
    class: {name}
    args: {{{before}}}
"""
    path.write_text(text, encoding="utf-8")
    migrate(path)
    assert path.read_text(encoding="utf-8") == text.replace(before, after)
    params.read(path)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{source: embedded, name: iris, repeats: 7}", "{source: embedded, name: iris, repeats: 10}"),
        ("{source: embedded, name: iris, repeats: 5}", "{source: embedded, name: iris, repeats: 5}"),
        (
            "{source: embedded, name: iris, test_fraction: 0.250, repeats: 5}  # a quarter",
            "{source: embedded, name: iris, folds: 4, repeats: 8}  # a quarter",
        ),
        ("{source: embedded, name: iris, test_fraction: 0.3, repeats: 1}",) * 2,
        ("{source: embedded, name: iris, folds: 3, repeats: 6}",) * 2,
        ("{source: embedded, name: moons, repeats: 7, test_fraction: 0.3}",) * 2,
        (
            "\n    source: embedded\n    name: iris\n    repeats: 3 # few",
            "\n    source: embedded\n    name: iris\n    repeats: 5 # few",
        ),
    ],
)
def test_repeats_that_drew_test_rows_become_whole_partitions(tmp_path, before, after):
    path = tmp_path / "params.yaml"
    path.write_text(f"datasets:\n  # mine\n  iris: {before}\n", encoding="utf-8")
    migrate(path)
    assert path.read_text(encoding="utf-8") == f"datasets:\n  # mine\n  iris: {after}\n"
    migrate(path)
    prepared = prepare("iris", params.dataset(params.read(path), "iris"), tmp_path)
    assert prepared.repeats == int(after.split("repeats: ")[1][:2].strip(" },"))


def test_an_official_test_set_and_an_order_of_time_need_no_folds(tmp_path):
    path = tmp_path / "params.yaml"
    text = """\
datasets:
  far: {source: url, url: https://example.org/a.csv, sha256: HASH, content: {source: csv, target: y, repeats: 3}}
files:
  one: {source: csv, path: a.csv, target: y, test_path: b.csv, repeats: 3}
  two: {source: csv, path: a.csv, target: y, time: t, repeats: 3, test_fraction: 0.1}
""".replace("HASH", "0" * 64)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["migrate", str(path)])
    assert path.read_text(encoding="utf-8") == text.replace("target: y, repeats: 3}}", "target: y, repeats: 5}}")
