"""Trees in brackets: read by stated rules, refused by file and line, written as they were, and seen by `versus add`."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from tests.data.conftest import Desk
from versus.arrays import Ragged
from versus.data import trees
from versus.data.errors import DataError
from versus.data.inspect.inspection import inspect
from versus.data.preparation import prepare
from versus.data.sources.python_trees import statement_trees
from versus.data.targets import Trees
from versus.models.suggestions import suggest

PENN = """
( (S (NP-SBJ-1 (DT The) (NN dog) )
    (VP (VBD ate) (NP (-NONE- *T*-1)) (ADVP|PRT (RB fast)))
    (. .) ))
((S (NP (NP (-LRB- -LRB-) (NN sun))) (VP=2 (VBZ shines))))
( (NN Rain) )
( (S (NP (NN It)) (VP (VBZ is))) (. .) )
"""
READ = [
    "(S (NP (DT The) (NN dog)) (VP (VBD ate) (ADVP (RB fast))) (. .))",
    "(S (NP (-LRB- -LRB-) (NN sun)) (VP (VBZ shines)))",
    "(TOP (NN Rain))",
    "(TOP (S (NP (NN It)) (VP (VBZ is))) (. .))",
]


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def shown(found) -> list[str]:
    y = found.schema.y
    return [y.written(tree, words=found.schema.x.words(x)) for x, tree in zip(found.X, found.y, strict=True)]


@pytest.mark.parametrize("form", ["file", "gz", "folder", "zip", "member"])
def test_brackets_are_read_by_the_rules_from_all_forms_of_files(desk: Desk, form):
    first, second = PENN.rsplit("\n(", 1)
    two = {"wsj_1.mrg": first, "wsj_2.mrg": f"({second}"}
    path = {"file": "t.mrg", "gz": "t.mrg.gz", "folder": "bank", "zip": "bank.zip", "member": "bank.zip/t.txt"}[form]
    if form == "folder":
        for name, text in two.items():
            desk.write(f"bank/{name[4]}/{name}", text)
        desk.write("bank/README", "( not a tree")
    elif form == "zip":
        desk.write("bank.zip", zipped({**two, "README": "( not a tree"}))
    elif form == "member":
        desk.write("bank.zip", zipped({"t.txt": PENN, "other": "x"}))
    else:
        desk.write(path, gzip.compress(PENN.encode()) if form == "gz" else PENN)
    found = desk.prepare(source="penn", path=path)
    assert shown(found) == READ
    assert found.schema.y.name == "tree"
    assert found.y.values.shape[1] == 2
    found.schema.y.check(found.X, found.y)
    assert found.about["constituents"] == {"ADVP": 1, "NP": 3, "S": 3, "TOP": 2, "VP": 3}
    assert found.about["tags"]["NN"] == 4


@pytest.mark.parametrize(("content", "message"), [
    ("(S (NP (NN sun))\n (VP (VBZ shines)", r"t.mrg, line 1: opens a bracket, and 2 of its tree are not closed"),
    ("(S (NN sun))\n\n)", "t.mrg, line 3: closes a bracket that is not open"),
    ("(S (NN sun))\nsun", "t.mrg, line 2: 'sun' is outside of all brackets"),
    ("(S (NN sun))\n(S (NP))", r"t.mrg, line 2: bracket \(NP\) is empty"),
    ("(S (NN sun))\n( )", r"t.mrg, line 2: bracket \(\) is empty"),
    ("(S (NN sun))\n(S\n(NP (-NONE- *)))", "t.mrg, line 2: is a tree without words"),
    ("(S (NN sun)\nshines)", "t.mrg, line 2: bracket .S …. holds 'shines' beside other parts"),
    (b"(S (NN sun))\n(S (NN caf\xe9))", r"t.mrg, line 2: byte 11 of it \(0xe9\) is not utf-8"),
    ("\n", "t.mrg: holds no trees"),
])  # fmt: skip
def test_what_is_wrong_with_brackets_is_named(desk: Desk, content, message):
    desk.write("t.mrg", content)
    with pytest.raises(DataError, match=message):
        desk.prepare(source="penn", path="t.mrg")


def test_long_sentences_are_left_out_and_counted_and_test_files_honoured(desk: Desk):
    desk.write("bank/train.mrg", PENN)
    desk.write("bank/test.mrg", "(S (NN sun))")
    found = desk.prepare(source="penn", path="bank", file="train.mrg", test_path="test.mrg", longest=3)
    assert shown(found) == [*READ[1:], "(S (NN sun))"]
    assert found.splits["test"][0].tolist() == [3]
    assert found.about["warnings"] == ["1 of 5 sentences of over 3 words left out"]


def test_add_knows_a_treebank(desk: Desk):
    desk.write("a.mrg", PENN)
    desk.write("b.txt", PENN.replace("The", "A"))
    desk.write("d/1/a.mrg", PENN)
    desk.write("c.zip", zipped({"x/1.mrg": PENN, "x/2.mrg": PENN, "LICENSE": "free"}))
    for path in ("a.mrg", "b.txt", "d", "c.zip"):
        proposal = inspect(desk.folder / path, base=desk.folder)
        assert proposal.entry == {"source": "penn", "path": path}
        again = prepare(proposal.name, proposal.entry, desk.folder)
        assert isinstance(again.schema.y, Trees)
        assert "tree: 5 constituents: ADVP (" in proposal.describe()
        assert [finding.code for finding in proposal.findings().shown] == ["duplicates"] * (path == "c.zip")
        proposed = [s.model for s in suggest(proposal.dataset.schema, len(proposal.dataset.X))[0]]
        assert proposed == ["right_branching", "span_scorer", "pcfg"]


def test_trees_of_nodes_and_what_is_none():
    y = Trees(("S", "NP", "x"))
    nodes = np.array([[0, 3], [1, 2], [2, 0], [2, 0], [1, 1], [2, 0]])
    assert trees.parents(nodes[:, 1]).tolist() == [-1, 0, 1, 1, 0, 4]
    assert y.written(nodes) == "(S (NP x x) (NP x))"
    X = Ragged.of([[0, 0, 0]])
    y.check(X, Ragged.of([nodes]))
    for wrong, message in (
        (nodes[:-1], "a tree of 2 tokens has a root of 3"),
        (nodes[1:], "tree 0: node 3 of 1 tokens lies outside"),
        (np.array([[0, 2], [2, 0], [2, 0]]), "covers 2 of 3 tokens"),
        (nodes + 1, "labels range from 1 to 3 of 3"),
        (nodes[:0], "no nodes"),
    ):
        with pytest.raises(ValueError, match=message):
            y.check(X, Ragged.of([wrong]))
    with pytest.raises(ValueError, match="1 sentences have 2 trees"):
        y.check(X, Ragged.of([nodes, nodes]))


def test_statements_have_the_trees_of_the_parser(tmp_path):
    source = """
x = a.b(c, d=f"{1}") + (2 * y)
if x:
    return not é[1:], None
"""
    (tmp_path / "m.py").write_text(source, encoding="utf-8")
    first, second = statement_trees(tmp_path / "m.py")
    names, y = trees.Treebank([first.nodes(), second.nodes()]).coded()
    assert [trees.written(tree, names, list(read.words())) for tree, read in zip(y, (first, second), strict=True)] == [
        "(Assign (Name x) (= =) (BinOp (Call (Attribute (Name a) (. .) (name b)) (-LRB- -LRB-) (Name c) (, ,) "
        '(keyword (name d) (= =) (JoinedStr "text")) (-RRB- -RRB-)) (+ +) (-LRB- -LRB-) '
        "(BinOp (Constant 2) (* *) (Name y)) (-RRB- -RRB-)))",
        "(Return (return return) (Tuple (UnaryOp (not not) (Subscript (Name é) ([ [) (Slice (Constant 1) (: :)) (] ])))"
        " (, ,) (Constant None)))",
    ]


def test_the_embedded_trees_are_small_and_the_same_again(desk: Desk):
    found = desk.prepare(source="embedded", name="python_trees")
    found.schema.y.check(found.X, found.y)
    assert 300 < len(found.X) < 900
    assert found.X.lengths.max() <= 10
    again = desk.prepare(source="embedded", name="python_trees")
    np.testing.assert_array_equal(found.y.values, again.y.values)
    assert found.about["licence"]
    assert found.repeats == 5
