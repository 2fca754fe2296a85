"""What a model draws while it is trained: files of the fit, the page, and MLflow."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stages import evaluate
from versus import params as parameters
from versus.fitting import steps
from versus.fitting.cell import fit_cell
from versus.report import results
from versus.report.sections import progression
from versus.settings import Training
from versus.tracking import drawings

PARAMS = """\
training: {device: cpu}
datasets:
  digits: {source: embedded, name: digits, limit: 120, repeats: 2, folds: 2}
deep_generative:
  digits-dcgan: {data: digits, module: dcgan, class: DCGAN, args: {epochs: 9, channels: 4, conditional: true}}
"""


def test_images_by_epoch_survive_a_kill_and_reach_the_page_and_mlflow(prepared_workspace, monkeypatch):
    monkeypatch.setattr(steps, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(steps, "CHECKPOINT_SHARE", 1e9)
    workspace = prepared_workspace(PARAMS, "digits")
    cell = parameters.cell(parameters.read(workspace.params), "digits-dcgan")
    seen, file = [], workspace.model(cell.name) / "progression.npz"

    def fit(killed_at=None):
        def observe(epoch, losses, repeat):
            assert set(losses) == {"train_critic_loss", "train_generator_loss"}
            if epoch == killed_at:
                raise KeyboardInterrupt

        fit_cell(workspace, cell, Training(device="cpu"), 0, observe, show=lambda *shown: seen.append(shown))

    with pytest.raises(KeyboardInterrupt):
        fit(killed_at=5)
    fit()
    epochs, images = (np.load(file)[name] for name in ("epochs", "images"))
    assert epochs.tolist() == [1, 2, 4, 6, 8, 9]
    assert [epoch for epoch, _, _ in seen] == epochs.tolist()
    assert {levels for _, _, levels in seen} == {17}
    assert (images.shape, images.dtype) == ((6, 20, 8, 8), np.uint8)
    np.testing.assert_array_equal(np.stack([drawn for _, drawn, _ in seen]), images)
    assert (images[0] != images[-1]).any()
    resumed = file.read_bytes()
    shutil.rmtree(".versus")
    fit()
    assert file.read_bytes() == resumed

    evaluate.main("digits-dcgan")
    (dataset,) = results.read(workspace, [cell]).datasets
    ((shown, named, address, size),) = progression.content(dataset)["shown"]
    assert (shown, named, address[:14]) == (cell, epochs.tolist(), "data:image/png")
    assert size[0] / size[1] == pytest.approx((20 * 9 - 1) / (6 * 9 - 1))
    out = Path("drawn")
    out.mkdir()
    drawings.draw(workspace.evaluation(cell.name), dataset.prepared.schema, out)
    assert Image.open(out / "progression.png").size == (4 * (20 * 9 - 1), 4 * (6 * 9 - 1))
