"""End of a command or a stage: a fault of the user's data or of the machine is one sentence, not a traceback.

An interrupt and a full disk may strike anywhere, in an import as well as in a library that wraps the error in one of
its own: `install` covers whatever is not caught.
"""

from __future__ import annotations

import errno
import os
import re
import select
import sys
from collections.abc import Iterator
from types import TracebackType

INTERRUPTED, UNREAD, TERMINATED = 130, 141, 143  # exit codes, as shells have them
FULL = (errno.ENOSPC, errno.EDQUOT)
# From libraries that give no error number: safetensors, sqlite, numpy.
FULL_IN_WORDS = re.compile(r"No space left on device|disk is full|\d+ requested and \d+ written")
MAKE_ROOM = "make room (`dvc gc --workspace` drops cached results that this checkout does not use), and run it again"


def sentence(error: BaseException) -> str | None:
    """Describe an error in one sentence, without secrets; None for one that is a fault of the program.

    ``VERSUS_TRACEBACK=1`` asks for the traceback: then None for all but an interrupt.
    """
    if _is_interrupt(error):
        return "interrupted; what was finished is kept, and the next run resumes from here"
    if os.environ.get("VERSUS_TRACEBACK"):
        return None
    if any(map(_is_of_full_disk, _chain(error))):
        return no_space(getattr(error, "filename", None) or os.getcwd())
    if isinstance(error, ValueError | OSError):
        from versus.tracking import destination  # the imports above are all that an interrupt can fall into

        return destination.redact(str(error) or type(error).__name__)
    return None


def no_space(path: str) -> str:
    """Say that the disk of a file or folder is full, and what to do."""
    return f"no space is left on the disk of {path}: {MAKE_ROOM}"


def code(error: BaseException) -> int:
    """Return the exit code of a program that an error ends."""
    return INTERRUPTED if _is_interrupt(error) else 1


def reader_is_gone() -> bool:
    """Check that stdout is a pipe that nobody reads any more; an error of a broken pipe may be of another one."""
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)  # no event is asked for: errors are always reported
    return bool(watched.poll(0))


def print_no_more() -> None:
    """Send stdout nowhere: what is still in its buffer would break the pipe once more when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the sentence of an interrupt that nobody catches, and the traceback of anything else."""
    if isinstance(error, KeyboardInterrupt):
        print(sentence(error), file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _show


def _is_of_full_disk(error: BaseException) -> bool:
    return getattr(error, "errno", None) in FULL or bool(FULL_IN_WORDS.search(str(error)))


def _is_interrupt(error: BaseException) -> bool:
    """Check for an interrupt, or for what a library raises in its place while it cleans up, as DVC does."""
    return any(isinstance(each, KeyboardInterrupt) for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
