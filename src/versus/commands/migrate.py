"""``versus migrate``: update a params.yaml of an earlier version to the present names."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from versus import params as parameters


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("params", type=Path, nargs="?", default=Path("params.yaml"), help="the file to rewrite")
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")


def run(options: argparse.Namespace) -> int:
    """Rewrite the file in place and print each change; comments and layout are kept.

    Raises:
        ParamsError: where the file has other errors; the new names are kept.
    """
    text, changes = parameters.migrated(options.params)
    for change in changes:
        print(change)
    if options.dry_run or not changes:
        print(f"{options.params}: {len(changes) or 'nothing'} to rename")
        return 0
    aside = options.params.with_name(f".{options.params.name}.new")
    aside.write_text(text, encoding="utf-8")
    shutil.copymode(options.params, aside)
    aside.replace(options.params)
    print(f"{options.params}: {len(changes)} changes made")
    parameters.read(options.params)
    return 0
