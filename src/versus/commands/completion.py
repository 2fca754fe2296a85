"""Completion of what follows a command: names that params.yaml has, models, files and folders.

The shell asks ``versus --print-names KIND`` each time, so that it knows the params.yaml of the folder it is in.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import shtab
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from versus.arrays import FAMILIES

# Argument of a command -> the kind of names that it takes.
ARGUMENTS = {
    "cell": "cells",
    "dataset": "datasets",
    "datasets": "datasets",
    "names": "entries",
    "dvc": "entries",
    "model": "models",
}
KINDS = tuple(dict.fromkeys(ARGUMENTS.values()))


class PrintScript(argparse.Action):
    """Option that prints the script of a shell, and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> None:
        """Print and exit."""
        print(script(parser, given[1]))
        parser.exit()


class PrintNames(argparse.Action):
    """Option that prints the names of a kind, one a line, and ends."""

    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> None:
        """Print and exit."""
        print("\n".join(names(given[1])))
        parser.exit()


def add_arguments_to(parser: argparse.ArgumentParser) -> None:
    """Add the options that print scripts and names."""
    text = "print what completes commands, options, names and files in this shell"
    parser.add_argument("--print-completion", choices=shtab.SUPPORTED_SHELLS, action=PrintScript, help=text)
    parser.add_argument("--print-names", choices=KINDS, action=PrintNames, help=argparse.SUPPRESS)


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for a shell."""
    text = str(shtab.complete(parser, shell))
    # shtab writes an argument that takes several words so that zsh completes the first of them only.
    return re.sub(r'"\(\*\)::?', '"*:', text) if shell == "zsh" else text


def names(kind: str) -> list[str]:
    """Return the names of a kind; none where params.yaml is missing or not YAML, since nobody reads errors on TAB."""
    if kind == "models":
        from versus.models import catalogue

        return list(catalogue.classes())
    try:
        tree = YAML(typ="safe").load(Path("params.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError):
        return []
    datasets, cells = (_keys(tree, sections) for sections in (("datasets", "files"), FAMILIES))
    return {"datasets": datasets, "cells": cells, "entries": datasets + cells}[kind]


def declare(parser: argparse.ArgumentParser) -> None:
    """Tell shtab how the arguments of a command complete."""
    actions = parser._actions
    elsewhere = any(action.dest == "params" and not action.option_strings for action in actions)
    for action in actions:
        kind = ARGUMENTS.get(action.dest)
        if kind is not None and not elsewhere:  # names of another params file are not known
            action.complete = _asked(kind)  # type: ignore[attr-defined]
        elif action.metavar in ("DIR", "FOLDER") or action.dest in ("folder", "workspace"):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        elif action.type is Path or action.metavar == "FILE":
            action.complete = shtab.FILE  # type: ignore[attr-defined]


def _keys(tree: Any, sections: Iterable[str]) -> list[str]:
    found = (tree.get(section) for section in sections) if isinstance(tree, dict) else ()
    return [str(key) for entries in found if isinstance(entries, dict) for key in entries]


def _asked(kind: str) -> dict[str, Any]:
    """Return, for each shell, what completes an argument; and the functions for it, which zsh and bash want."""
    ask, function = f"versus --print-names {kind} 2>/dev/null", f"_versus_{kind}"
    bash = f'{function}() {{ compgen -W "$({ask})" -- "$1"; }}'
    zsh = f'{function}() {{ local -a found; found=(${{(f)"$({ask})"}}); compadd "$@" -a found; }}'
    shells = {"bash": function, "zsh": function, "fish": f"({ask})", "tcsh": f"`{ask}`"}
    return {**shells, "preamble": {"bash": bash, "zsh": zsh}}
