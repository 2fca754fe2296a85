"""Formats of numbers for readers: three decimals for scores, two digits for costs, a suitable unit."""

from __future__ import annotations

from math import floor, isfinite, log10

NONE = "–"
NARROW, FIRM = "\u202f", "\u00a0"  # spaces that do not break, the first a thin one
Number = float | None


def score(value: Number, decimals: int = 3) -> str:
    """Format a score, ``0.974``; larger numbers have fewer decimals."""
    if value is None or not isfinite(value):
        return NONE
    if abs(value) >= 10:
        decimals = max(0, decimals - floor(log10(abs(value))))
    return minus(f"{value:.{decimals}f}")


def compact(value: float) -> str:
    """Format three significant digits, or all digits before the point; with an exponent only where necessary."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return minus(f"{value:.2e}")
    return minus(f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}")


def minus(text: str) -> str:
    """Replace the hyphen by the typographic minus; a zero has no sign."""
    stripped = text.lstrip("-+")
    if not stripped.strip("0."):
        return stripped
    return text.replace("-", "−")


def span(low: Number, high: Number, decimals: int = 3) -> str:
    """Format an interval, ``0.951 to 0.990``; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{score(low, decimals)} to {score(high, decimals)}"


def percent(value: Number, decimals: int = 1) -> str:
    """Format a share as a percentage, ``97.4 %``."""
    return NONE if value is None or not isfinite(value) else f"{fixed(100 * value, decimals)}{NARROW}%"


def fixed(value: float, decimals: int) -> str:
    """Format a number with exactly ``decimals`` decimals."""
    return minus(f"{value:.{decimals}f}")


def fixed_span(low: float, high: float, decimals: int) -> str:
    """Format an interval with exactly ``decimals`` decimals at both ends."""
    return f"{fixed(low, decimals)} to {fixed(high, decimals)}"


def points(value: float) -> str:
    """Format a difference of shares in percentage points, with its sign."""
    return minus(f"{100 * value:+.1f}")


def p_value(p: float) -> str:
    """Format a p-value with its relation, ``= 0.012`` or ``< 0.001``."""
    if not isfinite(p):
        return NONE
    return f"<{FIRM}0.001" if p < 0.001 else f"={FIRM}{p:.3f}" if p < 0.9995 else f"={FIRM}1"


def two_digits(value: Number) -> str:
    """Format two significant digits without an exponent: ``0.0034``, ``1.2``, ``340``."""
    if value is None or not isfinite(value):
        return NONE
    if value == 0:
        return "0"
    rounded = float(f"{value:.2g}")  # first, since 0.0999 has one decimal fewer once it is 0.10
    decimals = max(0, 1 - floor(log10(abs(rounded))))
    return minus(f"{rounded:,.{decimals}f}").replace(",", NARROW)


def times(ratio: Number) -> str:
    """Format a ratio, ``3.2×``."""
    return NONE if ratio is None or not isfinite(ratio) else f"{two_digits(ratio)}×"


def times_the(ratio: float) -> str:
    """Format a ratio within a sentence, before "the time": ``3.2×``, or ``1/480 of``."""
    return times(ratio) if ratio >= 0.1 else f"1/{two_digits(1 / ratio)} of"


def megabytes(size: Number) -> str:
    """Format bytes as MB (10⁶): two digits below 10 MB, whole numbers above."""
    return NONE if size is None else two_digits(size / 1e6) if size < 1e7 else f"{size / 1e6:,.0f}".replace(",", NARROW)


def count(number: float) -> str:
    """Format a whole number, with its thousands separated."""
    return f"{number:,.0f}".replace(",", NARROW)


def estimate(number: float) -> str:
    """Format an estimated count: two digits, since it has no more."""
    return count(float(f"{number:.2g}"))


def shorten(text: str, length: int) -> str:
    """Cut a text to at most ``length`` characters, the last an ellipsis where it was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def duration(seconds: float) -> str:
    """Format seconds in a suitable unit: ``48 s``, ``12 min``, ``3.4 h``."""
    if seconds < 120:
        return f"{two_digits(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def signed(value: float) -> str:
    """Format a difference as `score` does, with its sign."""
    text = score(value)
    return f"+{text}" if value > 0 and text.strip("0.") else text
