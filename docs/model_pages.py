"""Pages of the models, one for each class that ``versus models`` lists, written from its source and from a run.

Formula, source and arguments come from docstrings and fields, scores and costs from `docs.numbers`, pictures from
`docs.pictures`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from ruamel.yaml import YAML

from docs.numbers import Numbers, Standing
from docs.pictures import Picture
from versus.arrays import FAMILIES
from versus.commands.models import METHODS
from versus.models import catalogue, find
from versus.models.arguments import Between
from versus.settings import Cell

HEAD = re.compile(r"^Args(, besides those of .*)?:$")
ITEM = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")
MOST_PICTURES = 3
FORMULA = ".. math::"


class Argument(NamedTuple):
    """An argument of a model, as text."""

    name: str
    default: str
    accepted: str
    tried: str
    meaning: str


@dataclass(frozen=True)
class Page:
    """What the page of a model says, but for what a run has found.

    Args:
        name: the class.
        family, module: where it is.
        about: what its module, and those of its bases, say: the formula and the source, as reStructuredText.
        prose: what the class says, without its arguments.
        arguments: they.
        task: the task that it is for; None for a model of x alone.
        offers: what it can do, in words.
    """

    name: str
    family: str
    module: str
    about: str
    prose: str
    arguments: Sequence[Argument]
    task: str | None
    offers: Sequence[str]


def pages() -> Iterator[Page]:
    """Read all models, family by family."""
    for name, (family, module) in catalogue.classes().items():
        model: Any = find(family, module, name)
        methods = catalogue.methods(family, module, name)
        offers = [word for method, word in METHODS.items() if method in methods]
        prose = _split(model.__doc__ or "")[0]
        task = catalogue.task(family, module, name)
        yield Page(name, family, module, _about(model), prose, list(_arguments(model, family, module)), task, offers)


def _about(model: Any) -> str:
    """The docstring of the model's module; where that has no formula, also that of the nearest base that has one."""
    texts = [cleandoc(import_module(base.__module__).__doc__ or "") for base in _lineage(model)]
    if FORMULA in texts[0] or FORMULA in (model.__doc__ or ""):
        return texts[0]
    return "\n\n".join([texts[0], *(text for text in texts if FORMULA in text)][:2])


def _lineage(model: Any) -> list[Any]:
    """The class and those of ours that it inherits from, itself first."""
    return [base for base in model.__mro__ if base.__module__.startswith("versus.models")]


def _arguments(model: Any, family: str, module: str) -> Iterator[Argument]:
    meanings = _meanings(model)
    for argument in catalogue.signatures(family, module)[model.__name__].values():
        if argument.name not in catalogue.SUPPLIED:
            tried = model.search_space.get(argument.name, "")
            tried = f"{tried.low:g} to {tried.high:g}" if isinstance(tried, Between) else ", ".join(map(str, tried))
            default = "needed" if argument.required else argument.default
            yield Argument(argument.name, default, argument.accepted, tried, meanings.get(argument.name, ""))


def _meanings(model: Any) -> dict[str, str]:
    """What docstrings say of arguments: those of the class and its bases, and of models that they name for it."""
    documented = [base.__dict__.get("__doc__") or "" for base in reversed(_lineage(model))]
    named = (name for text in documented for name in re.findall(r"`(\w+)`", text) if name != model.__name__)
    found: dict[str, str] = {}
    for name in (name for name in named if name in catalogue.classes()):
        found |= _meanings(find(*catalogue.classes()[name], name))
    for text in documented:
        found |= _split(text)[1]
    return found


def _split(docstring: str) -> tuple[str, dict[str, str]]:
    """Split a docstring into its prose and what it says of each argument."""
    prose: list[str] = []
    meanings: dict[str, str] = {}
    names: list[str] = []
    inside = False
    for line in cleandoc(docstring).splitlines():
        if HEAD.match(line):
            inside = True
        elif not inside or (line and not line.startswith(" ")):
            inside = False
            prose.append(line)
        elif item := ITEM.match(line):
            names = item[1].split(", ")
            meanings |= dict.fromkeys(names, item[2])
        else:
            meanings |= {name: f"{meanings[name]} {line.strip()}".strip() for name in names}
    return "\n".join(prose).strip(), meanings


def write(folder: Path, numbers: Numbers, pictures: Sequence[Picture]) -> None:
    """Write ``<class>.rst`` for each model into a folder of the site, and an index of them."""
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"cell": lambda text, width: str(text).replace("\n", "\n" + " " * width)}
    found = list(pages())
    examples = _examples(numbers.folder / "examples")
    folder.mkdir(parents=True, exist_ok=True)
    for page in found:
        shown = {"page": page, "family": FAMILIES[page.family], **_measured(page, numbers, pictures)}
        text = templates.get_template("model.rst").render(examples=examples.get(page.name, []), **shown)
        (folder / f"{page.name}.rst").write_text(text, encoding="utf-8")
    by_family = {words: [p for p in found if p.family == family] for family, words in FAMILIES.items()}
    text = templates.get_template("models.rst").render(families=by_family, numbers=numbers)
    (folder / "index.rst").write_text(text, encoding="utf-8")


def _measured(page: Page, numbers: Numbers, pictures: Sequence[Picture]) -> Mapping[str, Any]:
    """What the run has found of a model, in all its cells."""
    cells = [c for c in numbers.cells.values() if (c.family, c.class_name) == (page.family, page.name)]
    standings = [s for c in cells if (s := numbers.standing(c.name)) is not None]
    return {
        "cells": cells,
        "standings": standings,
        "pictures": [p for p in pictures if p.cell.class_name == page.name][:MOST_PICTURES],
        "wins": [_told(s, True) for s in standings if s.place == 1 or s.side_place == 1 < s.side_of],
        "fails": [_told(s, False) for s in standings if s.behind or s.place == s.of > 1],
        "firsts": _by_data(cells, numbers, True),
        "lasts": _by_data(cells, numbers, False),
        "is_baseline": page.module == "baseline",
    }


def _told(standing: Standing, won: bool) -> str:
    """A sentence about a cell's place."""
    cell, score = standing.cell, f"{standing.label} {standing.score}"
    if won:
        rank = "the best of all" if standing.place == 1 else f"the best of its side, {standing.place} of {standing.of}"
        return f"**{cell.dataset}**: {rank} models by {score}; other side: {standing.other}."
    place = f"{standing.place} of {standing.of} models" if standing.of else "a baseline"
    behind = ", clearly behind the best" if standing.behind else ""
    return f"**{cell.dataset}**: {place} by {score}{behind}, {standing.from_best}."


def _by_data(cells: Sequence[Cell], numbers: Numbers, best: bool) -> list[tuple[str, str]]:
    """(cell, labels of the scores by which it is the best, or the worst, there)."""
    found = ((cell.name, ", ".join(numbers.extremes(cell.name, best))) for cell in cells)
    return [(name, labels) for name, labels in found if labels]


def _examples(folder: Path) -> dict[str, list[str]]:
    """Class -> the files of params in ``examples/`` that have a cell of it."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.yaml")):
        tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        cells = (cell for family in FAMILIES for cell in (tree.get(family) or {}).values())
        for name in dict.fromkeys(cell["class"] for cell in cells):
            found.setdefault(name, []).append(path.name)
    return found
