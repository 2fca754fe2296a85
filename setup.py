"""Build step of the wheel: what a checkout has beside the package, its stages and their pins, goes into it."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
BESIDE = ("dvc.yaml", "constraints.txt", *(f"stages/{path.name}" for path in ROOT.glob("stages/*.py")))


class BuildWithStages(build_py):
    """Copy the files to ``versus/project``, where `versus.serving.code` looks for them."""

    def run(self) -> None:
        """Build the package, then add to it; an editable installation has them where they are."""
        super().run()
        if self.editable_mode:
            return
        # DVC, which watches the folder of the package, allows no file of this name in it.
        targets = {name: name for name in BESIDE} | {".dvcignore": "dvcignore"}
        for name, inside in targets.items():
            target = Path(self.build_lib) / "versus" / "project" / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)


setup(cmdclass={"build_py": BuildWithStages})
