"""Every model and kernel that takes a device, on a GPU where there is one; and the benchmark that measures them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu, gpu_subjects
from benchmarks.gpu_subjects import Subject, answers, largest_difference, quality
from versus.models import persistence
from versus.models.deep_model import DeepModel
from versus.numerics.kernel_densities import kernel_sums
from versus.numerics.machine import on_host, placement
from versus.numerics.mixtures import expected_moments

SUBJECTS = gpu_subjects.subjects()
MEASURED = [subject for subject in SUBJECTS if subject.is_installed]
NETWORKS = [subject for subject in MEASURED if subject.is_deep]
ROWS = 300
named = pytest.mark.parametrize("subject", MEASURED, ids=lambda subject: subject.name)
WITHOUT = "dvc mlflow skops zuko diffusers pydantic annotated_types ruamel psutil filelock jinja2 rich matplotlib"
BLOCKED = (
    f"import sys\nfor name in {WITHOUT.split()}: sys.modules[name] = None\nfrom benchmarks.gpu import main\nmain()"
)


def test_every_deep_model_of_the_catalogue_is_measured() -> None:
    def below(made: type) -> set[type]:
        return {made}.union(*(below(child) for child in made.__subclasses__()))

    measured = {subject.made for subject in SUBJECTS}
    offered = {
        made for made in below(DeepModel) if made.__name__ in sys.modules[made.__module__].__dict__.get("__all__", ())
    }
    assert {made for made in offered if made.__name__ not in gpu_subjects.MADE_OF_OTHERS} <= measured
    assert {s.name for s in SUBJECTS if not s.is_deep} == set(gpu_subjects.PEERS)


def test_the_benchmark_needs_no_more_than_torch_and_scikit_learn() -> None:
    command = [
        sys.executable,
        "-c",
        BLOCKED,
        "--device",
        "cpu",
        "--quick",
        "--models",
        "GAN",
        "GaussianMixtureRegression",
    ]
    root = Path(gpu.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| ")]
    assert [len(row) for row in rows] == [len(gpu.HEAD)] * 4
    assert [row[0] for row in rows[2:]] == ["| GaussianMixtureRegression", "| GAN"]
    assert rows[3][-1] == "same bits |"


@pytest.mark.cuda
@named
def test_it_fits_predicts_samples_and_is_saved_there(subject: Subject, device: str, tmp_path: Path) -> None:
    data = subject.data(ROWS)
    model = subject.model(data.schema, device, epochs=3).fit(data.X, data.y)
    if subject.is_deep:
        assert {p.device.type for p in model.network_.parameters()} == {device}
    found = answers(model, data.unseen[0])
    assert all(np.isfinite(values).all() for values in found.values())
    if hasattr(model, "sample"):
        drawn = model.sample(20, random_state=0)
        data.schema.x.check(drawn[0] if isinstance(drawn, tuple) else drawn)
    persistence.save(model, tmp_path / "model", subject.family, subject.module)
    loaded = persistence.load(tmp_path / "model")
    assert largest_difference(answers(loaded, data.unseen[0]), found) == 0 if found else True


@pytest.mark.cuda
@named
def test_both_devices_agree_from_the_same_weights(subject: Subject, device: str) -> None:
    assert gpu.devices_agree(subject, subject.data(ROWS), device, epochs=2) < 1e-3


@pytest.mark.cuda
@pytest.mark.parametrize("subject", NETWORKS, ids=lambda subject: subject.name)
def test_a_fit_is_resumed_from_its_checkpoint(subject: Subject, device: str) -> None:
    difference = gpu.resumed_differs(subject, subject.data(ROWS), device, epochs=2)
    assert difference == 0 if device == "cpu" else difference < 1e-3


@pytest.mark.cuda
@pytest.mark.parametrize("subject", NETWORKS, ids=lambda subject: subject.name)
def test_bfloat16_is_about_as_good(subject: Subject, device: str) -> None:
    data = subject.data(ROWS)
    single, mixed = (
        quality(subject.model(data.schema, device, precision).fit(data.X, data.y), data)[1]
        for precision in ("32-true", "bf16-mixed")
    )
    assert mixed == pytest.approx(single, abs=0.1 * max(1.0, abs(single)))


@pytest.mark.cuda
def test_kernels_on_tensors_equal_those_on_arrays(device: str) -> None:
    rng = np.random.default_rng(0)
    rows, points = rng.normal(size=(500, 6)), rng.normal(size=(200, 6))
    place = placement(device, 0.0)
    np.testing.assert_allclose(on_host(kernel_sums(place(rows), place(points))), kernel_sums(rows, points), atol=1e-10)
    (subject,) = (s for s in SUBJECTS if s.name == "GaussianMixtureRegression")
    data = subject.data(ROWS)
    joint = np.column_stack([data.X, data.y])
    mixture = subject.model(data.schema, "cpu").fit(data.X, data.y).joint_.mixture_
    there, here = expected_moments(place(joint), mixture), expected_moments(joint, mixture)
    for name in ("totals", "first", "scatter"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-8, atol=1e-8)
