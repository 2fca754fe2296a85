"""``python -m benchmarks``: run all benchmarks, and write the results and the machine to benchmarks/results.md."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from versus.provenance import describe_code, describe_hardware, describe_versions

HERE = Path(__file__).parent
BENCHMARKS = ("gaussian_naive_bayes", "gaussian_mixture", "pipeline")


def run(name: str, quick: bool) -> dict[str, Any]:
    """Run one benchmark in a separate process, show its output, and return the JSON of its last line."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, end="", flush=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def rows(name: str, result: dict[str, Any]) -> list[str]:
    """Return a line of the table for each timing."""
    if name == "pipeline":
        no_op = f"no-op repro, {result['stages']} stages"
        return [
            f"| {no_op} | DVC, as many trivial stages | {result['versus_seconds']:.2f} | "
            f"{result['bare_dvc_seconds']:.2f} | {result['ratio']:.2f}× the time |",
            *(
                f"| {cell}, from its training to logged | – | {took:.2f} | – | – |"
                for cell, took in result["trivial_cells"].items()
            ),
        ]
    return [
        f"| {t['what']} | {t['peer']} | {t['ours_s']:.3f} | {t['peer_s']:.3f} | {t['ratio']:.1f}× faster |"
        for t in result["timings"]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they work; writes nothing")
    quick = parser.parse_args().quick
    table = [row for name in BENCHMARKS for row in rows(name, run(name, quick))]
    machine, versions = describe_hardware(), describe_versions()
    head = [
        "# What `make bench` measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {str(describe_code(HERE.parent)['commit'])[:12]}, "
        f"{machine['processor']}, {machine['cores']} cores, GPU: {machine['gpu'] or 'none'}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items()),
        "",
        "Medians of pairs run in turns; each benchmark asserts that both sides give the same answer.",
        "",
        "| what | peer | Versus, s | peer, s | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    if not quick:
        (HERE / "results.md").write_text("\n".join([*head, *table]) + "\n", encoding="utf-8")
        print(f"Written: {HERE / 'results.md'}")


if __name__ == "__main__":
    main()
