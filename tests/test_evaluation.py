import csv
import inspect
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics as reference
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_moons

from tests.models.small_text import bracketed
from tests.report.made_workspace import sentences
from versus.arrays import Ragged
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table
from versus.data.targets import Classes, Domains, Number
from versus.evaluation import evaluate
from versus.evaluation.answers import EvaluationError, HeldOut
from versus.evaluation.record import Record, hash_test_rows
from versus.evaluation.uses import density, transfer
from versus.evaluation.uses.density import unspread
from versus.metrics.table import named, of_use, shown
from versus.models import find, persistence
from versus.models.classical_generative.naive_bayes import GaussianNaiveBayes
from versus.models.persistence import PersistenceError
from versus.report import evaluation
from versus.report.figures import samples
from versus.report.figures.figure import standalone
from versus.report.sections import learned

CLASSIFICATION = {metric.name for metric in of_use("classification")}
SHIFTED = set(shown("shifts"))  # with classes
OF_IMAGES = {"novelty_by_error_auroc", "others_auroc", "others_by_complexity_auroc", "others_by_error_auroc"}
BEYOND = {*shown("ledger"), *SHIFTED} - OF_IMAGES  # of tables with classes
SAMPLES = {"c2st_accuracy", "copying", "memorisation", "tstr_balanced_accuracy", "tstr_ratio"}
DISTANCES = {"wasserstein_distance", "marginal_distance", "correlation_distance"}  # of columns of samples


def prepared(X, y, schema, repeats=2, n_test=60):
    """Random splits; a tenth for validation."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(len(y)) for _ in range(repeats)]
    cut = n_test + len(y) // 10
    return Prepared(
        X=X,
        y=y,
        schema=schema,
        splits={
            "test": Ragged.of(o[:n_test] for o in orders),
            "validation": Ragged.of(o[n_test:cut] for o in orders),
            "train": Ragged.of(o[cut:] for o in orders),
        },
        about={},
    )


def moons():
    X, y = make_moons(300, noise=0.2, random_state=0)
    return prepared(X, y, Schema(Table((Column("a"), Column("b"))), Classes(("u", "v"))))


def iris():
    X, y = load_iris(return_X_y=True)
    columns = tuple(map(Column, "abcd"))
    return prepared(X, y, Schema(Table(columns), Classes(("s", "v", "w"))), n_test=30)


def digits():
    X, y = load_digits(n_class=3, return_X_y=True)
    schema = Schema(Image((8, 8), 17), Classes(tuple("012")))
    return prepared(X.reshape(-1, 8, 8).astype(np.uint8), y, schema, repeats=1, n_test=100)


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return prepared(X, y, Schema(Table(tuple(Column(f"x{d}") for d in range(10))), Number()))


def train(data, folder, family, module, name, args):
    """Fit and save each repeat, as the train stages do; returns the cell."""
    model_class = find(family, module, name)
    for repeat in range(data.repeats):
        seed = {"random_state": repeat} if "random_state" in inspect.signature(model_class).parameters else {}
        model = model_class(**args, **seed, schema=data.schema).fit(*data.take(repeat, "train", "validation"))
        persistence.save(model, folder / str(repeat), family, module)
    return SimpleNamespace(name="set-model", dataset="set", family=family, module=module, class_name=name, args=args)


@pytest.fixture
def measured(tmp_path):
    """Train and evaluate a cell; returns its facts, its scores by metric, its cost and its folder."""

    def of(data, family, module, name, **args):
        cell = train(data, tmp_path / "models", family, module, name, args)
        out = tmp_path / "out"
        evaluate(data, tmp_path / "models", cell, out=out, seed=0)
        scores = defaultdict(list)
        for row in csv.DictReader((out / "scores.csv").open()):
            assert named(row["metric"]).low <= float(row["value"]) <= named(row["metric"]).high
            scores[row["metric"]].append(float(row["value"]))
        return SimpleNamespace(
            facts=json.loads((out / "evaluation.json").read_text()),
            scores=dict(scores),
            cost=json.loads((out / "usage_cost.json").read_text()),
            out=out,
        )

    return of


def test_a_classifier(measured):
    data = iris()
    found = measured(data, "discriminative", "linear", "LogisticRegression", C=0.5)
    assert found.scores.keys() == CLASSIFICATION | BEYOND
    assert all(len(values) == data.repeats for values in found.scores.values())
    y = np.stack([data.take(r, "test")[1] for r in range(2)])
    predictions = np.load(found.out / "predictions.npy")
    assert predictions.dtype == np.float32
    assert predictions.shape == (60, 3)
    predictions = predictions.reshape(2, 30, 3)
    expected = [reference.accuracy_score(y[r], predictions[r].argmax(1)) for r in range(2)]
    assert found.scores["accuracy_score"] == expected
    counts = np.zeros((3, 3), dtype=int)
    for row in csv.DictReader((found.out / "confusion.csv").open()):
        counts[int(row["true"]), int(row["predicted"])] = int(row["count"])
    np.testing.assert_array_equal(counts, reference.confusion_matrix(y.ravel(), predictions.argmax(2).ravel()))
    rows = list(csv.DictReader((found.out / "reliability.csv").open()))
    assert sum(int(row["count"]) for row in rows) == 60
    assert list(rows[0]) == ["confidence", "accuracy", "low", "high", "count"]
    assert len(list(csv.DictReader((found.out / "curves.csv").open()))) == 101
    assert not (found.out / "samples.npy").exists()
    assert found.facts == {
        "cell": "set-model",
        "dataset": "set",
        "family": "discriminative",
        "seed": 0,
        "module": "linear",
        "class": "LogisticRegression",
        "args": {"C": 0.5},
        "task": "classification",
        "measure": None,
        "bound": None,
        "special_cases": [],
        "capabilities": ["fit", "predict", "predict_proba"],
        "n_test": [30, 30],
        "repeats": 2,
        "test_hash": hash_test_rows(data),
        "skipped": [
            {
                "what": "likelihood",
                "reason": "LogisticRegression models y given x, and has no density of x",
            },
            {"what": "samples", "reason": "LogisticRegression models y given x, and draws no data"},
            {
                "what": "train on synthetic, test on real",
                "reason": "LogisticRegression models y given x, and draws no data",
            },
            {"what": "filling gaps", "reason": "LogisticRegression fills no gaps"},
            {"what": "features", "reason": "LogisticRegression has no codes of events"},
        ],
    }


def test_images_of_two_domains_are_classified_by_domain_and_kind(measured):
    whole = digits()
    second = np.arange(len(whole.y)) % 2
    X = np.where(second[:, None, None] == 1, 16 - np.asarray(whole.X), whole.X)
    schema = replace(whole.schema, y=Domains.joined(("bright", "dark"), ("0", "1", "2")))
    data = prepared(X, whole.y + 3 * second, schema, repeats=1, n_test=100)
    found = measured(data, "discriminative", "linear", "LogisticRegression")
    assert set(found.scores) >= CLASSIFICATION
    assert found.scores["accuracy_score"][0] > 0.9  # by chance a sixth
    assert "predictions" not in {row["what"] for row in found.facts["skipped"]}


def test_a_generative_classifier_of_the_plane(measured):
    data = moons()
    found = measured(data, "classical_generative", "gaussian", "GaussianClassifier")
    assert found.scores.keys() == CLASSIFICATION | BEYOND | {"mean_log_likelihood"} | SAMPLES | DISTANCES
    assert (found.facts["measure"], found.facts["bound"]) == ("continuous", False)
    assert [skip["what"] for skip in found.facts["skipped"]] == ["filling gaps", "features"]
    samples, labels = np.load(found.out / "samples.npy"), np.load(found.out / "sample_labels.npy")
    assert samples.shape == (500, 2)
    np.testing.assert_array_equal(np.bincount(labels), [250, 250])
    axes = np.load(found.out / "grid.npy")
    probabilities, log_prob = (np.load(found.out / f"grid_{name}.npy") for name in ("probabilities", "log_prob"))
    assert (axes.shape, probabilities.shape, log_prob.shape) == ((2, 100), (100, 100, 2), (100, 100))
    X = np.asarray(data.X)
    assert (axes[:, 0] < X.min(axis=0)).all()
    assert (axes[:, -1] > X.max(axis=0)).all()
    # first index along the second feature: the upper moon is class 0
    assert probabilities[-1, 50, 0] > 0.9
    assert probabilities[0, 50, 0] < 0.1
    cell = (axes[:, 1] - axes[:, 0]).prod()
    assert 0.9 < np.exp(log_prob).sum() * cell < 1.0  # nearly all of the density's mass is on the grid
    assert found.cost["samples_per_s"] > 0


def test_images_of_a_continuous_density(measured):
    data = digits()
    found = measured(data, "classical_generative", "gaussian", "GaussianClassifier")
    bits, nats = found.scores["bits_per_dimension"][0], found.scores["mean_log_likelihood"][0]
    assert bits == pytest.approx(-nats / (64 * np.log(2)))
    assert bits < np.log2(17)  # what pixels drawn evenly would take
    samples = np.load(found.out / "samples.npy")
    assert (samples.dtype, samples.shape) == (np.uint8, (100, 8, 8))
    assert samples.max() <= 16
    assert found.scores["tstr_ratio"][0] > 0.8
    assert "only the columns of tables" in found.facts["skipped"][-1]["reason"]
    assert not (found.out / "importance.csv").exists()


def test_a_density_fitted_to_whole_pixels_is_told(measured, monkeypatch):
    """Its likelihood of spread pixels would stand beside those of models that were fitted to these."""
    data = digits()
    X, y = data.take(0, "train")
    models = {"naive_bayes": "GaussianNaiveBayes", "kernel_density": "KernelDensityClassifier"}
    for module, name in models.items():
        for place in (0.0, 0.5):  # of the whole numbers in their cells
            whole = lambda X, *_, place=place: X.reshape(len(X), -1) + place  # noqa: E731
            kind = find("classical_generative", module, name)
            assert unspread(kind(schema=data.schema, random_state=0).fit(X, y), X, data.schema, 0) is None
            with monkeypatch.context() as changed:
                changed.setattr(f"versus.models.classical_generative.{module}.dequantised_rows", whole)
                # without the floor that keeps our variances from what a model of a user's own may do
                changed.setattr("versus.models.classical_generative.naive_bayes.least_variances", lambda *_: 1e-3)
                wrong = kind(schema=data.schema, random_state=0).fit(X, y)
            assert "fitted to whole pixels" in unspread(wrong, X, data.schema, 0)
    monkeypatch.setattr("versus.models.classical_generative.kernel_density.dequantised_rows", whole)
    found = measured(data, "classical_generative", "kernel_density", "KernelDensityClassifier")
    assert "accuracy_score" in found.scores
    assert not {"mean_log_likelihood", "bits_per_dimension"} & found.scores.keys()
    assert any("dequantised_rows" in skip["reason"] for skip in found.facts["skipped"])


def test_a_binarised_density_has_columns_of_its_own(measured):
    found = measured(digits(), "classical_generative", "naive_bayes_discrete", "BernoulliNaiveBayes")
    densities = {"mean_log_likelihood_binarised", "bits_per_dimension_binarised"}
    assert found.scores.keys() == CLASSIFICATION | SAMPLES | SHIFTED | densities | {"novelty_auroc"}
    assert found.facts["measure"] == "binarised"
    assert found.scores["bits_per_dimension_binarised"][0] < 1.0  # one bit would be a fair coin


def test_a_bound_of_a_generator_that_knows_no_classes(measured):
    found = measured(
        moons(), "deep_generative", "vae", "VAE", n_latent=2, hidden_layer_sizes=[8], epochs=2, device="cpu"
    )
    bounds = {"mean_elbo", "mean_importance_bound"}
    of_codes = {"probe_accuracy", "raw_probe_accuracy", "novelty_auroc", "novelty_by_error_auroc"}
    of_codes |= {name for name in shown("codes") if "filled" in name}
    assert found.scores.keys() == bounds | of_codes | DISTANCES | {"c2st_accuracy", "copying", "memorisation"}
    assert found.scores["mean_importance_bound"] > found.scores["mean_elbo"]
    assert found.facts["bound"] is True
    without = {"predictions", "train on synthetic, test on real", "answers with missing columns", "answers under shift"}
    without.add("permutation importance")
    assert {skip["what"] for skip in found.facts["skipped"]} == without
    assert not (found.out / "predictions.npy").exists()
    assert (np.load(found.out / "sample_labels.npy") == -1).all()
    assert found.cost["latency_ms"]["1"]["p50"] > 0
    assert not (found.out / "grid_probabilities.npy").exists()
    assert np.isfinite(np.load(found.out / "grid_log_prob.npy")).all()


def test_regression_with_and_without_a_density(measured, tmp_path):
    values = {"root_mean_squared_error", "mean_absolute_error", "r2_score"}
    found = measured(diabetes(), "discriminative", "baseline", "MeanBaseline")
    assert found.scores.keys() == values | {"interval_coverage", "pinball_loss", "mean_target_log_likelihood"}
    assert np.mean(found.scores["interval_coverage"]) == pytest.approx(0.9, abs=0.1)
    assert np.mean(found.scores["r2_score"]) < 0.05
    predictions = np.load(found.out / "predictions.npy")
    assert (predictions.dtype, predictions.shape) == (np.float64, (120,))
    assert not (found.out / "confusion.csv").exists()
    ridge = measured(diabetes(), "discriminative", "linear", "RidgeRegression")
    assert ridge.scores.keys() == values
    assert np.mean(ridge.scores["r2_score"]) > 0.3
    assert "RidgeRegression predicts values, no intervals" in {skip["reason"] for skip in ridge.facts["skipped"]}


def test_a_tagger_that_generates_leaves_sentences_with_their_tags(measured):
    X, y, schema = sentences(200)
    found = measured(prepared(X, y, schema), "classical_generative", "hidden_markov", "HiddenMarkovModel")
    scores = {"token_accuracy", "sentence_accuracy", "tag_log_loss", "sequence_log_loss"}
    assert scores <= found.scores.keys()
    assert "span_f1" not in found.scores  # these are no tags of spans
    assert "every token of the test rows occurs in the training rows" in {s["reason"] for s in found.facts["skipped"]}
    shown = evaluation.read(found.out)
    steps = shown.facts["transitions"]
    assert (steps["from"], steps["to"]) == (["(start)", *schema.classes], [*schema.classes, "(end)"])
    np.testing.assert_allclose(np.sum(steps["values"], axis=1), 1.0)
    table = learned.shaded(steps)
    assert [name for name, _ in table["rows"]] == steps["from"]
    assert max(shade for _, cells in table["rows"] for _, shade in cells) == 1.0
    assert len(shown.samples) == len(shown.sample_labels) > 0
    np.testing.assert_array_equal(shown.samples.starts, shown.sample_labels.starts)
    text, tags = samples.values(shown.samples[0], schema)[0].split(), samples.label(shown.sample_labels[0], schema)
    assert len(text) == len(tags.split())
    assert set(text) <= set(schema.x.vocabulary)
    assert set(tags.split()) <= set(schema.classes)


def test_a_grammar_is_scored_by_brackets_and_leaves_sentences_with_their_trees(measured):
    X, y, schema = bracketed(120)
    found = measured(prepared(X, y, schema, n_test=40), "classical_generative", "pcfg", "PCFG")
    trees = {"bracket_f1", "exact_match", "tree_tag_accuracy", "unknown_bracket_f1", "sentence_nats_per_token"}
    assert trees <= found.scores.keys()
    assert np.mean(found.scores["bracket_f1"]) > 0.8
    assert found.facts["task"] == "parsing"
    assert min(found.facts["unknown_tokens"]) > 0
    shown = evaluation.read(found.out)
    text, tree = samples.values(shown.samples[0], schema)[0], samples.label(shown.sample_labels[0], schema)
    assert tree.startswith("(S ")
    assert schema.y.written(shown.sample_labels[0], words=text.split()).count("(") == len(shown.sample_labels[0])
    model = persistence.load(found.out.parent / "models" / "0")
    schema.y.check(shown.samples, shown.sample_labels)
    assert np.isfinite(model.log_prob(shown.samples)).all()


def test_everything_but_times_is_the_same_bytes_again(tmp_path):
    data = moons()
    cell = train(data, tmp_path / "models", "classical_generative", "gaussian", "GaussianClassifier", {})
    for name in ("first", "second"):
        evaluate(data, tmp_path / "models", cell, tmp_path / name, seed=0)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "second").iterdir())
    for name in set(names) - {"usage_cost.json"}:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_cost_counts_files_and_numbers(measured):
    found = measured(iris(), "discriminative", "linear", "LogisticRegression")
    saved = found.out.parent / "models" / "0"
    assert found.cost["bytes_on_disk"] == sum(saved.with_suffix(s).stat().st_size for s in (".json", ".safetensors"))
    assert found.cost["parameters"] == persistence.count_numbers(saved)
    assert found.cost["samples_per_s"] is None
    assert found.cost["throughput_per_s"] > 1000
    for size in ("1", "256"):
        assert 0 < found.cost["latency_ms"][size]["p50"] <= found.cost["latency_ms"][size]["p95"]


def test_a_class_that_a_test_part_lacks_is_a_reason_not_a_nan(measured):
    data = iris()
    rows = data.splits["test"]
    data.splits["test"] = Ragged.of([rows[0][:20], rows[1][data.y[rows[1]] != 2][:15]])
    found = measured(data, "discriminative", "baseline", "PriorBaseline")
    assert len(found.scores["roc_auc"]) == 1
    assert len(found.scores["log_loss"]) == 2
    reason = "no test row is of class 2, so its curve does not exist (repeat 1 of 0 to 1)"
    assert {"what": "roc_auc", "reason": reason} in found.facts["skipped"]


def test_missing_values_in_the_test_part(measured):
    data = moons()
    holes = np.random.default_rng(1).random(data.X.shape) < 0.05
    data.X[holes] = np.nan
    found = measured(data, "classical_generative", "gaussian", "GaussianClassifier")
    assert "mean_log_likelihood" in found.scores  # marginalised exactly


def test_importance_is_scikit_learns_and_0_for_a_column_that_says_nothing(measured):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 3))
    y = (X[:, 0] + 0.3 * X[:, 1] > 0).astype(int)
    data = prepared(X, y, Schema(Table(tuple(map(Column, "abc"))), Classes(("u", "v"))), n_test=200)
    found = measured(data, "discriminative", "trees", "RandomForest", n_estimators=10)
    rows = {row["column"]: row for row in csv.DictReader((found.out / "importance.csv").open())}
    for d, name in enumerate("abc"):
        theirs = []
        for repeat in range(data.repeats):
            model = persistence.load(found.out.parent / "models" / str(repeat))
            before, X, y = [], *data.take(repeat, "test")
            for _ in range(10):
                dealt = X.copy()
                dealt[:, d] = rng.permutation(X[:, d])
                before.append(np.mean(model.predict(X) == y) - np.mean(model.predict(dealt) == y))
            theirs.append(np.mean(before))
        assert float(rows[name]["mean"]) == pytest.approx(np.mean(theirs), abs=0.04)
        assert 0 < float(rows[name]["standard_error"]) < 0.04
    assert float(rows["a"]["mean"]) > 0.3 > 0.03 > abs(float(rows["c"]["mean"]))


def test_importance_of_a_regression_is_in_the_unit_of_the_target(measured):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    data = prepared(X, 3 * X[:, 0], Schema(Table(tuple(map(Column, "ab"))), Number()), n_test=250)
    found = measured(data, "discriminative", "linear", "RidgeRegression", alpha=1e-6)
    a, b = csv.DictReader((found.out / "importance.csv").open())
    # |3 x - 3 x'| of two independent normals has the mean 3 * 2 / sqrt(pi)
    assert float(a["mean"]) == pytest.approx(6 / np.sqrt(np.pi), abs=4 * float(a["standard_error"]))
    assert abs(float(b["mean"])) < 1e-6


def test_a_damaged_model_is_named(tmp_path):
    data = iris()
    cell = train(data, tmp_path / "models", "discriminative", "baseline", "PriorBaseline", {})
    (tmp_path / "models" / "1.safetensors").write_bytes(b"")
    with pytest.raises(PersistenceError, match=r"1\.safetensors is damaged"):
        evaluate(data, tmp_path / "models", cell, tmp_path / "out", seed=0)


def test_probabilities_that_are_none_stop_the_evaluation(tmp_path):
    data = iris()
    cell = train(data, tmp_path / "models", "discriminative", "baseline", "PriorBaseline", {})
    model = persistence.load(tmp_path / "models" / "0")
    model.log_prior_ = np.log(np.array([0.5, 0.5, 0.5]))  # sums to 1.5
    persistence.save(model, tmp_path / "models" / "0", "discriminative", "baseline")
    with pytest.raises(EvaluationError, match="probabilities are finite, at least 0 and sum to 1") as caught:
        evaluate(data, tmp_path / "models", cell, tmp_path / "out", seed=0)
    assert caught.value.__notes__ == ["while set-model, repeat 0, was evaluated"]


def test_a_record_keeps_reasons_and_refuses_what_is_not_finite(tmp_path):
    record = Record()
    record.skip("roc_auc", "no test row is of class 2", 1)
    record.skip("likelihood", "none", 0)
    record.skip("likelihood", "none", 1)
    assert record.skipped(2) == [
        {"what": "roc_auc", "reason": "no test row is of class 2 (repeat 1 of 0 to 1)"},
        {"what": "likelihood", "reason": "none"},
    ]
    ratio = replace(named("tstr_ratio"), value=lambda a, b: a / b)
    with pytest.raises(EvaluationError, match="second is nan"):
        record.score(0, "second", ratio, np.float64("nan"), 1)
    record.score(0, "third", ratio, np.float64(1), 3)
    record.write_scores(tmp_path / "scores.csv")
    assert (tmp_path / "scores.csv").read_text() == "repeat,metric,value\n0,third,0.3333333333333333\n"


def test_a_cell_without_samples_is_evaluated_without_what_it_does_not_need(tmp_path):
    """An import would take longer than the rest of such an evaluation."""
    data = iris()
    train(data, tmp_path / "models", "discriminative", "baseline", "PriorBaseline", {})
    script = f"""
import sys
import xml.etree.ElementTree as ElementTree
sys.path.insert(0, {str(__file__.rsplit("/", 1)[0])!r})
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from versus.data import prepared
from versus.evaluation import evaluate
cell = SimpleNamespace(name="a-b", dataset="a", family="", module="", class_name="", args={{}})
evaluate(prepared.read(Path({str(tmp_path / "data")!r})), Path({str(tmp_path / "models")!r}), cell,
         Path({str(tmp_path / "out")!r}), seed=0)
assert not {{"torch", "skops", "matplotlib"}} & sys.modules.keys()
"""
    from versus.data import prepared as folder

    folder.write(tmp_path / "data", data)
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"PYTHONPATH": ":".join(sys.path)})


def test_the_graph_of_a_network_reaches_the_page(measured):
    found = measured(iris(), "classical_generative", "bayesian_network", "TreeAugmentedNaiveBayes")
    (graph,) = evaluation.read(found.out).graphs
    assert len(graph["arcs"]) == len(graph["nodes"]) - 1 == 3
    ((figure,), more) = learned.graphs(evaluation.read(found.out))
    assert more == 0
    picture = ElementTree.fromstring(standalone(figure))
    titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert {f"{graph['nodes'][a]} → {graph['nodes'][b]}" for a, b in graph["arcs"]} < set(titles)
    boxes = {box.name: box for box in figure.parts["boxes"]}
    for a, b in graph["arcs"]:
        assert boxes[graph["nodes"][a]].x < boxes[graph["nodes"][b]].x
    assert len({(box.x, box.y) for box in boxes.values()}) == 4


def test_a_pseudo_likelihood_never_passes_for_a_likelihood():
    rng = np.random.default_rng(0)
    columns = tuple(Column(f"c{d}", ("p", "q", "r", "s")) for d in range(13))
    X, y = rng.integers(4, size=(150, 13)).astype(float), rng.integers(2, size=150)
    data = prepared(X, y, Schema(Table(columns), Classes(("a", "b"))), repeats=1)
    kind = find("classical_generative", "markov_random_field", "MarkovRandomField")
    model = kind(schema=data.schema, max_iter=3).fit(X, y)
    (answered,) = density.answers(model, HeldOut(data, 0), 0)
    names = [metric.name + answered.suffix for metric in of_use(answered.use)]
    assert names == ["mean_pseudo_log_likelihood_discrete"]
    assert named(names[0]).label.startswith("mean pseudo-log-likelihood")


def test_an_estimated_likelihood_has_a_name_of_its_own_and_its_filters_are_drawn():
    data = digits()
    kind = find("classical_generative", "restricted_boltzmann", "RestrictedBoltzmannMachine")
    model = kind(schema=data.schema, n_components=20, epochs=1, ais_steps=20, random_state=0, device="cpu")
    model.fit(data.X[:60], data.y[:60])
    (answered,) = density.answers(model, HeldOut(data, 0), 0)
    names = [metric.name + answered.suffix for metric in of_use(answered.use)]
    assert names == ["mean_ais_log_likelihood_binarised"]
    estimate, low, high = model.log_normaliser_
    assert low < estimate < high
    sheet = learned.filter_sheet(model.filters())
    assert sheet.shape == (2 * 9 - 1, 10 * 9 - 1)
    assert sheet.min() == 0 or sheet.max() == 255  # each unit from its strongest weight


def test_a_thousand_rows_teach_no_judge_thousands_of_classes() -> None:
    def reason(classes: int) -> str | None:
        schema = Schema(Table((Column("a"),)), Classes(tuple(map(str, range(classes)))))
        rng = np.random.default_rng(0)
        model = GaussianNaiveBayes(schema=schema).fit(
            rng.normal(size=(2 * classes, 1)), np.arange(2 * classes) % classes
        )
        return transfer.reason_against(model, schema)

    assert reason(200) is None
    assert "201 classes leave fewer than 5 of 1000 rows" in str(reason(201))
