"""What `build` writes, over small models fitted here."""

import csv
import json
import re
import shutil
import time
from dataclasses import replace

import numpy as np
import pytest

from tests.report.conftest import COMPARISON, PROVENANCE
from tests.report.made_workspace import MODELS, Made, blobs, splits, write_json
from versus.data import findings, prepared
from versus.data.prepared import Prepared
from versus.data.schema import Schema
from versus.data.spaces import Column, Table
from versus.data.targets import Classes
from versus.fitting import failure
from versus.report import best_cells, build, drift
from versus.report.build import TABLES
from versus.report.files import write_csv
from versus.report.formatting import signed, span
from versus.settings import Comparison
from versus.statistics.corrected_resampled import corrected_mean
from versus.statistics.paired_rows import paired_rows
from versus.workspace import Workspace

TEXTS = ("report.md", "comparison.csv", "inputs.csv")


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def copied(made, folder):
    shutil.copytree(made.workspace.root, folder)
    return Made(Workspace(folder), list(made.cells))


def test_scores_are_the_evaluations_own(made):
    table = {(r["cell"], r["metric"]): r for r in rows(made.workspace.reports / "comparison.csv")}
    for cell in made.cells:
        values = {}
        for row in rows(made.workspace.evaluation(cell.name) / "scores.csv"):
            values.setdefault(row["metric"], []).append(float(row["value"]))
        for metric, repeats in values.items():
            assert float(table[cell.name, metric]["mean"]) == np.mean(repeats)
            assert int(table[cell.name, metric]["repeats"]) == len(repeats)
    assert len(table) == sum(1 for _ in rows(made.workspace.reports / "comparison.csv"))


def test_interval_is_of_the_rows_or_of_the_repeats_where_rows_have_no_score(made):
    table = {(r["cell"], r["metric"]): r for r in rows(made.workspace.reports / "comparison.csv")}
    folder = made.workspace.evaluation("blobs-gaussian")
    data = prepared.read(made.workspace.prepared("blobs"))
    tested = np.concatenate([data.rows(repeat, "test") for repeat in range(data.repeats)])
    p = np.load(folder / "predictions.npy")[np.arange(len(tested)), data.y[tested]]
    low, high = paired_rows(-np.log(p.astype(np.float64))[:, None]).interval(0.95)
    found = table["blobs-gaussian", "log_loss"]
    assert (float(found["low"]), float(found["high"])) == pytest.approx((low, high), rel=1e-3)
    areas = np.array([float(r["value"]) for r in rows(folder / "scores.csv") if r["metric"] == "roc_auc"])
    low, high = corrected_mean(areas, n_train=160, n_test=40).interval(0.95)
    assert float(table["blobs-gaussian", "roc_auc"]["low"]) == pytest.approx(low)


def test_every_interval_holds_its_mean(made):
    for value, low, high in (("mean", "low", "high"), ("from_best", "from_best_low", "from_best_high")):
        found = [r for r in rows(made.workspace.reports / "comparison.csv") if r[low]]
        assert len(found) > 100
        assert all(float(r[low]) <= float(r[value]) <= float(r[high]) for r in found)


def test_every_score_stands_beside_its_difference_from_the_best(made):
    """The interval is that of the paired rows, for all ten pairs of the five models at once; nothing is "level"."""
    page, text = ((made.workspace.reports / name).read_text() for name in ("report.html", "report.md"))
    assert "≈" not in text
    assert not {">tied<", ">level<", ">best<"} & set(re.findall(r">[a-z]+<", page))
    data, means = prepared.read(made.workspace.prepared("plain")), {}
    tested = np.concatenate([data.rows(repeat, "test") for repeat in range(data.repeats)])
    for cell in (c for c in made.cells if c.dataset == "plain"):
        p = np.load(made.workspace.evaluation(cell.name) / "predictions.npy")
        means[cell.model] = (p.argmax(axis=1) == data.y[tested]).astype(float)
    best = max(means, key=lambda model: means[model].mean())
    found = {
        r["model"]: r
        for r in rows(made.workspace.reports / "comparison.csv")
        if (r["dataset"], r["metric"]) == ("plain", "accuracy_score")
    }
    for model, right in means.items():
        apart = right - means[best]
        low, high = paired_rows(apart[:, None], resolution=1.0).interval(1 - 0.05 / 10)
        assert float(found[model]["from_best"]) == pytest.approx(apart.mean(), abs=1e-9)
        if model != best:
            ends = float(found[model]["from_best_low"]), float(found[model]["from_best_high"])
            assert ends == pytest.approx((low, high))
            assert f"{signed(apart.mean())} ({span(low, high)})" in page


def test_one_test_set_is_an_answer_for_these_fits(made):
    lines = (made.workspace.reports / "report.md").read_text().splitlines()
    assert [line.split("**")[1] for line in lines if "these two fitted models" in line] == ["official"]
    # Two models that give the same answers, one of which was picked: the correction for that makes no difference.
    found = next(r for r in rows(made.workspace.reports / "verdicts.csv") if r["dataset"] == "official")
    models = [
        np.load(made.workspace.evaluation(f"official-{found[side]}") / "predictions.npy").argmax(axis=1)
        for side in ("discriminative", "generative")
    ]
    assert np.array_equal(*models)
    assert float(found["low"]) < 0 < float(found["high"])
    assert "ahead" not in found["outcome"]


def test_a_score_of_some_rows_of_one_test_set_has_the_interval_of_so_many_rows(tmp_path):
    other = Made(Workspace(tmp_path))
    other.add_classification("official", *blobs(3, 200, 4, 1.0, seed=2), repeats=1, fixed_test=True)
    decibels = {"official-gaussian": np.linspace(20, 26, 25), "official-vae": np.linspace(19, 25, 25)}
    for cell, scores in decibels.items():  # each takes long, so that 25 of the 40 rows were scored
        folder = other.workspace.evaluation(cell)
        np.savez(folder / "rows.npz", enlarged_psnr=scores[:, None])
        with (folder / "scores.csv").open("a", encoding="utf-8") as file:
            file.write(f"0,enlarged_psnr,{scores.mean():.6f}\n")
    build(other.workspace, other.cells, PROVENANCE)
    table = {(r["cell"], r["metric"]): r for r in rows(other.workspace.reports / "comparison.csv")}
    found = table["official-gaussian", "enlarged_psnr"]
    assert float(found["low"]) < float(found["mean"]) < float(found["high"])
    error = decibels["official-gaussian"].std() / 25**0.5
    assert float(found["high"]) - float(found["low"]) == pytest.approx(2 * 1.96 * error, rel=0.1)
    worse = table["official-vae", "enlarged_psnr"]
    assert float(worse["from_best_high"]) < 0  # paired: each row is worse by as much


def test_metrics_for_dvc_have_a_file_for_each_cell_with_the_same_keys(made):
    found = {path.stem: json.loads(path.read_text()) for path in (made.workspace.reports / "metrics").iterdir()}
    assert set(found) == {cell.name for cell in made.cells}
    assert {tuple(scores) for name, scores in found.items() if not name.startswith("amounts")} == {
        ("accuracy_score", "brier_score")
    }
    assert list(found["amounts-ridge"]) == ["root_mean_squared_error"]


def edited(text, cell, metric, value):
    """The table of scores with another mean of one cell."""
    lines = [line.split(",") for line in text.splitlines()]
    for line in lines:
        if line[0] == cell and line[4] == metric:
            line[5] = value
    return "\n".join(",".join(line) for line in lines)


def test_changes_since_the_report_before_are_named_with_the_inputs_that_changed(made, tmp_path):
    other = copied(made, tmp_path / "later")
    fingerprint = other.workspace.root / "data" / "fingerprints" / "train-blobs-gaussian.txt"
    fingerprint.parent.mkdir(parents=True)
    fingerprint.write_text('{"seed": 0, "args": {"C": 1.0}}\nabc  src/versus/models/bayes.py\nnumpy==2.4\n')
    build(other.workspace, other.cells, PROVENANCE, COMPARISON)
    reports = other.workspace.reports
    before = {name: (reports / name).read_text() for name in TABLES}
    build(other.workspace, other.cells, PROVENANCE, COMPARISON, before=before)
    unchanged = (reports / "report.html").read_bytes()
    assert b"Since the last report" not in unchanged

    fingerprint.write_text('{"seed": 0, "args": {"C": 3}}\nabd  src/versus/models/bayes.py\nnumpy==2.5\n')
    before["comparison.csv"] = edited(before["comparison.csv"], "blobs-gaussian", "accuracy_score", "0.5")
    before["verdicts.csv"] = re.sub(r"(?m)^plain,[^,]*,", "plain,open <i>,", before["verdicts.csv"])
    before["comparison.csv"] += "\nplain-gone,plain,gone,discriminative,accuracy_score,0.5,,,5,,,"
    build(other.workspace, other.cells, PROVENANCE, COMPARISON, before=before)
    page = (reports / "report.html").read_text()
    section = page[page.index('<section id="since"') : page.index('<section id="families"')]
    row = next(line for line in section.splitlines() if "gaussian, accuracy" in line)
    assert "<td>0.500</td>" in row
    assert "params: args.C 1.0 → 3; code: models/bayes.py; numpy 2.4 → 2.5" in row
    assert "<td>open &lt;i&gt;</td>" in section
    assert "it left params.yaml" in section
    assert "no recorded input" in next(line for line in section.splitlines() if "open &lt;i&gt;" in line)
    again = (reports / "report.html").read_bytes()
    build(other.workspace, other.cells, PROVENANCE, COMPARISON, before=before)
    assert (reports / "report.html").read_bytes() == again
    assert (reports / "report.md").read_text() == (made.workspace.reports / "report.md").read_text()


def test_without_a_comparison_the_folder_of_figures_is_kept_by_git_and_dvc(tmp_path):
    alone = Made(Workspace(tmp_path))
    alone.add_classification("alone", *blobs(), models=MODELS[:1])
    build(alone.workspace, alone.cells, PROVENANCE)
    assert [file.name for file in (alone.workspace.reports / "figures").iterdir()] == [".gitkeep"]


def test_slices_are_scored_on_their_own_rows(made, tmp_path):
    other = copied(made, tmp_path / "sliced")
    build(other.workspace, other.cells, PROVENANCE, Comparison(slices={"plain": ("x0",), "amounts": ("x1",)}))
    data = prepared.read(other.workspace.prepared("plain"))
    tested = np.concatenate([data.rows(repeat, "test") for repeat in range(data.repeats)])
    p = np.load(other.workspace.evaluation("plain-gaussian") / "predictions.npy")
    right, x = (p.argmax(axis=1) == data.y[tested]).astype(float), data.X[tested, 0]
    first, _, _, last = [r for r in rows(other.workspace.reports / "slices.csv") if r["cell"] == "plain-gaussian"]
    ends = np.quantile(data.X[:, 0], [0.25, 0.75])
    for found, inside in ((first, x <= ends[0]), (last, x > ends[1])):
        expected = paired_rows(right[inside][:, None], resolution=1.0)
        low, high = expected.interval(0.95)
        assert int(found["rows"]) == inside.sum()
        assert float(found["score"]) == pytest.approx(right[inside].mean())
        assert (float(found["low"]), float(found["high"])) == pytest.approx((max(0, low), min(1, high)))
    assert first["value"] == f"up to {ends[0]:g}"
    amounts = [r for r in rows(other.workspace.reports / "slices.csv") if r["cell"] == "amounts-ridge"]
    squares = [int(r["rows"]) * float(r["score"]) ** 2 for r in amounts]  # RMSE of each slice, not of all rows
    table = {(r["cell"], r["metric"]): r for r in rows(other.workspace.reports / "comparison.csv")}
    whole = float(table["amounts-ridge", "root_mean_squared_error"]["mean"])
    assert np.sqrt(sum(squares) / sum(int(r["rows"]) for r in amounts)) == pytest.approx(whole, rel=0.05)
    page = (other.workspace.reports / "report.html").read_text()
    assert "accuracy by x0, plain" in page
    assert f'<th scope="row">above {ends[1]:g}</th>' in page
    with pytest.raises(ValueError, match=r"comparison\.slices\.plain: .*'x7'"):
        build(other.workspace, other.cells, PROVENANCE, Comparison(slices={"plain": ("x7",)}))


def drawn(seed, n=300, shift=0.0):
    """Two numbers, of which the second may have moved, a category and a class."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=n), rng.normal(size=n) + shift, rng.integers(0, 3, n)])
    X[rng.random(n) < 0.1, 0] = np.nan
    columns = (Column("a"), Column("=b"), Column("c", ("red", "-green", "blue")))
    schema = Schema(Table(columns), Classes(("no", "yes"), "bought"))
    return Prepared(X, rng.integers(0, 2, n), schema, splits(n, 5), {})


def test_a_column_that_has_drifted_is_named_and_chance_alone_names_few(tmp_path):
    def counts(data):
        write_csv(tmp_path / "columns.csv", drift.COLUMNS, drift.rows_of_columns("shop", data))
        return drift.read((tmp_path / "columns.csv").read_text())["shop"]

    before = counts(drawn(0))
    assert drift.drifted("shop", drawn(0), before, 0.95) == []
    (found,) = drift.drifted("shop", drawn(1, shift=1.0), before, 0.95)
    assert (found.column, found.p_value < 1e-6, found.where.startswith("above ")) == ("=b", True, True)
    assert 0.3 < found.moved < 0.5  # of two normals a standard deviation apart, 0.38
    pairs = ((drawn(seed), counts(drawn(seed + 1000))) for seed in range(100))
    assert sum(bool(drift.drifted("shop", now, then, 0.95)) for now, then in pairs) <= 11  # of 100, at 5 % at most


def test_drift_since_the_last_report_stands_on_the_page(made, tmp_path):
    other = copied(made, tmp_path / "later")
    before = {name: (made.workspace.reports / name).read_text() for name in TABLES}
    data = prepared.read(other.workspace.prepared("plain"))
    moved = np.array(data.X)
    moved[:, 1] += 2
    prepared.write(tmp_path / "moved", replace(data, X=moved))
    shutil.rmtree(other.workspace.prepared("plain"))
    (tmp_path / "moved").rename(other.workspace.prepared("plain"))
    build(other.workspace, other.cells, PROVENANCE, before=before)
    page = (other.workspace.reports / "report.html").read_text()
    drifts = page[page.index("<caption>Columns that drifted") :].split("</table>")[0]
    assert re.findall(r'<th scope="row">(\w+)</th><td>(\w+)</td>', drifts) == [("plain", "x1")]


def test_built_again_it_is_the_same_and_costs_stand_apart(made, tmp_path):
    again = copied(made, tmp_path / "again")
    build(again.workspace, again.cells, PROVENANCE, COMPARISON)
    before, after = made.workspace.reports, again.workspace.reports
    for name in (*TEXTS, "costs.csv", "report.html"):
        assert (before / name).read_bytes() == (after / name).read_bytes()
    cost = again.workspace.training_cost("blobs-vae")
    changed = json.loads(cost.read_text())
    changed["repeats"][0] |= {"seconds": 1234.5, "energy_wh": 0.0625, "energy_by": "TDP"}
    write_json(cost, changed)
    build(again.workspace, again.cells, {"runs": {"blobs-vae": "tags.fingerprint = 'abc'"}, **PROVENANCE}, COMPARISON)
    for name in ("comparison.csv", "inputs.csv"):
        assert (before / name).read_bytes() == (after / name).read_bytes()
    assert (before / "costs.csv").read_bytes() != (after / "costs.csv").read_bytes()
    scores = [(folder / "report.md").read_text() for folder in (before, after)]
    assert scores[0] == scores[1]
    for picture in (before / "figures").iterdir():
        assert picture.read_bytes() == (after / "figures" / picture.name).read_bytes()
    pages = [(folder / "report.html").read_text() for folder in (before, after)]
    assert "tags.fingerprint = &#39;abc&#39;" in pages[1]
    assert ["energy of a fit, Wh" in page for page in pages] == [False, True]
    assert "Energy is that of processor and GPU, estimated from" in pages[1]
    assert "blobs-vae,blobs,vae,deep_generative,energy,Wh,0.0625," in (after / "costs.csv").read_text()


def test_provenance_is_shown(made):
    page = (made.workspace.reports / "report.html").read_text()
    assert "git checkout 0123abcd &amp;&amp; versus repro" in page
    assert "Nothing is tuned: every model has the arguments that params.yaml gives it." in page
    assert prepared.read(made.workspace.prepared("blobs")).about["description"] in page


def test_what_is_missing_failed_or_strange_is_named(made, tmp_path):
    """Two cells without evaluation, two that failed, one taken out of params, and a generator without classes."""
    again = copied(made, tmp_path / "again")
    shutil.rmtree(again.workspace.evaluation("official-vae"))
    again.workspace.model("official-vae").mkdir(parents=True)
    shutil.rmtree(again.workspace.evaluation("official-gaussian"))
    for cell, where, repeat in (("blobs-vae", "training", 2), ("plain-gaussian", "evaluation", None)):
        shutil.rmtree(again.workspace.evaluation(cell))
        reason = f"the loss is nan <b>of {cell}</b>"
        failure.write(again.workspace.evaluation(cell), failure.Failure(reason, where, repeat))
    np.save(again.workspace.evaluation("pictures-vae") / "sample_labels.npy", np.full(60, -1))
    kept = [cell for cell in again.cells if cell.name != "plain-vae"]
    build(again.workspace, kept, {})
    page, text = ((again.workspace.reports / f"report.{kind}").read_text() for kind in ("html", "md"))
    assert "<strong>official-vae</strong>: it was fitted but its evaluation failed" in page
    assert "<strong>official-gaussian</strong>: its fit failed" in page
    assert "plain-vae" not in page
    gaps = page.split('id="gaps"')[1]
    assert (
        "<strong>blobs-vae</strong>: its training failed in repeat 2: the loss is nan &lt;b&gt;of blobs-vae&lt;/b&gt;"
    ) in gaps
    assert "<strong>plain-gaussian</strong>: its evaluation failed: the loss is nan" in gaps
    assert "4 of 22 cells have no evaluation" in page
    assert "official-vae" in text
    said = text.split("## Skipped or failed")[1]
    assert "**blobs-vae**: its training failed in repeat 2: the loss is nan &lt;b&gt;of blobs-vae" in said
    scored = {r["cell"] for r in rows(again.workspace.reports / "comparison.csv")}
    assert not {"blobs-vae", "plain-gaussian", "official-vae", "official-gaussian", "plain-vae"} & scored
    assert page.count('alt="3 vae samples without a class"') == 3
    assert "vae (draws no classes)" in page
    # A failure is a result: it does not keep the best of the others from being known; a cell that is missing does.
    assert best_cells(again.workspace, kept)["blobs"].startswith("blobs-")
    shutil.rmtree(again.workspace.evaluation("plain-gaussian"))
    assert "plain" not in best_cells(again.workspace, kept)


def test_nothing_evaluated_is_a_page_too(tmp_path, made):
    build(Workspace(tmp_path), made.cells, {})
    assert "No data set has been prepared and evaluated yet" in (tmp_path / "reports" / "report.html").read_text()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("evaluation.json", "{", "not JSON"),
        ("evaluation.json", "{}", "without capabilities"),
        ("scores.csv", "repeat,metric\n", "without the column value"),
        ("scores.csv", "repeat,metric,value\n0,accuracy_score\n", "cut off"),
        ("scores.csv", "repeat,metric,value\n0,accuracy_score,high\n", "without a number"),
        ("confusion.csv", "true,count\n", "without the column predicted"),
        ("trials.csv", "repeat,loss,chosen,arguments,edges,failed\n0,0.1,1,{,{},\n", "without what a trial has"),
    ],
)
def test_a_damaged_file_names_itself(made, tmp_path, name, content, says):
    again = copied(made, tmp_path / "again")
    (again.workspace.evaluation("blobs-gaussian") / name).write_text(content)
    with pytest.raises(ValueError, match=rf"blobs-gaussian/{name} is .*{says}.*dvc repro"):
        build(again.workspace, again.cells, {})


def test_a_truncated_array_names_itself(made, tmp_path):
    again = copied(made, tmp_path / "again")
    path = again.workspace.evaluation("official-gaussian") / "predictions.npy"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"official-gaussian/predictions.npy is not a whole .npy file"):
        build(again.workspace, again.cells, {})


def test_plot_files(made):
    plots = made.workspace.reports / "plots"
    assert {p.stem for p in (plots / "learning_curves").iterdir()} == {
        f"{d}-vae" for d in ("blobs", "plain", "pictures", "official")
    }
    curve = rows(plots / "learning_curves" / "blobs-vae.csv")
    assert curve[3] == {"step": "3", "train_loss": "1.25", "validation_loss": "1.55"}
    (best,) = (plots / "confusion").glob("blobs-*")
    assert len(rows(best)) == 5 * 40  # a row for each test row of each repeat
    right = np.mean([r["actual"] == r["predicted"] for r in rows(best)])
    assert sum(int(r["rows"]) for r in rows(plots / "reliability" / best.name)) == 5 * 40
    metrics = [json.loads(path.read_text()) for path in (made.workspace.reports / "metrics").glob("blobs-*")]
    assert right == pytest.approx(max(m["accuracy_score"] for m in metrics))


def test_findings_are_shown_with_the_data_set_and_leaks_beside_the_verdict(made, tmp_path):
    other = copied(made, tmp_path / "leaky")
    leak = findings.Finding("leak-target", "column '<b>y_copy</b>'", "determines *all* of it", "It is late", "drop it")
    findings.write(other.workspace.prepared("blobs"), findings.Findings((leak,), ("constant",)))
    build(other.workspace, other.cells, PROVENANCE)
    page, text = ((other.workspace.reports / name).read_text() for name in ("report.html", "report.md"))
    assert "<strong>leak-target</strong>, column &#39;&lt;b&gt;y_copy&lt;/b&gt;&#39;: determines *all* of it." in page
    assert "Muted in params.yaml: constant." in page
    assert "determines \\*all\\* of it. drop it." in text
    line = next(line for line in text.splitlines() if line.startswith("- **blobs**"))
    assert "Its data have warnings: leak-target." in line
    assert "Found in the data" not in (made.workspace.reports / "report.html").read_text()


def test_regression_has_columns_of_its_own(made):
    page = (made.workspace.reports / "report.html").read_text()
    classification, regression = page.split("<caption>Decided by accuracy</caption>")[1].split(
        "<caption>Decided by RMSE</caption>"
    )
    assert "RMSE" not in classification.split("</thead>")[0]
    assert "accuracy" not in regression.split("</thead>")[0]
    assert "coverage" in regression.split("</thead>")[0]


def test_default_size_is_quick_and_light(tmp_path):
    """Sixty cells over eight data sets, one of them ten classes."""
    from tests.report.made_workspace import MODELS

    found = Made(Workspace(tmp_path))
    models = [replace(m, name=f"{m.name}{copy}" if copy else m.name) for copy in (0, 1) for m in MODELS][:8]
    for i in range(8):
        found.add_classification(f"set{i}", *blobs(10 if i == 0 else 3, 600, 10, seed=i), models=models)
    started = time.process_time()  # the machine may have other work, too
    build(found.workspace, found.cells, PROVENANCE)
    assert time.process_time() - started < 10
    assert (tmp_path / "reports" / "report.html").stat().st_size < 5_000_000


@pytest.mark.parametrize("repeats", [5, 1])
def test_tagged_sentences_are_compared_like_anything_else(tmp_path, repeats):
    found = Made(Workspace(tmp_path))
    found.add_tagging("tagged", n=240 if repeats > 1 else 600, repeats=repeats, fixed_test=repeats == 1)
    found.add_classification("blobs", *blobs())
    build(found.workspace, found.cells, PROVENANCE)
    reports = found.workspace.reports
    page, text = ((reports / f"report.{kind}").read_text() for kind in ("html", "md"))
    assert "- **tagged**, generative ahead. The generative side is ahead." in text
    assert "by_pair (token accuracy 100.0" in text
    assert "| tagged | by_word | by_pair (classical generative) | token accuracy |" in text
    table = {(r["cell"], r["metric"]): r for r in rows(reports / "comparison.csv")}
    by_word = table["tagged-by_word", "token_accuracy"]
    assert 0.5 < float(by_word["low"]) < float(by_word["mean"]) < float(by_word["high"]) < 1
    assert float(table["tagged-by_pair", "token_accuracy"]["from_best"]) == 0
    assert float(by_word["from_best_high"]) < 0
    assert json.loads((reports / "metrics" / "tagged-by_pair.json").read_text())["token_accuracy"] == 1
    tagged = page.split('id="data-tagged"')[1].split('id="data-blobs"')[0]
    assert "sequences of tokens, 6 different" in tagged
    assert "4 tags of tokens: determiner (" in tagged
    assert '<th scope="row">by_<wbr>pair</th>' in tagged
    assert "&lt;b&gt;big&lt;/b&gt;" in tagged
    assert "Confusion and reliability" not in tagged


def test_plane_shows_regions_and_contours(tmp_path):
    found = Made(Workspace(tmp_path))
    X, y, schema = blobs(2, 200, 2)
    found.add_classification("plane", X, y, schema)
    axes = np.stack([np.linspace(-4, 4, 30), np.linspace(-3, 5, 30)])
    first, second = np.meshgrid(*axes)  # as the evaluation has it, the first index runs along the second feature
    right = 1 / (1 + np.exp(-3 * first))
    folder = found.workspace.evaluation("plane-gaussian")
    np.save(folder / "grid.npy", axes)
    np.save(folder / "grid_probabilities.npy", np.stack([1 - right, right], axis=-1).astype(np.float32))
    np.save(folder / "grid_log_prob.npy", -(first**2 + (second - 1) ** 2) / 2)
    build(found.workspace, found.cells, {})
    page = (tmp_path / "reports" / "report.html").read_text()
    assert page.count("gaussian: decision regions and density") == 1
    contours = re.findall(r'class="contour" points="([^"]+)"><title>densest region with (\d+)% of the mass', page)
    assert [share for _, share in contours] == ["50", "80", "95"]
    for points, share in contours:
        x, y = np.array([p.split(",") for p in points.split()], float).T
        reach = np.sqrt(-2 * np.log(1 - int(share) / 100))  # of a standard Gaussian in two dimensions
        assert np.ptp(x) / 2 == pytest.approx(reach * (330 - 44) / 8, rel=0.06)
        assert (y.max() + y.min()) / 2 == pytest.approx(153, abs=3)  # centred at 1, the middle of the axis


def test_samples_stand_beside_real_ones_by_class(made):
    page = (made.workspace.reports / "report.html").read_text()
    for source in ("real", "gaussian", "vae"):
        assert f'alt="3 {source} samples of class square"' in page
    assert 'alt="vae: test images, and below each what is rebuilt from its code"' in page
