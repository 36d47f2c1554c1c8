import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiny_models

from support.studio import DRIFT, Studio


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """A home with two pictures of one batch; not to be changed."""
    root = tmp_path_factory.mktemp("studio")
    made = Studio(root / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODEFORGE_HOME", str(made.home))
        made.furnish(tiny_models.write_folder(root / "tiny"))
        made.save(made.document())
    return made


@pytest.fixture
def studio(furnished: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """The same, to be changed."""
    monkeypatch.setenv("NODEFORGE_HOME", str(tmp_path / "home"))
    shutil.copytree(furnished.home, tmp_path / "home")
    yield Studio(tmp_path / "home")
    DRIFT.by, DRIFT.falls_back = 0.0, False
