"""Stages of a run as DVC sees them: which are stale, which the run cache restores, what dvc.lock records of them.

All code that uses DVC's internals is here. It does what ``dvc repro`` does for one stage (`Stage.run`, `run_stage`),
in steps, so that other stages can run in between. These internals are not public: `unsupported` reports versions of
DVC in which they may differ.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

KNOWN = "3.67"  # major and minor version of DVC
Look = tuple[int, int] | None


class StageFaultError(Exception):
    """Failure of a stage; the message gives the reason."""


class ParamsEditedError(StageFaultError):
    """An edit of params.yaml after the run had read it and before its stages did."""


@dataclass(frozen=True)
class Wanted:
    """Stages to reproduce, as given by the options of ``dvc repro``.

    Args:
        targets: stages, with all that they depend on; everything if empty.
        single: run the targets alone, without their dependencies.
        force: run them although nothing has changed.
        pull: bring missing outputs from the remote.
        again: names of stages that run although nothing has changed.
    """

    targets: tuple[str, ...] = ()
    single: bool = False
    force: bool = False
    pull: bool = False
    again: frozenset[str] = frozenset()


def unsupported() -> str | None:
    """Return the reason why this version of DVC cannot be used; None if it can."""
    found = version("dvc")
    if found.rsplit(".", 1)[0] != KNOWN:
        return f"DVC {found} is not the {KNOWN} that this was made for"
    return None


@contextmanager
def opened(wanted: Wanted, params: Look) -> Iterator[Stages]:
    """Open the stages of the project in the current folder, with DVC's lock held.

    Args:
        wanted: the stages to reproduce.
        params: the look of params.yaml before anything of this run read it.
    """
    from dvc.repo import Repo, lock_repo

    repo = Repo()
    try:
        with lock_repo(repo), repo.scm_context(quiet=True):
            stages = Stages(repo, wanted, params)
            try:
                yield stages
            finally:
                # Also where a signal cut off the end of the run: released as the interpreter ends, DVC's locks hang.
                stages.let_go()
    finally:
        repo.close()


class Stages:
    """Stages to check, in the order of ``dvc repro``.

    Attributes:
        plan: every stage, after those that it depends on.
    """

    def __init__(self, repo: Any, wanted: Wanted, params: Look) -> None:
        from dvc.dvcfile import PROJECT_FILE
        from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
        from dvc.stage.cache import RunCacheNotSupported

        self.repo, self.wanted = repo, wanted
        self._params = params
        targets = collect_stages(repo, wanted.targets or [PROJECT_FILE])
        if wanted.pull:
            try:
                repo.stage_cache.pull(None)
            except RunCacheNotSupported as error:
                print(f"warning: the run cache could not be pulled: {error}", file=sys.stderr)
        self._graph = get_active_graph(repo.index.graph)
        self.plan: list[Any] = list(dict.fromkeys(targets)) if wanted.single else plan_repro(self._graph, targets)
        self._planned = set(self.plan)
        self._seen: dict[Any, list[Any]] = {}  # the hashes of its dependencies as a stage started
        self._locks: dict[Any, ExitStack] = {}
        self._settled: set[Any] = set()
        self._unwritten: set[Any] = set()
        self._pushed: set[Any] = set()  # stages whose outputs are in the remote
        self._written: dict[Path, tuple[Look, Any]] = {}  # lock file -> its look and contents as this run wrote it

    @property
    def params_edited(self) -> bool:
        """True if params.yaml was edited since the run began."""
        return look_of(Path("params.yaml")) != self._params

    @staticmethod
    def is_new(stage: Any) -> bool:
        """Check whether dvc.lock does not know a stage."""
        return not any(out.hash_info for out in stage.outs)

    def upstream(self, stage: Any) -> list[Any]:
        """Return the stages of the plan that a stage waits for."""
        return [found for found in self._graph.successors(stage) if found in self._planned]

    def is_stale(self, stage: Any) -> bool:
        """Check whether a stage must be run or restored; if only its outputs are missing, they may be pulled."""
        upstream = list(self._graph.successors(stage))
        if not self._runs(stage):
            from dvc.repo.reproduce import _reproduce_stage

            _reproduce_stage(stage, upstream=upstream, force=self._forced(stage), pull=self.wanted.pull)
            return False
        if self._forced(stage):
            return True
        if not stage.changed(False, upstream):
            return False
        return not (self.wanted.pull and not stage.changed(True, upstream) and self._pulled(stage))

    def _forced(self, stage: Any) -> bool:
        return self.wanted.force or stage.addressing in self.wanted.again

    @staticmethod
    def _runs(stage: Any) -> bool:
        """Check whether a stage has a command of its own; imported and frozen stages are left to DVC."""
        return bool(getattr(stage, "name", None) and stage.cmd and not stage.frozen)

    def _pulled(self, stage: Any) -> bool:
        from dvc.exceptions import CheckoutError

        try:
            self.repo.pull(stage.addressing)
            stage.checkout()
        except CheckoutError:
            return False
        return True

    def begin(self, stage: Any) -> bool:
        """Remove a stage's outputs; return True if the run cache restored them, False if the stage must run."""
        from dvc.rwlock import rwlock
        from dvc.stage.cache import RunCacheNotFoundError
        from dvc.stage.run import _pull_missing_deps

        stage.remove_outs(ignore_remove=False, force=False)
        if not self._forced(stage):
            if self.wanted.pull:
                _pull_missing_deps(stage)
            try:
                self.repo.stage_cache.restore(stage, run_cache=True, pull=self.wanted.pull)
            except RunCacheNotFoundError:
                pass
            else:
                return True
        stage.save_deps()
        self._seen[stage] = [dep.hash_info for dep in stage.deps]
        # Other `dvc` processes keep off while it runs. DVC takes the command line as the name of who holds a lock.
        paths = [[item.fs_path for item in items] for items in (stage.deps, stage.outs)]
        hardlink = self.repo.config["core"].get("hardlink_lock", False)
        self._locks[stage] = ExitStack()
        self._locks[stage].enter_context(
            rwlock(self.repo.tmp_dir, self.repo.fs, " ".join(sys.argv), paths[0], paths[1], hardlink)
        )
        return False

    def finish(self, stage: Any) -> None:
        """Hash and commit the outputs of a stage, and put them into the run cache.

        Raises:
            StageFaultError: if one of its dependencies changed while it ran, or an output is missing.
            ParamsEditedError: if that is params.yaml.
        """
        from dvc.exceptions import DvcException

        try:
            stage.save_deps()
            seen = self._seen.pop(stage, None)
            if seen is not None:
                changed = [str(d) for d, was in zip(stage.deps, seen, strict=True) if d.hash_info != was]
                if changed == ["params.yaml"]:
                    raise ParamsEditedError("params.yaml was edited")
                if changed:
                    raise StageFaultError(f"{', '.join(changed)} changed while it ran; run it again")
            stage.save_outs()
            stage.md5 = stage.compute_md5()
            if all(out.use_cache or out.metric or out.plot for out in stage.outs):
                self.repo.stage_cache.save(stage)
            stage.commit()
        except DvcException as error:
            raise StageFaultError(str(error)) from error
        finally:
            self.let_go(stage)
        self._unwritten.add(stage)

    def parcel(self, name: str) -> dict[str, Any]:
        """Push what a stage builds on to DVC's remote; return the entries of dvc.lock that name it."""
        from dvc.stage.serialize import to_lockfile
        from networkx import descendants

        (stage,) = (found for found in self.plan if found.addressing == name)
        upstream = descendants(self._graph, stage)
        for found in upstream - self._pushed:
            for objects in found.get_used_objs().values():
                self.repo.cloud.push(objects)
            self._pushed.add(found)
        return {key: entry for found in upstream for key, entry in to_lockfile(found).items()}

    def fetch(self, stage: Any) -> None:
        """Bring the outputs of a stage that ran in another clone, which put them into the remote's run cache.

        Raises:
            StageFaultError: if they are not there.
        """
        from dvc.exceptions import DvcException
        from dvc_data.hashfile.hash_info import HashInfo

        for out in stage.outs:
            out.hash_info = HashInfo()  # DVC would bring back the outputs of before, as these are in its cache
        try:
            self.repo.stage_cache.pull(None)
            self.repo.stage_cache.restore(stage, pull=True)
        except DvcException as error:
            raise StageFaultError(f"its outputs did not come through the DVC remote: {error}") from error

    def let_go(self, *stages: Any) -> None:
        """Release the locks of these stages, or of all stages if none is given."""
        from dvc.rwlock import RWLockFileCorruptedError

        for stage in stages or list(self._locks):
            if stage in self._locks:
                with suppress(RWLockFileCorruptedError):  # an interrupt cut it off; the next run removes it
                    self._locks.pop(stage).close()

    def settle(self, stage: Any) -> None:
        """Note that nothing is left to do for a stage."""
        self._settled.add(stage)

    def write(self, *, all_of_them: bool) -> None:
        """Update dvc.lock by a rename.

        During a run, write only as far as ``dvc repro``, which runs one stage at a time, could have come: the file then
        has the order that ``dvc repro`` would give it. The run cache has the other stages.
        """
        ahead: list[Any] = []
        for stage in self.plan:
            if not all_of_them and stage not in self._settled:
                break
            if stage in self._unwritten:
                ahead.append(stage)
        for lockfile, stages in groupby(ahead, key=lambda stage: stage.dvcfile._lockfile):
            self._write_lock(lockfile, list(stages))
        self._unwritten.difference_update(ahead)

    def _write_lock(self, lockfile: Any, stages: Iterable[Any]) -> None:
        from dvc.stage.serialize import to_lockfile
        from dvc.utils.serialize import dump_yaml, parse_yaml_for_update

        path = Path(lockfile.path)
        seen, data = self._written.get(path, (None, {}))
        if path.is_file() and look_of(path) != seen:  # reading takes longer than writing
            data = parse_yaml_for_update(path.read_text(encoding="utf-8"), str(path))
        if not data:
            data["schema"] = "2.0"
        data["stages"] = data.get("stages", {})
        for stage in stages:
            data["stages"].update(to_lockfile(stage))
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        dump_yaml(str(aside), data)
        aside.replace(path)
        self._written[path] = look_of(path), data
        self.repo.scm_context.track_file(lockfile.relpath)

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Let other `dvc` processes use the project while this one waits."""
        from dvc.lock import LockError

        self.repo.lock.unlock()
        try:
            yield
        finally:
            while True:
                try:
                    self.repo.lock.lock()
                    break
                except LockError:
                    time.sleep(0.1)  # DVC has waited some seconds already


def look_of(path: Path) -> Look:
    """Modification time and size of a file, which an edit changes; None if there is no file."""
    if not path.is_file():
        return None
    found = path.stat()
    return found.st_mtime_ns, found.st_size
