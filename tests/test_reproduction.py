"""Counting the cells that gave the committed scores again."""

from versus.pipeline import reproduction

HEADER = "cell,metric,mean,low,high\n"


def table(*rows: str) -> reproduction.Scores:
    return reproduction.read_scores(HEADER + "".join(f"{row}\n" for row in rows))


def test_equal_tables_agree_in_every_cell() -> None:
    scores = table("a-x,accuracy_score,0.9,0.8,1.0", "a-y,accuracy_score,0.5,,")
    assert reproduction.compare(scores, scores) == reproduction.Reproduction(2, 2, 0.0, "")


def test_the_largest_difference_is_named() -> None:
    before = table("a-x,accuracy_score,0.9,0.8,1.0", "a-y,log_loss,0.5,0.4,0.6", "a-gone,log_loss,1,1,1")
    after = table("a-x,accuracy_score,0.9,0.8,1.0", "a-y,log_loss,0.75,0.4,0.6")
    found = reproduction.compare(before, after)
    assert (found.same, found.shared, found.largest, found.where) == (1, 2, 0.25, "a-y log_loss")


def test_a_new_metric_changes_no_old_one() -> None:
    before = table("a-x,accuracy_score,0.9,0.8,1.0", "a-gone,accuracy_score,1,1,1")
    after = table("a-x,accuracy_score,0.9,0.8,1.0", "a-x,kappa,0.8,0.7,0.9", "a-gone,kappa,1,1,1")
    assert reproduction.compare(before, after) == reproduction.Reproduction(1, 1, 0.0, "")
