"""Run the pipeline with stages side by side, in workers forked from one process with the libraries loaded."""

from versus.pipeline.engine.entry import reproduce, wanted
from versus.pipeline.engine.stages import Wanted, unsupported

__all__ = ["Wanted", "reproduce", "unsupported", "wanted"]
