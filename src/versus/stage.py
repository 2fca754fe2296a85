"""``python -m versus.stage NAME ARGUMENT``: run a stage of the installed package, from any folder.

A checkout runs ``python -m stages.NAME``; a project that `versus init` made has no stages beside it.
"""

import runpy
import sys

from versus.serving.code import CODE


def main() -> None:
    """Run the stage as if its module were called."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m versus.stage NAME [ARGUMENT]")
    sys.path.insert(0, str(CODE))
    del sys.argv[0]
    runpy.run_module(f"stages.{sys.argv[0]}", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
