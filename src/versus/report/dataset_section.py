"""Everything that the page shows of one data set."""

from __future__ import annotations

from dataclasses import dataclass

from versus.report import costs, densities
from versus.report.cells import FAMILY_NAMES, Cell
from versus.report.dataset import Dataset
from versus.report.facts import facts
from versus.report.figures.confusion import Confusion, confusion_matrix
from versus.report.figures.figure import Figure
from versus.report.figures.learning_curves import learning_curves
from versus.report.figures.regions import decision_regions, is_plane
from versus.report.figures.reliability import reliability_diagram
from versus.report.figures.trade_off import TradeOff, trade_off
from versus.report.reading import Evaluation
from versus.report.samples import Samples, samples


@dataclass(frozen=True)
class Section:
    """One data set's part of the page; an empty entry is left out, with its heading."""

    name: str
    task: str
    facts: list[tuple[str, str]]
    featured: list[Cell]
    confusions: list[Confusion]
    reliability: Figure | None
    classifier_scores: densities.ScoreTable | None
    likelihoods: list[densities.ScoreTable]
    samples: Samples | None
    curves: list[tuple[Cell, Figure]]
    fidelity: densities.ScoreTable | None
    regions: list[tuple[Cell, Figure]]
    trade_offs: list[TradeOff]


def section(dataset: Dataset) -> Section:
    """Gather the pictures and tables of one data set."""
    featured = [best for family in FAMILY_NAMES if (best := dataset.best(family)) is not None]
    schema = dataset.prepared.schema
    return Section(
        name=dataset.name,
        task=dataset.task,
        facts=facts(dataset),
        featured=[e.cell for e in featured],
        confusions=[c for e in featured if (c := confusion_matrix(e, schema.classes)) is not None],
        reliability=reliability_diagram(featured),
        classifier_scores=densities.probabilities(dataset),
        likelihoods=densities.likelihoods(dataset),
        samples=samples(dataset),
        curves=[(e.cell, f) for e in dataset.evaluations if (f := learning_curves(e)) is not None],
        fidelity=densities.fidelity(dataset),
        regions=_regions(dataset),
        trade_offs=_trade_offs(dataset),
    )


def _regions(dataset: Dataset) -> list[tuple[Cell, Figure]]:
    if not is_plane(dataset):
        return []
    ordered: list[Evaluation] = dataset.ordered(list(dataset.evaluations), dataset.primary)
    return [(e.cell, f) for e in ordered if (f := decision_regions(dataset, e)) is not None]


def _trade_offs(dataset: Dataset) -> list[TradeOff]:
    found = (
        trade_off(dataset, costs.training_seconds, "training", "s"),
        trade_off(dataset, costs.latency, "inference", "ms"),
    )
    return [t for t in found if t is not None]
