"""The interface of a section: a module with a name, a title, its content and, if it has one, its part of report.md.

``NAME.html`` in ``templates/sections`` shows the content, which is all that it sees. A section asks the results and
knows no other section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from versus.report.figures.figure import Figure

Content = Mapping[str, Any]
Subject = TypeVar("Subject", contravariant=True)


class Section(Protocol[Subject]):
    """A part of the report; a module is one. It may have ``markdown(content) -> list[str]``, its blocks in report.md.

    Where it has, the pictures under "figures" of its content are written as files and shown there, too.
    """

    NAME: str
    TITLE: str

    def content(self, subject: Subject, /) -> Content | None:
        """What its template shows; None where there is nothing to say, and it is left out with its heading."""


@dataclass(frozen=True)
class Shown:
    """A section that has something to show."""

    name: str
    title: str
    content: Content
    markdown: Sequence[str]

    @property
    def pictures(self) -> dict[str, Figure]:
        """File name -> picture of report.md."""
        figures = self.content.get("figures", ()) if self.markdown else ()
        return {f"{self.name}_{i}.svg" if i else f"{self.name}.svg": figure for i, figure in enumerate(figures)}


def shown(sections: Sequence[Section[Subject]], subject: Subject) -> list[Shown]:
    """The sections that have something to say of the subject."""
    found = []
    for section in sections:
        content = section.content(subject)
        if content is not None:
            write = getattr(section, "markdown", None)
            found.append(Shown(section.NAME, section.TITLE, content, write(content) if write else ()))
    return found
