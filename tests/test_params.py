"""params.yaml: what is wrong is named, with its line."""

import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from versus import params

GOOD = """\
seed: 0
datasets:
  iris: {source: embedded, name: iris}
files: {}
discriminative:
  iris-logistic_regression: {data: iris, module: linear, class: LogisticRegression, args: {C: 1e-3}}
"""


def read(tmp_path: Path, text: str) -> params.Params:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return params.read(path)


def test_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    found = read(tmp_path, GOOD)
    assert next(params.cells(found)).args["C"] == 0.001  # a string to YAML 1.1


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("seed: 0", "sead: 0", 1, ["sead", "unknown key"]),
        ("seed: 0", "seed: zero", 1, ["seed", "valid integer", "'zero'"]),
        ("files: {}", "gate: {margin: -1}", 4, ["gate.margin", "greater than or equal to 0", "-1"]),
        ("files: {}", "gate: {margins: 0.1}", 4, ["gate.margins", "unknown key"]),
        ("files: {}", "training: {precision: 16-mixed}", 4, ["training.precision", "'bf16-mixed'", "'16-mixed'"]),
        (
            "files: {}",
            "comparison: {primary: {classification: c2st}}",
            4,
            ["cannot decide", "matthews_corrcoef"],
        ),
        ("files: {}", "comparison: {primary: {regression: interval_coverage}}", 4, ["cannot decide", "pinball_loss"]),
        ("files: {}", "comparison: {primary: {sorting: r2_score}}", 4, ["unknown task", "classification, regression"]),
        (
            "files: {}",
            "comparison: {primary: {iris: r2_score}}",
            4,
            ["cannot decide; of classification models accuracy"],
        ),
        ("files: {}", "seed: 1", 4, ["seed", "duplicate"]),
        ("files: {}", "files:", 4, ["files: is empty; write `files: {}`"]),
        ("files: {}", "gate:", 4, ["gate: is empty; write `gate: {}`"]),
        ("files: {}", "files: {", 6, ["expected"]),
        ("module: linear", "module: liner", 6, ["unknown module 'liner'", "linear"]),
        ("class: LogisticRegression", "class: Logistic", 6, ["unknown class 'Logistic'", "LogisticRegression"]),
        ("{C: 1e-3}", "{c: 1}", 6, ["no argument 'c'", "C"]),
        ("{C: 1e-3}", "{C: big}", 6, ["wants C", "'big'"]),
        ("{C: 1e-3}", "{C: -1.0}", 6, ["wants C: float above 0", "-1.0"]),
        ("{C: 1e-3}", "{C: 1e300}", 6, ["float above 0, up to 1e+50", "1e+300"]),
        ("{C: 1e-3}", "{max_features: many}", 6, ["wants max_features: int from 1 up, None", "'many'"]),
        ("data: iris, m", "data: irises, m", 6, ["unknown data set 'irises'", "iris"]),
        ("iris-logistic_regression", "wine-logistic_regression", 6, ["iris-"]),
        ("iris-logistic_regression", "iris-Logistic", 6, ["iris-Logistic"]),
        (
            "class: LogisticRegression, args: {C: 1e-3}",
            "class: RidgeRegression",
            6,
            ["RidgeRegression is for regression", "linear.LogisticReg"],
        ),
        ("name: iris}", "name: diabetes}", 6, ["is for classification, and the data are for reg", "linear.RidgeRegre"]),
        ("  iris: {", "  Iris: {", 3, ["Iris"]),
        ("name: iris", "name: irish", 3, ["irish"]),
        ("source: embedded", "source: embeded", 3, ["embeded"]),
        ("name: iris}", "name: iris, repeats: many}", 3, ["repeats", "many"]),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, before: str, after: str, line: int, words: list[str]
) -> None:
    assert before in GOOD
    with pytest.raises(params.ParamsError) as fault:
        read(tmp_path, GOOD.replace(before, after, 1))
    assert f"params.yaml:{line}:" in str(fault.value)
    for word in words:
        assert word in str(fault.value)


def test_sections_may_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read(tmp_path, GOOD.replace("files: {}\n", "plugins: []\n"))  # a list can have no default in dvc.yaml
    shutil.copy(Path(__file__).resolve().parents[1] / "dvc.yaml", tmp_path)
    with Repo.init(no_scm=True) as repo:
        assert {"prepare@iris", "evaluate_discriminative@iris-logistic_regression", "compare"} <= {
            stage.addressing for stage in repo.index.stages
        }


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("{C: 1e-3}", "{c: 1}").replace("iris-logistic", "wine-logistic")
    with pytest.raises(params.ParamsError) as fault:
        read(tmp_path, text)
    assert len(str(fault.value).splitlines()) == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(params.ParamsError, match=r"nowhere\.yaml does not exist"):
        params.read(tmp_path / "nowhere.yaml")


def test_the_committed_params_are_valid() -> None:
    root = Path(__file__).resolve().parents[1]
    found = params.read(root / "params.yaml")
    assert len(list(params.cells(found))) > 1
    for example in sorted((root / "examples").glob("*.yaml")):
        assert list(params.cells(params.read(example))), example
