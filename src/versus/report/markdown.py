"""The report for a pull request: scores first, costs in a part of their own, so that a diff shows which of the two
changed. Nothing in it depends on the time or the machine except the costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from versus.report import formatting, metric_labels
from versus.report.differences import Contrast
from versus.report.headline import Entry, Table
from versus.report.page_content import Content
from versus.report.ranking import Ranking
from versus.report.verdict import Verdict


def render(content: Content, pictures: Sequence[tuple[str, str]]) -> str:
    """The report as Markdown.

    Args:
        content: what the page shows.
        pictures: (path relative to the file, alternative text).
    """
    of_ranks = [p for p in pictures if p[0].endswith("ranks.svg")]
    blocks = [
        "# Generative versus discriminative models, measured",
        "",
        *heading("Verdict"),
        *[f"- **{escaped(v.dataset)}**, {_outcome(v)}. {escaped(v.scores)}" for v in content.verdicts],
        "",
        *heading("Scores"),
        *[block for t in content.tables for block in _score_table(t)],
        *heading("Discriminative minus generative"),
        *_differences(content.contrasts),
        *[_picture(*p) for p in pictures if p not in of_ranks],
        "",
        *heading("Ranks across data sets"),
        *_ranks(content.ranking),
        *[_picture(*p) for p in of_ranks],
        "",
        *heading("Skipped or failed"),
        *_gaps(content),
        *heading("Costs"),
        "Times and memory differ from run to run; scores do not.",
        "",
        *_cost_sentences(content),
        *[block for t in content.tables for block in _cost_table(t)],
    ]
    return "\n".join(blocks).rstrip("\n") + "\n"


def escaped(text: Any) -> str:
    """Text that Markdown and HTML leave as it is, on one line."""
    safe = " ".join(str(text).split())
    for character in "\\`*[]|~#":
        safe = safe.replace(character, f"\\{character}")
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("@", "&#64;")


def heading(text: str) -> list[str]:
    """A heading of the second level and the empty line after it."""
    return [f"## {text}", ""]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A GitHub table and the empty line after it; cells must be escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def _outcome(judged: Verdict | Contrast) -> str:
    return f"{judged.outcome}, leaning to {judged.leaning}" if judged.leaning else judged.outcome


def _picture(path: str, text: str) -> str:
    return f"![{escaped(text)}]({path})"


def _score_table(t: Table) -> list[str]:
    header = ["data set", "model", "family", *(metric_labels.label(m) for m in t.metrics), "can sample"]
    rows = (
        [escaped(r.cell.dataset), escaped(r.cell.model), r.cell.kind_name, *map(_score, r.scores), r.samples]
        for r in t.rows
    )
    marks = "**Bold**: the test sets it apart from all others on its data set. ≈: not told apart from the highest."
    return [*table(header, rows), marks, ""]


def _score(entry: Entry) -> str:
    text = f"**{entry.text}**" if entry.mark == "best" else f"{entry.text} ≈" if entry.mark == "level" else entry.text
    return f"{text} ({entry.detail})" if entry.detail else text


def _differences(contrasts: Sequence[Contrast]) -> list[str]:
    if not contrasts:
        return ["No data set has models of both sides.", ""]
    header = ["data set", "discriminative", "generative", "score", "difference", "p, Holm", "P(equal)", "outcome"]
    rows = (
        [
            escaped(c.dataset.name),
            escaped(c.discriminative.cell.model),
            f"{escaped(c.generative.cell.model)} ({c.generative.cell.kind_name})",
            metric_labels.label(c.dataset.primary),
            f"{formatting.score(c.mean)} ({formatting.span(c.low, c.high)})",
            formatting.p_value(c.adjusted_p).removeprefix("=\u00a0").replace("<", "&lt;"),
            formatting.score(c.rope.within, 2),
            _outcome(c),
        ]
        for c in contrasts
    )
    return table(header, rows)


def _ranks(ranking: Ranking | None) -> list[str]:
    if ranking is None:
        return ["Ranks need at least two models that ran on the same two classification data sets.", ""]
    warning = "Too few data sets to conclude much. " if ranking.is_weak else ""
    test = ranking.test
    sentence = (
        f"{warning}{len(ranking.datasets)} data sets, {len(ranking.models)} models; "
        f"Friedman χ² = {formatting.score(test.chi_square, 2)}, F = {formatting.score(test.f_statistic, 2)}, "
        f"p {escaped(formatting.p_value(test.p_value))}; "
        f"Nemenyi's critical difference {formatting.score(ranking.difference, 2)}."
    )
    rows = (
        [escaped(cell.model), cell.kind_name, f"{rank:.2f}"]
        for cell, rank in zip(ranking.models, test.mean_ranks, strict=True)
    )
    return [sentence, "", *table(["model", "family", "mean rank"], rows)]


def _gaps(content: Content) -> list[str]:
    missing = [f"- **{escaped(c.name)}**: {escaped(c.missing)}" for c in content.missing]
    skips = [f"- {escaped(s.what)}: {escaped(s.reason)} ({_cells(len(s.cells))})" for s in content.skips]
    return [*(missing or ["Every cell of the params was evaluated."]), "", *skips, ""]


def _cells(n: int) -> str:
    return "1 cell" if n == 1 else f"{n} cells"


def _cost_sentences(content: Content) -> list[str]:
    return [*(f"- **{escaped(v.dataset)}**: {escaped(v.costs)}" for v in content.verdicts if v.costs), ""]


def _cost_table(t: Table) -> list[str]:
    header = ["data set", "model", "training, s", "inference, ms", "memory, MB"]
    rows = (
        [escaped(r.cell.dataset), escaped(r.cell.model), *(_score(e) for e in (r.training, r.inference, r.memory))]
        for r in t.rows
    )
    return table(header, rows)
