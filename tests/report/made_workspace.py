"""Workspaces for the report's tests: small models fitted here in numpy, their files written as the evaluation does."""

import csv
import json
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from versus.arrays import Ragged
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table, Tokens
from versus.data.splits import split
from versus.data.targets import Classes, Number, Tags
from versus.evaluation import importance
from versus.evaluation.answers import HeldOut
from versus.evaluation.record import Record
from versus.metrics import classification, curves
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.table import named, of_use
from versus.settings import Cell
from versus.workspace import Workspace


@dataclass(frozen=True)
class Model:
    """A class-conditional Gaussian with some of its parts left out, which makes it better or worse."""

    name: str
    family: str
    module: str = "gaussian"
    columns: int | None = None  # how many of the columns it looks at; all where None
    generative: bool = False
    steps: bool = False
    seconds: float = 0.1

    def fit(self, X, y, n_classes):
        inputs = X.reshape(len(X), -1)[:, : self.columns].astype(float)
        self_means = np.zeros((n_classes, inputs.shape[1]))
        for k in range(n_classes):
            if (y == k).any():
                self_means[k] = inputs[y == k].mean(axis=0)
        prior = (np.bincount(y, minlength=n_classes) + 1) / (len(y) + n_classes)
        return self_means, inputs.std() + 1e-6, prior

    def predict_proba(self, fitted, X):
        means, spread, prior = fitted
        if self.module == "baseline":
            return np.tile(prior, (len(X), 1))
        inputs = X.reshape(len(X), -1)[:, : self.columns].astype(float)
        logits = np.log(prior) - ((inputs[:, None, :] - means) ** 2).sum(axis=2) / (2 * spread**2)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)


MODELS = (
    Model("prior", "discriminative", "baseline", seconds=0.001),
    Model("nearest_centroid", "discriminative", "linear", seconds=0.02),
    Model("half_centroid", "discriminative", "linear", columns=1, seconds=0.01),
    Model("gaussian", "classical_generative", generative=True, seconds=0.05),
    Model("vae", "deep_generative", "vae", columns=2, generative=True, steps=True, seconds=3.0),
)


@dataclass
class Made:
    """A workspace under construction, and the cells of its params."""

    workspace: Workspace
    cells: list[Cell] = field(default_factory=list)

    def add_classification(self, name, X, y, schema, repeats=5, models=MODELS, fixed_test=False):
        """Prepare a data set, fit and evaluate the models on it."""
        data = Prepared(X, y, schema, splits(len(y), repeats, fixed_test), {"description": f"made for a test: {name}"})
        prepared.write(self.workspace.prepared(name), data)
        data = prepared.read(self.workspace.prepared(name))
        for model in models:
            cell = Cell(f"{name}-{model.name}", name, model.family, model.module, "Model", {"columns": 2})
            self.cells.append(cell)
            self._evaluate(cell, model, data)

    def add_regression(self, name, X, y, repeats=5):
        """Prepare a regression data set with a mean baseline, least squares, and a joint Gaussian with intervals."""
        columns = tuple(Column(f"x{d}") for d in range(X.shape[1]))
        schema = Schema(Table(columns), Number("amount"))
        prepared.write(self.workspace.prepared(name), Prepared(X, y, schema, splits(len(y), repeats), {}))
        data = prepared.read(self.workspace.prepared(name))
        for model, family, module, used in (
            ("mean", "discriminative", "baseline", 0),
            ("ridge", "discriminative", "linear", X.shape[1]),
            ("joint_gaussian", "classical_generative", "gaussian", X.shape[1] - 1),
        ):
            cell = Cell(f"{name}-{model}", name, family, module, "Model", {})
            self.cells.append(cell)
            self._evaluate_regression(cell, data, used, intervals=module == "gaussian")

    def add_tagging(self, name, n=240, repeats=5, fixed_test=False):
        """Prepare tagged sentences and evaluate three taggers: by word, by word and the one before, and a baseline."""
        X, y, schema = sentences(n)
        data = Prepared(X, y, schema, splits(n, repeats, fixed_test), {})
        prepared.write(self.workspace.prepared(name), data)
        data = prepared.read(self.workspace.prepared(name))
        for model, family, module, reach in (
            ("most_frequent", "discriminative", "baseline", 0),
            ("by_word", "discriminative", "linear", 1),
            ("by_pair", "classical_generative", "hmm", 2),
        ):
            cell = Cell(f"{name}-{model}", name, family, module, "Tagger", {})
            self.cells.append(cell)
            self._evaluate_tagger(cell, data, reach)

    def _evaluate_tagger(self, cell: Cell, data: Prepared, reach: int) -> None:
        scores, rows = [], {}
        for repeat in range(data.repeats):
            tagger = fit_tagger(*data.take(repeat, "train", "validation"), reach, data.schema.n_classes)
            X, y = data.take(repeat, "test")
            answers = y, Ragged(tagger(X), X.starts), None
            for metric in (named("token_accuracy"), named("sentence_accuracy")):
                scores.append((repeat, metric.name, metric.score(*answers)))
                rows.setdefault(metric.name, []).append(metric.rows(*answers))
        folder = self.workspace.evaluation(cell.name)
        folder.mkdir(parents=True)
        np.savez(folder / "rows.npz", **{metric: np.concatenate(found) for metric, found in rows.items()})
        generative = cell.family != "discriminative"
        if generative:
            drawn, tags = data.take(0, "train")
            for kind, events in (("samples", drawn[:20]), ("sample_labels", tags[:20])):
                np.save(folder / f"{kind}.values.npy", events.values)
                np.save(folder / f"{kind}.starts.npy", events.starts)
        model = Model(cell.model, cell.family, generative=generative)
        self._write_facts(cell, data, scores, ["fit", "predict", *["sample"] * generative], None, model)

    def _evaluate(self, cell: Cell, model: Model, data: Prepared) -> None:
        K = data.schema.n_classes
        scores, predictions, truths, importances = [], [], [], []
        for repeat in range(data.repeats):
            fitted = model.fit(*data.take(repeat, "train", "validation"), K)
            answering = SimpleNamespace(predict=..., predict_proba=partial(model.predict_proba, fitted))
            importances.append(importance.measure(Record(), answering, HeldOut(data, repeat), seed=repeat))
            X, y = data.take(repeat, "test")
            p = model.predict_proba(fitted, np.asarray(X))
            predictions.append(p)
            truths.append(y)
            for metric in of_use("classification"):
                with suppress(UndefinedMetricError):
                    scores.append((repeat, metric.name, metric.score(y, p)))
            if model.generative:
                bound = "mean_elbo" if model.steps else "mean_log_likelihood"
                scores += [(repeat, bound, -12.5 - repeat), (repeat, "c2st_accuracy", 0.6), (repeat, "tstr_ratio", 0.9)]
        folder = self.workspace.evaluation(cell.name)
        folder.mkdir(parents=True)
        probabilities, y = np.concatenate(predictions), np.concatenate(truths)
        np.save(folder / "predictions.npy", probabilities.astype(np.float32))
        counts = classification.confusion_matrix(y, probabilities.argmax(axis=1), K)
        write_csv(
            folder / "confusion.csv", ("true", "predicted", "count"), [(*k, n) for k, n in np.ndenumerate(counts)]
        )
        bins = classification.reliability(y, probabilities)
        write_csv(
            folder / "reliability.csv",
            ("confidence", "accuracy", "low", "high", "count"),
            zip(bins.confidence, bins.accuracy, bins.low, bins.high, bins.count, strict=True),
        )
        if all(importances):
            importance.write(folder / "importance.csv", data, importances)
        if (mean := curves.mean_curves(truths, predictions)) is not None:
            places = zip(curves.GRID, mean.hits, mean.precision, [mean.prevalence] * len(curves.GRID), strict=True)
            write_csv(folder / "curves.csv", ("place", "hits", "precision", "prevalence"), places)
        methods = ["fit", "predict_proba", *(["sample"] if model.generative else []), *(["fit_steps"] * model.steps)]
        if model.generative:
            rows = data.rows(0, "train")[:60]
            np.save(folder / "samples.npy", data.X[rows])
            np.save(folder / "sample_labels.npy", data.y[rows])
            if isinstance(data.schema.x, Image):
                np.savez(folder / "pictures.npz", rebuilt=np.stack([data.X[rows[:5]], data.X[rows[5:10]]]))
        self._write_facts(cell, data, scores, methods, "continuous" if model.generative else None, model)

    def _evaluate_regression(self, cell: Cell, data: Prepared, used: int, intervals: bool) -> None:
        scores, predictions = [], []
        for repeat in range(data.repeats):
            X, y = data.take(repeat, "train", "validation")
            design = np.column_stack([np.ones(len(X)), X[:, :used]])
            weights = np.linalg.lstsq(design, y, rcond=None)[0]
            spread = np.std(y - design @ weights)
            X, y = data.take(repeat, "test")
            p = np.column_stack([np.ones(len(X)), X[:, :used]]) @ weights
            predictions.append(p)
            scores += [(repeat, metric.name, metric.score(y, p)) for metric in of_use("regression")]
            if intervals:
                held = np.stack([p - 1.645 * spread, p + 1.645 * spread], axis=1)
                scores.append((repeat, "interval_coverage", named("interval_coverage").score(y, held)))
        folder = self.workspace.evaluation(cell.name)
        folder.mkdir(parents=True)
        np.save(folder / "predictions.npy", np.concatenate(predictions))
        self._write_facts(cell, data, scores, ["fit", "predict"], None, Model(cell.model, cell.family))

    def _write_facts(self, cell: Cell, data: Prepared, scores, methods, measure, model: Model) -> None:
        folder = self.workspace.evaluation(cell.name)
        write_csv(folder / "scores.csv", ("repeat", "metric", "value"), [(r, m, repr(float(v))) for r, m, v in scores])
        curve = [
            (0, s, name, 5 / (s + 1) + v)
            for name, v in (("train_loss", 0), ("validation_loss", 0.3))
            for s in range(20)
        ]
        write_csv(folder / "history.csv", ("repeat", "step", "name", "value"), curve if model.steps else [])
        skipped = [] if model.generative else [{"what": "likelihood", "reason": "it models y given x only"}]
        write_json(
            folder / "evaluation.json",
            {
                "cell": cell.name,
                "dataset": cell.dataset,
                "family": cell.family,
                "module": cell.module,
                "class": cell.class_name,
                "args": dict(cell.args),
                "task": data.schema.y.task,
                "measure": measure,
                "bound": model.steps if measure else None,
                "capabilities": methods,
                "skipped": skipped,
                "n_test": data.splits["test"].lengths.tolist(),
                "repeats": data.repeats,
            },
        )
        fits = [
            {
                "seconds": model.seconds * (1 + 0.1 * r),
                "peak_rss_bytes": 200_000_000 + 1_000_000 * r,
                "rss_before_bytes": 180_000_000,
                "cuda_peak_bytes": None,
                "device": "cpu",
                "precision": "64-true",
                "n_train": int(data.splits["train"].lengths[r]),
            }
            for r in range(data.repeats)
        ]
        write_json(self.workspace.training_cost(cell.name), {"repeats": fits, "hardware": {"processor": "one"}})
        use: dict[str, Any] = {
            "latency_ms": {str(b): {"p50": 0.2 + model.seconds, "p95": 0.3 + model.seconds} for b in (1, 256)}
        }
        use |= {"throughput_per_s": 1000.0, "samples_per_s": 10.0 if model.generative else None}
        write_json(self.workspace.usage_cost(cell.name), use | {"parameters": 12, "bytes_on_disk": 3456})


def sentences(n=240, seed=0):
    """Sentences of words whose tag follows from the word, or for two of them from the word before."""
    rng = np.random.default_rng(seed)
    words = ("the", "a", "<b>big</b>", "dog", "run", "light")
    tags = {"the": 0, "a": 0, "<b>big</b>": 1, "dog": 2}
    X = [rng.integers(0, len(words), size=rng.integers(2, 9)) for _ in range(n)]
    y = []
    for sentence in X:
        before = [-1, *sentence[:-1]]
        y.append([tags.get(words[w], 2 if b in (0, 1) else 3) for w, b in zip(sentence, before, strict=True)])
    schema = Schema(Tokens(words), Tags(("determiner", "adjective", "noun", "verb")))
    return Ragged.of(X, np.int32), Ragged.of(y, np.int64), schema


def fit_tagger(X, y, reach, n_tags):
    """The most frequent tag of the last ``reach`` words, as a function of sentences."""
    counts = {}
    for context, tag in zip(contexts(X, reach), y.values, strict=True):
        counts.setdefault(context, np.zeros(n_tags))[tag] += 1
    return lambda sentences: np.array([counts[c].argmax() if c in counts else 0 for c in contexts(sentences, reach)])


def contexts(sentences, reach):
    padded = ([-1] * reach + list(map(int, sentence)) for sentence in sentences)
    return [tuple(s[i + 1 : i + 1 + reach]) for s in padded for i in range(len(s) - reach)]


def splits(n, repeats, fixed_test=False):
    """Folds of one partition, 60/20/20 for five; the last rows every time where the test set is fixed."""
    return split(np.zeros(n, np.int64), n // 5 if fixed_test else 0, repeats, max(repeats, 2), 0.2, 0.25, seed=0)


def write_csv(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def blobs(n_classes=3, n=200, features=4, apart=1.5, seed=0):
    """Gaussian clusters: X (n, features), y (n,), and their schema."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    X = rng.normal(size=(n, features)) + apart * rng.normal(size=(n_classes, features))[y]
    columns = tuple(Column(f"x{d}") for d in range(features))
    return X, y, Schema(Table(columns), Classes(tuple(f"class {k}" for k in range(n_classes))))


def pictures(n=150, seed=0):
    """8×8 images of three classes: a bright row, column or square."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = rng.integers(0, 6, size=(n, 8, 8))
    for image, k in zip(X, y, strict=True):
        place = rng.integers(1, 6)
        image[
            (
                (slice(place, place + 2), slice(None)),
                (slice(None), slice(place, place + 2)),
                (slice(2, 6), slice(2, 6)),
            )[k]
        ] += 9
    return X.astype(np.uint8), y, Schema(Image((8, 8), 17), Classes(("row", "column", "square")))
