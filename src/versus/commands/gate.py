"""``versus gate``: decide if the best models of this comparison may take the champions' places."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from versus import params as parameters
from versus.gate import rendering
from versus.gate.contest import Contest
from versus.gate.judgement import Decision
from versus.tracking import destination
from versus.workspace import Workspace


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = "Exit code: 0 where all pass, 1 where one fails, 2 where one could not be judged."
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help="data sets to judge (default: all)")
    parser.add_argument("--promote", action="store_true", help="make the challengers that pass the champions")
    parser.add_argument("--margin", type=_share, help="how much worse the deciding score may be (default: params.yaml)")
    parser.add_argument("--json", metavar="FILE", help="write the decisions as JSON; - prints them instead")
    parser.add_argument("--markdown", metavar="FILE", help="write the decisions as Markdown; - prints them instead")
    parser.add_argument("--workspace", type=Path, default=Path(), help="folder of a workspace (default: this one)")


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not within 0 … 1")
    return value


def run(options: argparse.Namespace) -> int:
    """Judge, promote where asked to, and print the decisions; returns the exit code."""
    try:
        decisions = _judge(options)
    except (ValueError, OSError) as error:  # 1 would mean that a challenger failed
        print(destination.redact(f"versus gate: could not judge: {error}"), file=sys.stderr)
        return 2
    _write(decisions, options)
    outcomes = {decision.outcome for decision in decisions}
    return 1 if "fail" in outcomes else 2 if "undecided" in outcomes else 0


def _judge(options: argparse.Namespace) -> list[Decision]:
    workspace = Workspace(options.workspace)
    params = parameters.read(workspace.params)
    known = [*params.datasets, *params.files]
    for name in options.datasets:
        parameters.dataset(params, name)
    if options.margin is not None:
        params = params.model_copy(update={"gate": replace(params.gate, margin=options.margin)})
    contest = Contest(workspace, params, options.datasets or known)
    decisions = contest.decisions()
    return [contest.promote(v) if v.may_promote else v for v in decisions] if options.promote else decisions


def _write(decisions: list[Decision], options: argparse.Namespace) -> None:
    machine = json.dumps(rendering.as_json(decisions), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    page = rendering.as_markdown(decisions)
    for name, text in ((options.json, machine), (options.markdown, page)):
        if name == "-":
            sys.stdout.write(text)
        elif name is not None:
            Path(name).write_text(text, encoding="utf-8")
    # Output for programs must not be mixed with output for people.
    print(rendering.as_text(decisions), file=sys.stderr if "-" in (options.json, options.markdown) else sys.stdout)
