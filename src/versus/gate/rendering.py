"""Verdicts for people, for pull requests and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from versus.gate.verdict import Verdict
from versus.report import formatting, metric_labels
from versus.report.markdown import escaped, table
from versus.tracking.standing import Registered

WORDS = {"pass": "passes", "fail": "FAILS", "undecided": "UNDECIDED"}


def as_text(verdicts: Sequence[Verdict]) -> str:
    """For a terminal: a line for each data set, its figures below."""
    return "\n".join(line for verdict in verdicts for line in _lines(verdict))


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.dataset} {WORDS[verdict.outcome]}: {_contenders(verdict)}{verdict.summary}"
    checks = verdict.judgement.checks if verdict.judgement else ()
    yield from (
        f"  {'ok  ' if check.passed else 'FAIL'} {check.text}" for check in checks if check.text != verdict.summary
    )
    if verdict.promoted:
        yield f"  {verdict.challenger} is the champion now, {verdict.champion} the previous one"


def _contenders(verdict: Verdict) -> str:
    if verdict.judgement is None:
        return ""
    return f"{verdict.challenger} against {verdict.champion}; "


def as_markdown(verdicts: Sequence[Verdict]) -> str:
    """For a job summary or a pull request; names from data cannot become markup."""
    header = ["data set", "verdict", "challenger", "champion", "score", "gain"]
    rows = [
        [
            escaped(v.dataset),
            f"**{WORDS[v.outcome]}**" + (", promoted" if v.promoted else ""),
            _cell(v.challenger),
            _cell(v.champion),
            escaped(_scores(v)),
            escaped(_gain(v)),
        ]
        for v in verdicts
    ]
    reasons = [f"- **{escaped(v.dataset)}** {WORDS[v.outcome]}: {escaped(v.summary)}" for v in verdicts]
    return "\n".join(["## Champions", "", *table(header, rows), *reasons]) + "\n"


def _cell(found: Registered | None) -> str:
    return formatting.NONE if found is None else escaped(found)


def _scores(verdict: Verdict) -> str:
    found = verdict.judgement and verdict.judgement.gain
    if not verdict.judgement or not found:
        return formatting.NONE
    label = metric_labels.label(verdict.judgement.metric)
    return f"{label} {formatting.score(found.challenger)}, was {formatting.score(found.champion)}"


def _gain(verdict: Verdict) -> str:
    found = verdict.judgement and verdict.judgement.gain
    if not found:
        return formatting.NONE
    return f"{formatting.signed(found.value)} ({formatting.span(found.low, found.high)})"


def as_json(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Plain JSON types: the overall outcome and everything that is known of each data set."""
    outcomes = [verdict.outcome for verdict in verdicts]
    overall = next((o for o in ("fail", "undecided") if o in outcomes), "pass")
    return {"outcome": overall, "datasets": [asdict(verdict) for verdict in verdicts]}
