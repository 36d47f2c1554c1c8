"""What all tests share: a home, threads that do not spin, and no GPU tests without a GPU."""

import gc
import os
from collections.abc import Iterator

import pytest

# Before anything imports torch: spinning threads are ruinous beside each other's tests.
os.environ.setdefault("GOMP_SPINCOUNT", "0")


@pytest.fixture(scope="module", autouse=True)
def no_home_of_a_person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A new home for each file of tests: what is remembered of models is written whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NODEFORGE_HOME", str(tmp_path_factory.mktemp("no_home")))
        yield


@pytest.fixture(scope="module", autouse=True)
def only_new_objects_are_walked() -> None:
    """What libraries and tests before have made is left out of garbage collections.

    The program's worker does so, too. Walking all of torch, transformers and diffusers took half of
    the time of tests that let networks go.
    """
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if not on_gpu:
        return
    import torch

    if not torch.cuda.is_available():
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason="needs a GPU that torch can use; none is here"))
