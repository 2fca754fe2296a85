import pytest

from versus.metrics.table import METRICS, named, needing


def test_names_are_unique_and_complete():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names) == 21
    assert len({metric.label for metric in METRICS}) == len(METRICS)
    assert all(metric.reference and metric.low < metric.high for metric in METRICS)
    assert all((metric.nominal is not None) == (metric.better == "nominal") for metric in METRICS)


def test_a_name_with_a_measure_is_found_and_no_other():
    assert named("mean_log_likelihood_binarised").name == "mean_log_likelihood"
    assert named("bits_per_dimension_bound_binarised").name == "bits_per_dimension_bound"
    assert named("bits_per_dimension").better == "lower"
    for wrong in ("accuracy_score_binarised", "r2"):
        with pytest.raises(KeyError, match=wrong):
            named(wrong)


def test_what_is_needed_selects_the_metrics():
    assert {m.name for m in needing("values")} == {"root_mean_squared_error", "mean_absolute_error", "r2_score"}
