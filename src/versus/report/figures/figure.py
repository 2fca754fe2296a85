"""Common form of all pictures: a template, a size, a text alternative, and geometry; and their drawing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).parent.parent / "templates"


@dataclass(frozen=True)
class Figure:
    """A picture that is ready to draw.

    Args:
        template: file in ``templates/figures``.
        title: its subject, in a few words.
        description: text alternative, for readers who cannot see it.
        width, height: in CSS pixels.
        parts: geometry and labels for the template.
    """

    template: str
    title: str
    description: str
    width: int
    height: int
    parts: Mapping[str, Any] = field(default_factory=dict)


def environment() -> Environment:
    """Return a Jinja environment with autoescape for every template and an error for every undefined name."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _shared() -> Environment:
    return environment()


def draw(figure: Figure, made: Environment | None = None, style: Markup | None = None) -> Markup:
    """Render a picture as markup for the page, whose style sheet sets its colours."""
    template = (made or _shared()).get_template(f"figures/{figure.template}")
    return Markup(template.render(figure=figure, standalone=style))


def standalone(figure: Figure) -> str:
    """Render a picture as a separate file, light or dark as its reader prefers."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    colours = style[: style.index("* { box-sizing")]
    marks = style[style.index("/* figures */") : style.index("/* end of figures */")]
    ground = "svg { background: var(--ground); font-family: system-ui, sans-serif; }\n"
    # Our own file, without data: it needs no escaping, and escaping would break it.
    return draw(figure, style=Markup(colours + ground + marks)) + "\n"
