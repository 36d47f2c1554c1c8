from pathlib import Path

import pytest

from support.counting import Bench, open_bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return open_bench(tmp_path)
