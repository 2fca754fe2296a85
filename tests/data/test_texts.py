import gzip

import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data.errors import DataError
from versus.data.spaces import Tokens
from versus.data.targets import Nothing

TEXTS = ("Good, very good!", "bad", "not good", "fine", "bad bad", "A")
REVIEWS = list(zip(TEXTS, ("pos", "neg", "neg", "pos", "neg", "pos"), strict=True))
VOCABULARY = ("a", "bad", "fine", "good", "not", "very")
CONLLU = """# sent_id = 1
# text = Dogs don't bark
1\tDogs\tdog\tNOUN\tNNS\t_\t3\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVBP\t_\t3\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
4\tbark\tbark\tVERB\tVB\t_\t0\troot\t_\t_
4.1\tloudly\t_\tADV\t_\t_\t_\t_\t_\t_

# sent_id = 2
1\t#\t#\tSYM\tNN\t_\t0\troot\t_\t_
2\t1\t1\tNUM\tCD\t_\t1\tdep\t_\t_

1\tBark\tbark\tVERB\tVB\t_\t0\troot\t_\t_
"""
COLUMNS = """-DOCSTART- -X- O

EU NNP B-ORG
rejects VBZ O

Peter NNP B-PER

He PRP O
"""


def texts(found):
    return [" ".join(found.schema.x.words(sequence)) for sequence in found.X]


def labels(found):
    return [found.schema.classes[k] for k in found.y]


def check_reviews(found):
    assert found.schema.x.vocabulary == VOCABULARY
    assert sorted(zip(texts(found), labels(found), strict=True)) == sorted(
        (text.lower().replace(",", "").replace("!", ""), label) for text, label in REVIEWS
    )
    assert found.X.values.dtype == np.int32
    assert found.y.dtype == np.int64
    assert found.about["tokens"] == {"total": 10, "different": 6, "shortest": 1, "longest": 3}
    assert found.about["classes"] == {"neg": 3, "pos": 3}


def test_a_table_with_a_column_of_texts(desk: Desk):
    desk.write(
        "t.csv", "id,text,class\n" + "".join(f'{i},"{text}",{label}\n' for i, (text, label) in enumerate(REVIEWS))
    )
    check_reviews(desk.prepare(source="documents", path="t.csv", text="text", target="class"))


def test_tabs_are_known_by_the_name_and_gzip_by_the_content(desk: Desk):
    desk.write("t.tsv.gz", gzip.compress("".join(f"{label}\t{text}\n" for text, label in REVIEWS).encode()))
    check_reviews(desk.prepare(source="documents", path="t.tsv.gz", text="c1", target="c0", header=False))


@pytest.mark.parametrize("form", ["{label} {text}\n", "{label}\t{text}\n", "__label__{label} {text}\r\n"])
def test_lines_that_begin_with_their_class(desk: Desk, form):
    desk.write("t.txt", "\n".join(form.format(label=label, text=text) for text, label in REVIEWS))
    check_reviews(desk.prepare(source="documents", path="t.txt"))


def test_a_folder_for_each_class_and_an_official_test_set(desk: Desk):
    for i, (text, label) in enumerate(REVIEWS):
        desk.write(f"reviews/train/{label}/{i}.txt", text)
    check_reviews(desk.prepare(source="documents", path="reviews/train"))
    desk.write("reviews/test/neg/1.txt", "so bad")
    found = desk.prepare(source="documents", path="reviews", file="train", test_path="test")
    assert (found.repeats, len(found.take(0, "test")[0])) == (1, 1)
    assert texts(found)[-1] == "so bad"
    assert [file["path"] for file in found.about["files"]] == ["train", "test"]
    before = found.about["files"][0]["sha256"]
    desk.write("reviews/train/neg/1.txt", "worse")
    again = desk.prepare(source="documents", path="reviews", file="train", test_path="test")
    assert again.about["files"][0]["sha256"] != before


@pytest.mark.parametrize("name", ["{}.txt", "reviews.{}", "{}.gz"])
def test_a_file_for_each_class_with_a_document_a_line(desk: Desk, name):
    for label in ("pos", "neg"):
        content = "\n".join(text for text, other in REVIEWS if other == label).encode()
        desk.write(f"r/{name.format(label)}", gzip.compress(content) if name.endswith("gz") else content)
    check_reviews(desk.prepare(source="documents", path="r"))


def test_classes_can_be_merged_and_left_out(desk: Desk):
    desk.write("t.txt", "".join(f"{label} {word} x\n" for label in "abcd" for word in ("p", "q", "r")))
    found = desk.prepare(source="documents", path="t.txt", label_map={"d": None, "b": "c"})
    assert (found.schema.classes, len(found.X), len(found.y)) == (("a", "c"), 9, 9)
    assert texts(found)[-1] == "r x"


def test_words_are_cut_as_stated():
    assert Tokens((), r"\w+", lowercase=True).cut("Don't PANIC, it's 42 ünder_way…") == [
        "don",
        "t",
        "panic",
        "it",
        "s",
        "42",
        "ünder_way",
    ]
    assert Tokens((), r"\w").cut("Ab c") == ["A", "b", "c"]
    assert Tokens((), lowercase=True).cut("Do n't .") == ["do", "n't", "."]


def test_a_text_without_words_stays_with_a_warning(desk: Desk):
    desk.write("t.txt", "".join(f"{label} {word}\n" for label in "ab" for word in ("p", "q", "r", "!")))
    found = desk.prepare(source="documents", path="t.txt")
    assert found.X.lengths.tolist() == [1, 1, 1, 0] * 2
    assert found.about["warnings"] == ["2 of 8 texts have no words, such as t.txt, line 4"]


def test_limit_keeps_whole_documents_of_every_class(desk: Desk):
    desk.write("t.txt", "".join(f"{label} {label} {i}\n" for label in "ab" for i in range(50)))
    found = desk.prepare(source="documents", path="t.txt", limit=20)
    assert sorted(labels(found)) == ["a"] * 10 + ["b"] * 10
    assert all(text.startswith(label) for text, label in zip(texts(found), labels(found), strict=True))


@pytest.mark.parametrize(("content", "spec", "message"), [
    ("a good\nbad\n", {}, r"t.txt, line 2: is 'bad'; wants a class, a blank or tab, and the text"),
    ("", {}, "t.txt: holds no documents"),
    (b"a good\nb caf\xe9\n", {}, r"t.txt, line 2: byte 6 of it \(0xe9\) is not utf-8; say `encoding: latin-1`"),
    (b"a good\n", {"encoding": "klingon"}, "unknown encoding 'klingon'"),
    (gzip.compress(b"a good\n" * 999, mtime=0)[:40], {}, "t.txt: cannot be read to its end"),
    ("a !\nb ?\n", {}, "t.txt: has no words in 2 texts"),
    ("a good\nb bad\n", {}, "a class of the target 'class' needs at least 3 members"),
    ("text,class\ngood,a\n", {"text": "txet", "target": "class"}, "unknown column 'txet'; did you mean 'text'"),
    ("text,class\ngood,a\nbad\n", {"text": "text", "target": "class"}, "t.txt, line 3: has 1 fields where 2"),
])  # fmt: skip
def test_what_is_wrong_with_documents_is_named(desk: Desk, content, spec, message):
    desk.write("t.txt", content)
    with pytest.raises(DataError, match=message):
        desk.prepare(source="documents", path="t.txt", **spec)


def test_universal_dependencies(desk: Desk):
    """Comments, spans of several words and words left out in speech are no tokens; a # can be one."""
    desk.write("t.conllu", CONLLU)
    found = desk.prepare(source="conll", path="t.conllu")
    assert texts(found) == ["Dogs do n't bark", "# 1", "Bark"]
    assert [[found.schema.classes[k] for k in tags] for tags in found.y] == [
        ["NOUN", "AUX", "PART", "VERB"], ["SYM", "NUM"], ["VERB"],
    ]  # fmt: skip
    assert found.y.starts.tolist() == found.X.starts.tolist() == [0, 4, 6, 7]
    assert found.about["tags"] == {"AUX": 1, "NOUN": 1, "NUM": 1, "PART": 1, "SYM": 1, "VERB": 2}
    finer = desk.prepare(source="conll", path="t.conllu", tag=5, lowercase=True)
    assert finer.schema.classes == ("CD", "NN", "NNS", "RB", "VB", "VBP")
    assert texts(finer)[0] == "dogs do n't bark"


def test_columns_of_other_shared_tasks_and_an_official_test_set(desk: Desk):
    desk.write("ner/train.txt", COLUMNS)
    desk.write("ner/test.txt.gz", gzip.compress(b"Paris NNP B-LOC\n"))
    found = desk.prepare(source="conll", path="ner", file="train.txt", test_path="test.txt.gz")
    assert texts(found) == ["EU rejects", "Peter", "He", "Paris"]
    assert found.schema.classes == ("B-LOC", "B-ORG", "B-PER", "O")
    assert found.splits["test"][0].tolist() == [3]
    assert desk.prepare(source="conll", path="ner/train.txt", tag=2).schema.classes == ("NNP", "PRP", "VBZ")


@pytest.mark.parametrize(("content", "spec", "message"), [
    ("a\tX\n\nb\tX\tY\n", {}, r"t.conll, line 3: has 3 columns where 2 are expected: 'b X Y'"),
    ("a\nb\n", {}, "line 1: has 1 columns; wants the word in column 1 and its tag in column 2"),
    ("a X\n", {"tag": 5}, "line 1: has 2 columns; wants the word in column 1 and its tag in column 5"),
    ("a\t\n", {}, "line 1: the word is 'a' and its tag ''"),
    ("# sent_id = 1\n\na\tX\n", {}, "line 1: a sentence without words"),
    ("", {}, "holds no sentences"),
    (b"a\tX\n\xff\tX\n", {}, r"line 2: byte 1 of it \(0xff\) is not utf-8"),
    ("a X\n\nb X\n", {}, "2 rows are too few"),
])  # fmt: skip
def test_what_is_wrong_with_sentences_is_named(desk: Desk, content, spec, message):
    desk.write("t.conll", content)
    with pytest.raises(DataError, match=message):
        desk.prepare(source="conll", path="t.conll", **spec)


def test_a_text_is_windows_in_a_row(desk: Desk):
    text = "\n".join(f"Line {i}, of a Text!" for i in range(60))
    desk.write("t.txt", text)
    found = desk.prepare(source="text", path="t.txt", window=50)
    assert "".join(found.schema.x.text(window) for window in found.X) == text[: found.X.starts[-1]]
    assert (found.X.lengths[:-1] == 50).all()
    assert isinstance(found.schema.y, Nothing)
    assert found.repeats == 5
    tested = np.concatenate([found.rows(r, "test") for r in range(5)])
    np.testing.assert_array_equal(tested, np.arange(len(found.X)))
    desk.write("test.txt", "of a Line")
    words = desk.prepare(source="text", path=".", file="t.txt", test_path="test.txt", unit="words", window=4)
    assert [words.schema.x.text(window) for window in words.X][:2] == ["Line 0 , of", "a Text ! Line"]
    assert words.schema.x.text(words.take(0, "test")[0][0]) == "of a Line"
    part = desk.prepare(source="text", path="t.txt", window=50, limit=10)
    np.testing.assert_array_equal(part.X.values, found.X[:10].values)
    with pytest.raises(DataError, match="shorter `window:`"):
        desk.prepare(source="text", path="t.txt", window=900)
