"""Check outputs and cache against the hashes in dvc.lock: DVC trusts its cache and would use damaged objects."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

from versus.pipeline import recovery

Place = Literal["output", "cache", "lock"]
Entry = Mapping[str, Any]  # of a stage in dvc.lock

# The hash of a folder without files. Git does not keep such a folder, so that a fresh clone lacks it.
EMPTY_FOLDER = f"{hashlib.md5(b'[]', usedforsecurity=False).hexdigest()}.dir"


@dataclass(frozen=True)
class Damage:
    """A file that does not match dvc.lock, or a part of dvc.lock that is lost."""

    place: Place
    path: Path
    stage: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem} ({self.place} of stage {self.stage})"

    def remove(self) -> bool:
        """Remove the damaged file, so that `dvc repro` makes it again; return False where there is nothing to remove.

        A damaged dvc.lock is replaced by the copy that the last stage kept, if there is one.
        """
        if self.place == "lock":
            damaged = recovery.lock_is_damaged(self.path.parent)
            return damaged and bool(recovery.restore_lock(self.path.parent))
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        elif self.path.exists() or self.path.is_symlink():
            self.path.unlink()
        else:
            return False
        return True


def verify(root: Path) -> Iterator[Damage]:
    """Yield every damaged file among the outputs of today's stages and their objects in the local cache.

    A missing cache object is no damage if the output itself is intact, and a missing output is none if the cache
    has it: `dvc repro` restores either. Stages that dvc.lock remembers and dvc.yaml no longer has do not count; an
    output whose stage dvc.lock does not know means that a part of dvc.lock is lost.

    Raises:
        ValueError: if dvc.yaml, params.yaml or DVC's config cannot be read.
    """
    lock = root / "dvc.lock"
    if not lock.exists():
        yield Damage("lock", lock, "-", "is missing; `dvc repro` writes it")
        return
    if recovery.lock_is_damaged(root):
        yield Damage("lock", lock, "-", "is empty, cut off, or not DVC's")
        return
    cache, entries = cache_folder(root), read_lock(root)
    for stage, made in outputs(root).items():
        if stage in entries:
            for out in entries[stage].get("outs", []):
                yield from _verify_output(root, cache, stage, out)
        elif any((root / path).exists() for path in made):
            yield Damage("lock", lock, stage, f"has lost this stage, which made {', '.join(made)}")


def not_run(root: Path) -> list[str]:
    """List the stages of dvc.yaml of which dvc.lock knows nothing."""
    entries = read_lock(root)
    return [stage for stage in outputs(root) if stage not in entries]


def read_lock(root: Path) -> dict[str, Entry]:
    """Read stage -> entry from dvc.lock."""
    return (YAML(typ="safe").load((root / "dvc.lock").read_text(encoding="utf-8")) or {}).get("stages") or {}


def outputs(root: Path) -> dict[str, list[str]]:
    """Map each stage of today's dvc.yaml and params.yaml to the paths that it makes.

    Raises:
        ValueError: if one of these files, or DVC's config, cannot be read.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root), config={"core": {"no_scm": True}}) as repo:
            here = (stage for stage in repo.index.stages if Path(stage.path) == root.resolve() / "dvc.yaml")
            return {stage.name: [out.def_path for out in stage.outs] for stage in here}
    except DvcException as error:
        raise ValueError(f"DVC cannot read the stages of {root.resolve()}: {' '.join(str(error).split())}") from error


def cache_folder(root: Path) -> Path:
    """Folder of DVC's objects: ``cache.dir`` of the config (a workspace shares its project's), else .dvc/cache.

    Raises:
        ValueError: if the config cannot be read.
    """
    configured = recovery.read_config(root).get("cache", {}).get("dir")
    base = Path(configured) if configured else Path("cache")
    return (root / ".dvc" / base) / "files" / "md5"


def object_path(cache: Path, md5: str) -> Path:
    """Path of the object with this hash in the cache."""
    return cache / md5[:2] / md5[2:]


def md5_of(path: Path) -> str:
    """MD5 of a file, by which DVC names contents."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _verify_output(root: Path, cache: Path, stage: str, out: Entry) -> Iterator[Damage]:
    path, md5 = root / out["path"], str(out["md5"])
    if not md5.endswith(".dir"):
        yield from _verify_file(path, object_path(cache, md5), md5, stage)
        return
    if path.exists() and not path.is_dir():
        yield Damage("output", path, stage, "is a file where a folder belongs")
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
    if path.is_dir():
        yield Damage("output", path, stage, "is a folder where a file belongs")
    elif path.is_file():
        if md5_of(path) != md5:
            yield Damage("output", path, stage, "differs from what dvc.lock recorded")
    elif not stored.is_file():
        yield Damage("output", path, stage, "is missing, and the cache does not have it")
