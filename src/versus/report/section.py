"""Interface of a section: a module with a name, a title, its content and, optionally, its part of report.md.

``NAME.html`` in ``templates/sections`` shows the content and is given nothing else. A section reads the results and
knows no other section.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from versus.report.figures.figure import Figure

Content = Mapping[str, Any]
Subject = TypeVar("Subject", contravariant=True)


class Section(Protocol[Subject]):
    """A part of the report; a module is one. Optional: ``markdown(content) -> list[str]``, its blocks in report.md.

    With it, the pictures under "figures" of its content are also written as files and shown in report.md.
    """

    NAME: str
    TITLE: str

    def content(self, subject: Subject, /) -> Content | None:
        """Return the content for the template; None where there is nothing to say: the section is then left out."""


@dataclass(frozen=True)
class Shown:
    """A section with its content."""

    name: str
    title: str
    content: Content
    markdown: Sequence[str]

    @property
    def pictures(self) -> dict[str, Figure]:
        """Pictures of report.md: file name -> picture."""
        figures = self.content.get("figures", ()) if self.markdown else ()
        return {f"{self.name}_{i}.svg" if i else f"{self.name}.svg": figure for i, figure in enumerate(figures)}


def shown(sections: Sequence[Section[Subject]], subject: Subject) -> list[Shown]:
    """Return the sections that have content for the subject."""
    found = []
    for section in sections:
        content = section.content(subject)
        if content is not None:
            write = getattr(section, "markdown", None)
            found.append(Shown(section.NAME, section.TITLE, content, write(content) if write else ()))
    return found


def render_markdown(sections: Iterable[Shown]) -> str:
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
