import json

import pytest

from tests.gate.test_judgement import classifier, decide
from versus.gate import rendering
from versus.gate.judgement import Decision
from versus.tracking.answers import Registered

NEW, OLD = Registered("animals", "4", "animals-new", "run4"), Registered("animals", "3", "animals-old", "run3")


@pytest.fixture
def decisions(monkeypatch):
    monkeypatch.setattr("tests.gate.test_judgement.CLASSES", ("<b>x</b>", "[y](z)", "a|b"))
    worse = decide(classifier(0.6, seed=1), classifier(0.95))
    better = decide(classifier(0.95), classifier(0.6, seed=1))
    return [
        Decision("animals", "fail", worse.checks[1].text, NEW, OLD, worse),
        Decision("birds", "pass", better.checks[0].text, NEW, OLD, better, promoted=True),
        Decision("cats", "undecided", "the tracking server is down", warnings=("drift since the last report: <i>",)),
    ]


def test_the_text_names_outcome_figures_and_reasons(decisions):
    lines = rendering.as_text(decisions).splitlines()
    assert lines[0].startswith(
        "animals FAILS: animals-new (version 4) against animals-old (version 3); recall of class"
    )
    assert any(line.startswith("  FAIL accuracy_score 0.") for line in lines)
    assert "birds passes: animals-new (version 4) against animals-old (version 3); accuracy_score 0." in "\n".join(
        lines
    )
    assert "  animals-new (version 4) is the champion now, animals-old (version 3) the previous one" in lines
    assert lines[-2:] == ["cats UNDECIDED: the tracking server is down", "  warn drift since the last report: <i>"]


def test_markdown_keeps_names_from_becoming_markup(decisions):
    from markdown_it import MarkdownIt

    text = rendering.as_markdown(decisions)
    page = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    assert "<b>x</b>" not in page
    assert "<a " not in page
    assert "cats, warning: drift since the last report: &lt;i&gt;" in page
    assert page.count("<tr>") == 4
    assert page.count("<td>") == 3 * 6  # a bar in a name starts no column
    assert "<strong>FAILS</strong>" in page
    assert "<strong>passes</strong>, promoted" in page


def test_json_holds_every_figure(decisions):
    found = json.loads(json.dumps(rendering.as_json(decisions), allow_nan=False))
    assert found["outcome"] == "fail"
    first = found["datasets"][0]
    assert first["challenger"] == {
        "name": "animals",
        "version": "4",
        "cell": "animals-new",
        "run_id": "run4",
        "rolled_back": False,
        "fitted_on": "",
    }
    assert first["judgement"]["gain"]["low"] < first["judgement"]["gain"]["value"] < 0
    assert {check["passed"] for check in first["judgement"]["checks"]} == {True, False}
    assert rendering.as_json(decisions[1:])["outcome"] == "undecided"
    assert rendering.as_json(decisions[1:2])["outcome"] == "pass"


def test_who_passed_may_be_promoted_unless_somebody_rolled_it_back(decisions):
    assert [v.may_promote for v in decisions] == [False, True, False]
    back = Registered("animals", "4", "animals-new", "run4", rolled_back=True)
    assert not Decision("animals", "pass", "", back, OLD).may_promote
    assert not Decision("animals", "pass", "", OLD, OLD).may_promote
