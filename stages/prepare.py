"""Stage `prepare`: load, check, encode and split one data set, once for every model."""

from __future__ import annotations

import shutil
from pathlib import Path

from stages import entry
from versus import params as parameters
from versus.data import checks, findings, preparation, prepared
from versus.workspace import Workspace


def main(name: str) -> None:
    """Write data/prepared/<name>/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    spec = parameters.dataset(params, name)
    out = workspace.prepared(name)
    aside = out.with_name(f".{name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    data = preparation.prepare(name, spec, base=workspace.root, seed=params.seed)
    prepared.write(aside, data)
    findings.write(aside, checks.examine(data, preparation.options(spec).mute))
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)


if __name__ == "__main__":
    entry.run(main, arguments=1)
