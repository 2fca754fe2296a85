"""Run the pipeline with stages side by side, in workers forked from one process with the libraries loaded."""

from versus.pipeline.engine.cluster import slots
from versus.pipeline.engine.entry import is_probably_stale, reproduce, wanted
from versus.pipeline.engine.jobs import gpus
from versus.pipeline.engine.run import Machine
from versus.pipeline.engine.stages import Wanted, unsupported

__all__ = ["Machine", "Wanted", "gpus", "is_probably_stale", "reproduce", "slots", "unsupported", "wanted"]
