"""Stage `fingerprint`: record the parameters and the code that the results of every other stage depend on."""

from __future__ import annotations

import shutil
from pathlib import Path

from stages import entry
from versus import params as parameters
from versus.pipeline.fingerprint import fingerprints

OUT = Path("data/fingerprints")


def main() -> None:
    """Write data/fingerprints/."""
    params = parameters.read(Path("params.yaml"))
    aside = OUT.with_name(".fingerprints")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, text in fingerprints(params):
        (aside / f"{name}.txt").write_text(text, encoding="utf-8")
    shutil.rmtree(OUT, ignore_errors=True)
    aside.rename(OUT)


if __name__ == "__main__":
    entry.run(main, arguments=0)
