"""Documentation: commands, options and keys in code blocks exist, its Python runs, its numbers are those of the run."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from dvc.cli import DvcParserError
from dvc.cli.parser import get_main_parser
from ruamel.yaml import YAML

import versus
from docs import model_pages
from docs.numbers import Numbers
from versus import params as parameters
from versus.__main__ import parse
from versus.commands import verify
from versus.metrics import table
from versus.models import catalogue
from versus.params import Params
from versus.settings import FAMILIES

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs").glob("*/*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path, *languages: str) -> Iterator[tuple[str, str]]:
    for language, text in FENCE.findall(page.read_text(encoding="utf-8")):
        if language in languages:
            yield language, text


def commands(page: Path) -> Iterator[list[str]]:
    for _, text in blocks(page, "sh"):
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            while words:
                end = words.index("&&") if "&&" in words else len(words)
                yield words[:end]
                words = words[end + 1 :]


def check(words: list[str], params: dict[str, Any], targets: set[str]) -> None:
    """Fail where a command, an option, or what it names does not exist."""
    program, *rest = words
    if program == "versus":
        parse(rest)
    elif program == "dvc":
        options, unknown = get_main_parser().parse_known_args(rest)
        assert not unknown, words
        for setting in getattr(options, "set_param", None) or ():
            place: Any = params
            keys = setting.partition("=")[0].split(".")
            for key in keys[:-1] if keys[0].startswith("+") else keys:
                key = key.lstrip("+")
                assert key in place, f"{setting}: params.yaml has no {key}"
                place = place[key]
        for cell in (t.partition("@")[2] for t in rest if "@" in t):
            assert any(cell in params[family] for family in FAMILIES), words
    elif program == "make":
        assert set(rest) <= targets, words
    elif [program, *rest[:1]] == ["python", "-m"] and rest[1].startswith("benchmarks."):
        assert (ROOT / f"{rest[1].replace('.', '/')}.py").is_file(), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_blocks_name_what_exists(page: Path, tmp_path: Path) -> None:
    params = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in commands(page):
        try:
            check(words, params, targets)
        except SystemExit:
            pytest.fail(f"{page.name}: {' '.join(words)}")
    for _, text in blocks(page, "python"):
        names = (n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
        assert {n.attr for n in names if n.value.id == "versus"} <= set(dir(versus))  # type: ignore[attr-defined]
    for _, text in blocks(page, "yaml"):
        tree = YAML(typ="safe").load(text)
        if set(tree) & set(Params.model_fields):
            Params.model_validate(tree)
        if "seed" in tree:  # a whole file
            (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
            parameters.read(tmp_path / "params.yaml")


def test_the_check_would_find_what_does_not_exist() -> None:
    params = {"discriminative": {"moons-mlp": {"args": {"epochs": 60}}}}
    check(["dvc", "exp", "run", "-S", "discriminative.moons-mlp.args.epochs=5"], params, set())
    for words in (["dvc", "exp", "run", "-S", "discriminative.moons-mlp.args.epoch=5"], ["make", "dinner"]):
        with pytest.raises(AssertionError):
            check(words, params, {"docs"})
    for words in (["versus", "verify", "--tabel", "x"], ["versus", "verfiy"], ["dvc", "rerpo"]):
        with pytest.raises((SystemExit, DvcParserError)):
            check(words, params, set())


@pytest.mark.slow
def test_the_tutorial_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for language, text in blocks(TUTORIAL, "sh", "python"):
        if language == "python":
            exec(compile(text, str(TUTORIAL), "exec"), names)
            continue
        for line in text.splitlines():
            words = [sys.executable, "-m", *shlex.split(line, comments=True)]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert set(names["report"].scores["cell"]) >= {"wine-prior", "wine-naive_bayes", "wine-random_forest"}
    assert len(names["drawn"]) == 3
    predicted = names["champion"].predict(names["frame"].drop(columns="cultivar"))
    assert (predicted.iloc[:, 0].to_numpy() == names["frame"]["cultivar"].to_numpy()).mean() > 0.9


def test_the_notebook_for_teachers_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    notebook = json.loads((ROOT / "docs" / "teaching" / "five_plots.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs are not kept"
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    assert len(plt.get_fignums()) == 5
    plt.close("all")
    accuracy, kept = names["accuracy"], names["kept"]
    assert accuracy["four normals a class"] > accuracy["logistic regression"]
    assert names["curves"]["LogisticRegression"][-1].mean() > names["curves"]["GaussianNaiveBayes"][-1].mean()
    assert sum(kept["GaussianNaiveBayes"]) > sum(kept["LogisticRegression"])
    assert names["error"] < names["apart"], "pairs share what is hard"
    assert len(names["drawn"]) == 5


def test_each_model_has_a_formula_and_each_argument_a_meaning() -> None:
    pages = {page.name: page for page in model_pages.pages()}
    assert set(pages) == set(catalogue.classes())
    for page in pages.values():
        assert page.about, page.name
        assert page.module == "baseline" or model_pages.FORMULA in page.about + page.prose, page.name
        assert not [a.name for a in page.arguments if not a.meaning], page.name
        assert "Args" not in page.prose, page.name


def test_places_on_the_pages_are_those_of_the_scores() -> None:
    numbers = Numbers(ROOT)
    with (ROOT / "reports" / "comparison.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == numbers.deciding.get(row["dataset"])]
    best = {}
    for row in rows:
        sign = 1 if table.lower_is_better(row["metric"]) else -1
        if row["cell"] in numbers.cells and not numbers.cells[row["cell"]].is_baseline:
            best.setdefault(row["dataset"], []).append((sign * float(row["mean"]), row["cell"]))
    assert len(best) > 5
    for dataset, found in best.items():
        ordered = sorted(found)
        first, last = numbers.standing(ordered[0][1]), numbers.standing(ordered[-1][1])
        assert first is not None
        assert last is not None
        assert (first.place, first.of) == (1, len(ordered)), dataset
        assert last.place >= first.place
        assert last.place == sum(value < ordered[-1][0] - 1e-9 for value, _ in ordered) + 1
        other = numbers.cells[first.cell.name].family == "discriminative"
        sides = [name for _, name in ordered if (numbers.cells[name].family != "discriminative") == other]
        assert first.other.split(",")[0] == (numbers.cells[sides[0]].model if sides else "–")
    prior = numbers.standing("iris-prior")
    assert prior is not None
    assert prior.place == 0
    assert prior.behind


def test_verify_names_the_scores_of_a_table_that_differ(tmp_path: Path) -> None:
    own, given = tmp_path / "own.csv", tmp_path / "given.csv"
    head = "cell,metric,mean\n"
    own.write_text(f"{head}a-x,accuracy_score,0.9\na-x,log_loss,\na-y,accuracy_score,0.5\na-y,fid,1200\n")
    given.write_text(
        f"{head}a-x,accuracy_score,0.9004\na-x,log_loss,\na-y,accuracy_score,0.6\na-y,fid,1201\na-z,fid,1\n"
    )
    found = list(verify.differences(own, given, 1e-3))
    assert len(found) == 2
    assert found[0].startswith("a-y, accuracy_score: 0.5 here, 0.6 in ")
    assert found[1].startswith("a-z, fid: only in ")
    assert list(verify.differences(own, own, 0.0)) == []
    with pytest.raises(ValueError, match="missing"):
        list(verify.differences(own, tmp_path / "none.csv", 0.0))
