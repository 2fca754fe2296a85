"""Output of decisions for people, pull requests and programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from versus.gate.judgement import Decision
from versus.metrics import table as metric_table
from versus.report import formatting
from versus.report.section import escaped, table
from versus.tracking.answers import Registered

WORDS = {"pass": "passes", "fail": "FAILS", "undecided": "UNDECIDED"}


def as_text(decisions: Sequence[Decision]) -> str:
    """Format for a terminal: a line for each data set, its figures below."""
    return "\n".join(line for decision in decisions for line in _lines(decision))


def _lines(decision: Decision) -> Iterator[str]:
    yield f"{decision.dataset} {WORDS[decision.outcome]}: {_contenders(decision)}{decision.summary}"
    checks = decision.judgement.checks if decision.judgement else ()
    yield from (
        f"  {'ok  ' if check.passed else 'FAIL'} {check.text}" for check in checks if check.text != decision.summary
    )
    yield from (f"  warn {warning}" for warning in decision.warnings)
    fitted_on = decision.challenger.fitted_on if decision.challenger else ""
    if fitted_on:
        yield f"       the model to use is fitted on {fitted_on}; scores are of its repeats, on rows kept from them"
    if decision.promoted:
        yield f"  {decision.challenger} is the champion now, {decision.champion} the previous one"


def _contenders(decision: Decision) -> str:
    if decision.judgement is None or decision.challenger == decision.champion:
        return ""
    return f"{decision.challenger} against {decision.champion}; "


def as_markdown(decisions: Sequence[Decision]) -> str:
    """Format for a job summary or a pull request; names from data cannot become markup."""
    header = ["data set", "decision", "challenger", "champion", "score", "gain"]
    rows = [
        [
            escaped(v.dataset),
            f"**{WORDS[v.outcome]}**" + (", promoted" if v.promoted else ""),
            _cell(v.challenger),
            _cell(v.champion),
            escaped(_scores(v)),
            escaped(_gain(v)),
        ]
        for v in decisions
    ]
    reasons = [f"- **{escaped(v.dataset)}** {WORDS[v.outcome]}: {escaped(v.summary)}" for v in decisions]
    reasons += [f"- {escaped(v.dataset)}, warning: {escaped(warning)}" for v in decisions for warning in v.warnings]
    return "\n".join(["## Champions", "", *table(header, rows), *reasons]) + "\n"


def _cell(found: Registered | None) -> str:
    return formatting.NONE if found is None else escaped(found)


def _scores(decision: Decision) -> str:
    found = decision.judgement and decision.judgement.gain
    if not decision.judgement or not found:
        return formatting.NONE
    label = metric_table.label(decision.judgement.metric)
    return f"{label} {formatting.score(found.challenger)}, was {formatting.score(found.champion)}"


def _gain(decision: Decision) -> str:
    found = decision.judgement and decision.judgement.gain
    if not found:
        return formatting.NONE
    return f"{formatting.signed(found.value)} ({formatting.span(found.low, found.high)})"


def as_json(decisions: Sequence[Decision]) -> dict[str, Any]:
    """Convert to plain JSON types: the overall outcome and all facts about each data set."""
    outcomes = [decision.outcome for decision in decisions]
    overall = next((o for o in ("fail", "undecided") if o in outcomes), "pass")
    return {"outcome": overall, "datasets": [asdict(decision) for decision in decisions]}
