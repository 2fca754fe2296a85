"""``versus models``: list the models, or one model's arguments."""

from __future__ import annotations

import argparse
import re
import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from versus import params as parameters
from versus.data.errors import unknown
from versus.models import catalogue, find
from versus.models.arguments import Between
from versus.models.suggestions import suggested_for

# Capabilities, by the method that a model has for each.
METHODS = {
    "predict_proba": "probabilities",
    "predict_marginals": "tags",
    "parse": "trees",
    "predict_interval": "intervals",
    "log_prob": "density",
    "elbo": "bound",
    "pseudo_log_prob": "pseudo-likelihood",
    "ais_log_prob": "density by sampling",
    "ode_log_prob": "density by a flow",
    "sample": "samples",
    "continue_": "continuations",
    "encode": "features",
    "reconstruct": "reconstructions",
    "impute": "gaps filled",
    "topics": "topics",
    "translate": "translations",
}

WIDTHS = {"class": 0, "module": 100, "task": 0, "suggested for": 140, "offers": 0}  # columns, from this many characters


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", nargs="?", help="a class, for its arguments and their defaults")
    parser.add_argument("--params", type=Path, default=Path("params.yaml"), help="file that names packages of yours")


def run(options: argparse.Namespace) -> int:
    """Print all models, or one; those of the packages that params.yaml names are among them."""
    if options.params.is_file():
        try:
            parameters.read(options.params)
        except parameters.ParamsError as error:
            print(f"models of packages may be missing, since there are errors:\n{error}", file=sys.stderr)
    known = catalogue.classes()
    if options.model is None:
        _print_all()
    elif options.model in known:
        _print_one(*known[options.model], options.model)
    else:
        raise ValueError(unknown("model", options.model, known))
    return 0


def _print_all() -> None:
    console = Console()
    if not console.is_terminal:  # a file or a pipe has no width of its own
        console = Console(width=200)
    # A narrow window has what fits a line; the rest stands with each class.
    columns = [name for name, width in WIDTHS.items() if console.width >= width]
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column not in ("suggested for", "offers"))
    last = ""
    for name, (family, module) in catalogue.classes().items():
        if family != last:
            table.add_row(f"[bold]{family}[/]")
            last = family
        row = dict(zip(WIDTHS, (f"  {name}", module, *_about(family, module, name)), strict=True))
        table.add_row(*(row[column] for column in columns))
    console.print(table)
    console.print("`versus models CLASS` shows the arguments of one, and for which data it is suggested.")


def _about(family: str, module: str, name: str) -> tuple[str, str, str]:
    """Give in words the task of a class, the data for which it is suggested, and what it offers."""
    name = name.rpartition(".")[2]
    methods = catalogue.methods(family, module, name)
    offers = ", ".join(word for method, word in METHODS.items() if method in methods)
    suggested = "" if "." in module else ", ".join(suggested_for(name))
    return catalogue.task(family, module, name) or "any", suggested, offers


def _print_one(family: str, module: str, name: str) -> None:
    name = name.rpartition(".")[2]
    model: Any = find(family, module, name)
    console = Console()
    # Lines of a paragraph are joined, since the window breaks them anew; those that are set in stay.
    text = re.sub(r"(?<=\S)\n(?=[^\s.*-])", " ", cleandoc(model.__doc__ or ""))
    console.print(f"[bold]{name}[/] of {model.__module__}\n\n{escape(text)}\n")
    for what, said in zip(("Task", "Suggested for", "Offers"), _about(family, module, name), strict=True):
        console.print(f"{what}: {said or 'no data by itself; name it in a cell'}")
    console.print()
    table = Table("argument", "default", "accepts", "tuning tries", box=None, pad_edge=False)
    for argument in catalogue.signatures(family, module)[name].values():
        if argument.name not in catalogue.SUPPLIED:
            tried = model.search_space.get(argument.name, "")
            tried = f"{tried.low:g} to {tried.high:g}" if isinstance(tried, Between) else ", ".join(map(str, tried))
            default = "needed" if argument.required else argument.default
            table.add_row(argument.name, escape(default), escape(argument.accepted), escape(tried))
    console.print(table if table.rows else "It takes no arguments.")
    family_line = f"  mine-{module.rpartition('.')[2]}: {{data: mine, module: {module}, class: {name}}}"
    console.print(f"\nAs a cell of data set mine, under {family}:\n{escape(family_line)}")
