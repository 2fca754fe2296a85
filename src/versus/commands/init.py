"""``versus init``: make a project in a folder, around an installed package."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from versus import __version__
from versus.pipeline import project

TEMPLATES = Path(__file__).parent / "templates"
IGNORED = (
    "/.versus/",
    "/mlflow.db*",
    "/mlruns/",
    "/mlartifacts/",
    "# What the stages make; DVC keeps it.",
    "/data/fingerprints/",
    "/data/plugins/*.txt",
    "/data/prepared/",
    "/models/",
    "/reports/*",
    *(f"!/reports/{name}" for name in ("report.md", "figures/", "metrics/", "*.csv")),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("folder", type=Path, nargs="?", default=Path(), help="the folder (default: this one)")


def run(options: argparse.Namespace) -> int:
    """Write the files of a project; those that exist stay as they are, but a project is not made twice.

    Raises:
        ValueError: where the folder has a params.yaml or a dvc.yaml.
    """
    folder = options.folder
    for name in ("params.yaml", "dvc.yaml"):
        if (folder / name).exists():
            raise ValueError(f"{folder / name} exists: this is a project; `versus add FILE` adds data to it")
    folder.mkdir(parents=True, exist_ok=True)
    in_git = _is_in_git(folder)
    if not in_git:
        subprocess.run(["git", "init", "--quiet"], cwd=folder, check=False)
        in_git = _is_in_git(folder)
    if not (folder / ".dvc").is_dir():
        below = ("--subdir",) if in_git and not (folder / ".git").exists() else ()
        project.initialise(folder, *(below if in_git else ("--no-scm",)))
    _append(folder / ".gitignore", IGNORED)
    project.write_if_changed(folder / ".dvcignore", project.ignored())
    (folder / "params.yaml").write_text((TEMPLATES / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "dvc.yaml").write_text(project.portable_pipeline(), encoding="utf-8")
    project.note_code(folder)
    project.make_plugins_folder(folder)
    project.write_if_changed(folder / "requirements.txt", f"versus=={__version__}\n")
    workflow = folder / ".github" / "workflows" / "retrain.yml"
    if not workflow.exists():
        workflow.parent.mkdir(parents=True, exist_ok=True)
        workflow.write_text((TEMPLATES / "retrain.yml").read_text(encoding="utf-8"), encoding="utf-8")
    print(f"A project in {folder.resolve()}. Next: `versus add FILE --target COLUMN`, then `versus repro`.")
    return 0


def _is_in_git(folder: Path) -> bool:
    try:
        found = subprocess.run(["git", "rev-parse", "--git-dir"], cwd=folder, capture_output=True, check=False)
    except OSError:
        return False
    return found.returncode == 0


def _append(path: Path, lines: tuple[str, ...]) -> None:
    """Add lines to a file, those that it lacks."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    lacking = [line for line in lines if line not in before.splitlines()]
    path.write_text(before + "".join(f"{line}\n" for line in lacking), encoding="utf-8")
