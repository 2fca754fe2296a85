"""``versus check``: check that the parts that a package of the user's own brings keep the contract."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from versus import contract, plugins
from versus import params as parameters
from versus.data import preparation
from versus.metrics import table
from versus.models import catalogue
from versus.params import Params
from versus.settings import FAMILIES, Cell

# Task -> the data set on which a class is tried that no cell names.
STAND_INS = {
    "classification": "iris",
    "regression": "diabetes",
    "tagging": "python_tokens",
    "parsing": "python_trees",
    None: "iris",
}
Check = tuple[str, Callable[[], None]]  # what is checked, for people, and the check


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("package", nargs="?", help="a package; by default each that `plugins` in params.yaml names")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="file with the cells to try it on")


def run(options: argparse.Namespace) -> int:
    """Print a line for each model, source and metric, and what is wrong with it; returns 1 if any is refused.

    Raises:
        ValueError: where there is nothing to check.
    """
    params = parameters.read(options.params) if options.params.is_file() else Params()
    packages = list(params.plugins) if options.package is None else [options.package]
    if not packages:
        raise ValueError(f"{options.params} names no package under `plugins`; `versus check PACKAGE` checks one")
    plugins.use([*dict.fromkeys([*params.plugins, *packages])], options.params.parent)
    table.check_brought()
    refused = 0
    for package in packages:
        for what, check in checks(package, params, options.params.parent):
            wrong = _wrong(check)
            refused += wrong is not None
            print(f"{what}: {'passed' if wrong is None else f'refused: {wrong}'}", flush=True)
    print(f"{refused} refused." if refused else "All keep the contract.")
    return int(refused > 0)


def _wrong(check: Callable[[], None]) -> str | None:
    """Run a check; say what is wrong, None if nothing is."""
    try:
        check()
    except contract.ContractError as error:
        return str(error)
    except Exception as error:  # any error of the user's code
        asked = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
        return f"{asked}{plugins.told(error)}"
    return None


def checks(package: str, params: Params, base: Path) -> Iterator[Check]:
    """Yield the checks of all that a package brings."""
    for name, spec in {**params.datasets, **params.files}.items():
        if str(spec.source).startswith(f"{package}."):
            yield f"source {name}", partial(contract.check_source, name, spec, base, params.seed)
    if (module := f"{package}.metrics") in plugins.having("metrics"):
        for metric in plugins.imported(module).METRICS:
            yield f"metric {metric.name}", partial(contract.check_metric, metric)
    cells = [cell for cell in parameters.cells(params) if cell.module.startswith(f"{package}.")]
    named = {(cell.family, cell.module, cell.class_name) for cell in cells}
    for family in FAMILIES:
        for module in (module for module in catalogue.modules(family) if module.startswith(f"{package}.")):
            for name in catalogue.signatures(family, module):
                yield f"arguments of {name}", partial(contract.check_arguments, family, module, name)
                if (family, module, name) not in named:
                    data = STAND_INS[catalogue.task(family, module, name)]
                    cells.append(Cell(f"{data}-{name}", data, family, module, name, {}))
    for cell in cells:
        yield f"cell {cell.name}", partial(_check_cell, cell, params, base)


def _check_cell(cell: Cell, params: Params, base: Path) -> None:
    if cell.dataset in params.datasets or cell.dataset in params.files:
        spec = parameters.dataset(params, cell.dataset)
    else:
        spec = preparation.parse({"source": "embedded", "name": cell.dataset})
    data = contract.few_rows(cell.dataset, spec, base, params.seed)
    trial = contract.Trial(cell, data, params.training, params.seed)
    with tempfile.TemporaryDirectory() as folder:
        model = trial.check(Path(folder))
    if contract.is_table(data):
        trial.check_units()
    trial.check_scores(model)
