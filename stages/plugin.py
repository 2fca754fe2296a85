"""Stage `plugin`: hash the code of a package of the user's own, so that `fingerprint` runs again where it changed."""

from __future__ import annotations

from pathlib import Path

from stages import entry
from versus import params as parameters
from versus.pipeline.fingerprint import package_lines

OUT = Path("data/plugins")


def main(package: str) -> None:
    """Write data/plugins/<package>.txt."""
    parameters.read(Path("params.yaml"))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{package}.txt").write_text("".join(f"{line}\n" for line in package_lines(package)), encoding="utf-8")


if __name__ == "__main__":
    entry.run(main, arguments=1)
