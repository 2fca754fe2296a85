"""Command line ``versus``: the user's commands besides `dvc repro`."""

from __future__ import annotations

import argparse
import importlib
import sys
from argparse import Namespace

from versus import __version__
from versus.pipeline import ending

# Command -> (what it does, the module under versus.commands that has `arguments(parser)` and `run(options)`).
COMMANDS = {
    "repro": "repair what a kill left behind, run what has changed, several stages at a time, and name the report",
    "status": "show which cells run again after an edit of params or code, and about how long that takes",
    "init": "make a project in a folder: params.yaml, dvc.yaml and a workflow that retrains",
    "run": "run another params file in a workspace of its own",
    "migrate": "rename the arguments in a params file of an earlier version",
    "add": "look at a file, and add it to params.yaml with a sensible set of cells",
    "remove": "remove a data set with its cells, or one cell, from params.yaml",
    "models": "list the models, or one model's arguments",
    "check": "check that the models, sources and metrics of a package of yours keep the contract",
    "ui": "browse the runs in MLflow's pages, on this machine only",
    "predict": "predict the rows of a file with a cell's model",
    "sample": "draw new data from a cell's generative model",
    "card": "write what a cell's model is, its data, scores, limits and provenance, as a model card",
    "export": "write a cell's model as a file that other programs run: ONNX, or MLflow's folder",
    "verify": "rehash outputs and cached objects against dvc.lock, and name what is damaged",
    "doctor": "find what keeps the project from working, and how to fix it",
    "gate": "judge the best models against the champions of MLflow's registry, and promote those that pass",
    "rollback": "make the previous champion of a data set the champion again",
    "sync": "send MLflow the runs that it missed while its server was down",
}


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and run one command; user errors print one line and exit with code 1.

    Where the reader of the output has gone, as after `versus predict … | head`, the command ends without a word.
    """
    words = sys.argv[1:] if argv is None else argv
    try:
        try:
            options = parse(words)
            code = importlib.import_module(f"versus.commands.{options.command}").run(options)
        finally:
            sys.stdout.flush()  # here, and not when Python ends, an error can still be caught
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError) and ending.reader_is_gone():
            ending.print_no_more()
            sys.exit(ending.UNREAD)
        said = ending.sentence(error)
        if said is None:
            raise
        print(f"versus {words[0]}: {said}", file=sys.stderr)
        sys.exit(ending.code(error))
    sys.exit(code or 0)


def parse(words: list[str]) -> Namespace:
    """Parse a command line; exits with code 2 where a command or an option is unknown."""
    parser = argparse.ArgumentParser(prog="versus", description="Generative versus discriminative, measured.")
    if words and not words[0].startswith("-") and words[0] not in COMMANDS:
        from versus.data.errors import unknown

        parser.exit(2, f"versus: {unknown('command', words[0], COMMANDS)}\n`versus --help` says what each does.\n")
    parser.add_argument("--version", action="version", version=f"versus {__version__}")
    if not COMMANDS.keys() & set(words[:1]):  # not for a command, whose imports cost enough
        from versus.commands import completion

        completion.add_arguments_to(parser)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, purpose in COMMANDS.items():
        sub = subparsers.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
        if words[:1] in ([name], ["--print-completion"]):  # only the command that is run pays for its imports
            importlib.import_module(f"versus.commands.{name}").arguments(sub)
        if words[:1] == ["--print-completion"]:
            completion.declare(sub)
    options, rest = parser.parse_known_args(words)
    if rest and not hasattr(options, "dvc"):
        subparsers.choices[options.command].error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        options.dvc += rest  # options of `dvc repro`
    return options


if __name__ == "__main__":
    main()
