"""Report for a pull request: the sections' Markdown, scores first, costs in a separate part.

Only the costs depend on the time or the machine, so a diff shows which of the two changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from versus.report.section import Shown


def render(sections: Iterable[Shown]) -> str:
    """Render the report as Markdown; its pictures are in ``figures/`` beside it."""
    blocks = ["# Generative versus discriminative models, measured", ""]
    for section in sections:
        if section.markdown:
            pictures = [f"![{escaped(figure.title)}](figures/{name})" for name, figure in section.pictures.items()]
            blocks += [f"## {section.title}", "", *section.markdown, *pictures, ""]
    return "\n".join(blocks).rstrip("\n") + "\n"


def escaped(text: Any) -> str:
    """Escape a text for Markdown and HTML, on one line."""
    safe = " ".join(str(text).split())
    for character in "\\`*[]|~#":
        safe = safe.replace(character, f"\\{character}")
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a GitHub table and the empty line after it; cells must be escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]
