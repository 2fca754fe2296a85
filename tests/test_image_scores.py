"""Images drawn by a model are scored in the features of a classifier of the same data set."""

import csv
import json

import numpy as np
import pytest

from tests.test_evaluation import digits, moons, train
from versus.data import prepared
from versus.evaluation import evaluate
from versus.evaluation.extractor import Extractor, write
from versus.metrics.table import of_use
from versus.report import results
from versus.report.sections import samples
from versus.settings import Cell
from versus.workspace import Workspace


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A density of pixels and noise of the same pixel values, evaluated with the extractor of their data set."""
    workspace, data = Workspace(tmp_path_factory.mktemp("scored")), digits()
    prepared.write(workspace.prepared("set"), data)
    write(workspace.extractor("set"), data, "made by this", seed=0)
    cells = []
    for name, args in (("naive", {}), ("full", {"covariance_type": "full"})):
        module, class_name = ("gaussian", "GaussianClassifier") if args else ("naive_bayes", "GaussianNaiveBayes")
        train(data, workspace.model(f"set-{name}"), "classical_generative", module, class_name, args)
        cells.append(Cell(f"set-{name}", "set", "classical_generative", module, class_name, args))
        out = workspace.evaluation(f"set-{name}")
        evaluate(data, workspace.model(f"set-{name}"), cells[-1], out, 0, Extractor(workspace.extractor("set")))
    return workspace, cells


def scores(workspace, cell):
    rows = csv.DictReader((workspace.evaluation(cell) / "scores.csv").open())
    return {row["metric"]: float(row["value"]) for row in rows}


def test_scores_carry_the_extractors_name_and_order_models_as_the_eye_does(scored):
    workspace, cells = scored
    extractor = Extractor(workspace.extractor("set"))
    naive, full = (scores(workspace, cell.name) for cell in cells)
    names = {metric.name + extractor.suffix for metric in of_use("image_samples")}
    assert names <= naive.keys()
    facts = json.loads((workspace.evaluation("set-full") / "evaluation.json").read_text())
    assert facts["extractor"] == {**extractor.facts, "images": 100}
    assert extractor.facts["accuracy"] > 0.95
    assert names == set(facts["floors"])
    images = prepared.read(workspace.prepared("set")).take(0, "test")[0]
    noise = np.random.default_rng(0).permuted(images, axis=0)  # every pixel keeps its own distribution
    for metric in of_use("image_samples")[:2]:
        of_noise = metric.score(*map(extractor.seen, (images, noise)))
        assert max(found[metric.name + extractor.suffix] for found in (full, naive)) < 0.5 * of_noise
    assert full["fid" + extractor.suffix] < naive["fid" + extractor.suffix]
    assert facts["floors"]["modes_covered" + extractor.suffix] == 1.0


def test_the_page_shows_them_with_the_floor_the_number_and_the_hash(scored):
    workspace, cells = scored
    (dataset,) = results.read(workspace, cells).datasets
    content = samples.content(dataset)
    table = content["images"]
    assert table.headers[0] == "FID"
    assert len(table.headers) == len(table.floor) == len(of_use("image_samples"))
    assert {cell.name for cell, _ in table.rows} == {"set-naive", "set-full"}
    told = "\n".join(samples.markdown(content))
    assert content["extractor"]["sha256"][:16] in told
    assert "100 images" in told
    assert "real images" in told


def test_it_is_the_same_on_every_machine_and_another_for_other_code(scored, tmp_path):
    workspace, _ = scored
    data = prepared.read(workspace.prepared("set"))
    known = Extractor(workspace.extractor("set"))
    write(tmp_path / "again", data, "made by this", seed=0)
    assert Extractor(tmp_path / "again").facts == known.facts
    write(tmp_path / "other", data, "made by that", seed=0)
    other = Extractor(tmp_path / "other").facts
    assert (other["name"] != known.facts["name"], other["sha256"]) == (True, known.facts["sha256"])
    images = data.take(0, "test")[0]
    seen = known.seen(images)
    assert seen.features.shape == (100, 64)
    np.testing.assert_allclose(seen.probabilities.sum(axis=1), 1.0)


def test_tables_have_none(tmp_path):
    write(tmp_path / "none", moons(), "made by this", seed=0)
    assert not Extractor(tmp_path / "none").exists
    assert sorted(path.name for path in (tmp_path / "none").iterdir()) == ["contents.txt", "none.txt"]
