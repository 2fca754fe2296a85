"""DVC's locks, held while a stage runs and released at the end of a run, whatever it was cut off in."""

import json
from pathlib import Path

import pytest
from dvc.repo import Repo

from versus.pipeline.engine.stages import Stages, Wanted, look_of, opened
from versus.pipeline.recovery import RWLOCK

STAGES = "stages:\n  one: {cmd: echo 1 > one, outs: [one]}\n  two: {cmd: echo 2 > two, deps: [one], outs: [two]}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    Path("dvc.yaml").write_text(STAGES, encoding="utf-8")
    return tmp_path


def locked(stages: Stages) -> dict[str, list[str]]:
    """Begin the first stage; return what is locked then."""
    assert not stages.begin(stages.plan[0])
    held = json.loads(RWLOCK.read_text(encoding="utf-8"))
    return {way: [Path(path).name for path in held[way]] for way in ("read", "write")}


def test_the_outputs_of_a_stage_are_locked_until_they_are_let_go(project: Path) -> None:
    with opened(Wanted(), look_of(Path("params.yaml"))) as stages:
        assert locked(stages) == {"read": [], "write": ["one"]}
        stages.let_go()
        assert json.loads(RWLOCK.read_text(encoding="utf-8")).get("write", {}) == {}


@pytest.mark.parametrize("left", ["", '{"write": {"/a/one": {"pid": 12'])
def test_locks_that_an_interrupt_cut_off_do_not_keep_dvc_lock_from_being_written(project: Path, left: str) -> None:
    """DVC writes its note of readers and writers in place, so that Ctrl-C can leave a part of it."""
    with opened(Wanted(), look_of(Path("params.yaml"))) as stages:
        Path("one").write_text("1\n", encoding="utf-8")
        stages.begin(stages.plan[0])
        Path("one").write_text("1\n", encoding="utf-8")
        stages.finish(stages.plan[0])
        Path("two").write_text("2\n", encoding="utf-8")
        stages.begin(stages.plan[1])
        RWLOCK.write_text(left, encoding="utf-8")
        stages.let_go()  # as at the end of every run
        stages.write(all_of_them=True)
        stages.let_go()  # nothing is left to release
    assert "one:" in (project / "dvc.lock").read_text(encoding="utf-8")


def test_locks_are_released_where_a_signal_cut_off_the_end_of_a_run(project: Path) -> None:
    kept = []  # until the end, as by whoever waits for the workers: what nobody holds is released by itself

    def cut_off() -> None:
        with opened(Wanted(), look_of(Path("params.yaml"))) as stages:
            kept.append(stages)
            locked(stages)
            raise SystemExit(143)

    with pytest.raises(SystemExit, match="143"):
        cut_off()
    held = json.loads(RWLOCK.read_text(encoding="utf-8")).get("write", {})
    kept[0].let_go()  # else a failure would hang as the interpreter ends
    assert held == {}
