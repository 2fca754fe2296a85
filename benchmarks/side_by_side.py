"""Timing of two ways to do the same work, in turns: a slowdown of the machine then affects both.

Each pair runs one after the other, and the order changes from pair to pair. The result is the median of the ratios.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Seconds of each run, ours and theirs, pair by pair."""

    what: str
    peer: str
    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        """Ratio theirs / ours of the times: the median over the pairs."""
        return statistics.median(t / o for o, t in zip(self.ours, self.theirs, strict=True))

    def as_json(self) -> dict[str, Any]:
        """Return the medians in seconds, the ratio, and the range of the pairs' ratios."""
        ratios = sorted(t / o for o, t in zip(self.ours, self.theirs, strict=True))
        return {
            "what": self.what,
            "peer": self.peer,
            "ours_s": round(statistics.median(self.ours), 5),
            "peer_s": round(statistics.median(self.theirs), 5),
            "ratio": round(self.ratio, 2),
            "ratios": [round(ratios[0], 2), round(ratios[-1], 2)],
            "pairs": len(ratios),
        }


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one run in seconds; garbage is collected before it."""
    gc.collect()
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(what: str, peer: str, ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> Timing:
    """Time both in turns, after one warm-up run of each."""
    ours()
    theirs()
    timing = Timing(what, peer, [], [])
    for pair in range(pairs):
        turns = [(timing.ours, ours), (timing.theirs, theirs)]
        for taken, work in turns if pair % 2 == 0 else reversed(turns):
            taken.append(seconds(work))
    return timing


def report(name: str, timings: list[Timing], parity: Mapping[str, float], targets: Mapping[str, float]) -> None:
    """Print a table, and everything as JSON on the last line."""
    print(f"{name}: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for timing in timings:
        found, target = timing.as_json(), targets.get(timing.what)
        aim = "" if target is None else f"   target {target:g}×"
        print(
            f"  {timing.what:<30} ours {found['ours_s']:9.4f} s   {timing.peer} {found['peer_s']:9.4f} s"
            f"   {found['ratio']:6.1f}× ({found['ratios'][0]}–{found['ratios'][1]}){aim}"
        )
    for what, value in parity.items():
        print(f"  {what}: {value:.3g}")
    print(json.dumps({"benchmark": name, "timings": [t.as_json() for t in timings], "parity": dict(parity)}))
