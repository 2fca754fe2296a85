"""What every picture is: a template, a size, words for those who do not see it, its geometry, and how it is drawn."""

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
    """A picture ready to be drawn.

    Args:
        template: file in ``templates/figures``.
        title: what it shows, in a few words.
        description: what there is to see, for those who do not see it.
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
    """Jinja with autoescape for every template and an error for every name that is not there."""
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
    """A picture as markup for the page, whose style sheet gives its colours."""
    template = (made or _shared()).get_template(f"figures/{figure.template}")
    return Markup(template.render(figure=figure, standalone=style))


def standalone(figure: Figure) -> str:
    """A picture as a file of its own, light or dark as its reader prefers."""
    style = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    colours = style[: style.index("* { box-sizing")]
    marks = style[style.index("/* figures */") : style.index("/* end of figures */")]
    ground = "svg { background: var(--ground); font-family: system-ui, sans-serif; }\n"
    # Ours and without data, so it needs no escaping, and would not survive it.
    return draw(figure, style=Markup(colours + ground + marks)) + "\n"
