"""``versus gate``: decide if the best models of this comparison may take the champions' places.

After a promotion it runs the command ``gate.after_promotion`` of params.yaml in the workspace, with VERSUS_DATASET,
VERSUS_CHAMPION (``models:/<name>/<version>``), VERSUS_CELL, VERSUS_PREVIOUS (the champion before, written alike) and
MLFLOW_TRACKING_URI in its environment.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
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
    told = [_tell(options.workspace, decision) for decision in decisions if decision.promoted]
    return 1 if "fail" in outcomes else 2 if "undecided" in outcomes or not all(told) else 0


def _tell(folder: Path, decision: Decision) -> bool:
    """Run the command of params.yaml after a promotion; return False, and print a line, where it fails."""
    workspace = Workspace(folder)
    command = parameters.read(workspace.params).gate.after_promotion
    if not command or decision.challenger is None or decision.champion is None:
        return True
    about = {
        "VERSUS_DATASET": decision.dataset,
        "VERSUS_CHAMPION": decision.challenger.uri,
        "VERSUS_CELL": decision.challenger.cell,
        "VERSUS_PREVIOUS": decision.champion.uri,
        "MLFLOW_TRACKING_URI": destination.find(workspace.root).uri,
    }
    try:
        subprocess.run(shlex.split(command), cwd=folder, env={**os.environ, **about}, check=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        reason = destination.redact(str(error))
        failed = f"{decision.challenger} is promoted, but gate.after_promotion failed: {reason}"
        print(f"versus gate: {failed}", file=sys.stderr)
        return False
    return True


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
