"""Packages of a user's own, outside of the repository: named, checked, trained, reported, and run again when edited."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.test_commands import call
from versus import params as parameters
from versus import plugins
from versus.models import catalogue, persistence
from versus.pipeline import project
from versus.pipeline.fingerprint import fingerprints
from versus.serving import code
from versus.serving.served_model import NAME

ROOT = Path(__file__).resolve().parents[1]
HOSTILE = {
    "__init__.py": "",
    "classical_generative/whole_pixels.py": """
import numpy as np
from lab.classical_generative.student_t import StudentT
__all__ = ["WholePixels"]
class WholePixels(StudentT):
    def rows_to_fit(self, X):
        return np.asarray(X, float).reshape(len(X), -1)
""",
    "classical_generative/wrong_shape.py": """
from lab.classical_generative.student_t import StudentT as Base
__all__ = ["WrongShape"]
class WrongShape(Base):
    def sample(self, n, y=None, random_state=None):
        return super().sample(n, y, random_state)[:, 1:]
""",
    "discriminative/raising.py": """
from versus.models.estimator import EstimatorClassifier
__all__ = ["Raising"]
class Raising(EstimatorClassifier):
    def new_estimator(self):
        raise RuntimeError("the licence has ended")
""",
    "discriminative/nameless.py": "class Nameless: pass\n",
    "metrics.py": """
from versus.metrics.metric import Metric
from versus.metrics.classification import hits
METRICS = (Metric("hits", "hits", "classification", "share", "lower", 0, 1, "here", "scores", hits),)
""",
}
HOSTILE_PARAMS = """
plugins: [lab, hostile]
datasets: {digits: {source: embedded, name: digits}, iris: {source: embedded, name: iris}}
classical_generative:
  digits-whole_pixels: {data: digits, module: hostile.whole_pixels, class: WholePixels}
  digits-student_t: {data: digits, module: lab.student_t, class: StudentT}
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with params.yaml; elsewhere, where Python finds it, the example's package under another name."""
    outside, folder = tmp_path / "outside", tmp_path / "project"
    shutil.copytree(ROOT / "examples/mine", outside / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in HOSTILE.items():
        (outside / "hostile" / name).parent.mkdir(parents=True, exist_ok=True)
        (outside / "hostile" / name).write_text(text)
    folder.mkdir()
    text = (ROOT / "examples/mine.yaml").read_text(encoding="utf-8").replace("mine", "lab")
    text = text.replace("name: iris}", "name: iris, repeats: 1}").replace("args: {rows: 300}}", "args: {}, repeats: 1}")
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(outside))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT), str(outside)]))
    monkeypatch.setenv("VERSUS_TRACKING", "off")
    monkeypatch.chdir(folder)
    yield folder
    plugins.use([], folder)
    for name in [name for name in sys.modules if name.split(".")[0] in ("lab", "hostile")]:
        del sys.modules[name]


def test_a_package_passes_the_check_and_a_hostile_one_is_refused_with_the_reason(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code, said, _ = call(capsys, "check", "lab")
    assert exit_code == 0, said
    for what in ("source rings", "metric worst_recall", "cell iris-student_t", "cell rings-extra_trees"):
        assert f"{what}: passed" in said
    said = call(capsys, "models", "StudentT")[1]
    assert "StudentT of lab.classical_generative.student_t" in said
    assert re.search(r"df +5\.0 +float above 0,? .* +3 to 100", said)
    (lab / "params.yaml").write_text(HOSTILE_PARAMS)
    exit_code, said, _ = call(capsys, "check")
    assert exit_code == 1
    refused = dict(re.findall(r"(?m)^(.+?): refused: (.*)$", said))
    assert set(refused) == {"metric hits", "cell digits-whole_pixels", "cell iris-WrongShape", "cell iris-Raising"}
    assert "1 where all answers are right and 0 where all are wrong, and lower is better" in refused["metric hits"]
    assert "was fitted to whole pixels" in refused["cell digits-whole_pixels"]
    assert refused["cell iris-WrongShape"].startswith("sample: events have shape (3,)")
    assert re.search(r"fit: RuntimeError: the licence has ended \(.*raising\.py:6\)", refused["cell iris-Raising"])
    assert "cell digits-student_t: passed" in said
    assert said.endswith("4 refused.\n")


def test_only_named_packages_are_known_and_a_missing_part_is_an_error_of_params(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, text = lab / "params.yaml", (lab / "params.yaml").read_text()
    parameters.read(path)
    assert catalogue.classes()["StudentT"] == ("classical_generative", "lab.student_t")
    assert "hostile" not in sys.modules
    said = call(capsys, "models")[1]
    assert re.search(r"StudentT +lab\.student_t", said)
    for old, new, wrong in (
        ("[lab]", "[lab, absent]", r"params\.yaml:5: plugins: Python finds no package 'absent': install it"),
        ("[lab]", "[]", r"package 'lab' is not in use: name it under `plugins`"),
        ("lab.rings", "lab.ring", r"sources.py of lab: unknown function 'ring'; did you mean 'rings'"),
        ("lab.student_t", "lab.student", r"unknown module 'lab.student'; classical_generative has .*lab.student_t"),
        ("df: 30.0", "df: -1", r"StudentT wants df: float above 0"),
        ("[lab]", "[lab, hostile]\n#", None),
    ):
        path.write_text(text.replace(old, new))
        if wrong is None:
            parameters.read(path)
        else:
            with pytest.raises(parameters.ParamsError, match=wrong):
                parameters.read(path)
    path.write_text(HOSTILE_PARAMS + "discriminative:\n  iris-x: {data: iris, module: hostile.nameless, class: X}\n")
    with pytest.raises(parameters.ParamsError, match=r"nameless\.py offers no model: it lists them in `__all__`"):
        parameters.read(path)


def test_an_edit_reaches_the_cells_of_the_file_alone(lab: Path) -> None:
    def edit(name: str, old: str, new: str) -> None:
        file = lab.parent / "outside/lab" / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))

    before = dict(fingerprints(parameters.read(lab / "params.yaml")))
    edit("densities.py", "df + d) / 2) - ", "df + d) / 2) + 0 - ")  # which a relative import reaches
    edit("sources.py", "rows: int = 300", "rows: int = 200")
    edit("metrics.py", '"""A metric', '"""One metric')
    script = """
import json
from pathlib import Path
from versus import params
from versus.pipeline.fingerprint import fingerprints
print(json.dumps(dict(fingerprints(params.read(Path("params.yaml"))))))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    after = json.loads(done.stdout)
    of_cells = {f"{stage}-{data}-student_t" for stage in ("train", "evaluate") for data in ("iris", "rings")}
    assert {name for name in before if before[name] != after[name]} == {"prepare-rings", *of_cells}


@pytest.mark.slow
def test_its_cells_are_trained_reported_served_and_run_again_after_an_edit(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def versus(*words: str) -> str:
        done = subprocess.run([sys.executable, "-m", "versus", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    params = Path("params.yaml")
    kept = [x for x in params.read_text(encoding="utf-8").splitlines() if not re.search("-prior:|-gaussian:", x)]
    params.write_text("\n".join(kept), encoding="utf-8")
    project.initialise(lab, "--no-scm")  # with a cache of its own
    versus("run", "params.yaml", "--into", ".")
    scores = pd.read_csv("reports/comparison.csv")
    assert {"iris-student_t", "iris-extra_trees"} <= set(scores[scores["metric"] == "worst_recall"]["cell"])
    verdicts = pd.read_csv("reports/verdicts.csv").set_index("dataset")
    assert verdicts.loc["rings", "score"] == "worst_recall"
    assert "recall of the worst class" in Path("reports/report.md").read_text(encoding="utf-8")
    file = lab.parent / "outside/lab/classical_generative/student_t.py"
    file.write_text(file.read_text().replace("self.df, 0.1)", "self.df, 0.2)"))
    again = set(re.findall(r"Running stage '(\w+)@?([\w-]*)'", versus("repro")))
    cells = {"iris-student_t", "rings-student_t"}
    assert {cell for stage, cell in again if stage.startswith(("train", "evaluate", "prepare"))} == cells
    card = call(capsys, "card", "iris-student_t")[1]
    assert re.search(r"recall of the worst class +\| +0\.\d+ +\| +0\.\d+ to \d", card)
    assert re.search(r"df +\| +5\.0", card)
    headings = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert headings == ["Intended use", "Data", "Arguments", "Scores", "Limits", "Provenance"]
    assert_served_without_the_package(lab)


def assert_served_without_the_package(lab: Path) -> None:
    """The copy of code that is registered with a model holds what it needs of the package."""
    parameters.read(lab / "params.yaml")
    modules = ("versus.serving.served_model", "lab.classical_generative.student_t")
    copied = code.copy_modules(modules, lab / "copied")
    (lab / "served").mkdir()
    persistence.copy(lab / "models/iris-student_t/0", lab / "served" / NAME)
    script = f"""
import sys
sys.path.insert(0, {str(lab / "copied")!r})
from {copied.name}.serving import served_model
model = served_model._load_pyfunc({str(lab / "served")!r})
drawn = model.predict(None, {{"sample": 5, "random_state": 0}})
print(len(model.predict(drawn)), type(model.model).__module__)
assert "versus" not in sys.modules
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=lab.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["5", f"{copied.name}.plugins.lab.classical_generative.student_t"], done.stderr
