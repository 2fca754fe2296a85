"""The words of the report follow from the numbers: cases where each verdict must fall."""

import csv
import json

import numpy as np
import pytest

from tests.report.made_workspace import splits, write_csv, write_json
from versus.data import prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes, Number
from versus.models.classical_generative.gaussian import GaussianClassifier
from versus.models.classical_generative.mixture import GaussianMixtureClassifier
from versus.report import number_files, results
from versus.report.across import wins
from versus.report.contrasts import main_contrast
from versus.report.ranking import complete_block, ranking
from versus.report.sections import likelihoods
from versus.settings import Cell
from versus.workspace import Workspace

NOISE = np.array([0.001, -0.001, 0.0, 0.002, -0.002])


class Scored:
    """A workspace of cells with given scores."""

    def __init__(self, root):
        self.workspace, self.cells = Workspace(root), []

    def add(self, dataset, task="classification", n=1000, **models):
        """Models as name=(family, scores of five repeats); "baseline" is one."""
        rng = np.random.default_rng(0)
        y = rng.normal(size=n) * 10 if task == "regression" else np.arange(n) % 2
        schema = Schema(Table((Column("x"),)), Number() if task == "regression" else Classes(("no", "yes")))
        prepared.write(self.workspace.prepared(dataset), Prepared(rng.normal(size=(n, 1)), y, schema, splits(n, 5), {}))
        metric = "root_mean_squared_error" if task == "regression" else "accuracy_score"
        for name, (family, scores) in models.items():
            module = "baseline" if name == "baseline" else "linear"
            cell = Cell(f"{dataset}-{name}", dataset, family, module, "Model", {})
            self.cells.append(cell)
            folder = self.workspace.evaluation(cell.name)
            write_json(
                folder / "evaluation.json",
                {"task": task, "capabilities": ["fit"], "skipped": [], "n_test": [n // 5] * 5, "repeats": 5},
            )
            write_csv(
                folder / "scores.csv",
                ("repeat", "metric", "value"),
                [(r, metric, repr(float(v))) for r, v in enumerate(scores)],
            )
        return self

    def results(self):
        return results.read(self.workspace, self.cells)


D, G, DEEP = "discriminative", "classical_generative", "deep_generative"


@pytest.fixture
def scored(tmp_path):
    return Scored(tmp_path)


@pytest.mark.parametrize(
    ("task", "first", "second", "outcome"),
    [
        ("classification", 0.95, 0.85, "discriminative ahead"),
        ("classification", 0.85, 0.95, "generative ahead"),
        ("classification", 0.90, 0.90, "practically equal"),
        ("regression", 1.0, 3.0, "discriminative ahead"),  # lower is better
        ("regression", 3.0, 1.0, "generative ahead"),
        ("regression", 3.0, 3.0, "practically equal"),
    ],
)
def test_outcomes(scored, task, first, second, outcome):
    scored.add("set", task, model=(D, first + NOISE), other=(G, second + NOISE[::-1]))
    found = scored.results()
    assert [c.outcome for c in found.contrasts] == [outcome]
    assert found.contrasts[0].mean == pytest.approx(first - second)
    assert found.verdicts[0].outcome == outcome


def test_a_noisy_difference_is_open(scored):
    scored.add("set", model=(D, [0.9, 0.8, 0.95, 0.7, 0.9]), other=(G, [0.8, 0.85, 0.8, 0.8, 0.9]))
    verdict = scored.results().verdicts[0]
    assert verdict.outcome == "open"
    assert verdict.scores.startswith("No clear difference between")


@pytest.mark.parametrize(
    ("gap", "probably"),
    [(0.025, "discriminative ahead"), (-0.025, "generative ahead"), (0.0, "equal"), (0.012, "")],
)
def test_an_open_one_says_what_is_probable(scored, gap, probably):
    spread = 5 if gap == 0 else 14
    scored.add("set", model=(D, 0.9 + gap + spread * NOISE), other=(G, np.full(5, 0.9)))
    found = scored.results().contrasts[0]
    assert (found.judgement, found.probably) == ("undecided", probably)


def test_a_verdict_does_not_depend_on_the_data_sets_beside_it(scored):
    apart = np.array([0.030, 0.012, 0.028, 0.010, 0.022])
    scored.add("alone", model=(D, 0.9 + apart), other=(G, np.full(5, 0.9)))
    one = scored.results().verdicts[0]
    assert one.outcome == "discriminative ahead"
    for i in range(8):
        scored.add(f"more{i}", model=(D, 0.9 + 10 * NOISE), other=(G, np.full(5, 0.9)))
    assert scored.results().verdicts[0].scores == one.scores


def answered(scored, n=1000, **models):
    """Add cells with answers on every row: name=(family, rows that are right (n,))."""
    scored.add("set", n=n, **{name: (family, np.full(5, right.mean())) for name, (family, right) in models.items()})
    data = prepared.read(scored.workspace.prepared("set"))
    rows = np.concatenate([data.rows(repeat, "test") for repeat in range(5)])
    for name, (_, right) in models.items():
        p = np.where(right[rows], 0.9, 0.1)
        p = np.where(data.y[rows] == 1, p, 1 - p)
        np.save(scored.workspace.evaluation(f"set-{name}") / "predictions.npy", np.stack([1 - p, p], axis=1))
    return scored.results()


def test_rows_decide_where_five_scores_cannot(scored):
    rng = np.random.default_rng(0)
    right = rng.random(1000) < 0.9
    worse = right & (rng.random(1000) < 0.97)
    found = answered(scored, model=(D, right), other=(G, worse)).verdicts[0]
    assert found.outcome == "discriminative ahead"
    difference = right.astype(float) - worse
    assert found.contrast.mean == pytest.approx(difference.mean(), abs=1e-3)
    half = (found.contrast.high - found.contrast.low) / 2
    assert half == pytest.approx(1.96 * np.sqrt(1.5 * difference.var() / 1000), rel=0.01)


def test_an_open_verdict_says_how_many_rows_would_decide_and_which_side_is_not_behind(scored):
    rng = np.random.default_rng(1)
    right = rng.random(1000) < 0.9
    swapped = rng.permutation(1000)[:70]
    other = right.copy()
    other[swapped] = rng.random(70) < 0.75
    found = answered(scored, model=(D, right), other=(G, other)).verdicts[0]
    assert found.outcome in ("open", "discriminative not behind")
    assert found.contrast.rows_to_decide > 1000
    assert "rows would decide it" in found.scores


def test_equal_answers_on_few_rows_say_how_many_rows_would_show_equality(scored):
    """Of 150 rows, one that differed would be two thirds of a point: equality within a point is out of reach."""
    right = np.arange(150) % 10 > 0
    found = answered(scored, n=150, model=(D, right), other=(G, right)).verdicts[0]
    assert found.contrast.mean == 0
    assert found.outcome != "practically equal"
    assert found.contrast.rows_to_decide > 150
    assert "rows would decide it" in found.scores
    dataset = found.contrast.dataset
    for metric in ("accuracy_score", "balanced_accuracy_score", "f1_score"):
        for model in dataset.evaluations:
            model.scores.setdefault(metric, np.full(5, 0.9))
        low, high = dataset.difference(*dataset.evaluations, metric).interval(0.95)
        assert low < -1 / 150 < 1 / 150 < high  # one row may differ, whatever the score


@pytest.mark.parametrize("metric", ["balanced_accuracy_score", "roc_auc"])
def test_repeats_that_differ_alike_are_not_certain_whatever_the_score(scored, metric):
    """Five repeats that each differ by the same amount have a deviation of 0; a score of rows moves in steps."""
    scored.add("set", n=150, model=(D, np.full(5, 0.9)), other=(G, np.full(5, 0.9)))
    for name, value in (("model", 0.903), ("other", 0.9)):
        with (scored.workspace.evaluation(f"set-{name}") / "scores.csv").open("a") as file:
            file.writelines(f"{repeat},{metric},{value}\n" for repeat in range(5))
    dataset = scored.results().datasets[0]
    model, other = dataset.evaluations
    assert dataset.difference(model, other, metric).p_value() > 0.05


def test_selection_among_many_equal_models_does_not_flatter_their_side(scored):
    """Nine models of one side and one of the other, all right on 80 % of the rows: the true difference is 0."""
    rng = np.random.default_rng(2)
    many = {f"model{i}": (D, rng.random(1000) < 0.8) for i in range(9)}
    found = answered(scored, **many, other=(G, rng.random(1000) < 0.8)).verdicts[0].contrast
    flattered = found.discriminative.mean("accuracy_score") - found.generative.mean("accuracy_score")
    assert found.optimism > 0.005
    assert found.mean == pytest.approx(flattered - found.optimism, abs=1e-3)
    assert not found.is_stable


def test_the_second_score_stands_beside_the_first_and_a_disagreement_is_said(scored):
    """One model is right more often, the other is surer where it is right and less sure where it is wrong."""
    rng = np.random.default_rng(3)
    right = rng.random(1000) < 0.9
    worse = right & (rng.random(1000) < 0.96)
    answered(scored, model=(D, right), other=(G, worse))
    data = prepared.read(scored.workspace.prepared("set"))
    rows = np.concatenate([data.rows(repeat, "test") for repeat in range(5)])
    for name, hits, sure, unsure in (("model", right, 0.6, 0.1), ("other", worse, 0.99, 0.45)):
        p = np.where(hits[rows], sure, unsure)
        p = np.where(data.y[rows] == 1, p, 1 - p)
        np.save(scored.workspace.evaluation(f"set-{name}") / "predictions.npy", np.stack([1 - p, p], axis=1))
        with (scored.workspace.evaluation(f"set-{name}") / "scores.csv").open("a") as file:
            brier = float(np.mean(np.where(hits, 1 - sure, 1 - unsure) ** 2))
            file.writelines(f"{repeat},brier_score,{brier!r}\n" for repeat in range(5))
    found = scored.results().verdicts[0]
    assert (found.outcome, found.second.outcome) == ("discriminative ahead", "generative ahead")
    assert found.second.mean == pytest.approx(
        found.second.discriminative.mean("brier_score") - found.second.generative.mean("brier_score"), abs=1e-3
    )
    assert " By Brier score (lower is better), model 0." in found.scores
    assert "generative ahead. The two scores disagree." in found.scores
    row = next(csv.DictReader(written(scored, [found]).open()))
    assert (row["score"], row["second_score"], row["second_outcome"]) == (
        "accuracy_score",
        "brier_score",
        "generative ahead",
    )
    assert float(row["second_low"]) < float(row["second_difference"]) < float(row["second_high"])


def written(scored, verdicts):
    path = scored.workspace.root / "verdicts.csv"
    number_files.write_verdicts(path, verdicts)
    return path


def test_baselines_stand_for_no_family(scored):
    scored.add("set", baseline=(D, 0.99 + NOISE), model=(D, 0.9 + NOISE), other=(G, 0.8 + NOISE))
    assert scored.results().contrasts[0].discriminative.cell.model == "model"


def test_models_no_better_than_the_baseline_are_said_to_be(scored):
    scored.add("set", baseline=(D, 0.8 + NOISE), model=(D, 0.8 + NOISE[::-1]), other=(G, 0.7 + NOISE))
    assert "Neither is shown to beat the baseline" in scored.results().verdicts[0].scores


def test_verdict_takes_the_better_generative_family(scored):
    scored.add("set", model=(D, 0.9 + NOISE), other=(G, 0.7 + NOISE), deep=(DEEP, 0.8 + NOISE))
    found = scored.results()
    assert [c.generative.cell.model for c in found.contrasts] == ["other", "deep"]
    assert main_contrast(found.datasets[0]).generative.cell.model == "deep"


def test_the_best_that_samples_is_named_where_the_best_does_not(scored):
    scored.add("set", model=(D, 0.9 + NOISE), other=(G, 0.85 + NOISE), deep=(DEEP, 0.8 + NOISE))
    facts = scored.workspace.evaluation("set-deep") / "evaluation.json"
    facts.write_text(facts.read_text().replace('["fit"]', '["fit", "sample"]'))
    verdict = scored.results().verdicts[0]
    assert "other, cannot generate new data" in verdict.costs
    assert "The best generative model that can is deep (accuracy 80.0" in verdict.costs


def test_one_side_only(scored):
    scored.add("set", model=(D, 0.9 + NOISE))
    verdict = scored.results().verdicts[0]
    assert verdict.outcome == "no comparison"
    assert "no generative model" in verdict.scores


def test_difference_from_the_best_excludes_0_only_where_it_is_clear(scored):
    scored.add("clear", a=(D, 0.95 + NOISE), b=(D, 0.85 + NOISE), c=(G, 0.6 + NOISE))
    scored.add("close", a=(D, 0.901 + 10 * NOISE), b=(D, 0.9 - 10 * NOISE), c=(G, 0.6 + NOISE))
    clear, close = (d.from_best("accuracy_score") for d in scored.results().datasets)
    assert [name for name, apart in clear.items() if apart.is_best] == ["clear-a"]
    assert clear["clear-b"].value == pytest.approx(-0.1)
    assert clear["clear-b"].high < 0
    assert close["close-b"].low < 0 < close["close-b"].high
    assert close["close-c"].high < 0


def likelihoods_of(scored, **models):
    """Add a density of each kind: name=(measure, score's name, values of five repeats); return the table's content."""
    scored.add("set", **{name: (G, np.full(5, 0.9)) for name in models})
    for name, (measure, metric, values) in models.items():
        folder = scored.workspace.evaluation(f"set-{name}")
        facts = folder / "evaluation.json"
        facts.write_text(facts.read_text().replace('"skipped"', f'"measure": "{measure}", "skipped"'))
        with (folder / "scores.csv").open("a") as file:
            file.writelines(f"{repeat},{metric},{value!r}\n" for repeat, value in enumerate(map(float, values)))
    return likelihoods.content(scored.results().datasets[0])


def test_a_lower_bound_above_an_exact_value_decides_and_one_below_it_does_not(scored):
    found = likelihoods_of(
        scored,
        exact=("continuous", "mean_log_likelihood", -10 + NOISE),
        high=("continuous", "mean_elbo", -8 - NOISE),
        low=("continuous", "mean_elbo", -12 + NOISE),
        counts=("discrete", "mean_log_likelihood_discrete", -3 + NOISE),
    )
    table = {cell.model: entries for cell, entries in found["table"].rows}
    assert len(found["table"].headers) == 2  # a column for each measure, and no model has a value in both
    assert [[entry.text for entry in entries] for entries in table.values()] == [
        ["≥ −8.000", "–"],
        ["−10.00", "–"],
        ["≥ −12.00", "–"],
        ["–", "−3.000"],
    ]
    assert table["exact"][0].apart.startswith("≤ −2.000 (")
    assert table["low"][0].apart == ""
    assert found["decided"] == [
        "Even the lower bound of high is above the likelihood of exact: high has the higher one."
    ]


def test_a_likelihood_below_that_of_a_special_case_is_a_warning(scored):
    likelihoods_of(
        scored,
        rich=("continuous", "mean_log_likelihood", -10 + NOISE),
        simple=("continuous", "mean_log_likelihood", -8 - NOISE),
        close=("continuous", "mean_log_likelihood", -10 + NOISE - 0.0001),
    )
    for name in ("rich", "simple", "close"):
        facts = scored.workspace.evaluation(f"set-{name}") / "evaluation.json"
        cases = [["Simple", {}], ["Other", {}]] if name != "simple" else [["Rich", {}]]
        facts.write_text(json.dumps({**json.loads(facts.read_text()), "class": name.title(), "special_cases": cases}))
    found = likelihoods.content(scored.results().datasets[0])
    assert [sentence[:56] for sentence in found["below"]] == [
        "The likelihood of rich is below that of simple, which is",
        "The likelihood of close is below that of simple, which i",
    ]
    assert "by 2.000 nats" in found["below"][0]
    assert any("warning" in line and "rich" in line for line in likelihoods.markdown(found))
    assert GaussianMixtureClassifier().known_special_cases() == [
        ("GaussianNaiveBayes", {}),
        ("MixedNaiveBayes", {}),
        ("GaussianClassifier", {}),
    ]
    assert GaussianClassifier("tied").known_special_cases() == [("Marginals", {})]


def test_an_exact_value_above_a_bound_decides_nothing(scored):
    found = likelihoods_of(
        scored,
        exact=("continuous", "mean_log_likelihood", -10 + NOISE),
        low=("continuous", "mean_elbo", -12 + NOISE),
    )
    assert found["decided"] == []
    assert found["table"].rows[1][1][0].apart.startswith("≥ −2.000 (")


def test_ranks_count_complete_blocks_and_say_what_is_left_out(scored):
    for i in range(4):
        extra = {"sometimes": (DEEP, 0.7 + NOISE)} if i == 0 else {}
        scored.add(f"set{i}", a=(D, 0.9 + NOISE), b=(G, 0.8 + NOISE), c=(D, 0.6 + NOISE), **extra)
    scored.add("numbers", "regression", a=(D, 1 + NOISE), b=(G, 2 + NOISE))
    found = ranking(scored.results().datasets, 0.95)
    assert [cell.model for cell in found.models] == ["a", "b", "c"]
    np.testing.assert_array_equal(found.test.mean_ranks, [1, 2, 3])
    assert found.datasets == ("set0", "set1", "set2", "set3")
    assert found.left_out == ("sometimes",)
    assert found.is_weak


def test_baselines_are_not_ranked_and_equal_counts_share_a_rank(scored):
    """Means that differ by rounding only, 0.1 + 0.2 and 0.3, are ties; so are the wins."""
    for i in range(3):
        scored.add(f"set{i}", baseline=(D, 0.99 + NOISE), a=(D, np.full(5, 0.1 + 0.2)), b=(G, np.full(5, 0.3)))
    found = scored.results()
    ranked = ranking(found.datasets, 0.95)
    assert [cell.model for cell in ranked.models] == ["a", "b"]
    np.testing.assert_array_equal(ranked.test.mean_ranks, [1.5, 1.5])
    won = wins(found.datasets, "accuracy_score")
    np.testing.assert_array_equal(won.rates, [[np.nan, 0.5], [0.5, np.nan]])


def test_one_sentence_over_all_data_sets(scored):
    for i, gap in enumerate((0.05, 0.06, 0.055, 0.045, 0.05)):
        scored.add(f"set{i}", model=(D, 0.9 + NOISE), other=(G, 0.9 - gap + NOISE[::-1]))
        assert (scored.results().overall is None) == (i < 2)  # two data sets tell nothing of a population
    found = scored.results().overall
    assert found.mean == pytest.approx(0.052, abs=0.002)
    assert 0.04 < found.low < found.mean < found.high
    assert found.next_one.above > 0.99
    assert found.sentence.startswith(
        "Over 5 data sets, discriminative minus generative accuracy is +5.2 points on average (95\u202f% interval "
    )
    assert "probability is 1.00 that the discriminative side is ahead by more than 1 point, 0.00 that" in found.sentence


def test_complete_block_drops_the_emptiest():
    present = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1], [0, 0, 1, 0]], dtype=bool)
    assert complete_block(present) == ([0, 1, 2], [0, 1, 2])
    assert complete_block(np.zeros((2, 2), bool)) == ([0, 1], [])
