"""A diffusion of digits compared with diffusers, over the same U-Net: ``python -m benchmarks.diffusion``.

Samples a second: Heun's method, 9 levels and so 17 calls of the network, against DDPMPipeline of diffusers, which
takes a thousand. Both draw from the same weights, so quality is the sampler's alone: the Fréchet distance of our
samples to held-out digits, over their principal components, must not be larger than that of theirs; it is taken of
many more draws than are timed, since it varies. A training step: ours against a plain eager loop of the same network,
loss and batches.
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import torch
from scipy.linalg import sqrtm
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import Tensor, nn

from benchmarks.side_by_side import Timing, compare, report
from versus.arrays import Array
from versus.models.deep_generative.denoisers import UNet
from versus.models.deep_generative.diffusion_network import Diffusing
from versus.numerics.denoising import Heun, draw_events
from versus.numerics.noise_levels import LinearBeta, flow_levels, ladder
from versus.training.loop import Training
from versus.training.updates import Descent

SAMPLES, STEPS = "diffusion, samples of 8×8 digits", "diffusion, training steps of the U-Net"
LEVELS, PEER_STEPS, BATCH = 9, 1000, 128
JUDGED, TOLERANCE = 1000, 1.1  # draws behind a Fréchet distance, and by how much it may still vary


class Given(nn.Module):
    """Images that are coordinates already, in [-1, 1] as diffusers wants them."""

    shape = (1, 8, 8)

    def forward(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return the images."""
        return x


def digits() -> tuple[Array, Array]:
    """Images to learn from and held out, (N, 1, 8, 8) float32."""
    rows = np.random.default_rng(0).permutation(load_digits().images)[:, None].astype(np.float32) / 8 - 1
    return rows[:1200], rows[1200:]


def network(channels: int) -> Diffusing:
    torch.manual_seed(0)
    return Diffusing(Given(), UNet(Given.shape, channels, 0), LinearBeta(), "epsilon")


def training(made: Diffusing, images: Array, epochs: int, device: str) -> Training:
    update = Descent(made, lambda net, batch, noise, _: {"loss": net(batch, None, noise).mean()}, learning_rate=2e-3)
    return Training(
        update, (images,), epochs=epochs, batch_size=BATCH, ema_decay=0.99, random_state=0, device=device, threads=1
    )


def plain_steps(made: Diffusing, images: Array, epochs: int, device: str) -> None:
    """Train as Ho et al. (2020) and most scripts do: a random step and noise for each image, AdamW, no more."""
    made, rows = made.to(device).train(), torch.from_numpy(images).to(device)
    optimizer = torch.optim.AdamW(made.parameters(), lr=2e-3, foreach=False)
    kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, PEER_STEPS, device=device), dim=0)
    average = [p.detach().clone() for p in made.parameters()]
    for _ in range(epochs):
        for index in torch.randperm(len(rows), device=device).split(BATCH):
            x = rows[index]
            share = kept[torch.randint(PEER_STEPS, (len(x),), device=device)][:, None, None, None]
            noise = torch.randn_like(x)
            noisy = share.sqrt() * x + (1 - share).sqrt() * noise
            found = made.denoiser(noisy, ((1 - share) / share).sqrt().log().flatten(), None)
            loss = nn.functional.mse_loss(found, noise)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(made.parameters(), 1.0)
            optimizer.step()
            with torch.no_grad():
                for mean, parameter in zip(average, made.parameters(), strict=True):
                    mean.mul_(0.99).add_(parameter, alpha=0.01)
            loss.item()  # to be shown


def ours(made: Diffusing, n: int, device: str) -> Array:
    generator = torch.Generator(device).manual_seed(0)
    with torch.inference_mode():
        drawn = draw_events(
            Heun(),
            lambda x, level: made.denoise(x, level, None),
            ladder(flow_levels(made.schedule), LEVELS),
            lambda: torch.randn((n, *Given.shape), generator=generator, device=device),
        )
    return drawn.clamp(-1, 1).cpu().numpy()


def theirs(made: Diffusing, n: int, device: str) -> Array:
    """DDPMPipeline over an adapter of the same network; its images are in [0, 1], channels last."""
    from diffusers import ConfigMixin, DDPMPipeline, DDPMScheduler, ModelMixin
    from diffusers.configuration_utils import register_to_config

    scheduler = DDPMScheduler(PEER_STEPS, beta_start=1e-4, beta_end=0.02)
    kept = scheduler.alphas_cumprod.to(device)

    class Adapter(ModelMixin, ConfigMixin):
        @register_to_config
        def __init__(self, sample_size: int = 8, in_channels: int = 1) -> None:
            super().__init__()
            self.inner = made.denoiser

        def forward(self, sample: Tensor, timestep: Tensor) -> SimpleNamespace:
            share = kept[timestep]
            log_level = ((1 - share) / share).sqrt().log().expand(len(sample))
            return SimpleNamespace(sample=self.inner(sample, log_level, None))

    pipeline = DDPMPipeline(unet=Adapter(), scheduler=scheduler).to(device)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator(device).manual_seed(0)
    found = pipeline(batch_size=n, num_inference_steps=PEER_STEPS, generator=generator, output_type="np").images
    return np.asarray(np.moveaxis(found, -1, 1)[:, :1] * 2 - 1)


def frechet_distance(real: Array, drawn: Array) -> float:
    """Distance of the normals with the moments of two sets of rows (Heusel et al. 2017)."""
    gap = real.mean(axis=0) - drawn.mean(axis=0)
    first, second = np.cov(real.T), np.cov(drawn.T)
    return float(gap @ gap + np.trace(first + second - 2 * sqrtm(first @ second).real))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=2, help="how many times each is timed")
    parser.add_argument("--quick", action="store_true", help="few epochs and samples, one pair")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    options = parser.parse_args()
    channels, epochs, n, pairs = (8, 2, 16, 1) if options.quick else (32, 40, 128, options.pairs)
    images, held_out = digits()
    timed = 1 if options.quick else 5
    timings: list[Timing] = [
        compare(
            STEPS,
            "plain eager loop",
            lambda: list(training(network(channels), images, timed, options.device).steps()),
            lambda: plain_steps(network(channels), images, timed, options.device),
            pairs,
        )
    ]
    parity: dict[str, float] = {}
    if find_spec("diffusers") is None:
        print("diffusers is not installed, so samples a second are not compared: pip install -e '.[bench]'")
    else:
        made = network(channels)
        for _ in training(made, images, epochs, options.device).steps():
            pass
        device = options.device
        timings.append(
            compare(SAMPLES, "DDPMPipeline", lambda: ours(made, n, device), lambda: theirs(made, n, device), pairs)
        )
        judged = n if options.quick else JUDGED
        drawn = {"ours": ours(made, judged, device), "theirs": theirs(made, judged, device)}
        axes = PCA(8, random_state=0).fit(images.reshape(len(images), -1))
        rows = {name: axes.transform(found.reshape(len(found), -1)) for name, found in drawn.items()}
        real, half = (axes.transform(part.reshape(len(part), -1)) for part in (held_out, images[: len(held_out)]))
        parity = {f"Fréchet distance, {name}": frechet_distance(real, found) for name, found in rows.items()}
        parity["Fréchet distance of real digits"] = frechet_distance(real, half)
    targets = {} if options.quick else {SAMPLES: 50.0} | ({} if options.device == "cpu" else {STEPS: 2.5})
    report("diffusion", timings, parity, targets)
    worse = parity and parity["Fréchet distance, ours"] > TOLERANCE * parity["Fréchet distance, theirs"]
    if worse and not options.quick:
        raise SystemExit("our samples are worse than those of the thousand steps")


if __name__ == "__main__":
    main()
