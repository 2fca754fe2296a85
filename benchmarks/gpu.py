"""``python -m benchmarks.gpu``: run every deep model and kernel on the GPU, and print one Markdown table.

Needs torch, numpy, scipy, scikit-learn, safetensors and pytest, one CUDA device, and at most nine minutes. First the
tests marked ``cuda`` run. Then, for each class of the catalogue that takes a device: seconds of a fit there, on the
CPU and of a peer; peak memory; the difference between devices with the same weights; the score in bfloat16 minus that
in float32; and the difference between a fit that was resumed from a file and one that ran through.
``--device cpu --quick`` runs the same code where there is no GPU.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.gpu_subjects import Data, Subject, answers, largest_difference, quality, subjects
from benchmarks.side_by_side import compare, seconds
from versus.arrays import Array
from versus.fitting import checkpoint

ROOT = Path(__file__).resolve().parents[1]
HEAD = (
    "model or kernel",
    "data",
    "{device}, s",
    "CPU, s",
    "peer, s",
    "peer",
    "peak memory, MiB",
    "{device}–CPU",
    "bf16 − fp32",
    "after a resume",
)


def run_tests(device: str) -> str:
    """Run the tests marked ``cuda`` on the device; returns pytest's last line."""
    marked = [p for p in sorted((ROOT / "tests").rglob("test_*.py")) if "mark.cuda" in p.read_text(encoding="utf-8")]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider", *map(str, marked)]
    environment = {**os.environ, "VERSUS_TEST_DEVICE": device}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else f"exit code {done.returncode}"


def devices_agree(subject: Subject, data: Data, device: str, epochs: int) -> float:
    """Fit on a device, and compare its answers there with those of the CPU from the same learned state."""
    there = subject.model(data.schema, device, epochs=epochs).fit(data.X, data.y)
    here = subject.model(data.schema, "cpu", epochs=epochs)
    here.set_arrays(there.get_arrays())
    return (
        largest_difference(answers(there, data.unseen[0]), answers(here, data.unseen[0]))
        if answers_of(there)
        else (
            largest_difference(
                {"sample": there.sample(50, random_state=0)}, {"sample": here.sample(50, random_state=0)}
            )
        )
    )


def answers_of(model: object) -> bool:
    """Check that a model says anything of given rows."""
    return any(hasattr(model, name) for name in ("predict", "log_prob", "elbo"))


def resumed_differs(subject: Subject, data: Data, device: str, epochs: int) -> float:
    """Interrupt a fit half-way, resume it from its checkpoint, and compare it with one that ran through."""

    def fitted(resume: dict[str, Array] | None = None, stop: int | None = None) -> tuple[dict[str, Array], object]:
        model = subject.model(data.schema, device, epochs=epochs)
        steps = list(itertools.islice(model.fit_steps(data.X, data.y, resume=resume), stop))
        return (steps[-1].state(), model) if stop else (model.get_arrays(), model)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.safetensors"
        checkpoint.write(path, checkpoint.Checkpoint(fitted(stop=max(1, epochs // 2))[0], "", subject.name))
        found = checkpoint.read(path, subject.name)
    assert found is not None
    return largest_difference(fitted(resume=dict(found.state))[0], fitted()[0])


def measure(subject: Subject, device: str, rows: int, epochs: int, pairs: int) -> Sequence[str]:
    """Return the row of the table for one class."""
    data = subject.data(rows if subject.is_deep else rows * 2)

    def work(on: str, precision: str = "32-true") -> object:
        model = subject.model(data.schema, on, precision, epochs).fit(data.X, data.y)
        if not subject.is_deep:
            model.predict(data.unseen[0])
        if on != "cpu":
            torch.cuda.synchronize()
        return model

    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    peer_name, peer = subject.peer(data, device, epochs)
    timing = compare(subject.name, peer_name, lambda: work(device), peer, pairs).as_json()
    peak = "–" if device == "cpu" else f"{torch.cuda.max_memory_allocated() / 2**20:.0f}"
    change = after = "–"
    if subject.is_deep:
        score, single = quality(work(device), data)
        change = f"{quality(work(device, 'bf16-mixed'), data)[1] - single:+.2g} ({score} {single:.3g})"
        difference = resumed_differs(subject, data, device, max(2, epochs // 2))
        after = f"{difference:.1g}" if difference else "same bits"
    agree = devices_agree(subject, data, device, epochs)
    on_cpu = seconds(lambda: work("cpu"))
    figures = (f"{timing['ours_s']:.2f}", f"{on_cpu:.2f}", f"{timing['peer_s']:.2f}", peer_name, peak, f"{agree:.1g}")
    return (subject.name, f"{data.name}, {len(data.X)} rows", *figures, change, after)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda", help="cuda or cpu (default: cuda)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--minutes", type=float, default=8.5, help="start no further class after this time")
    parser.add_argument("--models", nargs="*", metavar="CLASS", help="classes to measure (default: all), without tests")
    parser.add_argument("--images", help="folder of MNIST's idx files: measures `benchmarks.vae` alone, on the device")
    options = parser.parse_args()
    if options.device != "cpu" and not torch.cuda.is_available():
        sys.exit("no CUDA device here; `python -m benchmarks.gpu --device cpu --quick` runs the same code without one")
    if options.images:
        chosen = ["--images", options.images, "--device", options.device, *(["--quick"] if options.quick else [])]
        sys.exit(subprocess.run([sys.executable, "-m", "benchmarks.vae", *chosen], cwd=ROOT, check=False).returncode)
    began = time.monotonic()
    name = platform.machine() if options.device == "cpu" else torch.cuda.get_device_name()
    print(f"{name}, torch {torch.__version__}, {os.cpu_count()} cores; fits of networks: the same epochs everywhere")
    chosen = [s for s in subjects() if not options.models or s.name in options.models]
    if not options.models:
        print(f"Tests marked cuda: {run_tests(options.device)}")
    if lacking := [s.name for s in chosen if not s.is_installed]:
        print(f"Not measured, since a library is missing here: {', '.join(lacking)}")
    chosen = [s for s in chosen if s.is_installed]
    rows, epochs, pairs = (300, 2, 1) if options.quick else (20_000, 8, 3)
    head = [title.format(device=options.device) for title in HEAD]
    print("", f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", sep="\n", flush=True)
    for number, subject in enumerate(chosen):
        if time.monotonic() - began > 60 * options.minutes:
            sys.exit(f"out of time before {', '.join(s.name for s in chosen[number:])}; --models measures them alone")
        print(f"| {' | '.join(measure(subject, options.device, rows, epochs, pairs))} |", flush=True)
    print(f"\n{time.monotonic() - began:.0f} s in all.")


if __name__ == "__main__":
    main()
