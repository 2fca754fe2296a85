"""Edits of params.yaml and of code since the last run, and the stages that each of them makes run again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from versus.params import Params
from versus.pipeline.fingerprint import fingerprints


def changed(root: Path, params: Params) -> dict[str, list[str]]:
    """Return stage -> what has changed of what it depends on, for the stages with a change.

    Stages are named as their fingerprints are, such as ``train-iris-mlp``. What has changed is a file of code, a
    library, ``params.yaml``, or ``new`` for a stage that no run knows. Files of data are left to ``dvc status``.
    """
    return {name: found for name, text in fingerprints(params) if (found := list(_changes(root, name, text)))}


def _changes(root: Path, name: str, text: str) -> Iterator[str]:
    kept = root / "data" / "fingerprints" / f"{name}.txt"
    if not kept.is_file():
        yield "new"
        return
    (given, *code), (given_before, *code_before) = text.splitlines(), kept.read_text(encoding="utf-8").splitlines()
    if json.loads(given) != json.loads(given_before):
        yield "params.yaml"
    yield from sorted({_name(line) for line in set(code) ^ set(code_before)})


def _name(line: str) -> str:
    """Name of the file or the library on a line of a fingerprint."""
    return line.partition("  ")[2] or line.partition("==")[0]
