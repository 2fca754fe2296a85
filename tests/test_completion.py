"""Completion in the shells themselves: a terminal in which somebody types and presses TAB."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from versus.commands import completion
from versus.models import catalogue

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 90  # seconds until an answer counts as missing
CLEAR = "\x15"  # Ctrl-U empties the line
START = {
    "zsh": (["zsh", "-f"], "autoload -Uz compinit && compinit -u -D; "),
    "bash": (["bash", "--norc", "--noprofile"], ""),
}


class Terminal:
    """A shell that thinks that somebody sits before it."""

    def __init__(self, file: int) -> None:
        self.file = file

    def type(self, keys: str, wanted: str) -> str:
        """Type, and return what is shown until a pattern is found in it."""
        os.write(self.file, keys.encode())
        shown, end = "", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([self.file], [], [], 0.2)[0]:
                shown += os.read(self.file, 65536).decode(errors="replace")
            if re.search(wanted, shown):
                return shown
        pytest.fail(f"{keys!r}: no {wanted!r} in {shown!r}")


@contextmanager
def terminal(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    process, file = pty.fork()
    if not process:
        os.chdir(folder)
        os.execvpe(command[0], command, environment)
    try:
        yield Terminal(file)
    finally:
        with suppress(OSError):
            os.write(file, f"{CLEAR}exit\n".encode())
        os.close(file)  # hangs up
        os.waitpid(process, 0)


@pytest.mark.parametrize("shell", START)
def test_a_shell_completes_commands_options_names_and_files(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "measured.csv").touch()
    program = tmp_path / "bin" / "versus"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m versus "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    paths = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    environment = {**os.environ, **paths, "HOME": str(tmp_path), "TERM": "dumb", "PS1": "$ "}
    command, start = START[shell]
    with terminal(command, tmp_path, environment) as shown:
        shown.type(f'{start}eval "$(versus --print-completion {shell})"; echo rea""dy\n', "ready")
        assert "remove" in shown.type("versus re\t\t", r"repro")
        for typed, whole in (
            ("versus statu", "versus status "),
            ("versus export iris-mlp --form", "--format "),
            ("versus export iris-mlp --format ml", "mlflow "),
            ("versus card iris-na", "iris-naive_bayes "),
            ("versus remove wine-ml", "wine-mlp "),
            ("versus remove wine-mlp iris-ml", "wine-mlp iris-mlp "),
            ("versus repro --retry wine-ml", "wine-mlp "),
            ("versus gate moo", "moons "),
            ("versus models MLPCl", "MLPClassifier "),
            ("versus predict iris-mlp mea", "measured.csv "),
            ("versus add mea", "measured.csv "),
            ("versus run par", "params.yaml "),
        ):
            shown.type(f"{CLEAR}{typed}\t", re.escape(whole))


def test_names_are_those_of_the_params_file_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert completion.names("models") == list(catalogue.classes())
    assert completion.names("cells") == []
    text = "datasets: {a: {}}\nfiles: {b: {}}\ndiscriminative: {a-x: {}}\ndeep_generative: {b-y: {}}\n"
    for broken in ("", "- x\n", "datasets: [\n", "datasets:\n"):
        (tmp_path / "params.yaml").write_text(broken, encoding="utf-8")
        assert completion.names("entries") == []
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert completion.names("datasets") == ["a", "b"]
    assert completion.names("cells") == ["a-x", "b-y"]
    assert completion.names("entries") == ["a", "b", "a-x", "b-y"]
