import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.models.small_text import bracketed, sentences
from versus.arrays import Ragged
from versus.data import preparation
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.schema import Schema
from versus.data.spaces import Column, Image, Table, Tokens
from versus.data.targets import Classes, Number
from versus.models import find
from versus.models.classical_generative.hidden_markov import HiddenMarkovModel
from versus.models.classical_generative.hidden_markov_gaussian import GaussianHiddenMarkovModel
from versus.models.classical_generative.naive_bayes_counts import MultinomialNaiveBayes
from versus.models.discriminative.token_logistic import TokenLogisticRegression
from versus.serving import files, frames, prediction

FLOWERS = Schema(
    Table((Column("length"), Column("colour", ("blue", "red")), Column("rooms", ("2", "3", "10")))),
    Classes(("setosa", "virginica"), "species"),
)
DIGITS = Schema(Image((4, 4), 17), Classes(("zero", "one")))


@pytest.fixture(scope="module")
def table() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = np.column_stack([rng.normal(3 * y, 1), (rng.uniform(size=200) < 0.2 + 0.6 * y), rng.integers(0, 3, 200)])
    return X.astype(float), y


@pytest.fixture(scope="module")
def classifier(table: tuple[np.ndarray, np.ndarray]) -> Any:
    model = find("classical_generative", "naive_bayes", "MixedNaiveBayes")(schema=FLOWERS)
    return model.fit(*table)


@pytest.fixture(scope="module")
def of_images() -> Any:
    rng = np.random.default_rng(1)
    y = np.arange(60) % 2
    X = rng.integers(0, 8, (60, 4, 4)).astype(np.uint8) + 8 * y[:, None, None].astype(np.uint8)
    return find("classical_generative", "naive_bayes", "GaussianNaiveBayes")(schema=DIGITS).fit(X, y)


def test_a_table_with_original_names_is_what_the_model_was_fitted_on(table: Any, classifier: Any) -> None:
    X, _ = table
    frame = frames.decode(X, FLOWERS)
    assert list(frame.columns) == ["length", "colour", "rooms"]
    assert set(frame["rooms"]) == {"2", "3", "10"}
    np.testing.assert_array_equal(frames.encode(frame, FLOWERS), X)
    found = prediction.predict(classifier, frame)
    np.testing.assert_array_equal(found[["probability_setosa", "probability_virginica"]], classifier.predict_proba(X))
    assert list(found["prediction"]) == [FLOWERS.classes[k] for k in classifier.predict(X)]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("length", [1, 2, None]),
        ("length", ["1", "2e0", ""]),
        ("length", pd.array([1, 2, None], dtype="Int64")),
        ("length", [1.0, np.float32(2), np.nan]),
        ("rooms", [3, 10.0, None]),
        ("rooms", pd.Categorical(["3", "10", None])),
        ("rooms", [" 3", "10", "?"]),
        ("rooms", np.array(["3", "10", "nan"], dtype=object)),
    ],
)
def test_values_are_read_however_they_are_kept(column: str, values: Any) -> None:
    frame = pd.DataFrame({"other": 0, "rooms": ["2"] * 3, "colour": ["red"] * 3, "length": [0.5] * 3})
    frame[column] = values
    found = frames.encode(frame, FLOWERS)[:, 0 if column == "length" else 2]
    np.testing.assert_array_equal(found, [1, 2, np.nan])


def test_a_category_that_looks_like_missing_is_a_category() -> None:
    schema = Schema(Table((Column("roof", ("NA", "tiles")),)), Classes(("a", "b")))
    np.testing.assert_array_equal(
        frames.encode(pd.DataFrame({"roof": ["NA", "tiles", "?"]}), schema)[:, 0], [0, 1, np.nan]
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": ["red", "green"]}, r"row 2, column 'colour': 'green' is not one of 'blue', 'red'"),
        ({"length": ["1", "wide"]}, r"row 2, column 'length': 'wide' is not a number"),
        ({"length": [np.inf, 1.0]}, r"row 1, column 'length': 'inf' is not a number"),
        ({"colour": None}, r"columns 'colour' are missing; unknown column 'colour'; did you mean 'color'\?"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    frame = pd.DataFrame({"length": [1.0, 2.0], "colour": ["red"] * 2, "rooms": ["2"] * 2})
    ((name, values),) = change.items()
    frame = frame.rename(columns={"colour": "color"}) if values is None else frame.assign(**{name: values})
    with pytest.raises(DataError, match=message):
        frames.encode(frame, FLOWERS)


NAMES = ["a", "flag", "code", "y"]
DECLARED = "".join(f"@attribute {name} {kind}\n" for name, kind in zip(NAMES, ("real", *["string"] * 3), strict=True))


@pytest.mark.parametrize("way", ["{},5", "{}.5 %", "-", "no header", "gzip", "arff"])
def test_a_model_reads_the_file_it_was_fitted_on(tmp_path: Path, way: str) -> None:
    numbers = [f"{i * 7 % 60}.5" if "{" not in way else way.format(i * 7 % 60) for i in range(90)]
    if way == "-":
        numbers[::15] = "-" * 6
    rows = [[number, str(i % 3 == 0), f"{i % 4:03d}", "pq"[i % 2]] for i, number in enumerate(numbers)]
    names = ["c0", "c1", "c2", "c3"] if way == "no header" else NAMES
    lines = [(";" if way == "{},5" else ",").join(row) + "\n" for row in [NAMES, *rows]]
    if way in ("arff", "no header"):
        lines[0] = f"@relation r\n{DECLARED}@data\n" if way == "arff" else ""
    text = "".join(lines).encode()
    path = tmp_path / {"gzip": "t.csv.gz", "arff": "t.arff"}.get(way, "t.csv")
    path.write_bytes(gzip.compress(text) if way == "gzip" else text)
    data = preparation.prepare("t", inspect(path, names[-1], tmp_path).entry, tmp_path)
    schema = Schema.from_json(json.loads(json.dumps(data.schema.to_json())))
    np.testing.assert_array_equal(frames.encode(files.read(path, schema), schema), data.X)
    np.testing.assert_array_equal(frames.encode(pd.DataFrame(rows, columns=names), schema), data.X)
    if way == "no header":  # and the same rows without their classes
        path.write_text("".join(",".join(row[:-1]) + "\n" for row in rows))
        np.testing.assert_array_equal(frames.encode(files.read(path, schema), schema), data.X)


def test_an_array_of_rows_is_read(tmp_path: Path) -> None:
    X = np.arange(60.0).reshape(30, 2)
    np.savez(tmp_path / "t.npz", data=X, y=np.arange(30) % 2)
    schema = preparation.prepare("t", {"source": "npz", "path": "t.npz", "x": "data"}, tmp_path).schema
    np.save(tmp_path / "new.npy", X[:5])
    for name, expected in (("t.npz", X), ("new.npy", X[:5])):
        np.testing.assert_array_equal(frames.encode(files.read(tmp_path / name, schema), schema), expected)


def test_categories_are_found_by_value_and_unseen_ones_are_missing_on_request() -> None:
    names = ("False", "True", "1", "01", "2", "a", "A")
    schema = Schema(Table((Column("c", names),)), Classes(("u", "v")))
    found = frames.encode(pd.DataFrame({"c": [True, "false", "1", "01", 2.0, "2.0", "A"]}), schema)[:, 0]
    np.testing.assert_array_equal(found, [1, 0, 2, 3, 4, 4, 6])
    for unclear in ("1.0", "b"):
        with pytest.raises(DataError, match=r"is not one of .*`unseen: missing`"):
            frames.encode(pd.DataFrame({"c": ["2", unclear]}), schema)
        assert np.isnan(frames.encode(pd.DataFrame({"c": ["2", unclear]}), schema, "missing")[1, 0])


def test_files_of_tables_are_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"length": [1.5, None], "colour": ["red", None], "rooms": [3, 10], "species": ["?", "?"]})
    expected = [[1.5, 1, 1], [np.nan, np.nan, 2]]
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "b.csv", index=False, sep=";")
    frame.assign(note="é").to_csv(tmp_path / "c.csv.gz", index=False, encoding="latin-1")
    for name in ("a.csv", "a.tsv", "a.parquet", "b.csv", "c.csv.gz"):
        np.testing.assert_array_equal(frames.encode(files.read(tmp_path / name, FLOWERS), FLOWERS), expected)
    for name, content in (
        ("a.xlsx", b"PK"),
        ("broken.parquet", b"no"),
        ("cut.csv.gz", (tmp_path / "c.csv.gz").read_bytes()[:30]),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=name):
            files.read(tmp_path / name, FLOWERS)
    with pytest.raises(DataError, match="does not exist"):
        files.read(tmp_path / "none.csv", FLOWERS)


def test_files_of_images_are_read(tmp_path: Path) -> None:
    from PIL import Image

    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4)
    np.save(tmp_path / "one.npy", pixels)
    np.save(tmp_path / "two.npy", np.stack([pixels, pixels]))
    Image.fromarray(pixels).save(tmp_path / "one.png")
    for name, n in (("one.npy", 1), ("two.npy", 2), ("one.png", 1)):
        found = frames.encode(files.read(tmp_path / name, DIGITS), DIGITS)
        np.testing.assert_array_equal(found, np.stack([pixels] * n))
    with pytest.raises(DataError, match=r"pixels range from 0 to 30; the model takes 0 to 16"):
        frames.encode(np.stack([pixels]) * 2, DIGITS)
    with pytest.raises(DataError, match="the model takes numbers"):
        frames.encode(np.zeros((3, 5, 5)), DIGITS)


def test_images_are_predicted_with_their_labels(of_images: Any) -> None:
    found = prediction.predict(of_images, np.stack([np.full((4, 4), 2), np.full((4, 4), 14)]))
    assert list(found["prediction"]) == ["zero", "one"]


def test_numbers_come_with_the_interval_that_holds_them() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(300, 1))
    y = 2 * X[:, 0] + rng.normal(size=300)
    schema = Schema(Table((Column("x"),)), Number("y"))
    model = find("classical_generative", "regression", "GaussianRegression")(schema=schema).fit(X, y)
    found = prediction.predict(model, pd.DataFrame({"x": X[:, 0]}))
    inside = (found["lower"] <= y) & (y <= found["upper"])
    assert 0.9 < inside.mean() < 0.99
    np.testing.assert_array_equal(found["prediction"], model.predict(X))


def test_samples_have_the_original_names_and_the_class_that_was_asked_for(classifier: Any) -> None:
    drawn = prediction.sample(classifier, 400, "virginica", random_state=3)
    assert list(drawn.columns) == ["length", "colour", "rooms", "species"]
    assert set(drawn["species"]) == {"virginica"}
    assert drawn["length"].mean() == pytest.approx(3, abs=0.3)
    assert (drawn["colour"] == "red").mean() == pytest.approx(0.8, abs=0.1)
    both = prediction.sample(classifier, 400, random_state=3)
    assert list(both.columns) == ["length", "colour", "rooms", "species"]
    assert both["length"].mean() == pytest.approx(1.5, abs=0.3)
    pd.testing.assert_frame_equal(both, prediction.sample(classifier, 400, random_state=3))
    assert not both.equals(prediction.sample(classifier, 400))


def test_samples_of_images_are_pixels(of_images: Any) -> None:
    drawn = prediction.sample(of_images, 5, "one", random_state=0)
    assert (drawn.shape, drawn.dtype) == ((5, 4, 4), np.uint8)
    assert drawn.max() <= 16


def test_what_cannot_be_sampled_or_predicted_says_why(classifier: Any, table: Any) -> None:
    with pytest.raises(DataError, match=r"unknown class 'virginia'; did you mean 'virginica'\?"):
        prediction.sample(classifier, 3, "virginia")
    with pytest.raises(DataError, match="n is 0"):
        prediction.sample(classifier, 0)
    prior = find("discriminative", "baseline", "PriorBaseline")(schema=FLOWERS).fit(*table)
    with pytest.raises(DataError, match="take a generative model"):
        prediction.sample(prior, 3)
    density = find("deep_generative", "vae", "VAE")(schema=FLOWERS)
    with pytest.raises(DataError, match="predicts nothing"):
        prediction.predict(density, frames.decode(table[0][:3], FLOWERS))


def test_texts_are_classified_and_drawn_as_words(tmp_path: Path) -> None:
    words = Ragged.of([[0, 1, 2], [0, 0, 1], [3, 4], [4, 3, 3]], np.int32)
    schema = Schema(Tokens(("good", "great", "fun", "bad", "dull"), r"\w+", lowercase=True), Classes(("pro", "con")))
    model = MultinomialNaiveBayes(schema=schema).fit(words, np.array([0, 0, 1, 1]))
    (tmp_path / "texts.txt").write_text("Great FUN, zebra!\n\nbad\n")
    data = files.read(tmp_path / "texts.txt", schema)
    answers = prediction.predict(model, data)
    assert answers["prediction"].tolist() == ["pro", "pro", "con"]  # a text without words is as frequent as its class
    exact = model.predict_proba(Ragged.of([[1, 2], [], [3]], np.int32))
    np.testing.assert_allclose(answers[["probability_pro", "probability_con"]], exact)
    drawn = prediction.sample(model, 5, "con", random_state=0)
    assert list(drawn) == ["text", "target"]
    assert {word for text in drawn["text"] for word in text.split()} <= set(schema.x.vocabulary)
    with pytest.raises(DataError, match="'text' is missing; the table has 'words'"):
        prediction.predict(model, data.rename(columns={"text": "words"}))


def test_sentences_are_tagged_with_words_that_the_model_never_met() -> None:
    X, y, schema = sentences()
    model = TokenLogisticRegression(schema=schema).fit(X, y)
    hidden = HiddenMarkovModel(rare_count=100, suffix_length=2, suffix_members=3, schema=schema).fit(X, y)
    asked = pd.DataFrame({"text": ["the fish fish .", "the joker jokes ."]})
    for tagger in (model, hidden):
        assert prediction.predict(tagger, asked)["prediction"].tolist() == ["DET NOUN VERB PUNCT"] * 2
    assert len(prediction.sample(hidden, 4, random_state=0)) == 4
    with pytest.raises(DataError, match="row 2 has no words"):
        prediction.predict(model, pd.DataFrame({"text": ["the fish", " "]}))
    with pytest.raises(DataError, match="no class"):
        prediction.sample(hidden, 2, "NOUN")


def test_sentences_are_parsed_with_words_that_the_model_never_met() -> None:
    X, y, schema = bracketed(60)
    model = find("classical_generative", "pcfg", "PCFG")(suffix_length=2, schema=schema).fit(X, y)
    answers = prediction.predict(model, pd.DataFrame({"text": ["the xyzer of a zyxer zzzed"]}))
    noun, phrase = "(NP (D the) (N xyzer))", "(PP (P of) (NP (D a) (N zyxer)))"
    assert answers["prediction"].tolist() == [f"(S (NP {noun} {phrase}) (VP (V zzzed)))"]
    assert len(prediction.sample(model, 4, random_state=0)) == 4
    with pytest.raises(DataError, match="row 1 has no words"):
        prediction.predict(model, pd.DataFrame({"text": [" "]}))


def test_steps_of_sequences_are_tagged_row_by_row(tmp_path: Path) -> None:
    rows = [
        (f"{'ab'[i % 2]}{i // 40}", i // 10 % 2 * 3 + i % 7 / 7, "up" if i // 10 % 2 else "down") for i in range(240)
    ]
    frame = pd.DataFrame(rows, columns=["seq", "height", "state"])  # rows of two sequences alternate
    frame.to_csv(tmp_path / "t.csv", index=False)
    entry = {"source": "csv", "path": "t.csv", "target": "state", "sequence": "seq"}
    data = preparation.prepare("t", entry, tmp_path)
    model = GaussianHiddenMarkovModel(schema=data.schema).fit(data.X, data.y)
    read = files.read(tmp_path / "t.csv", data.schema)
    for given in (frame, read, frame.drop(columns="state")):
        assert prediction.predict(model, given)["prediction"].tolist() == frame["state"].tolist()
    drawn = prediction.sample(model, 5, random_state=0)
    assert list(drawn.columns) == ["height", "seq"]
    assert drawn["seq"].nunique() == 5
    assert len(prediction.predict(model, drawn)) == len(drawn)
    with pytest.raises(DataError, match="ids of the sequences are missing; unknown column 'seq'"):
        prediction.predict(model, frame.rename(columns={"seq": "seqs"}))
    with pytest.raises(DataError, match="row 8, column 'height' has no value"):
        prediction.predict(model, frame.assign(height=frame["height"].where(frame.index != 7)))


@pytest.mark.parametrize("names", [("0", "1"), ("-1", "2"), ("0.5", "1.5"), ("False", "True"), ("a", "7"), ("b", "07")])
def test_a_frame_of_the_training_file_gives_labels_of_its_own_type(tmp_path: Path, names: tuple[str, str]) -> None:
    rows = [f"{i % 7}.5,{i % 3 == 0},{names[i % 2]}\n" for i in range(90)]
    (tmp_path / "t.csv").write_text("a,flag,y\n" + "".join(rows))
    data = preparation.prepare(
        "t", {"source": "csv", "path": "t.csv", "target": "y", "task": "classification"}, tmp_path
    )
    model = find("classical_generative", "naive_bayes", "MixedNaiveBayes")(schema=data.schema).fit(data.X, data.y)
    frame = pd.read_csv(tmp_path / "t.csv")
    found = prediction.predict(model, frame)["prediction"]
    assert found.to_numpy().dtype == frame["y"].to_numpy().dtype
    assert set(found) <= set(frame["y"])
    for label in set(frame["y"]):
        assert set(prediction.sample(model, 5, label, 0)["y"]) == {label}


@pytest.mark.parametrize(
    ("family", "module", "name", "arguments"),
    [
        ("classical_generative", "naive_bayes", "MixedNaiveBayes", {}),
        ("deep_generative", "vae", "ConditionalVAE", {"epochs": 1}),
        ("deep_generative", "gan", "GAN", {"conditional": True, "epochs": 1}),
    ],
)
def test_samples_have_classes_as_frequent_as_in_the_data(
    family: str, module: str, name: str, arguments: dict[str, Any]
) -> None:
    y = (np.arange(200) % 5 == 0).astype(int)
    X = np.random.default_rng(0).normal(5.0 * y, 1.0)[:, None]
    schema = Schema(Table((Column("x"),)), Classes(("no", "yes"), "answer"))
    model = find(family, module, name)(**arguments, random_state=0, schema=schema)
    model.fit(X, y)
    drawn = prediction.sample(model, 2000, random_state=1)
    assert 300 < (drawn["answer"] == "yes").sum() < 500  # 400, of standard deviation 18
    if family == "classical_generative":
        assert drawn.groupby("answer")["x"].mean().to_numpy() == pytest.approx([0, 5], abs=0.4)
        assert list(drawn.columns) == ["x", "answer"]
