"""Every configured cell, at a tiny size, keeps the contract of `versus.models.protocols`."""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from versus import params as parameters
from versus.arrays import Events, Ragged
from versus.data.preparation import prepare
from versus.data.prepared import Prepared
from versus.data.spaces import Column, Table
from versus.data.targets import Classes, Tags, Trees
from versus.evaluation.answers import capabilities, density
from versus.evaluation.uses.density import unspread
from versus.fitting.cell import build
from versus.fitting.repeats import parts_to_fit
from versus.models import FAMILIES, catalogue, find, persistence
from versus.models.arguments import arguments_of
from versus.models.protocols import FitsBySteps
from versus.settings import Cell

ROOT = Path(__file__).resolve().parents[1]
PARAMS = parameters.read(ROOT / "params.yaml")
CELLS = list(parameters.cells(PARAMS))
ROWS = 90
DRAWN = ("synthetic", "moons", "animals")


@cache
def tiny(dataset: str) -> Prepared:
    if dataset == "mixed":
        return with_a_category(tiny("iris"))
    spec = parameters.dataset(PARAMS, dataset)
    return prepare(
        dataset,
        spec.model_copy(update={"limit": ROWS, "test_limit": ROWS if dataset in DRAWN else None, "repeats": 1}),
        ROOT,
        PARAMS.seed,
    )


def with_a_category(data: Prepared) -> Prepared:
    """The same rows with a column of three categories that tells something of the class."""
    codes = (data.y + (np.arange(len(data.y)) % 3 == 0)) % 3.0
    columns = (*data.schema.columns, Column("kind", ("p", "q", "r")))
    return dataclasses.replace(
        data, X=np.column_stack([data.X, codes]), schema=dataclasses.replace(data.schema, x=Table(columns))
    )


def fitted(cell: Cell) -> Any:
    args = {k: min(v, 3) if k == "epochs" else v for k, v in cell.args.items()}
    model = build(dataclasses.replace(cell, args=args), PARAMS.training, PARAMS.seed, tiny(cell.dataset).schema)
    data = tiny(cell.dataset)
    parts = parts_to_fit(model)
    if not isinstance(model, FitsBySteps):
        return model.fit(*data.take(0, *parts))
    validation = None if "validation" in parts else data.take(0, "validation")
    for _ in model.fit_steps(*data.take(0, *parts), validation=validation):
        pass
    return model


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_cell_keeps_the_contract(cell: Cell, tmp_path: Path) -> None:
    data = tiny(cell.dataset)
    X, _ = data.take(0, "test")
    model = fitted(cell)
    answers = answers_of(model, X, data)
    assert answers, f"{cell.class_name} offers nothing to measure"
    check(answers, X, data)
    if density(capabilities(model)):
        assert unspread(model, X, data.schema, 0) is None

    again = answers_of(fitted(cell), X, data)
    persistence.save(model, tmp_path / "model", cell.family, cell.module)
    loaded = answers_of(persistence.load(tmp_path / "model"), X, data)
    for name, answer in answers.items():
        expect_equal(answer, again[name], f"{name} differs from one fit to the next")
        expect_equal(answer, loaded[name], f"{name} differs after saving and loading")


OF_OTHER_DATA = {
    "BernoulliNaiveBayes",
    "MultinomialNaiveBayes",
    "CategoricalNaiveBayes",
    "ConvolutionalClassifier",
    "DCGAN",
    "RestrictedBoltzmannMachine",
    "DeepBeliefNetwork",
    "DeepBoltzmannMachine",
    "NBSVM",
    "Unigrams",
    "MarkovChain",
    "MarkovChainClassifier",
    "ComplementNaiveBayes",
    "LatentDirichletAllocation",
    "TopicClassifier",
    "LSTM",
    "ConditionalLSTM",
    "Transformer",
    "ConditionalTransformer",
    "BidirectionalLSTMClassifier",
}


def cells_of_numbers() -> list[Cell]:
    """One cell for each class of the catalogue that takes columns of numbers, with a categorical one beside them."""
    data = {"classification": "mixed", "regression": "diabetes", None: "mixed"}
    few = {"epochs": 3}
    return [
        Cell(
            name,
            data[catalogue.task(family, module, name)],
            family,
            module,
            name,
            few if "epochs" in parsed else {},
        )
        for family in FAMILIES
        for module in catalogue.modules(family)
        for name, parsed in catalogue.signatures(family, module).items()
        if catalogue.task(family, module, name) in data and name not in OF_OTHER_DATA
    ]


@pytest.mark.parametrize("cell", cells_of_numbers(), ids=lambda cell: cell.class_name)
def test_units_and_origins_change_no_answer(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns in nanometres or gigabytes, or counted from another origin: the same model, up to rounding."""
    data = tiny(cell.dataset)
    rng = np.random.default_rng(0)
    numeric = np.array(data.schema.cardinalities) == 0
    unit = np.where(numeric, 10.0 ** rng.integers(-9, 10, len(numeric)), 1.0)
    spread = np.where(numeric, np.nanstd(data.X, axis=0), 0.0)
    number = not isinstance(data.schema.y, Classes)
    y_unit, y_origin = (1e-9, 30 * float(np.std(data.y))) if number else (1, 0)
    moved = dataclasses.replace(data, X=unit * (data.X + 1e4 * spread), y=y_unit * (data.y + y_origin))
    before = answers_of(fitted(cell), data.take(0, "test")[0], data)
    monkeypatch.setitem(globals(), "tiny", lambda dataset: moved)
    after = answers_of(fitted(cell), moved.take(0, "test")[0], moved)
    check(before, data.take(0, "test")[0], data)
    bounded = "elbo" in before  # the draws of a bound depend on the rows
    if number:
        for name in {"predict", "predict_interval"} & set(before):
            back = after[name] / y_unit - y_origin
            assert np.median(np.abs(back - before[name])) < (0.1 if bounded else 1e-3) * np.std(data.y), name
    else:
        for name in {"predict", "predict_proba"} & set(before):
            differences = np.abs(after[name] - before[name])
            assert np.median(differences) < (0.1 if bounded else 1e-3), name
            assert np.mean(differences > 0.5) < 0.1, name  # of 18 rows one may be tied
    for name in {"log_prob", "elbo"} & set(before):
        assert np.median(np.abs(after[name] + np.log(unit).sum() - before[name])) < (1.0 if bounded else 0.01), name


def expect_equal(found: Events, expected: Events, message: str) -> None:
    if isinstance(found, Ragged):
        np.testing.assert_array_equal(found.starts, expected.starts, err_msg=message)
    np.testing.assert_array_equal(values(found), values(expected), err_msg=message)


def values(answer: Events) -> np.ndarray:
    return answer.values if isinstance(answer, Ragged) else np.asarray(answer)


def answers_of(model: Any, X: Events, data: Prepared) -> dict[str, Events]:
    """What each method that the model has says of X."""
    methods = (
        "predict",
        "predict_proba",
        "predict_marginals",
        "parse",
        "log_prob",
        "elbo",
        "ais_log_prob",
        "ais_elbo",
        "encode",
    )
    answers = {name: getattr(model, name)(X) for name in methods if hasattr(model, name)}
    if hasattr(model, "predict_interval"):
        answers["predict_interval"] = model.predict_interval(X, 0.9)
    if hasattr(model, "sample"):
        drawn = model.sample(7, random_state=3)
        answers["sample"] = drawn[0] if isinstance(drawn, tuple) else drawn
    return answers


def check(answers: dict[str, Events], X: Events, data: Prepared) -> None:
    n, schema = len(X), data.schema
    for name, answer in answers.items():
        assert len(answer) == (7 if name == "sample" else n), name
        assert np.isfinite(values(answer)).all(), name
    if isinstance(schema.y, Classes) and "predict_proba" in answers:
        probabilities = answers["predict_proba"]
        assert probabilities.shape == (n, schema.n_classes)
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        assert set(np.unique(answers["predict"])) <= set(range(schema.n_classes))
    if isinstance(schema.y, Tags):
        tags, marginals = answers["predict"], answers["predict_marginals"]
        np.testing.assert_array_equal(tags.starts, X.starts)
        np.testing.assert_array_equal(marginals.starts, X.starts)
        assert marginals.values.shape == (len(X.values), schema.n_classes)
        assert (marginals.values >= 0).all()
        np.testing.assert_allclose(marginals.values.sum(axis=1), 1, atol=1e-9)
        assert set(np.unique(tags.values)) <= set(range(schema.n_classes))
    if isinstance(schema.y, Trees):
        schema.y.check(X, answers["parse"])
    if "sample" in answers:
        schema.x.check(answers["sample"])
    if "predict_interval" in answers:
        low, high = answers["predict_interval"].T
        assert (low <= answers["predict"]).all()
        assert (answers["predict"] <= high).all()


def test_every_model_class_is_configured_somewhere_or_tested_by_its_own_file() -> None:
    """A class that no params file names is one that nobody sees."""
    configured = set()
    for path in [ROOT / "params.yaml", *sorted((ROOT / "examples").glob("*.yaml"))]:
        configured |= {cell.class_name for cell in parameters.cells(parameters.read(path))}
    offered = {c for family in FAMILIES for m in catalogue.modules(family) for c in catalogue.signatures(family, m)}
    assert offered == configured


@pytest.mark.parametrize("family", FAMILIES)
def test_parsed_arguments_are_those_that_python_sees(family: str) -> None:
    for module in catalogue.modules(family):
        for name, parsed in catalogue.signatures(family, module).items():
            model = find(family, module, name)
            assert {argument.name: argument for argument in arguments_of(model)} == parsed, name
            has = {method for method in catalogue.TELLING if hasattr(model, method)}
            tasks = {"parse": "parsing", "predict_marginals": "tagging", "predict_proba": "classification"}
            tasks["predict"] = "regression"
            assert catalogue.task(family, module, name) == next((t for m, t in tasks.items() if m in has), None)
