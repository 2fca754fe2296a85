"""What fitting and using a model takes, out of its cost files. None stands for what was not measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from versus.report.evaluation import Evaluation


@dataclass(frozen=True)
class Measured:
    """A cost: its typical value, and the range seen (over repeats; from median to 95th percentile for latencies)."""

    value: float
    low: float
    high: float


def training_seconds(evaluation: Evaluation) -> Measured | None:
    """Seconds of one fit: the mean over repeats, from the fastest to the slowest."""
    return _over_repeats(evaluation, "seconds")


def peak_memory(evaluation: Evaluation) -> Measured | None:
    """Most bytes of memory that the process held during a fit: the mean over repeats, and their range."""
    return _over_repeats(evaluation, "peak_rss_bytes")


def memory_of_fit(evaluation: Evaluation) -> float | None:
    """The most that a fit added to the memory of its process, in bytes."""
    repeats = evaluation.training.get("repeats", [])
    grown = [float(r["peak_rss_bytes"]) - float(r["rss_before_bytes"]) for r in repeats if r.get("rss_before_bytes")]
    return max(max(grown), 0.0) if grown else None


def latency(evaluation: Evaluation, batch: int = 1) -> Measured | None:
    """Milliseconds to predict a batch: the median, and up to the 95th percentile."""
    found = (evaluation.usage.get("latency_ms") or {}).get(str(batch))
    return Measured(float(found["p50"]), float(found["p50"]), float(found["p95"])) if found else None


def usage(evaluation: Evaluation, name: str) -> float | None:
    """One number of the costs of use: throughput_per_s, samples_per_s, parameters or bytes_on_disk."""
    found = evaluation.usage.get(name)
    return None if found is None else float(found)


def ratio(numerator: Measured | None, denominator: Measured | None) -> float | None:
    """How many times as much; None where either was not measured or nothing can be divided by."""
    if numerator is None or denominator is None or denominator.value <= 0:
        return None
    return numerator.value / denominator.value


def all_of(evaluation: Evaluation) -> Iterator[tuple[str, str, Measured]]:
    """Every cost as (quantity, unit, value)."""
    measured = [
        ("training_time", "s", training_seconds(evaluation)),
        ("peak_memory", "bytes", peak_memory(evaluation)),
        ("cuda_peak_memory", "bytes", _over_repeats(evaluation, "cuda_peak_bytes")),
        ("latency_of_1", "ms", latency(evaluation, 1)),
        ("latency_of_256", "ms", latency(evaluation, 256)),
    ]
    singles = [
        ("memory_of_fit", "bytes", memory_of_fit(evaluation)),
        ("throughput", "rows/s", usage(evaluation, "throughput_per_s")),
        ("sampling", "samples/s", usage(evaluation, "samples_per_s")),
        ("parameters", "", usage(evaluation, "parameters")),
        ("size_on_disk", "bytes", usage(evaluation, "bytes_on_disk")),
    ]
    yield from ((name, unit, found) for name, unit, found in measured if found is not None)
    yield from ((name, unit, Measured(value, value, value)) for name, unit, value in singles if value is not None)


def _over_repeats(evaluation: Evaluation, key: str) -> Measured | None:
    values = [float(r[key]) for r in evaluation.training.get("repeats", []) if r.get(key) is not None]
    return Measured(sum(values) / len(values), min(values), max(values)) if values else None
