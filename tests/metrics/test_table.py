import pytest

from versus.metrics.table import DECIDING, METRICS, deciding, named, of_use, primary, shown


def test_names_are_unique_and_complete():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert len({metric.label for metric in METRICS}) == len(METRICS)
    assert all(metric.reference and metric.low < metric.high for metric in METRICS)
    assert all(sum(way is not None for way in (m.rows, m.weighted, m.value)) == 1 for m in METRICS)
    assert all(metric.low <= metric.better <= metric.high for metric in METRICS if not metric.has_direction)


def test_a_name_with_a_measure_is_found_and_no_other():
    assert named("mean_log_likelihood_binarised").name == "mean_log_likelihood"
    assert named("bits_per_dimension_bound_binarised").name == "bits_per_dimension_bound"
    assert named("bits_per_dimension").better == "lower"
    for wrong in ("accuracy_score_binarised", "r2"):
        with pytest.raises(KeyError, match=wrong):
            named(wrong)


def test_answers_select_their_metrics():
    assert {m.name for m in of_use("regression")} == {"root_mean_squared_error", "mean_absolute_error", "r2_score"}


def test_tables_of_the_report_know_their_columns():
    assert shown("headline")[:3] == ["accuracy_score", "log_loss", "roc_auc"]
    assert "cohen_kappa_score" in shown("scores")
    assert shown("bound") == ["mean_elbo", "bits_per_dimension_bound", "mean_ais_elbo"]


def test_what_can_decide_has_a_direction_and_the_first_does_so_unasked():
    assert all(m.has_direction for task in DECIDING for m in deciding(task))
    assert "interval_coverage" not in [m.name for m in deciding("regression")]
    assert primary({}, "classification") == "accuracy_score"
    assert primary({"regression": "pinball_loss"}, "regression") == "pinball_loss"
    chosen = {"classification": "log_loss", "oil": "roc_auc"}
    assert [primary(chosen, "classification", name) for name in ("oil", "iris")] == ["roc_auc", "log_loss"]
    with pytest.raises(ValueError, match="'roc_auc' cannot decide; of regression models root_mean_squared_error"):
        primary(chosen, "regression", "oil")


def test_best_comes_first_whichever_way_that_is():
    for name, values in (("accuracy_score", (0.9, 0.8)), ("log_loss", (0.1, 0.2)), ("c2st_accuracy", (0.52, 0.4))):
        assert named(name).distance_from_best(values[0]) < named(name).distance_from_best(values[1])
