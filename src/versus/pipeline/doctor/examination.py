"""All checks of a workspace, in the order in which to repair the faults."""

from __future__ import annotations

from collections.abc import Iterator

from versus import params as parameters
from versus.params import ParamsError
from versus.pipeline.doctor import dvc_files, leftovers, surroundings
from versus.pipeline.doctor.finding import Finding
from versus.serving.code import CODE
from versus.workspace import Workspace


def examine(workspace: Workspace, at_work: bool) -> Iterator[Finding]:
    """Yield every fault of a workspace.

    Args:
        workspace: the folder with params.yaml.
        at_work: True if a repro is rewriting its files now; they are then skipped, as they may be half written.
    """
    yield from dvc_files.of_wrong_kind(workspace.root)
    unreadable = list(dvc_files.damaged_config(workspace.root))
    yield from unreadable
    if not unreadable:
        yield from dvc_files.no_git(workspace.root)
        yield from surroundings.disk_space(workspace.root)
    yield from surroundings.environment(CODE / "constraints.txt")
    yield from surroundings.damaged_store(workspace)
    if not at_work:
        yield from dvc_files.damaged_lock(workspace.root)
        yield from dvc_files.damaged_rwlock(workspace.root)
        yield from dvc_files.stale_rwlock(workspace.root)
        yield from leftovers.written_aside(workspace)
    try:
        params = parameters.read(workspace.params)
    except ParamsError as error:
        # Without params.yaml cells cannot be checked: all of them would look like orphans.
        yield Finding(str(error), "correct the lines that are named; cells are checked after that")
        return
    if not at_work:
        yield from leftovers.unfinished_fits(workspace, params)
        yield from leftovers.orphans(workspace, params)
