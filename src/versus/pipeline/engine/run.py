"""Run the stale stages, as many side by side as there are slots, the longest first."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from time import monotonic
from typing import Any

from versus.pipeline import ending
from versus.pipeline.engine import jobs
from versus.pipeline.engine.cluster import Cluster
from versus.pipeline.engine.display import Lines
from versus.pipeline.engine.remaining import Remaining
from versus.pipeline.engine.stages import ParamsEditedError, StageFaultError, Stages
from versus.pipeline.engine.workers import News, Workers, WorkersDiedError
from versus.tracking import destination

OUTPUTS = Path(".versus") / "output"
FINGERPRINTS = Path("data") / "fingerprints"
SIDE_BY_SIDE = "VERSUS_SIDE_BY_SIDE"  # number of stages that run at the same time, for the notes on costs
LOCK_SHARE = 0.05  # at most a twentieth of the time goes into writing dvc.lock
FIRST = float("inf")
LEAST_FREE = 2**16  # bytes, in which a stage can say why it fails
MANY = 8  # stale stages from which on it pays to load everything that any stage may import


@dataclass(frozen=True)
class Machine:
    """Resources that the stages share.

    Args:
        slots: number of stages that run at the same time.
        gpus: the GPUs, named as in CUDA_VISIBLE_DEVICES; a stage that uses one has it for itself.
        environment: environment variables of the stages, in addition to this process's.
        cluster: address of a Dask cluster that runs fits and evaluations; empty to run them here.
    """

    slots: int
    gpus: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""

    def workers(self, stages: Stages) -> Workers:
        """Start the workers."""
        if not self.cluster:
            return Workers(Path(), self.environment)
        return Cluster(self.cluster, Path(), self.environment, stages.parcel)

    def cores(self, slot: int) -> list[int]:
        """Return the processor cores of a slot; an empty list, for all cores, if there is one slot or a cluster."""
        if self.slots == 1 or self.cluster or not hasattr(os, "sched_getaffinity"):
            return []
        cores = sorted(os.sched_getaffinity(0))
        share = len(cores) / self.slots
        return cores[int(slot * share) : max(int((slot + 1) * share), int(slot * share) + 1)]


class Run:
    """One run over the stages of a plan.

    Args:
        stages: the stages to bring up to date, with DVC's lock held.
        machine: the resources to run them on.
        display: the display that is told of each event.
        seconds: cell -> expected seconds of all its fits.
        workers: the workers, if they were started ahead; the run ends them.
    """

    def __init__(
        self,
        stages: Stages,
        machine: Machine,
        display: Lines,
        seconds: Mapping[str, float],
        workers: Workers | None = None,
    ) -> None:
        self._stages, self._machine, self._display, self._seconds = stages, machine, display, dict(seconds)
        # By place in the plan: DVC works out a stage's hash and address anew each time that it is asked.
        self._places = {stage: place for place, stage in enumerate(stages.plan)}
        self._upstream = [{self._places[found] for found in stages.upstream(stage)} for stage in stages.plan]
        self._followers: list[list[int]] = [[] for _ in stages.plan]
        for place, upstream in enumerate(self._upstream):
            for found in upstream:
                self._followers[found].append(place)
        self._free = [place for place, upstream in enumerate(self._upstream) if not upstream]  # a heap: not looked at
        self._waiting = len(stages.plan)  # stages not looked at
        self._stale: list[tuple[tuple[bool, float], bool, Any]] = []  # what to run first, if it needs a GPU, stage
        self._loads_ahead = any(jobs.is_ours(stage) for stage in stages.plan)
        self._compares = "compare" in (stage.addressing for stage in stages.plan)
        self._new = sum(stages.is_new(stage) for stage in stages.plan)
        self._known = 0  # stages found stale so far
        self._ahead: tuple[str, ...] = ()  # modules that the workers load in their spare time
        self._begun: deque[Any] = deque()
        self._ended: deque[Any] = deque()
        self._apart: set[Any] = set()  # stages that ran in another clone
        self._running: dict[int, Any] = {}
        self._slots = list(range(machine.slots))
        self._gpus = list(machine.gpus)
        self._held: dict[Any, tuple[int, str | None]] = {}  # stage -> its slot, its GPU
        self._workers = workers
        self._started: dict[Any, float] = {}  # stage -> when its process started
        self._lock_due = 0.0
        self._remaining = Remaining(seconds, machine.slots)
        self._fingerprints = _contents(FINGERPRINTS)  # before this run
        self.ran: list[str] = []

    def run(self) -> None:
        """Bring every stage of the plan up to date.

        Raises:
            StageFaultError: if a stage fails; stages finished by then are in dvc.lock.
            ParamsEditedError: if params.yaml was edited too early for the run to go on; a later edit is for the next.
            WorkersDiedError: if the workers cannot continue.
        """
        self._display.total(self._waiting)
        for place, stage in enumerate(self._stages.plan):
            if self._stages.is_new(stage):
                self._expect(place)
        try:
            while self._waiting or self._stale or self._begun or self._running or self._ended:
                self._start_begun()
                if not self._do_one_thing():
                    with self._stages.unlocked():
                        self._hear(None)
                if self._running:
                    self._hear(0)
        finally:
            if self._workers is not None:
                self._workers.stop()
            self._stages.let_go()
            self._stages.write(all_of_them=True)

    def _do_one_thing(self) -> bool:
        """Do the step that brings work to a free slot soonest; return False if there was nothing to do."""
        next_stale = self._next_stale()
        if next_stale is not None and not self._begun:
            self._begin(next_stale)
        elif self._ended:
            self._finish(self._ended.popleft())
        elif self._free:
            self._look_at(self._stages.plan[heappop(self._free)])
        elif next_stale is not None and len(self._begun) < self._machine.slots:
            self._begin(next_stale)
        else:
            return False
        return True

    def _look_at(self, stage: Any) -> None:
        self._waiting -= 1
        if self._stages.is_stale(stage):
            self._stale.append((self._urgency(stage), self._needs_gpu(stage), stage))
            self._known += 1
            self._expect(self._places[stage])
        else:
            self._settle(stage)

    def _expect(self, place: int) -> None:
        """Expect a stage and all that follow it to run; those of `fingerprint` only where their own has changed."""
        todo, seen = [place], set[int]()
        while todo:
            if (place := todo.pop()) not in seen:
                seen.add(place)
                self._remaining.add(self._stages.plan[place].addressing)
                todo += [] if self._stages.plan[place].addressing == "fingerprint" else self._followers[place]

    def _expect_the_changed(self) -> None:
        """Expect the stages whose fingerprint differs from the one before this run."""
        now = _contents(FINGERPRINTS)
        for place, stage in enumerate(self._stages.plan):
            kind, _, name = stage.addressing.partition("@")
            own = "-".join(filter(None, (kind.partition("_")[0], name)))
            if now.get(own) != self._fingerprints.get(own):
                self._expect(place)

    def _next_stale(self) -> int | None:
        """Place in the stale ones of the most urgent; those that find no GPU free are skipped."""
        free = len(self._gpus) - sum(self._needs_gpu(stage) for stage in self._begun) if self._gpus else 0
        able = [i for i, (_, needs_gpu, _) in enumerate(self._stale) if free > 0 or not needs_gpu]
        return max(able, key=lambda i: self._stale[i][0], default=None)

    def _urgency(self, stage: Any) -> tuple[bool, float]:
        """Order of stages: evaluations last; longest first, as far as it is known.

        An evaluation counts as taking as long as its cell's fit, which this run has often seen.
        """
        kind, _, cell = stage.addressing.partition("@")
        return not kind.startswith("evaluate"), self._seconds.get(cell, FIRST)

    def _needs_gpu(self, stage: Any) -> bool:
        """Check whether a cell's model uses torch and there are GPUs."""
        return bool(self._machine.gpus) and jobs.uses_gpu(stage)

    def _begin(self, stale: int) -> None:
        stage = self._stale.pop(stale)[2]
        if self._stages.begin(stage):
            self._display.restored(stage.addressing)
            self._finish(stage)
        else:
            self._begun.append(stage)

    def _start_begun(self) -> None:
        while self._begun and self._slots:
            self._start(self._begun.popleft())

    def _start(self, stage: Any) -> None:
        if self._workers is None:
            self._workers = self._machine.workers(self._stages)
        if not self.ran:
            self._workers.wait_until_frozen()
            if self._stages.params_edited:
                raise ParamsEditedError("params.yaml was edited")
        number = len(self.ran)
        slot, gpu = self._slots.pop(0), self._gpus.pop(0) if self._needs_gpu(stage) else None
        self._held[stage] = slot, gpu
        OUTPUTS.mkdir(parents=True, exist_ok=True)
        environment = {
            "DVC_ROOT": stage.repo.root_dir,
            "DVC_STAGE": stage.addressing,
            SIDE_BY_SIDE: str(self._machine.slots),
            **({} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}),
        }
        output = str(OUTPUTS / str(number))
        job = {
            "id": number,
            "stage": stage.addressing,
            "environment": environment,
            "cores": self._machine.cores(slot),
            "output": output,
        }
        # The comparison logs a few cells sooner than their evaluations, which would wait for mlflow to be loaded.
        logged = destination.is_on() and not self._machine.cluster and (self._many or not self._compares)
        self._workers.start(job | jobs.command(stage) | {"needs": jobs.needs(stage, logged=logged)})
        self._load_ahead(self._workers)  # after the job, which need not wait for a module to be loaded
        self._running[number], self._started[stage] = stage, monotonic()
        self.ran.append(stage.addressing)
        self._remaining.start(stage.addressing, monotonic())
        self._display.started(number, stage.addressing)
        self._display.left(self._remaining.seconds(monotonic()))

    def _load_ahead(self, workers: Workers) -> None:
        """Tell the workers what to load in their spare time: for a few stages, what these and the comparison need."""
        if self._loads_ahead and (self._many or not self._ahead):
            ahead = jobs.for_everything() if self._many else jobs.for_a_few(compared=self._compares)
            if ahead != self._ahead:
                workers.load(ahead)
                self._ahead = ahead

    @property
    def _many(self) -> bool:
        return max(self._new, self._known) >= MANY

    def _hear(self, timeout: float | None) -> None:
        if self._workers is None or not self._running:
            raise WorkersDiedError("stages wait for each other; nothing is left that could run")
        for news in self._workers.news(timeout):
            if news.code is None:
                self._display.fitted(news)
            else:
                self._hear_of_end(news)

    def _hear_of_end(self, news: News) -> None:
        stage = self._running.pop(news.job)
        slot, gpu = self._held.pop(stage)
        self._slots.append(slot)
        self._gpus += [] if gpu is None else [gpu]
        self._display.ended(news.job)
        output = OUTPUTS / str(news.job)
        text = output.read_text(encoding="utf-8", errors="replace")
        output.unlink()
        if news.code:
            if not text.strip() and shutil.disk_usage(".").free < LEAST_FREE:
                text = ending.no_space(os.getcwd())  # which kept the stage from saying so
            how = f"exit code {news.code}" if (news.code or 0) > 0 else f"killed by signal {-news.code}"
            raise StageFaultError(f"{text.rstrip()}\nstage {stage.addressing} failed ({how})".lstrip())
        if text.strip():
            self._display.say(stage.addressing, text)
        if news.apart:
            self._apart.add(stage)
        kind, _, cell = stage.addressing.partition("@")
        if kind.startswith("train"):
            self._seconds[cell] = monotonic() - self._started[stage]
        self._ended.append(stage)

    def _finish(self, stage: Any) -> None:
        try:
            if stage in self._apart:
                self._stages.fetch(stage)
            self._stages.finish(stage)
        except ParamsEditedError:
            raise
        except StageFaultError as error:
            raise StageFaultError(f"stage {stage.addressing}: {error}") from None
        self._settle(stage)

    def _settle(self, stage: Any) -> None:
        self._stages.settle(stage)
        self._remaining.end(stage.addressing, monotonic())
        if stage.addressing == "fingerprint" and stage.addressing in self.ran:
            self._expect_the_changed()
        self._display.settled()
        place = self._places[stage]
        for follower in self._followers[place]:
            self._upstream[follower].discard(place)
            if not self._upstream[follower]:
                heappush(self._free, follower)
        began = monotonic()
        if began >= self._lock_due:
            self._stages.write(all_of_them=False)
            self._lock_due = monotonic() + max(1.0, (monotonic() - began) / LOCK_SHARE)


def _contents(folder: Path) -> dict[str, str]:
    """Read the text files of a folder: name without ending -> text."""
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.txt")}
