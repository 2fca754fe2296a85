"""Stage `extractor`: fit the classifier by whose features images drawn for one data set are scored."""

from __future__ import annotations

import shutil
from pathlib import Path

from stages import entry
from versus import manifest
from versus import params as parameters
from versus.data import prepared
from versus.evaluation import extractor
from versus.fitting import unfinished
from versus.workspace import Workspace


def main(name: str) -> None:
    """Write data/extractors/<name>/."""
    workspace = Workspace(Path())
    params = parameters.read(workspace.params)
    manifest.check(workspace.prepared(name))
    out = workspace.extractor(name)
    aside = out.with_name(f".{name}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    made_by = unfinished.stage_file(workspace, f"extractor-{name}").read_text(encoding="utf-8")
    data = prepared.read(workspace.prepared(name))
    extractor.write(aside, data, made_by, params.seed, params.comparison.inception)
    shutil.rmtree(out, ignore_errors=True)
    aside.rename(out)


if __name__ == "__main__":
    entry.run(main, arguments=1)
