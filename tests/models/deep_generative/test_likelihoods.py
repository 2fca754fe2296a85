import numpy as np
import pytest
import torch
from scipy.stats import logistic
from torch.distributions import Bernoulli, Categorical, Normal

from versus.models.deep_generative.likelihoods import (
    DEVIATION_SPEED,
    OUTLIERS,
    BernoulliLikelihood,
    ColumnLikelihood,
    LogisticLikelihood,
)

NAN = float("nan")


def mixed():
    """Two numbers in units e and 1, three categories, two categories; two classes."""
    likelihood = ColumnLikelihood((0, 3, 0, 2), n_classes=2).double()
    likelihood.log_unit.copy_(torch.tensor([1.0, 0.0]))
    with torch.no_grad():
        likelihood.raw_log_deviation.copy_(torch.tensor([[0.1, -0.2], [0.3, 0.0]]))
    return likelihood


PARAMETERS = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TARGET = torch.tensor(
    [[0.3, 0, -1.0, 1], [1.0, 2, 0.0, 0], [0.0, 1, 2.0, 1], [0.5, 0, 0.5, 0], [2.0, 2, 1.0, 1]]
).double()
LABEL = torch.tensor([0, 1, 1, 0, 1])


def by_hand(target):
    """Each column's term, (N, D), from torch.distributions, in the raw space."""
    deviation = torch.exp(DEVIATION_SPEED * torch.tensor([[0.1, -0.2], [0.3, 0.0]]).double())[LABEL] + 1e-3
    first = Normal(PARAMETERS[:, 0] * np.e, deviation[:, 0] * np.e).log_prob(target[:, 0] * np.e)
    second = Normal(PARAMETERS[:, 1], deviation[:, 1]).log_prob(target[:, 2])
    third = Categorical(logits=PARAMETERS[:, 2:5]).log_prob(target[:, 1])
    fourth = Categorical(logits=PARAMETERS[:, 5:7]).log_prob(target[:, 3])
    return torch.stack([first, third, second, fourth], dim=1)


def test_columns_agree_with_torch_distributions():
    found = mixed().log_prob(PARAMETERS, TARGET, LABEL)
    torch.testing.assert_close(found, by_hand(TARGET).sum(dim=1))


def test_missing_columns_drop_out_and_leave_no_nan_in_gradients():
    target = TARGET.clone()
    target[0, 0] = target[1, 1] = target[2, 3] = target[3, :] = NAN
    likelihood, parameters = mixed(), PARAMETERS.clone().requires_grad_()
    found = likelihood.log_prob(parameters, target, LABEL)
    expected = torch.where(torch.isnan(target), 0.0, by_hand(TARGET)).sum(dim=1)
    torch.testing.assert_close(found, expected)
    found.sum().backward()
    assert torch.isfinite(parameters.grad).all()
    assert torch.isfinite(likelihood.raw_log_deviation.grad).all()


def test_a_leading_axis_of_samples_is_broadcast():
    stacked = torch.stack([PARAMETERS, PARAMETERS + 1])
    found = mixed().log_prob(stacked, TARGET, LABEL)
    assert found.shape == (2, 5)
    torch.testing.assert_close(found[1], mixed().log_prob(PARAMETERS + 1, TARGET, LABEL))


def test_draws_have_the_moments_and_frequencies_they_should():
    n, likelihood = 40_000, mixed()
    with torch.no_grad():
        drawn = likelihood.sample(
            PARAMETERS[:1].expand(n, -1), torch.ones(n, dtype=torch.long), torch.Generator().manual_seed(1)
        )
    deviation = likelihood.deviation(torch.tensor([1]))[0].detach()
    for column, k in ((0, 0), (2, 1)):
        assert drawn[:, column].mean() == pytest.approx(float(PARAMETERS[0, k]), abs=0.15)
        assert drawn[:, column].std() == pytest.approx(float(deviation[k]), rel=0.02)
    frequencies = torch.bincount(drawn[:, 1].long(), minlength=3) / n
    torch.testing.assert_close(frequencies.double(), PARAMETERS[0, 2:5].softmax(0), atol=0.01, rtol=0)
    assert set(drawn[:, 3].tolist()) == {0.0, 1.0}
    torch.testing.assert_close(likelihood.mode(PARAMETERS)[:, 1].long(), PARAMETERS[:, 2:5].argmax(dim=1))


def test_bernoulli_agrees_with_torch_distributions():
    target = (PARAMETERS > 0.3).double()
    found = BernoulliLikelihood(7).log_prob(torch.stack([PARAMETERS, -PARAMETERS]), target)
    expected = torch.stack([Bernoulli(logits=p).log_prob(target).sum(dim=1) for p in (PARAMETERS, -PARAMETERS)])
    torch.testing.assert_close(found, expected)
    drawn = BernoulliLikelihood(7).sample(PARAMETERS[:1].expand(40_000, -1), None, torch.Generator().manual_seed(1))
    torch.testing.assert_close(drawn.mean(dim=0), torch.sigmoid(PARAMETERS[0]), atol=0.01, rtol=0)


def pixels() -> ColumnLikelihood:
    """Two pixels of 17 levels, standardised by 4 and 0.5 about 6 and 1."""
    likelihood = ColumnLikelihood((0, 0), levels=17).double()
    scale, mean = torch.tensor([4.0, 0.5]), torch.tensor([6.0, 1.0])
    likelihood.log_unit.copy_(scale.log())
    likelihood.zero.copy_(-mean / scale)
    likelihood.raw_log_deviation.data.copy_(torch.log(torch.tensor([[0.5, 0.2]])) / DEVIATION_SPEED)
    return likelihood


def test_the_density_of_pixels_integrates_to_one_over_their_levels():
    likelihood, parameters = pixels(), torch.tensor([[0.3, 0.8]]).double()
    centres = (torch.arange(17_000).double() + 0.5) / 1000
    for d in range(2):
        target = torch.zeros(len(centres), 2).double()
        target[:, d] = likelihood.zero[d] + centres / likelihood.log_unit[d].exp()
        target[:, 1 - d] = NAN
        density = likelihood.log_prob(parameters.expand(len(centres), -1), target).exp()
        assert float(density.sum().detach()) / 1000 == pytest.approx(1.0, abs=2e-3)


def test_no_pixel_costs_more_than_one_that_may_have_any_level():
    likelihood = pixels()
    likelihood.raw_log_deviation.data.fill_(-5.0)
    far = likelihood.log_prob(torch.zeros(1, 2).double(), torch.tensor([[2.5, NAN]]).double())
    assert float(far.detach()) == pytest.approx(np.log(OUTLIERS / 17))
    far.sum().backward()
    assert torch.isfinite(likelihood.raw_log_deviation.grad).all()


def test_a_share_of_the_pixels_is_drawn_from_all_levels():
    n, likelihood = 200_000, pixels()
    likelihood.raw_log_deviation.data.fill_(-2.0)
    with torch.no_grad():
        drawn = likelihood.sample(torch.zeros(n, 2).double(), None, torch.Generator().manual_seed(2))
    raw = (drawn - likelihood.zero) * likelihood.log_unit.exp()
    far = raw[(drawn[:, 0].abs() > 0.1), 0]
    assert len(far) / n == pytest.approx(OUTLIERS * (1 - 0.2 * 4 / 17), rel=0.05)
    assert 0 <= float(far.min()) < 0.1
    assert 16.9 < float(far.max()) <= 17


@pytest.mark.parametrize("scale", [1e-3, 0.1, 3.0])
def test_probabilities_of_levels_are_parts_of_a_logistic_distribution_and_sum_to_one(scale):
    likelihood, means = LogisticLikelihood(3, 17).double(), torch.tensor([[-1.2, 0.03, 0.97]]).double()
    likelihood.raw_log_scale.data.fill_(np.log(scale) / DEVIATION_SPEED)
    levels = torch.arange(17).double()[:, None].expand(-1, 3)
    each = [likelihood.log_prob(means[:, [d]].expand(17, 3), levels)[:, None] / 3 for d in range(3)]
    found = torch.cat(each, dim=1).exp().detach().numpy()  # (17, 3): the features are alike
    np.testing.assert_allclose(found.sum(axis=0), 1.0)
    ends = np.concatenate([[-np.inf], (2 * np.arange(16) + 1) / 16 - 1, [np.inf]])
    np.testing.assert_allclose(found, np.diff(logistic.cdf(ends[:, None], means.numpy(), scale), axis=0), atol=1e-12)
    with torch.no_grad():
        drawn = likelihood.sample(means.expand(50_000, -1), None, torch.Generator().manual_seed(0))
    shares = np.stack([np.bincount(column, minlength=17) for column in drawn.long().numpy().T], axis=1) / 50_000
    np.testing.assert_allclose(shares, found, atol=0.01)
    likelihood.log_prob(means, torch.tensor([[16.0, 0.0, 16.0]]).double()).sum().backward()
    assert torch.isfinite(likelihood.raw_log_scale.grad).all()
