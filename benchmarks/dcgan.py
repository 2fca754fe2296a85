"""A convolutional GAN compared with the script that everyone starts from: ``python -m benchmarks.dcgan``.

Images of 28 × 28 pixels, the same layers, batches and loss: the script has a data loader with transforms for each
image, two backward passes for the critic, Adam and channels first, in float32, and batch normalisation in the critic,
where ours has spectral normalisation in place of its penalty. Both train the same number of epochs; then our images
must be as near to real ones in the moments of their pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.gaussian_naive_bayes import read_idx
from benchmarks.side_by_side import compare, report
from versus.data.schema import Schema
from versus.data.spaces import Image
from versus.data.targets import Nothing
from versus.metrics.image_samples import ImageSample, fid
from versus.models.deep_generative.dcgan import DCGAN
from versus.training.devices import cpu_threads

TRAIN, LATENT, BATCH = "DCGAN, an epoch", 64, 128
TARGETS = {TRAIN: 3.0}


class Pictures(Dataset):
    """Images as a data set of the usual kind: converted and scaled one by one when they are asked for."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, place: int) -> torch.Tensor:
        """Return one image, (1, H, W) in [-1, 1]."""
        image = torch.from_numpy(self.images[place]).unsqueeze(0).to(torch.float32).div(255)
        return image.sub(0.5).div(0.5)


def players(channels: int, size: int) -> tuple[nn.Module, nn.Module]:
    """The generator and the critic of the script, with batch normalisation in both."""
    quarter = size // 4
    generator = nn.Sequential(
        nn.ConvTranspose2d(LATENT, 2 * channels, quarter, bias=False),
        nn.BatchNorm2d(2 * channels),
        nn.ReLU(True),
        nn.ConvTranspose2d(2 * channels, channels, 4, 2, 1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(True),
        nn.ConvTranspose2d(channels, 1, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    critic = nn.Sequential(
        nn.Conv2d(1, channels, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False),
        nn.BatchNorm2d(2 * channels),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(2 * channels, 1, quarter, bias=False),
        nn.Sigmoid(),
    )
    for player in (generator, critic):
        for layer in player:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, 1.0, 0.02)
    return generator, critic


def plain_script(images: np.ndarray, channels: int, epochs: int, device: str) -> nn.Module:
    """Train as the usual script does; returns the generator."""
    torch.manual_seed(0)
    generator, critic = (player.to(device) for player in players(channels, images.shape[1]))
    loader = DataLoader(Pictures(images), batch_size=BATCH, shuffle=True)
    of_critic, of_generator = (
        torch.optim.Adam(player.parameters(), lr=2e-4, betas=(0.5, 0.999)) for player in (critic, generator)
    )
    criterion, history = nn.BCELoss(), []
    for _ in range(epochs):
        for batch in loader:
            real = batch.to(device)
            ones, zeros = (torch.full((len(real),), value, device=device) for value in (1.0, 0.0))
            critic.zero_grad()
            loss_real = criterion(critic(real).view(-1), ones)
            loss_real.backward()
            fake = generator(torch.randn(len(real), LATENT, 1, 1, device=device))
            loss_fake = criterion(critic(fake.detach()).view(-1), zeros)
            loss_fake.backward()
            of_critic.step()
            generator.zero_grad()
            loss = criterion(critic(fake).view(-1), ones)
            loss.backward()
            of_generator.step()
            history.append((loss_real.item() + loss_fake.item(), loss.item()))
    return generator


def sampled(generator: nn.Module, n: int, device: str) -> np.ndarray:
    with torch.no_grad():
        drawn = generator.eval()(torch.randn(n, LATENT, 1, 1, device=device)).squeeze(1).cpu().numpy()
    return np.rint((drawn + 1) * 127.5).astype(np.uint8)


def enlarged(n: int) -> np.ndarray:
    """Digits of scikit-learn, 28 × 28 pixels of 256 levels, each moved by up to two pixels."""
    rng, digits = np.random.default_rng(0), load_digits().images
    chosen = digits[rng.integers(len(digits), size=n)].repeat(3, axis=1).repeat(3, axis=2) * 255 / 16
    framed = np.pad(chosen, ((0, 0), (4, 4), (4, 4)))
    starts = rng.integers(0, 5, size=(n, 2))
    return np.stack([image[a : a + 28, b : b + 28] for image, (a, b) in zip(framed, starts, strict=True)]).astype(
        np.uint8
    )


def moments(images: np.ndarray) -> ImageSample:
    """Images as their own features, pixels from 0 to 1."""
    return ImageSample(images.reshape(len(images), -1) / 255, np.ones((len(images), 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of train-images idx files, gzipped or not")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--pairs", type=int, default=5, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="1,000 images, one pair: is everything in order?")
    options = parser.parse_args()
    torch.set_num_threads(2)
    n = 1_000 if options.quick else 10_000
    images = read_idx(next(options.data.glob("train-images*")))[: n + 1000] if options.data else enlarged(n + 1000)
    learned, unseen = images[:n], images[n:]
    schema, arguments = Schema(Image((28, 28), 256), Nothing()), {"n_latent": LATENT, "channels": options.channels}
    arguments |= {"batch_size": BATCH, "device": options.device, "random_state": 0, "threads": 2}
    arguments |= {"penalty": 0.0, "spectral_norm": True}

    def ours(epochs: int) -> DCGAN:
        return DCGAN(schema=schema, epochs=epochs, **arguments).fit(learned)

    def theirs(epochs: int) -> nn.Module:
        return plain_script(learned, options.channels, epochs, options.device)

    pairs = 1 if options.quick else options.pairs
    timing = compare(TRAIN, "plain script", lambda: ours(1), lambda: theirs(1), pairs)
    epochs = 2 if options.quick else 15
    with cpu_threads(2):
        drawn = ours(epochs).sample(1000, random_state=0), sampled(theirs(epochs), 1000, options.device)
    distances = [fid(moments(unseen), moments(images)) for images in drawn]
    seconds = timing.as_json()
    parity = {
        "our images a second": n / seconds["ours_s"],
        "the script's": n / seconds["peer_s"],
        f"Fréchet distance of our pixels after {epochs} epochs": distances[0],
        "of the script's": distances[1],
    }
    report("dcgan", [timing], parity, TARGETS)
    assert distances[0] <= 1.1 * distances[1], "our images are further from real ones than the script's"


if __name__ == "__main__":
    main()
