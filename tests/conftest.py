"""What all tests share: threads that do not spin, and no GPU tests without a GPU."""

import os

import pytest

# Before anything imports torch: spinning threads are ruinous beside each other's tests.
os.environ.setdefault("GOMP_SPINCOUNT", "0")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if not on_gpu:
        return
    import torch

    if not torch.cuda.is_available():
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason="needs a GPU that torch can use; none is here"))
