"""Every configured cell, at a tiny size, keeps the contract of `versus.models.protocols` (`versus.contract`)."""

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from versus import contract
from versus import params as parameters
from versus.contract import Trial
from versus.data.prepared import Prepared
from versus.data.spaces import Column, Table
from versus.models import FAMILIES, catalogue
from versus.settings import Cell

ROOT = Path(__file__).resolve().parents[1]
PARAMS = parameters.read(ROOT / "params.yaml")
CELLS = list(parameters.cells(PARAMS))


@cache
def tiny(dataset: str) -> Prepared:
    if dataset == "mixed":
        return with_a_category(tiny("iris"))
    return contract.few_rows(dataset, parameters.dataset(PARAMS, dataset), ROOT, PARAMS.seed)


def with_a_category(data: Prepared) -> Prepared:
    """The same rows with a column of three categories that tells something of the class."""
    codes = (data.y + (np.arange(len(data.y)) % 3 == 0)) % 3.0
    columns = (*data.schema.columns, Column("kind", ("p", "q", "r")))
    return dataclasses.replace(
        data, X=np.column_stack([data.X, codes]), schema=dataclasses.replace(data.schema, x=Table(columns))
    )


def trial(cell: Cell) -> Trial:
    return Trial(cell, tiny(cell.dataset), PARAMS.training, PARAMS.seed)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_a_cell_keeps_the_contract(cell: Cell, tmp_path: Path) -> None:
    trial(cell).check(tmp_path)


OF_OTHER_DATA = {
    "BernoulliNaiveBayes",
    "MultinomialNaiveBayes",
    "CategoricalNaiveBayes",
    "ConvolutionalClassifier",
    "CycleGAN",
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
def test_units_and_origins_change_no_answer(cell: Cell) -> None:
    """Columns in nanometres or gigabytes, or counted from another origin: the same model, up to rounding."""
    trial(cell).check_units()


def test_every_model_class_is_configured_somewhere_or_tested_by_its_own_file() -> None:
    """A class that no params file names is one that nobody sees."""
    configured = set()
    for path in [ROOT / "params.yaml", *sorted((ROOT / "examples").glob("*.yaml"))]:
        cells = parameters.cells(parameters.read(path))
        configured |= {cell.class_name for cell in cells if "." not in cell.module}
    offered = {c for family in FAMILIES for m in catalogue.modules(family) for c in catalogue.signatures(family, m)}
    assert offered == configured


@pytest.mark.parametrize("family", FAMILIES)
def test_parsed_arguments_are_those_that_python_sees(family: str) -> None:
    for module in catalogue.modules(family):
        for name in catalogue.signatures(family, module):
            contract.check_arguments(family, module, name)
