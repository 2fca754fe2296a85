import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from versus.arrays import Ragged
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Tokens
from versus.data.targets import Tags
from versus.metrics import table as metric_table
from versus.report import formatting, results
from versus.report.both import both, pool
from versus.report.build import source_hash
from versus.report.figures.classification import confusion_matrix
from versus.report.figures.figure import TEMPLATES
from versus.report.figures.pixels import sheet, to_bytes
from versus.report.figures.plot import Mark, Scale, scale
from versus.report.files import write_csv
from versus.report.section import escaped
from versus.report.sections import families, profile, trade_off, verdict
from versus.report.sections.curves import thinned
from versus.report.tested_rows import TestedRows
from versus.settings import FAMILIES
from versus.statistics.bootstrap import TwoLevelBootstrap


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (formatting.score, 0.97351, "0.974"),
        (formatting.score, -0.5, "−0.500"),
        (formatting.score, -0.0001, "0.000"),
        (formatting.score, 54.1234, "54.12"),
        (formatting.score, 123456.7, "123457"),
        (formatting.score, float("nan"), "–"),
        (formatting.signed, 0.25, "+0.250"),
        (formatting.signed, 0.00001, "0.000"),
        (formatting.percent, 0.9736, "97.4\u202f%"),
        (formatting.points, -0.0123, "−1.2"),
        (formatting.p_value, 0.0004, "<\u00a00.001"),
        (formatting.p_value, 0.01234, "=\u00a00.012"),
        (formatting.two_digits, 0.003456, "0.0035"),
        (formatting.two_digits, 0.0999, "0.10"),
        (formatting.two_digits, 1234.0, "1\u202f200"),
        (formatting.two_digits, 0.0, "0"),
        (formatting.times, 3.14, "3.1×"),
        (formatting.times_the, 0.00209, "1/480 of"),
        (formatting.megabytes, 1_234_000_000, "1\u202f234"),
        (formatting.compact, 1260.4, "1260"),
        (formatting.compact, -0.000279, "−0.000279"),
        (formatting.compact, 3.2e-7, "3.20e−07"),
        (formatting.compact, 12.345, "12.3"),
        (formatting.duration, 600.0, "10 min"),
    ],
)
def test_numbers_as_they_read(function, value, text):
    assert function(value) == text


def test_ticks_are_round_and_inside():
    assert [t.label for t in Scale(0.31, 0.97, 0, 100).ticks(5)] == ["0.4", "0.6", "0.8"]
    assert [t.label for t in Scale(0.0008, 40, 0, 100, True).ticks(6)] == ["0.001", "0.01", "0.1", "1", "10"]
    assert [t.label for t in Scale(0.15, 0.9, 0, 100, True).ticks(5)] == ["0.2", "0.4", "0.6", "0.8"]
    for low, high in ((0, 1e-9), (5, 5.0001), (-3e6, 2e6)):
        ticks = Scale(low, high, 0, 100).ticks()
        assert 2 <= len(ticks) <= 12
        assert all(0 <= t.at <= 100 for t in ticks)


def test_scales_take_what_comes():
    assert scale([3.0], 0, 10)(3.0) == 5
    assert scale([], 0, 10, logarithmic=True)(0.0) == 0
    assert scale([1.0, float("nan"), float("inf")], 0, 10)(1.0) == 5
    up = Scale(1, 100, 50, 0, True)
    assert (up(1), up(10), up(100), up(1e9), up(0.0)) == (50, 25, 0, 0, 50)


def test_csv_defuses_formulas_and_keeps_numbers(tmp_path):
    values = ["=cmd()", "+1", "-1", "@sum", "\tx", "plain", -1.5, 0.1 + 0.2, np.float64(1 / 3), float("nan"), 7]
    write_csv(tmp_path / "out.csv", ("=name",), [[v] for v in values])
    lines = (tmp_path / "out.csv").read_bytes().decode().split("\n")
    expected = ["'=name", "'=cmd()", "'+1", "'-1", "'@sum", "'\tx", "plain", "-1.5"]
    assert lines[:8] == expected
    assert [float(x) for x in lines[8:10]] == [0.1 + 0.2, 1 / 3]
    assert lines[10:12] == ["", "7"] or lines[10:12] == ['""', "7"]


@pytest.mark.parametrize(
    "text", ["<img src=x>", "a | b", "`x`", "[a](b)", "line\n\n# title", "*x*", "@team", "a & b", "~~x~~"]
)
def test_markdown_leaves_text_as_text(text):
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("gfm-like", {"linkify": False}).render(f"| {escaped(text)} | x |\n| --- | --- |\n")
    cell = ElementTree.fromstring(rendered).find(".//th")
    assert list(cell) == []
    assert cell.text == " ".join(text.split())


def test_content_security_hash_is_the_browsers():
    # from the Content Security Policy specification, level 3, section 7.5.1 (alert('Hello, world.');)
    assert source_hash("alert('Hello, world.');") == "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="


def test_pictures():
    images = np.array([[[0, 16], [8, 4]]], dtype=np.uint8)
    np.testing.assert_array_equal(to_bytes(images, 17), [[[0, 255], [128, 64]]])
    np.testing.assert_array_equal(to_bytes(np.array([[[0.5, 2.0]]]), None), [[[128, 255]]])
    assert to_bytes(np.zeros((2, 3, 3, 1)), 256).shape == (2, 3, 3)
    assert sheet(np.zeros((3, 4, 5), np.uint8)).shape == (14, 5)
    assert sheet(np.zeros((3, 4, 5, 3), np.uint8), columns=2).shape == (9, 11, 3)


def test_thinned_curves_keep_their_ends():
    curve = [(float(s), 1.0) for s in range(997)]
    assert thinned(curve)[0] == curve[0]
    assert thinned(curve)[-1] == curve[-1]
    assert len(thinned(curve)) < 70


def test_directions():
    assert metric_table.lower_is_better("bits_per_dimension_binarised")
    assert not metric_table.lower_is_better("mean_log_likelihood_mixed")
    assert metric_table.is_share("accuracy_score")
    assert not metric_table.is_share("log_loss")


def test_scores_are_called_as_the_table_of_metrics_says():
    assert metric_table.label("root_mean_squared_error") == "RMSE"
    assert metric_table.label("mean_log_likelihood_mixed") == metric_table.label("mean_log_likelihood")
    assert metric_table.label("score_of_yours") == "score of yours"


def test_a_file_that_data_came_from_is_named_before_its_size_and_hash():
    file = {"bytes": 1234, "path": "own.csv", "sha256": "ab" * 32}
    assert profile.source(file) == f"own.csv: 1\u202f234 bytes, SHA-256 {'ab' * 32}"
    assert profile.source({**file, "url": "https://example.org/x"}).startswith("own.csv from https://example.org/x: ")


def read(made):
    return results.read(made.workspace, made.cells)


def test_the_profile_counts_unknown_tokens_and_unseen_tags():
    """Two repeats, in the first of which a word and its tag are in a test row alone."""
    X, y = Ragged.of([[0, 1], [1, 0], [0, 2, 2], [1, 1]], np.int32), Ragged.of([[0, 1], [1, 0], [0, 2, 2], [1, 1]])
    parts = {"train": [[0, 1], [2, 1]], "validation": [[3], [3]], "test": [[2], [0]]}
    rows = {part: Ragged.of(of, np.int64) for part, of in parts.items()}

    def told(tags):
        data = Prepared(X, tags, Schema(Tokens(("a", "b", "c")), Tags(("A", "B", "C"))), rows, {})
        return dict(profile.content(SimpleNamespace(prepared=data, tested=TestedRows(data)))["facts"])

    found = told(y)
    assert found["unknown tokens"] == "2 of 5 (40.0\u202f%) in test rows are in no training row"
    assert found["unseen tags"] == "2 of 5 (40.0\u202f%) in test rows have a tag that is in no training row"
    assert "unseen tags" not in told(Ragged(y.values % 2, y.starts))


def test_the_sentence_counts_every_compared_data_set_once(made):
    found = read(made).verdicts
    sentence = verdict.counted(found)
    assert sentence.startswith(f"Of {len(found)} data sets, ")
    assert all(sentence.count(v.dataset) == 1 for v in found)
    assert verdict.counted([]) == "No data set has models of both sides."


def test_each_data_set_has_a_line_with_the_model_to_use(made):
    lines = verdict.content(read(made))["lines"]
    assert [line.verdict.dataset for line in lines] == [d.name for d in read(made).datasets]
    for line in lines:
        contrast = line.verdict.contrast
        assert line.use == contrast.use.cell
        assert [cell for cell, _ in line.scores] == [contrast.discriminative.cell, contrast.generative.cell]
        assert line.use in [cell for cell, _ in line.scores]
        dataset = contrast.dataset
        others = [e for e in dataset.candidates(dataset.primary, *FAMILIES) if e.cell != line.use]
        assert line.next_best.split(" ")[0] == dataset.ordered(others, dataset.primary)[0].cell.model


def test_the_two_sides_have_the_means_of_their_best_models(made):
    found = read(made)
    rows = {row.name: row for row in families.content(found)["rows"]}
    shares = [v.contrast for v in found.verdicts if v.contrast.dataset.primary == "accuracy_score"]
    first = np.mean([c.discriminative.mean("accuracy_score") for c in shares])
    assert rows["accuracy, mean"].values[0] == formatting.percent(first)
    assert rows["accuracy, mean"].apart.startswith(formatting.points(np.mean([c.mean for c in shares])))
    written = "\n".join(families.markdown({"rows": rows.values()}))
    assert not any(row.is_cost and row.name in written for row in rows.values())


def test_an_interval_over_data_sets_is_students():
    values = [0.1, 0.4, -0.2, 0.3]
    reference = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert families.t_interval(values, 0.9) == pytest.approx((0.15, *reference))


def test_two_models_together_are_pooled_by_the_geometric_mean():
    a, b = np.array([[0.9, 0.1], [0.5, 0.5]]), np.array([[0.5, 0.5], [0.0, 1.0]])
    odds = np.sqrt([0.9 / 0.1 * 1.0])
    found = pool(a, b, "classification")
    assert found[0] == pytest.approx([odds[0] / (1 + odds[0]), 1 / (1 + odds[0])])
    assert found[1, 1] > 0.999
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(pool(np.array([1.0, 2.0]), np.array([3.0, 2.0]), "regression"), [2.0, 2.0])


def test_both_together_are_scored_on_the_same_rows_and_gain_over_the_better_one(made):
    for found in read(made).verdicts:
        contrast = found.contrast
        together = both(contrast)
        dataset, metric = contrast.dataset, contrast.dataset.primary
        use = metric_table.named(metric).use
        pooled = [
            pool(a, b, use)
            for a, b in zip(contrast.discriminative.predictions, contrast.generative.predictions, strict=True)
        ]
        expected = np.mean(
            [metric_table.named(metric).score(y, p) for y, p in zip(dataset.targets, pooled, strict=True)]
        )
        assert together.evaluation.mean(metric) == pytest.approx(expected)
        sign = -1 if metric_table.lower_is_better(metric) else 1
        assert together.gain == pytest.approx(sign * (expected - contrast.use.mean(metric)))
        assert together.low <= together.gain + 1e-9 <= together.high + 2e-9


def test_names_of_points_hide_neither_points_nor_each_other():
    marks = [Mark(100.0 + 30 * (i % 4), 60.0 + 24 * (i // 4), "discriminative", "") for i in range(12)]
    named = trade_off.placed(marks, [f"model_{i}" for i in range(12)], first=[5])
    shown = [m for m in named if m.label]
    assert named[5].label == "model_5"
    assert 2 <= len(shown) < 12
    boxes = []
    for m in shown:
        x, y, anchor = m.label_at
        width = trade_off.LETTER * len(m.label)
        left = x - {"start": 0, "middle": width / 2, "end": width}[anchor]
        boxes.append((left, y - 9, left + width, y + 2))
    points = [(m.x - 4, m.y - 4, m.x + 4, m.y + 4) for m in marks]
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :] + points:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def test_the_page_says_for_how_long_the_weight_of_the_kl_term_grows():
    from versus.models.deep_generative.variational_model import WARMUP

    words = (TEMPLATES / "sections" / "curves.html").read_text(encoding="utf-8")
    assert "first fifth of the epochs" in words
    assert WARMUP == 1 / 5


def test_a_confusion_matrix_of_thousands_of_classes_is_a_small_picture():
    classes = [f"c{k}" for k in range(5000)]
    counts = [(k, k, 4) for k in range(5000)] + [(3, 7, 2), (9, 8, 1)]
    found = confusion_matrix(SimpleNamespace(cell=SimpleNamespace(model="m"), confusion=counts), classes)
    assert found.mistakes == (("c3", "c7", 2), ("c9", "c8", 1))
    assert found.figure.description.startswith("100.0")  # of 20,003 rows
    assert len(found.figure.parts["image"]) < 10_000
    assert metric_table.named("f1_score").row_scores(np.zeros((3, 15_000), bool)) is None


def test_one_product_scores_all_models_of_a_data_set_as_it_does_each_alone(made, monkeypatch):
    cells = [cell for cell in made.cells if cell.dataset == "official"]
    (together,) = results.read(made.workspace, cells).datasets
    products, every = [], TwoLevelBootstrap.means

    def counted(self, models, *options):
        found = list(every(self, models, *options))
        products.append(len(found))
        return found

    monkeypatch.setattr(TwoLevelBootstrap, "means", counted)
    found = {e.cell.name: together.interval(e, "log_loss") for e in together.evaluations}
    assert products == [len(cells)]
    for cell in cells:
        (alone,) = results.read(made.workspace, [cell]).datasets
        assert alone.interval(alone.evaluations[0], "log_loss") == pytest.approx(found[cell.name], rel=1e-12)
    assert products == [len(cells), *[1] * len(cells)]
