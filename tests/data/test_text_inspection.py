"""`versus add` knows texts when it sees them, and proposes an entry that reads them."""

import gzip

import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.data.inspect.inspection import inspect
from versus.data.preparation import prepare
from versus.data.spaces import Table, Tokens
from versus.data.targets import Classes, Nothing, Tags

STORY = "the film was a long slow story of love and war that nobody will see again"
WORDS = STORY.split()


def text(i: int) -> str:
    """A sentence of its own for each number."""
    return " ".join(np.random.default_rng(i).choice(WORDS, 7)) + f" no{i}"


def table(n: int = 60) -> str:
    return "text,label\n" + "".join(f'"{text(i)}, she said",{"pos" if i % 2 else "neg"}\n' for i in range(n))


def sentence(i: int) -> str:
    return "".join(f"{j}\t{word}\t_\t{'NV'[j % 2]}\t_\t_\t_\t_\t_\t_\n" for j, word in enumerate(text(i).split(), 1))


def found(desk: Desk, path: str, target: str | None = None):
    proposal = inspect(desk.folder / path, target, base=desk.folder)
    again = prepare(proposal.name, proposal.entry, desk.folder)
    assert again.schema == proposal.dataset.schema
    return proposal.entry, again, proposal.describe()


def test_three_thousand_texts_are_documents_and_no_column_of_categories(desk: Desk):
    desk.write("reviews.csv", table(3000))
    entry, data, said = found(desk, "reviews.csv")
    assert entry == {"source": "documents", "path": "reviews.csv", "target": "label", "text": "text"}
    assert isinstance(data.schema.x, Tokens)
    assert data.schema.y == Classes(("neg", "pos"), "label")
    assert data.X.values.nbytes + data.X.starts.nbytes < 300_000
    assert "'text' holds texts" in said
    assert "texts of 30000 words" in said


@pytest.mark.parametrize(("name", "content", "entry"), [
    ("t.tsv", "".join(f'{"pn"[i % 2]}\t"{text(i)}\n' for i in range(60)),
     {"text": "c1", "target": "c0", "header": False, "quote": False, "delimiter": "\t"}),
    ("t.csv", table().replace(",", ";"), {"text": "text", "target": "label", "delimiter": ";"}),
    ("t.csv.gz", gzip.compress(("id," + table().replace("\n", "\n7,")).rsplit("\n", 1)[0].encode(), mtime=0),
     {"text": "text", "target": "label"}),
    ("t.csv", table().replace("love", "café").encode("latin-1"),
     {"encoding": "cp1252", "text": "text", "target": "label"}),
    ("t.txt", "".join(f"{i % 3} {text(i)}\n" for i in range(60)), {}),
    ("train.ft", "".join(f"__label__{'ab'[i % 2]} {text(i)}\n" for i in range(60)), {}),
], ids=["tabs", "semicolons", "gzip", "latin-1", "lines", "fasttext"])  # fmt: skip
def test_files_of_documents(desk: Desk, name, content, entry):
    desk.write(name, content)
    proposed, data, _ = found(desk, name)
    assert proposed == {"source": "documents", "path": name, **entry}
    assert len(data.X) == 60
    assert data.schema.n_classes in (2, 3)


def test_a_text_beside_many_features_is_left_out(desk: Desk):
    rows = "".join(f"{i % 7},{i % 5},{i * i % 11},{text(i)},{'ab'[i % 2]}\n" for i in range(60))
    desk.write("t.csv", f"a,b,c,remark,y\n{rows}")
    entry, data, _ = found(desk, "t.csv")
    assert (entry["source"], entry["drop"]) == ("csv", ["remark"])
    assert isinstance(data.schema.x, Table)


def test_folders_of_documents(desk: Desk):
    for part, n in (("train", 12), ("test", 4)):
        for i in range(n):
            desk.write(f"news/{part}/{'uv'[i % 2]}/{i}", text(i))
    entry, data, said = found(desk, "news")
    assert entry == {"source": "documents", "path": "news", "file": "train", "test_path": "test"}
    assert data.splits["test"].lengths.tolist() == [4]
    assert "test is taken as the official test set" in said
    for label in ("pos", "neg"):
        desk.write(f"polarity/films.{label}", "\n".join(text(i) for i in range(9)))
    entry, data, _ = found(desk, "polarity")
    assert entry == {"source": "documents", "path": "polarity"}
    assert data.schema.classes == ("neg", "pos")


@pytest.mark.parametrize("name", ["t.conllu", "t.txt", "t.txt.gz"])
def test_tagged_sentences(desk: Desk, name):
    content = "\n".join(f"# sent_id = {i}\n{sentence(i)}" for i in range(9)).encode()
    desk.write(name, gzip.compress(content) if name.endswith("gz") else content)
    entry, data, said = found(desk, name)
    assert entry == {"source": "conll", "path": name}
    assert data.schema.y == Tags(("N", "V"))
    assert "2 tags: N (36), V (36)" in said
    assert data.X.lengths.tolist() == [8] * 9


def test_a_treebank_in_its_folder(desk: Desk):
    for part, n in (("train", 9), ("dev", 3), ("test", 4)):
        desk.write(f"ud/en-ud-{part}.conllu", "\n".join(sentence(i) for i in range(n)))
    desk.write("ud/LICENSE.txt", "free")
    entry, data, _ = found(desk, "ud")
    assert entry == {"source": "conll", "path": "ud", "file": "en-ud-train.conllu", "test_path": "en-ud-test.conllu"}
    assert len(data.X) == 13


def test_a_rare_class_is_left_out(desk: Desk):
    desk.write("t.txt", "".join(f"{'ab'[i % 2]} {text(i)}\n" for i in range(60)) + f"c {text(99)}\n")
    entry, data, said = found(desk, "t.txt")
    assert entry["label_map"] == {"c": None}
    assert data.schema.classes == ("a", "b")
    assert "'c' has 1 members" in said


def test_a_text_without_labels_is_a_stream(desk: Desk):
    desk.write("story.txt", "\n".join(" ".join(text(j) for j in range(i % 3 + 1)) for i in range(200)))
    entry, data, said = found(desk, "story.txt")
    assert entry == {"source": "text", "path": "story.txt"}
    assert data.schema.x.of_characters
    assert data.schema.y == Nothing()
    assert "characters, " in said
    desk.write("table.txt", "".join(f"{i} {i * i % 7} {'ab'[i % 2]}\n" for i in range(60)))
    assert isinstance(found(desk, "table.txt")[1].schema.x, Table)
