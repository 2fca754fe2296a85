"""Costs of fitting and using a model, read from its cost files. None stands for a cost that was not measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from versus.report import formatting
from versus.report.evaluation import Evaluation


@dataclass(frozen=True)
class Measured:
    """A cost: its typical value, and the range seen (over repeats; from median to 95th percentile for latencies)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Cost:
    """Definition of one cost of a model.

    Args:
        quantity, unit: as in costs.csv.
        label: its column header, with the unit that ``write`` uses.
        of: function that returns its value for a cell.
    """

    quantity: str
    unit: str
    label: str
    of: Callable[[Evaluation], Measured | None]
    write: Callable[[float], str] = formatting.two_digits


def training_seconds(evaluation: Evaluation) -> Measured | None:
    """Seconds of one fit: the mean over repeats, from the fastest to the slowest."""
    return _over_repeats(evaluation, "seconds")


def latency(evaluation: Evaluation, batch: int = 1) -> Measured | None:
    """Milliseconds to predict a batch: the median, and up to the 95th percentile."""
    found = (evaluation.usage.get("latency_ms") or {}).get(str(batch))
    return Measured(float(found["p50"]), float(found["p50"]), float(found["p95"])) if found else None


def ratio(numerator: Measured | None, denominator: Measured | None) -> float | None:
    """Ratio of two costs; None where either was not measured or the denominator is not positive."""
    if numerator is None or denominator is None or denominator.value <= 0:
        return None
    return numerator.value / denominator.value


def _over_repeats(evaluation: Evaluation, key: str) -> Measured | None:
    values = [float(r[key]) for r in evaluation.training.get("repeats", []) if r.get(key) is not None]
    return Measured(sum(values) / len(values), min(values), max(values)) if values else None


def _memory_of_fit(evaluation: Evaluation) -> Measured | None:
    """Largest memory, in bytes, that a fit added to its process."""
    repeats = evaluation.training.get("repeats", [])
    grown = [float(r["peak_rss_bytes"]) - float(r["rss_before_bytes"]) for r in repeats if r.get("rss_before_bytes")]
    return _single(max(max(grown), 0.0)) if grown else None


def _single(value: float) -> Measured:
    return Measured(value, value, value)


def _usage(name: str) -> Callable[[Evaluation], Measured | None]:
    return lambda e: None if e.usage.get(name) is None else _single(float(e.usage[name]))


# The first three are also columns of the table of all models.
COSTS = (
    Cost("training_time", "s", "training, s", training_seconds),
    Cost("latency_of_1", "ms", "inference, ms", latency),
    Cost("peak_memory", "bytes", "memory, MB", lambda e: _over_repeats(e, "peak_rss_bytes"), formatting.megabytes),
    Cost("memory_of_fit", "bytes", "of the fit, MB", _memory_of_fit, formatting.megabytes),
    Cost("cuda_peak_memory", "bytes", "GPU, MB", lambda e: _over_repeats(e, "cuda_peak_bytes"), formatting.megabytes),
    Cost("energy", "Wh", "energy of a fit, Wh", lambda e: _over_repeats(e, "energy_wh")),
    Cost("latency_of_256", "ms", "256 rows, ms", lambda e: latency(e, 256)),
    Cost("throughput", "rows/s", "rows/s", _usage("throughput_per_s")),
    Cost("sampling", "samples/s", "samples/s", _usage("samples_per_s")),
    Cost("parameters", "", "parameters", _usage("parameters"), formatting.count),
    Cost("size_on_disk", "bytes", "on disk, MB", _usage("bytes_on_disk"), formatting.megabytes),
)
HEADLINE = COSTS[:3]


def side_by_side(evaluations: Iterable[Evaluation]) -> int:
    """Largest number of stages that ran at the same time while these cells were timed; 1 where each ran alone."""
    return max((int(evaluation.training.get("side_by_side", 1)) for evaluation in evaluations), default=1)


def energy_by(evaluations: Iterable[Evaluation]) -> set[str]:
    """Return how the energy of fits was measured, "RAPL" or "TDP" (`versus.metrics.cost.energy_of`); empty if not."""
    fits = (fit for evaluation in evaluations for fit in evaluation.training.get("repeats", ()))
    return {str(fit["energy_by"]) for fit in fits if "energy_by" in fit}
