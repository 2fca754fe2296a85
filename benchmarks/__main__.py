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
BENCHMARKS = (
    "gaussian_naive_bayes",
    "gaussian_mixture",
    "hidden_markov",
    "conditional_random_field",
    "bayesian_network",
    "parsing",
    "texts",
    "dcgan",
    "language",
    "vae",
    "diffusion",
    "pipeline",
    "engine",
)


def run(name: str, quick: bool, images: str | None = None) -> dict[str, Any]:
    """Run one benchmark in a separate process, show its output, and return the JSON of its last line."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
    if images and name == "vae":
        command += ["--images", str(Path(images).resolve())]
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
    if name == "engine":
        return rows_of_engine(result)
    return [
        f"| {t['what']} | {t['peer']} | {t['ours_s']:.3f} | {t['peer_s']:.3f} | {t['ratio']:.1f}× faster |"
        for t in result["timings"]
    ]


def rows_of_engine(result: dict[str, Any]) -> list[str]:
    """Return the lines for whole runs, then a table of what a stage costs as cells grow."""
    took, ours = result["seconds"], result["seconds"]["versus first"]
    what, work = f"{result['cells']} cells, first run", result["work"] / result["cores"]
    plain, no_op = took["dvc first"], (took["versus no-op"], took["dvc no-op"])
    lines = [
        f"| {what} | plain `dvc repro` | {ours:.1f} | {plain:.1f} | {result['to_dvc']:.1f}× faster |",
        f"| {what} | fits and evaluations / cores | {ours:.1f} | {work:.1f} | {result['to_work']:.2f}× the time |",
        f"| {result['cells']} cells, no-op | plain `dvc repro` | {no_op[0]:.2f} | {no_op[1]:.2f} | "
        f"{result['no_op_to_dvc']:.2f}× the time |",
    ]
    if "script" in took:
        peer = "a plain script of scikit-learn and torch"
        lines.append(f"| {what} | {peer} | {ours:.1f} | {took['script']:.1f} | {ours / took['script']:.2f}× the time |")
    head = "| trivial stages | dvc.yaml files | first run, ms a stage | no-op | DVC's no-op | a run by plain DVC |"
    lines += ["", "## Cost as cells grow", "", head, "| --- | --- | --- | --- | --- | --- |"]
    return lines + [
        f"| {g['stages']} | {g['files']} | {g['first']} | {g['no_op']} | {g['dvc_no_op']} | {g['dvc_run']} |"
        for g in result["growth"]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they work; writes nothing")
    parser.add_argument("--images", help="folder of MNIST's idx files, for the benchmark of autoencoders")
    options = parser.parse_args()
    quick = options.quick
    table = [row for name in BENCHMARKS for row in rows(name, run(name, quick, options.images))]
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
