"""What every picture is: a template, a size, words for those who do not see it, and its geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


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


@dataclass(frozen=True)
class Mark:
    """A point: where, what shape and colour (``kind``: a family, "baseline", or "c0" … "c7"), what hovering says.

    ``label`` stands beside it; ``faint`` points rest on few rows.
    """

    x: float
    y: float
    kind: str
    title: str
    label: str = ""
    faint: bool = False


@dataclass(frozen=True)
class Line:
    """A path: its points as "x,y x,y", its colour, whether it is dashed, and what hovering says."""

    points: str
    kind: str
    title: str
    dashed: bool = False


def path(points: list[tuple[float, float]]) -> str:
    """Coordinates as an SVG ``points`` attribute."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)
