"""Gaussian events have a denoiser in closed form: samplers must draw them, and likelihoods give their density."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from versus.numerics.denoising import Ancestral, Heun, Langevin, draw_events, evidence_bound, flow_log_density
from versus.numerics.noise_levels import (
    Cosine,
    Geometric,
    LinearBeta,
    ends,
    flow_levels,
    ladder,
    variance_preserving,
)

MEAN = torch.tensor([0.4, -0.3], dtype=torch.float64)
COVARIANCE = torch.tensor([[1.2, 0.7], [0.7, 0.8]], dtype=torch.float64)
VARIANCES, AXES = torch.linalg.eigh(COVARIANCE)
EXACT = multivariate_normal(MEAN.numpy(), COVARIANCE.numpy())
SCHEDULES = [LinearBeta(), Cosine(), Geometric()]
TIMES = torch.linspace(0, 1, 1000, dtype=torch.float64)


def denoise(x, level):
    """E[x_0 | x_0 + s ε = x]."""
    return MEAN + ((x - MEAN) @ AXES * (VARIANCES / (VARIANCES + level[:, None] ** 2))) @ AXES.T


def drawer(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return lambda: torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
def test_the_signal_to_noise_ratio_falls_with_time(schedule):
    levels = schedule(TIMES)
    assert (levels[0], levels[-1]) == pytest.approx(ends(schedule))
    assert (levels[1:] > levels[:-1]).all()
    assert 0.005 < levels[0] < 0.02 < 40 < levels[-1]
    down = ladder(schedule, 10)
    assert len(down) == 11
    assert (down[1:] < down[:-1]).all()
    assert down[-1] == 0
    alpha, sigma = variance_preserving(levels)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(levels))
    torch.testing.assert_close(sigma / alpha, levels)


def test_moments_of_the_forward_process_are_those_of_the_chain():
    """A thousand steps of Ho et al. (2020), x' = sqrt(1 - beta) x + sqrt(beta) epsilon, and Nichol's cosine."""
    kept = torch.sqrt(torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), dim=0))
    alpha, sigma = variance_preserving(LinearBeta()(TIMES))
    torch.testing.assert_close(alpha, kept, rtol=0.03, atol=1e-4)
    torch.testing.assert_close(sigma, torch.sqrt(1 - kept**2), rtol=0.05, atol=1e-3)
    alpha, _ = variance_preserving(Cosine()(TIMES))
    torch.testing.assert_close(alpha, torch.cos((TIMES + 0.008) / 1.008 * math.pi / 2), rtol=0, atol=0.02)


def test_an_ancestral_step_is_the_posterior_of_the_chain():
    """Equation 7 of Ho et al. (2020), in their coordinates; eta = 0 is equation 12 of Song et al. (2021)."""
    after, before = 0.5, 0.7  # products of 1 - beta
    beta, clean, noisy, noise = 1 - after / before, 0.8, -0.3, 1.3
    mean = (math.sqrt(before) * beta * clean + math.sqrt(1 - beta) * (1 - before) * noisy) / (1 - after)
    level, lower = (torch.tensor([math.sqrt(1 / kept - 1)], dtype=torch.float64)[0] for kept in (after, before))
    x = torch.full((1, 1), noisy / math.sqrt(after), dtype=torch.float64)

    def step(eta):
        draw = torch.full((1, 1), noise, dtype=torch.float64)
        moved = Ancestral(eta).step(lambda x, s: torch.full_like(x, clean), x, level, lower, lambda: draw)
        return float(moved) * math.sqrt(before)

    assert step(1.0) == pytest.approx(mean + noise * math.sqrt(beta * (1 - before) / (1 - after)))
    epsilon = (noisy - math.sqrt(after) * clean) / math.sqrt(1 - after)
    assert step(0.0) == pytest.approx(math.sqrt(before) * clean + math.sqrt(1 - before) * epsilon)


@pytest.mark.parametrize(
    ("sampler", "levels"),
    [
        (Ancestral(1.0), ladder(Cosine(), 200)),
        (Ancestral(1.0), ladder(LinearBeta(), 200)),
        (Ancestral(0.0), ladder(Cosine(), 100)),
        (Ancestral(0.5), ladder(Cosine(), 150)),
        (Heun(), ladder(Geometric(), 18)),
        (Langevin(), ladder(Geometric(), 100)),
    ],
    ids=["ddpm", "ddpm-linear", "ddim", "between", "heun", "langevin"],
)
def test_samplers_draw_the_gaussian_and_the_same_by_the_same_seed(sampler, levels):
    drawn = draw_events(sampler, denoise, levels, drawer((8000, 2)))
    np.testing.assert_allclose(drawn.mean(dim=0), MEAN, atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T.numpy()), COVARIANCE, atol=0.07)
    few, again, other = (draw_events(sampler, denoise, levels, drawer((3, 2), seed)) for seed in (1, 1, 2))
    assert torch.equal(few, again)
    assert not torch.equal(few, other)


def test_of_one_step_of_each_kind_heun_is_the_more_exact():
    """Along the flow, x - mean grows by the root of the variances' ratio in each principal direction."""
    x = MEAN + torch.tensor([[1.5, -0.5]], dtype=torch.float64)
    level, lower = torch.tensor(1.0, dtype=torch.float64), torch.tensor(0.7, dtype=torch.float64)
    exact = MEAN + ((x - MEAN) @ AXES * torch.sqrt((VARIANCES + lower**2) / (VARIANCES + level**2))) @ AXES.T
    off = [float((s.step(denoise, x, level, lower, drawer((1, 2))) - exact).norm()) for s in (Heun(), Ancestral(0.0))]
    assert off[0] < 0.02 * float((x - exact).norm()) < off[1]


def test_nine_steps_along_the_flow_are_more_exact_over_the_levels_that_matter():
    def error(levels):
        drawn = draw_events(Heun(), denoise, levels, drawer((200_000, 2)))
        return np.abs(np.cov(drawn.T.numpy()) - COVARIANCE.numpy()).max()

    whole = Geometric(*ends(LinearBeta()))
    assert error(ladder(flow_levels(LinearBeta()), 9)) < 0.75 * error(ladder(whole, 9))


def test_the_flow_has_the_exact_density_and_hutchinson_is_right_on_average():
    x = torch.from_numpy(EXACT.rvs(50, random_state=0))
    found = flow_log_density(denoise, x, (0.01, 200.0), 40)
    np.testing.assert_allclose(found, EXACT.logpdf(x), atol=0.01)
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    each = torch.stack([flow_log_density(denoise, x, (0.01, 200.0), 40, s.expand(50, 2)) for s in signs])
    torch.testing.assert_close(each.mean(dim=0), found)
    assert float(each.std(dim=0).min()) > 0.1


def test_the_bound_lies_below_the_density_and_rises_to_it_with_the_steps():
    x = torch.from_numpy(EXACT.rvs(400, random_state=0))
    exact = EXACT.logpdf(x).mean()
    draws = 64
    noise = torch.randn((len(x), draws, 3), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ladder_of_bounds = [
        float(evidence_bound(denoise, x, noise, (0.01, 200.0), steps, 2).mean()) for steps in (16, 64, 256, 2048)
    ]
    assert ladder_of_bounds == sorted(ladder_of_bounds)
    assert ladder_of_bounds[0] < exact - 0.5
    assert ladder_of_bounds[-1] == pytest.approx(exact, abs=0.05)
    assert ladder_of_bounds[-1] < exact + 0.02  # what 400 · 64 draws may be off


def test_few_drawn_steps_stand_for_all():
    """An estimate by four steps has the mean of one by all of them."""
    x = torch.from_numpy(EXACT.rvs(1, random_state=1))[None].expand(4000, 2)
    few, all_of_them = (
        evidence_bound(denoise, x[:n], drawer((n, draws, 3))(), (0.01, 80.0), 64, 2)
        for n, draws in ((4000, 4), (250, 64))
    )
    error = math.hypot(*(float(found.std()) / math.sqrt(len(found)) for found in (few, all_of_them)))
    assert abs(float(few.mean() - all_of_them.mean())) < 3.5 * error
    assert error < 0.1
