"""Puts packs, workflows and resources into the wheel, where `nodeforge.settings.shipped` looks."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("nodes", "workflows", "resources", "docs")


class BuildWithShipped(build_py):
    """The package, and beside it what it brings."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # the folders beside the package are used
        target = Path(self.build_lib) / "nodeforge" / "_shipped"
        shutil.rmtree(target, ignore_errors=True)
        for name in SHIPPED:
            shutil.copytree(name, target / name, ignore=shutil.ignore_patterns("__pycache__"))


setup(cmdclass={"build_py": BuildWithShipped})
