from collections.abc import Iterator
from pathlib import Path

import pytest

from nodeforge.settings import Settings
from support.other_machine import OtherMachine, RemoteWatched
from support.processes import home_with_pack


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherMachine]:
    """Another machine with the pack of tests; its host serves the tests of a file in turn."""
    home = tmp_path_factory.mktemp("there")
    home_with_pack(home)
    machine = OtherMachine(home)
    yield machine
    machine.end()


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return home_with_pack(tmp_path / "here")


@pytest.fixture
def far(here: Settings, there: OtherMachine) -> Iterator[RemoteWatched]:
    watched = RemoteWatched(here, there)
    yield watched
    watched.close()
