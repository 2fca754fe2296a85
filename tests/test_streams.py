"""A text without labels from its file to the page: blocks of windows, bits a character, continuations."""

import csv
import json

import numpy as np

from stages import compare, evaluate, train_classical_generative, train_deep_generative
from versus import params
from versus.report import results
from versus.report.sections import progression
from versus.tracking.drawings import draw
from versus.tracking.record import read

PARAMS = """
seed: 0
files:
  story: {source: text, path: story.txt, window: 40}
classical_generative:
  story-unigrams: {data: story, module: baseline, class: Unigrams}
  story-markov_chain: {data: story, module: markov_chain, class: MarkovChain, args: {order: 2}}
  story-lda: {data: story, module: topics, class: LatentDirichletAllocation, args: {n_components: 2, max_iter: 2}}
deep_generative:
  story-lstm: {data: story, module: lstm, class: LSTM, args: {window: 20, epochs: 9, learning_rate: 0.02}}
"""


def test_from_the_file_to_the_page(prepared_workspace, tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "story.txt").write_text("".join(rng.choice(["<b>abc ", "abd &\n"], 300)), encoding="utf-8")
    workspace = prepared_workspace(PARAMS, "story")
    for cell in ("story-unigrams", "story-markov_chain", "story-lda"):
        train_classical_generative.main(cell)
        evaluate.main(cell)
    train_deep_generative.main("story-lstm")
    evaluate.main("story-lstm")
    compare.main()
    with (tmp_path / "reports" / "comparison.csv").open() as file:
        rows = {(row["model"], row["metric"]): row for row in csv.DictReader(file)}
    chain, alone = (float(rows[m, "bits_per_character"]["mean"]) for m in ("markov_chain", "unigrams"))
    assert chain < 0.5 < 2.0 < alone
    assert float(rows["lstm", "bits_per_character"]["mean"]) < alone - 0.5
    assert float(rows["markov_chain", "bits_per_character"]["high"]) < alone
    for cell in ("story-markov_chain", "story-lstm"):
        found = json.loads((workspace.evaluation(cell) / "evaluation.json").read_text())
        assert [told["temperature"] for told in found["continuations"]] == [0.5, 0.8, 1.0]
    assert "accuracy_score" not in {metric for _, metric in rows}
    assert "draws data without classes" in str(found["skipped"])
    lda = json.loads((workspace.evaluation("story-lda") / "evaluation.json").read_text())
    assert "exact probability" in str(lda["skipped"])
    page = (tmp_path / "reports" / "report.html").read_text(encoding="utf-8")
    assert "no model of P(y|x) can be fitted" in page
    assert "temperature 0.8" in page
    assert "&lt;b&gt;abc" in page
    assert "<b>abc" not in page
    known = params.read(workspace.params)
    data = results.read(workspace, list(params.cells(known)), comparison=known.comparison).datasets[0]
    draw(workspace.evaluation("story-markov_chain"), data.prepared.schema, tmp_path)
    assert (tmp_path / "learned.txt").read_text().count("temperature") == 3
    epochs, (cell, told) = check_progression(workspace, data, page)
    draw(workspace.evaluation(cell.name), data.prepared.schema, tmp_path)
    assert (tmp_path / "progression.txt").read_text().count("--- after epoch") == len(told) == 2 * len(epochs)
    logged = {point.key for point in read(workspace, data.evaluations[0].cell).scores}
    assert {"nats_per_token", "bits_per_character"} <= logged


def check_progression(workspace, data, page):
    """Texts of the first epochs are of the tokens of the story; later ones have its words, earlier ones have not."""
    ((cell, told),) = progression.content(data)["texts"]
    with np.load(workspace.model("story-lstm") / "progression.npz") as file:
        epochs, texts = file["epochs"], file["texts"]
    assert (cell.name, texts.shape, texts.dtype) == ("story-lstm", (len(epochs), 2, 120), np.int32)
    assert [epoch for epoch, _ in told] == np.repeat(epochs, 2).tolist()
    (first, *_, last) = ([text for epoch, text in told if epoch == each] for each in epochs)
    assert "".join(first).count("<b>abc ") < "".join(last).count("<b>abc ")
    assert page.count("after epoch") == len(told)
    return epochs, (cell, told)
