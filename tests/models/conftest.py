"""Settings of a home of their own, and files with the names of real models."""

import pytest

from nodeforge.settings import Settings
from support.model_files import real_names, write_safetensors


@pytest.fixture(scope="session")
def names():
    return real_names()


@pytest.fixture
def write():
    return write_safetensors


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")
