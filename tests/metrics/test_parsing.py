"""Scores of trees: an example by hand, in the best and the worst case, and against a count of brackets as sets."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from tests.models.small_text import bracketed
from versus.data.trees import Treebank, brackets
from versus.metrics.metric import UndefinedMetricError
from versus.metrics.table import named
from versus.models.discriminative.baseline import RightBranching

TRUE = """(S (NP (DT the) (NN dog)) (VP (VBD saw) (NP (NN it)) (PRT (RP up))) (. .))
(TOP (X (X (NN a))) (, ,))"""
FOUND = """(S (NP (DT the) (NN dog)) (VP (VP (VBD saw) (NP (NN it) (ADVP (RP up)))) (. .)))
(TOP (X (NN a)) (, ,))"""
ALL = ("bracket_f1", "bracket_precision", "bracket_recall", "exact_match", "tree_tag_accuracy")


def trees(*texts):
    """Trees of several texts under one table of labels."""
    read = [[tree for _, tree in brackets(enumerate(text.splitlines(), 1))] for text in texts]
    names, y = Treebank([tree.nodes() for part in read for tree in part]).coded()
    cuts = np.cumsum([0, *map(len, read)])
    return [y[a:b] for a, b in pairwise(cuts)], names


def test_brackets_by_hand():
    """The full stop counts as no token, PRT as ADVP, TOP not at all, and of two equal brackets one is found."""
    (y, parsed), names = trees(TRUE, FOUND)
    # true: S NP VP NP PRT, X X; found: S NP VP VP NP ADVP, X; the NP over "it up" is wrong, and one of the two VPs
    np.testing.assert_array_equal(named("bracket_f1").rows(y, parsed, names), [[4, 6, 5], [1, 1, 2]])
    assert named("bracket_f1").score(y, parsed, names) == pytest.approx(2 * 5 / 14)
    assert named("bracket_precision").score(y, parsed, names) == pytest.approx(5 / 7)
    assert named("bracket_recall").score(y, parsed, names) == pytest.approx(5 / 7)
    assert named("exact_match").score(y, parsed, names) == 0
    assert [named(name).score(y, y, names) for name in ALL] == [1.0] * 5
    unknown = np.array([False, True])
    assert named("unknown_bracket_f1").score(y, parsed, names, unknown) == pytest.approx(2 / 3)
    with pytest.raises(UndefinedMetricError, match="every word of the test sentences"):
        named("unknown_bracket_f1").score(y, parsed, names, ~unknown & unknown)


def test_brackets_are_those_of_sets():
    X, y, schema = bracketed(60)
    parsed, names = RightBranching(schema=schema).fit(X, y).parse(X), schema.y.names
    counts = named("bracket_f1").rows(y, parsed, names)
    for row in range(len(X)):
        found, wanted = (Counter(_spans(part[row])) for part in (parsed, y))
        expected = (sum((found & wanted).values()), found.total(), wanted.total())
        assert tuple(counts[row].tolist()) == expected
    assert 0 < named("bracket_f1").score(y, parsed, names) < 0.7


def _spans(tree):
    place = 0
    for label, width in tree.tolist():
        if width:
            yield label, place, place + width
        place += width == 0


def test_trees_outside_of_a_grammar_have_no_log_loss():
    lengths = np.array([2, 3])
    assert named("tree_log_loss").score(np.array([-1.0, -4.0]), lengths) == pytest.approx(1.0)
    with pytest.raises(UndefinedMetricError, match="1 of 2 true trees are built by rules of no training tree"):
        named("tree_log_loss").score(np.array([-1.0, -np.inf]), lengths)
