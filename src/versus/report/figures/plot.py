"""Plots of points and lines over two axes: coordinates of values, and ticks at round numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Any

from versus.report import formatting
from versus.report.figures.figure import Figure


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its coordinate and label."""

    at: float
    label: str


@dataclass(frozen=True)
class Scale:
    """Map from ``low … high`` to coordinates ``start … end``, optionally by logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value, to a tenth of a pixel; values outside the range are clipped to its ends."""
        inside = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = (log10(inside) - log10(self.low)) / (log10(self.high) - log10(self.low))
        else:
            share = (inside - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, most: int = 6) -> list[Tick]:
        """Return about ``most`` round numbers at most, within the range."""
        values = _decades(self.low, self.high, most) if self.logarithmic else _round_numbers(self.low, self.high, most)
        return [Tick(self(v), _tick_label(v)) for v in values]


def scale(values: Iterable[float], start: float, end: float, *, logarithmic: bool = False, pad: float = 0.06) -> Scale:
    """Return a scale that covers all finite values with a small margin; only positive ones where logarithmic."""
    finite = [v for v in values if isfinite(v) and (v > 0 or not logarithmic)]
    low, high = (min(finite), max(finite)) if finite else (1.0, 10.0)
    if logarithmic:
        room = max(log10(high / low) * pad, 0.15)
        return Scale(low / 10**room, high * 10**room, start, end, True)
    room = (high - low) * pad or max(abs(high) * 0.05, 1e-3)
    return Scale(low - room, high + room, start, end)


def _round_numbers(low: float, high: float, most: int) -> list[float]:
    """List multiples of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / most
    power = 10.0 ** floor(log10(raw))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _decades(low: float, high: float, most: int) -> list[float]:
    """List powers of ten; where there are few, also values between them; in a narrow range, round numbers."""
    exponents = range(floor(log10(low)), ceil(log10(high)) + 1)
    tens = [10.0**e for e in exponents if low <= 10.0**e <= high]
    if len(tens) > most:
        return tens[:: ceil(len(tens) / most)]
    if len(tens) >= 3:
        return tens
    steps = (1, 3) if log10(high / low) > 1.6 else (1, 2, 5)
    between = [v for e in exponents for m in steps if low <= (v := m * 10.0**e) <= high]
    return between if len(between) >= 3 else [v for v in _round_numbers(low, high, most) if v > 0]


def _tick_label(value: float) -> str:
    if value != 0 and (abs(value) >= 1e5 or abs(value) < 1e-4):
        exponent = floor(log10(abs(value)))
        return formatting.minus(f"{value / 10**exponent:.3g}e{exponent}")
    return formatting.minus(f"{value:.4f}".rstrip("0").rstrip("."))


@dataclass(frozen=True)
class Mark:
    """A point: its place, shape and colour (``kind``: a family, "baseline", or "c0" … "c7"), and its hover text.

    ``label`` is shown at ``label_at``: x, y and the text's anchor.
    """

    x: float
    y: float
    kind: str
    title: str
    label: str = ""
    label_at: tuple[float, float, str] = (0.0, 0.0, "start")


@dataclass(frozen=True)
class Line:
    """A path: its points as "x,y x,y", its classes in the style sheet, and its hover text."""

    points: str
    style: str
    title: str


def path(points: list[tuple[float, float]]) -> str:
    """Format coordinates as an SVG ``points`` attribute."""
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def plot(
    title: str,
    description: str,
    axes: tuple[tuple[str, Scale], tuple[str, Scale]],
    lines: Sequence[Line] = (),
    marks: Sequence[Mark] = (),
    image: str | None = None,
) -> Figure:
    """Draw lines, then points, over an image (a data address) that fills the frame.

    Args:
        title: its title.
        description: text alternative of the picture.
        axes: (label, scale) of x and of y; the ends of the scales are those of the frame.
        lines: in coordinates, drawn in order.
        marks: in coordinates.
        image: data address of the image behind them; None for none.
    """
    (x_label, x), (y_label, y) = axes
    top, bottom = sorted((y.start, y.end))
    parts: dict[str, Any] = {"lines": lines, "marks": marks, "image": image, "x_label": x_label, "y_label": y_label}
    parts |= {"left": x.start, "right": x.end, "top": top, "bottom": bottom}
    parts |= {"x_ticks": x.ticks(5), "y_ticks": y.ticks(5)}
    return Figure("plot.svg", title, description, int(x.end) + 12, int(bottom) + 44, parts)
