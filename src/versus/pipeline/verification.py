"""Check outputs and cache against the hashes in dvc.lock: DVC trusts its cache and would use damaged objects."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

Place = Literal["output", "cache", "lock"]

# The hash of a folder without files. Git does not keep such a folder, so that a fresh clone lacks it.
EMPTY_FOLDER = f"{hashlib.md5(b'[]', usedforsecurity=False).hexdigest()}.dir"


@dataclass(frozen=True)
class Damage:
    """One file that does not match dvc.lock."""

    place: Place
    path: Path
    stage: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem} ({self.place} of stage {self.stage})"


def verify(root: Path) -> Iterator[Damage]:
    """Yield every damaged file among the outputs in dvc.lock and their objects in the local cache.

    A missing cache object is no damage if the output itself is intact, and a missing output is none if the cache
    has it: `dvc repro` restores either.
    """
    lock = root / "dvc.lock"
    if not lock.is_file():
        yield Damage("lock", lock, "-", "is missing; `dvc repro` writes it")
        return
    cache = cache_folder(root)
    stages = (YAML(typ="safe").load(lock.read_text(encoding="utf-8")) or {}).get("stages", {})
    for stage, entry in stages.items():
        for out in entry.get("outs", []):
            yield from _verify_output(root, cache, stage, out)


def cache_folder(root: Path) -> Path:
    """Folder of DVC's objects: ``cache.dir`` of the config (a workspace shares its project's), else .dvc/cache."""
    from dvc.config import Config

    configured = Config(str(root / ".dvc"), validate=False).get("cache", {}).get("dir")
    base = Path(configured) if configured else Path("cache")
    return (root / ".dvc" / base) / "files" / "md5"


def object_path(cache: Path, md5: str) -> Path:
    """Path of the object with this hash in the cache."""
    return cache / md5[:2] / md5[2:]


def md5_of(path: Path) -> str:
    """MD5 of a file, by which DVC names contents."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _verify_output(root: Path, cache: Path, stage: str, out: dict[str, Any]) -> Iterator[Damage]:
    path, md5 = root / out["path"], str(out["md5"])
    if not md5.endswith(".dir"):
        yield from _verify_file(path, object_path(cache, md5), md5, stage)
        return
    listing = object_path(cache, md5)
    if not listing.is_file():
        if not path.is_dir() and md5 != EMPTY_FOLDER:
            yield Damage("output", path, stage, "is missing, and so is its listing in the cache")
        return
    if md5_of(listing) != md5.removesuffix(".dir"):
        yield Damage("cache", listing, stage, f"the listing of {out['path']} is not what its name says")
        return
    entries = json.loads(listing.read_text(encoding="utf-8"))
    for entry in entries:
        yield from _verify_file(path / entry["relpath"], object_path(cache, entry["md5"]), entry["md5"], stage)
    known = {entry["relpath"] for entry in entries}
    if path.is_dir():
        for found in sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()):
            if found not in known:
                yield Damage("output", path / found, stage, "is not among the stage's outputs")


def _verify_file(path: Path, stored: Path, md5: str, stage: str) -> Iterator[Damage]:
    if stored.is_file() and md5_of(stored) != md5:
        yield Damage("cache", stored, stage, f"holds other bytes than its name says; {path} comes from it")
    if path.is_file():
        if md5_of(path) != md5:
            yield Damage("output", path, stage, "differs from what dvc.lock recorded")
    elif not stored.is_file():
        yield Damage("output", path, stage, "is missing, and the cache does not have it")
