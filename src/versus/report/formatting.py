"""Numbers as a reader wants them: three decimals for scores, two digits for costs, a unit that fits."""

from __future__ import annotations

from math import floor, isfinite, log10

NONE = "–"
NARROW, FIRM = "\u202f", "\u00a0"  # spaces that do not break, the first a thin one
Number = float | None


def score(value: Number, decimals: int = 3) -> str:
    """A score, ``0.974``; larger numbers lose decimals, so that five digits are the most."""
    if value is None or not isfinite(value):
        return NONE
    if abs(value) >= 10:
        decimals = max(0, decimals - floor(log10(abs(value))))
    return minus(f"{value:.{decimals}f}")


def compact(value: float) -> str:
    """Three significant digits or all that stand before the point, with an exponent only where it must be."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return minus(f"{value:.2e}")
    return minus(f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}")


def minus(text: str) -> str:
    """With the typographic minus; a zero has no sign."""
    stripped = text.lstrip("-+")
    if not stripped.strip("0."):
        return stripped
    return text.replace("-", "−")


def span(low: Number, high: Number, decimals: int = 3) -> str:
    """An interval, ``0.951 to 0.990``; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{score(low, decimals)} to {score(high, decimals)}"


def percent(value: Number, decimals: int = 1) -> str:
    """A share as a percentage, ``97.4 %``."""
    return NONE if value is None or not isfinite(value) else f"{fixed(100 * value, decimals)}{NARROW}%"


def fixed(value: float, decimals: int) -> str:
    """A number with exactly so many decimals."""
    return minus(f"{value:.{decimals}f}")


def fixed_span(low: float, high: float, decimals: int) -> str:
    """An interval with exactly so many decimals at both ends."""
    return f"{fixed(low, decimals)} to {fixed(high, decimals)}"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return minus(f"{100 * value:+.1f}")


def p_value(p: float) -> str:
    """A p-value with its relation, ``= 0.012`` or ``< 0.001``."""
    if not isfinite(p):
        return NONE
    return f"<{FIRM}0.001" if p < 0.001 else f"={FIRM}{p:.3f}" if p < 0.9995 else f"={FIRM}1"


def two_digits(value: Number) -> str:
    """Two significant digits without an exponent: ``0.0034``, ``1.2``, ``340``."""
    if value is None or not isfinite(value):
        return NONE
    if value == 0:
        return "0"
    rounded = float(f"{value:.2g}")  # first, since 0.0999 has a digit less behind the point once it is 0.10
    decimals = max(0, 1 - floor(log10(abs(rounded))))
    return minus(f"{rounded:,.{decimals}f}").replace(",", NARROW)


def times(ratio: Number) -> str:
    """A ratio, ``3.2×``."""
    return NONE if ratio is None or not isfinite(ratio) else f"{two_digits(ratio)}×"


def times_the(ratio: float) -> str:
    """A ratio within a sentence, before "the time": ``3.2×``, or ``1/480 of``."""
    return times(ratio) if ratio >= 0.1 else f"1/{two_digits(1 / ratio)} of"


def megabytes(size: Number) -> str:
    """Bytes as whole MB (10⁶)."""
    return NONE if size is None else two_digits(size / 1e6) if size < 1e7 else f"{size / 1e6:,.0f}".replace(",", NARROW)


def count(number: float) -> str:
    """A whole number, its thousands set apart."""
    return f"{number:,.0f}".replace(",", NARROW)


def shorten(text: str, length: int) -> str:
    """At most ``length`` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def duration(seconds: float) -> str:
    """Seconds as a person says them: ``48 s``, ``12 min``, ``3.4 h``."""
    if seconds < 120:
        return f"{two_digits(seconds)} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def signed(value: float) -> str:
    """A difference as `score` writes it, with its sign."""
    text = score(value)
    return f"+{text}" if value > 0 and text.strip("0.") else text
