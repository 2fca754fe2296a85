"""Inception-v3 from a file of weights: its layout, its errors, and scores that carry its name."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.test_evaluation import digits
from versus.evaluation.extractor import Extractor, write
from versus.manifest import sha256
from versus.models.discriminative import inception
from versus.settings import Inception

# Of each block: its name, its inputs, and its convolutions as outputs and sides of the kernel (paper, table 1).
A = {"branch1x1": (64, 1, 1), "branch5x5_1": (48, 1, 1), "branch5x5_2": (64, 5, 5), "branch3x3dbl_1": (64, 1, 1)}
A |= {"branch3x3dbl_2": (96, 3, 3), "branch3x3dbl_3": (96, 3, 3)}
B = {"branch3x3": (384, 3, 3), "branch3x3dbl_1": (64, 1, 1), "branch3x3dbl_2": (96, 3, 3), "branch3x3dbl_3": (96, 3, 3)}
D = {"branch3x3_1": (192, 1, 1), "branch3x3_2": (320, 3, 3), "branch7x7x3_1": (192, 1, 1)}
D |= {"branch7x7x3_2": (192, 1, 7), "branch7x7x3_3": (192, 7, 1), "branch7x7x3_4": (192, 3, 3)}
E = {"branch1x1": (320, 1, 1), "branch3x3_1": (384, 1, 1), "branch3x3_2a": (384, 1, 3), "branch3x3_2b": (384, 3, 1)}
E |= {"branch3x3dbl_1": (448, 1, 1), "branch3x3dbl_2": (384, 3, 3), "branch3x3dbl_3a": (384, 1, 3)}
E |= {"branch3x3dbl_3b": (384, 3, 1), "branch_pool": (192, 1, 1)}
STEM = {"1a_3x3": (32, 3, 3), "2a_3x3": (32, 3, 3), "2b_3x3": (64, 3, 3), "3b_1x1": (80, 1, 1), "4a_3x3": (192, 3, 3)}


def seven(n):
    names = ["branch7x7_1", "branch7x7_2", "branch7x7_3", *(f"branch7x7dbl_{i}" for i in range(1, 6))]
    sides = [(1, 1), (1, 7), (7, 1), (1, 1), (7, 1), (1, 7), (7, 1), (1, 7)]
    outputs = [n, n, 192, n, n, n, n, 192]
    branches = {name: (out, *side) for name, out, side in zip(names, outputs, sides, strict=True)}
    return {"branch1x1": (192, 1, 1), **branches, "branch_pool": (192, 1, 1)}


def layout():
    """Yield name and shape of each convolution."""
    inputs = 3
    for name, (outputs, *side) in STEM.items():
        yield f"Conv2d_{name}", (outputs, inputs, *side)
        inputs = outputs
    pooled = [{"branch_pool": (n, 1, 1)} for n in (32, 64, 64)]
    blocks = [(f"Mixed_5{k}", n, A | pool) for k, n, pool in zip("bcd", (192, 256, 288), pooled, strict=True)]
    blocks += [("Mixed_6a", 288, B)]
    blocks += [(f"Mixed_6{k}", 768, seven(n)) for k, n in zip("bcde", (128, 160, 160, 192), strict=True)]
    blocks += [("Mixed_7a", 768, D), ("Mixed_7b", 1280, E), ("Mixed_7c", 2048, E)]
    for block, entering, branches in blocks:
        last = entering
        for name, (outputs, *side) in branches.items():
            first = name in ("branch1x1", "branch3x3", "branch_pool") or name.endswith("_1")
            forked = {"branch3x3_2b": 384, "branch3x3dbl_3b": 384}.get(name)
            yield f"{block}.{name}", (outputs, entering if first else forked or last, *side)
            last = outputs


@pytest.fixture(scope="module")
def weights():
    """Random weights that keep the size of activations, for 1008 classes."""
    rng = torch.Generator().manual_seed(0)
    found = {"fc.weight": 0.05 * torch.randn(1008, 2048, generator=rng), "fc.bias": torch.zeros(1008)}
    for name, shape in layout():
        fan = shape[1] * shape[2] * shape[3]
        found[f"{name}.conv.weight"] = torch.randn(shape, generator=rng) * (2 / fan) ** 0.5
        found |= {f"{name}.bn.{of}": torch.zeros(shape[0]) for of in ("bias", "running_mean")}
        found |= {f"{name}.bn.{of}": torch.ones(shape[0]) for of in ("weight", "running_var")}
    return found


def test_the_layout_has_the_published_number_of_weights_and_the_means_of_each_port(weights):
    trunk = {name: w for name, w in weights.items() if not name.startswith("fc.") and "running" not in name}
    assert sum(w.numel() for w in trunk.values()) + 1000 * 2048 + 1000 == 23_834_568  # torchvision's, without AuxLogits
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.uint8)
    ported = inception.InceptionV3(weights)
    features, probabilities = ported.seen(image)
    assert (features.shape, probabilities.shape) == ((1, 2048), (1, 1008))
    np.testing.assert_allclose(probabilities.sum(), 1.0)
    grey = np.repeat(image[..., :1], 3, axis=3)
    np.testing.assert_allclose(ported.seen(image[..., 0])[0], ported.seen(grey)[0], atol=1e-5)
    extra = {"AuxLogits.fc.bias": torch.zeros(3), "Mixed_7c.branch_pool.bn.num_batches_tracked": torch.tensor(1)}
    of_torch = weights | {"fc.weight": weights["fc.weight"][:1000], "fc.bias": weights["fc.bias"][:1000]} | extra
    other = inception.InceptionV3(of_torch).seen(image)[0]
    assert np.abs(other - features).max() / np.abs(features).max() > 1e-3


def test_a_file_that_is_not_it_is_told_by_what_is_wrong(weights, tmp_path):
    name = "Mixed_6b.branch7x7_2.conv.weight"
    for change, message in (
        ({name: weights[name][:, :100]}, "other shapes than Inception-v3"),
        ({"Mixed_6b.branch9x9.conv.weight": torch.zeros(1)}, "'Mixed_6b.branch9x9.conv.weight', which Inception-v3"),
        ({"fc.weight": torch.zeros(10, 2048)}, "has 10 classes; Inception-v3 has 1008 or 1000"),
    ):
        with pytest.raises(ValueError, match=message):
            inception.InceptionV3(weights | change)
    with pytest.raises(ValueError, match=f"holds no tensor '{name}'"):
        inception.InceptionV3({key: w for key, w in weights.items() if key != name})
    with pytest.raises(ValueError, match=r"there is no file /.*nowhere\.safetensors; give the path"):
        inception.read(tmp_path / "nowhere.safetensors", "0" * 64, 0, 1)
    torch.save({"fc.weight": print}, tmp_path / "code.pth")  # would call a function when unpickled
    with pytest.raises(ValueError, match=r"code\.pth has the SHA-256 [0-9a-f]{64}, and sha256 says 0{64}"):
        inception.read(tmp_path / "code.pth", "0" * 64, 0, 1)
    with pytest.raises(ValueError, match="is no state dict of tensors alone"):
        inception.read(tmp_path / "code.pth", sha256(tmp_path / "code.pth"), 0, 1)


def test_scores_carry_its_name_and_the_folder_its_hash_alone(weights, tmp_path):
    save_file(weights, tmp_path / "weights.safetensors")
    torch.save(weights, tmp_path / "weights.pth")
    images, seen = digits().take(0, "test")[0][:1], {}
    for name in ("weights.safetensors", "weights.pth"):
        given = Inception(str(tmp_path / name), sha256(tmp_path / name))
        write(tmp_path / name[8:], digits(), "made by this", 0, given)
        found = Extractor(tmp_path / name[8:], given)
        assert found.suffix == f"_inception_{given.sha256[:8]}"
        assert sum(file.stat().st_size for file in (tmp_path / name[8:]).iterdir()) < 2000
        seen[found.suffix] = found.seen(images).features
    assert len(seen) == 2
    np.testing.assert_array_equal(*seen.values())
    with pytest.raises(ValueError, match=r"params\.yaml does not name it any more"):
        Extractor(tmp_path / "pth").seen(images)
