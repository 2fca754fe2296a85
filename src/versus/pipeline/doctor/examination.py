"""All checks of a workspace, in the order in which their faults should be mended."""

from __future__ import annotations

from collections.abc import Iterator

from versus import params as parameters
from versus.params import ParamsError
from versus.pipeline.doctor import dvc_files, leftovers, orphans, surroundings, tracking_store, unfinished
from versus.pipeline.doctor.finding import Finding
from versus.serving.code import CODE
from versus.workspace import Workspace


def examine(workspace: Workspace, at_work: bool) -> Iterator[Finding]:
    """Every fault of a workspace.

    Args:
        workspace: the folder with params.yaml.
        at_work: whether a repro is rewriting its files now; these are left out then, as they are bound to be half made.
    """
    yield from surroundings.disk_space(workspace.root)
    yield from surroundings.environment(CODE / "constraints.txt")
    yield from tracking_store.damaged(workspace)
    if not at_work:
        yield from dvc_files.damaged_lock(workspace.root)
        yield from dvc_files.damaged_rwlock(workspace.root)
        yield from dvc_files.stale_rwlock(workspace.root)
        yield from leftovers.written_aside(workspace)
    try:
        params = parameters.read(workspace.params)
    except ParamsError as error:
        # Without it nothing can be said of cells: all of them would look like orphans.
        yield Finding(
            str(error), "mend the lines that are named; what the checks of cells find is not known until then"
        )
        return
    if not at_work:
        yield from unfinished.stale(workspace, params)
        yield from orphans.orphans(workspace, params)
