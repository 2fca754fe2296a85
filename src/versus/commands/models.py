"""``versus models``: list the models, or one model's arguments."""

from __future__ import annotations

import argparse
from importlib import import_module
from inspect import cleandoc
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from versus.data.errors import unknown
from versus.models import catalogue
from versus.models.arguments import Between

# Capabilities, by the method that a model has for each.
METHODS = {
    "predict_proba": "probabilities",
    "predict_marginals": "tags",
    "predict_interval": "intervals",
    "log_prob": "density",
    "elbo": "bound",
    "pseudo_log_prob": "pseudo-likelihood",
    "sample": "samples",
    "encode": "features",
    "reconstruct": "reconstructions",
    "impute": "gaps filled",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", nargs="?", help="a class, for its arguments and their defaults")


def run(options: argparse.Namespace) -> int:
    """Print all models, or one."""
    known = catalogue.classes()
    if options.model is None:
        _print_all()
    elif options.model in known:
        _print_one(*known[options.model], options.model)
    else:
        raise ValueError(unknown("model", options.model, known))
    return 0


def _print_all() -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("class", "module", "for", "offers"):
        table.add_column(column, no_wrap=column != "offers")
    last = ""
    for name, (family, module) in catalogue.classes().items():
        if family != last:
            table.add_row(f"[bold]{family}[/]")
            last = family
        methods = catalogue.methods(family, module, name)
        offers = ", ".join(word for method, word in METHODS.items() if method in methods)
        table.add_row(f"  {name}", module, catalogue.task(family, module, name) or "any", offers)
    console = Console()
    console.print(table)
    console.print("`versus models CLASS` shows the arguments of one.")


def _print_one(family: str, module: str, name: str) -> None:
    model: Any = getattr(import_module(f"versus.models.{family}.{module}"), name)
    console = Console()
    console.print(f"[bold]{name}[/] of {family}/{module}.py\n\n{escape(cleandoc(model.__doc__ or ''))}\n")
    table = Table("argument", "default", "accepts", "tuning tries", box=None, pad_edge=False)
    for argument in catalogue.signatures(family, module)[name].values():
        if argument.name not in catalogue.SUPPLIED:
            tried = model.search_space.get(argument.name, "")
            tried = f"{tried.low:g} to {tried.high:g}" if isinstance(tried, Between) else ", ".join(map(str, tried))
            default = "needed" if argument.required else argument.default
            table.add_row(argument.name, escape(default), escape(argument.accepted), escape(tried))
    console.print(table if table.rows else "It takes no arguments.")
    family_line = f"  mine-{module}: {{data: mine, module: {module}, class: {name}}}"
    console.print(f"\nAs a cell of data set mine, under {family}:\n{escape(family_line)}")
