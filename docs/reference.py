"""Parts of the reference that are made of tables in the source: commands, metrics, findings, keys of params.yaml."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from importlib import import_module
from pkgutil import iter_modules

from versus.__main__ import COMMANDS
from versus.data.findings import CODES
from versus.metrics.table import METRICS


def commands() -> str:
    """Each command with what ``--help`` prints."""
    parts = []
    for name, purpose in COMMANDS.items():
        parser = argparse.ArgumentParser(f"versus {name}", description=f"{purpose[0].upper()}{purpose[1:]}.")
        parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=100)
        import_module(f"versus.commands.{name}").arguments(parser)
        parts.append(f"## versus {name}\n\n```text\n{parser.format_help()}```\n")
    return "\n".join(parts)


def metrics() -> str:
    """Each metric: its name, what it scores, its unit, which end is better, and its source."""
    rows = ([f"`{m.name}`", m.label, m.use.replace("_", " "), m.unit, str(m.better), m.reference] for m in METRICS)
    return _table(["name", "label", "scores", "unit", "better", "source"], rows)


def findings() -> str:
    """Each code of a finding and what was found."""
    return _table(["code", "what was found"], ([f"`{code}`", what] for code, what in CODES.items()))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *([text.replace("|", "\\|") for text in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def modules(package: str) -> list[str]:
    """Names of the modules of a package."""
    return [f"{package}.{found.name}" for found in iter_modules(import_module(package).__path__)]
