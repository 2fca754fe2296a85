"""Edits of params.yaml and of code since the last run, and the stages that each of them makes run again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from versus.params import Params
from versus.pipeline.fingerprint import fingerprints

# A fingerprint that a finished stage depended on, and its hash, in dvc.lock.
DONE = re.compile(r"path: \S*data/fingerprints/(\S+)\.txt\n\s+hash: md5\n\s+md5: (\w+)")


def changed(root: Path, params: Params) -> dict[str, list[str]]:
    """Return stage -> what has changed of what it depends on, for the stages with a change.

    Stages are named as their fingerprints are, such as ``train-iris-mlp``. What has changed is a file of code, a
    library, ``params.yaml``, ``new`` for a stage that no run knows, or ``unfinished`` for one that the last run left.
    Files of data are left to ``dvc status``.
    """
    lock = root / "dvc.lock"
    done = dict(DONE.findall(lock.read_text(encoding="utf-8"))) if lock.is_file() else None
    return {name: found for name, text in fingerprints(params) if (found := list(_changes(root, name, text, done)))}


def _changes(root: Path, name: str, text: str, done: dict[str, str] | None) -> Iterator[str]:
    kept = root / "data" / "fingerprints" / f"{name}.txt"
    if not kept.is_file():
        yield "new"
        return
    (given, *code), (given_before, *code_before) = text.splitlines(), kept.read_text(encoding="utf-8").splitlines()
    if json.loads(given) != json.loads(given_before):
        yield "params.yaml"
    edited = sorted({_name(line) for line in set(code) ^ set(code_before)})
    yield from edited
    if not edited and done is not None and done.get(name) != hashlib.md5(kept.read_bytes()).hexdigest():
        yield "unfinished"


def _name(line: str) -> str:
    """Name of the file or the library on a line of a fingerprint."""
    return line.partition("  ")[2] or line.partition("==")[0]
