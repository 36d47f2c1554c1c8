"""Enlarging by a network: the numbers, tiles, alpha, sizes, and files that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import tiny_upscalers
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nodeforge import diffusion, imaging
from nodeforge.diffusion.memory.requirements import memory_needs
from nodeforge.diffusion.tensors.policy import DEFAULT
from nodeforge.diffusion.vision import enlarging
from nodeforge.diffusion.vision.enlarging import overlap_of, tile_spans
from nodeforge.diffusion.vision.upscaler import LoadedUpscaler
from nodeforge.errors import NodeForgeError, OutOfMemoryError
from nodeforge.values import Image

CPU = torch.device("cpu")


def loaded(network: nn.Module) -> LoadedUpscaler:
    return LoadedUpscaler(network.eval(), CPU, torch.float32)  # pyright: ignore[reportArgumentType]


def picture(width: int = 90, height: int = 70, channels: int = 3, batch: int = 1) -> Image:
    drawn = torch.Generator().manual_seed(1)
    return Image(torch.rand(batch, height, width, channels, generator=drawn))


def from_file(path: Path, image: Image, tile: int = 0) -> Tensor:
    host = diffusion.LocalHost(diffusion.Residency(CPU))
    with host.use(diffusion.describe_upscaler(path)) as upscaler:
        return diffusion.enlarge(upscaler, image, tile=tile).pixels


@pytest.mark.parametrize(
    "layout", [tiny_upscalers.in_first_layout, tiny_upscalers.in_second_layout]
)
@pytest.mark.parametrize("folded", [1, 2])
def test_layouts_of_one_network_give_the_same_picture(
    tmp_path: Path, layout: Callable, folded: int
):
    state = tiny_upscalers.state(tiny_upscalers.rrdb(folded=folded))
    save_file(state, tmp_path / "new.safetensors")
    save_file(layout(state), tmp_path / "old.safetensors")
    first, second = (from_file(tmp_path / f"{n}.safetensors", picture()) for n in ("new", "old"))
    assert first.shape[1:3] == (280 // folded, 360 // folded)
    assert torch.equal(first, second)
    assert first.std() > 0


def test_a_compact_network_without_weights_repeats_pixels():
    image = picture()
    made = diffusion.enlarge(loaded(tiny_upscalers.nearest(3)), image).pixels
    assert torch.equal(made[:, ::3, ::3], image.pixels)
    assert torch.equal(made[:, 2::3, 1::3], image.pixels)


@pytest.mark.parametrize("size", [(300, 260), (64, 200), (97, 95), (33, 31)])
def test_tiles_change_no_bit_where_no_pixel_sees_another(size: tuple[int, int]):
    upscaler, image = loaded(tiny_upscalers.nearest()), picture(*size)
    whole = diffusion.enlarge(upscaler, image, tile=4096).pixels
    assert torch.equal(diffusion.enlarge(upscaler, image, tile=64).pixels, whole)


@pytest.mark.parametrize(
    "network",
    [tiny_upscalers.compact(), tiny_upscalers.compact(1, depth=6), tiny_upscalers.rrdb(1, 2)],
    ids=["x2", "x1", "folded"],
)
def test_tiles_that_overlap_by_what_it_sees_have_no_seams(network: nn.Module):
    upscaler, image = loaded(network), picture(230, 210)
    whole = diffusion.enlarge(upscaler, image, tile=4096).pixels
    tiled = diffusion.enlarge(upscaler, image, tile=96).pixels
    torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=0)


@pytest.mark.parametrize("reach", [1, 5, 18, 34, 10**9])
@pytest.mark.parametrize("side", [64, 96, 256, 512])
def test_tiles_cover_a_side_and_share_what_they_need(side: int, reach: int):
    overlap = overlap_of(reach, side)
    for length in (1, 63, 64, 65, 500, 511, 1111):
        spans = list(tile_spans(length, side, overlap.pixels))
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        for (_, end), (start, _) in pairwise(spans):
            assert end - start >= overlap.pixels > 2 * overlap.unsure
        assert all(end - start < side + 32 for start, end in spans)


def test_every_picture_of_a_batch_is_enlarged_and_progress_told():
    steps: list[tuple[int, int]] = []
    upscaler, image = loaded(tiny_upscalers.compact()), picture(150, 100, batch=2)
    made = diffusion.enlarge(upscaler, image, tile=64, progress=lambda a, b: steps.append((a, b)))
    assert steps == [(n, len(steps)) for n in range(len(steps))]
    alone = diffusion.enlarge(upscaler, Image(image.pixels[1:]), tile=64)
    assert torch.equal(made.pixels[1:], alone.pixels)


def test_alpha_is_kept_and_what_is_hidden_does_not_come_in():
    image = picture(80, 80, 4)
    image.pixels[..., 3] = 1
    image.pixels[:, :, :40, 3] = 0
    image.pixels[:, :, 40:, :3] = 0.25
    image.pixels[:, :, :40, :3] = 1.0  # white, that nobody sees
    made = diffusion.enlarge(loaded(tiny_upscalers.nearest()), image).pixels
    alpha = imaging.resize(image.pixels[0, ..., 3].numpy(), 160, 160)
    assert np.array_equal(made[0, ..., 3].numpy(), alpha)
    assert made[0, :, 70:, :3].max() < 0.3


def test_a_grey_network_enlarges_each_colour():
    image = picture()
    made = diffusion.enlarge(loaded(tiny_upscalers.compact(channels=1)), image).pixels
    turned = diffusion.enlarge(
        loaded(tiny_upscalers.compact(channels=1)), Image(image.pixels.flip(-1))
    )
    assert torch.equal(made.flip(-1), turned.pixels)


class Greedy(nn.Module):
    """Has no memory for tiles above a size."""

    folded, scale, channels, reach = 1, 1, 3, 1

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def forward(self, x: Tensor) -> Tensor:
        if max(x.shape[-2:]) > self._most:
            raise torch.OutOfMemoryError
        return x


def test_smaller_tiles_are_taken_where_memory_does_not_suffice():
    told: list[str] = []
    image = picture(400, 300)
    made = diffusion.enlarge(loaded(Greedy(160)), image, fell_back=lambda: told.append("smaller"))
    assert torch.equal(made.pixels, image.pixels)
    assert told == ["smaller"]


def test_memory_that_never_suffices_is_named():
    with pytest.raises(OutOfMemoryError, match="400 × 300"):
        diffusion.enlarge(loaded(Greedy(0)), picture(400, 300))


def test_what_is_no_number_is_named():
    network = tiny_upscalers.compact()
    nn.init.constant_(next(network.parameters()), torch.nan)
    with pytest.raises(enlarging.EnlargeError, match="no number"):
        diffusion.enlarge(loaded(network), picture())


def test_memory_needs_are_known_without_loading(tmp_path: Path):
    path = tiny_upscalers.write(tiny_upscalers.compact(), tmp_path / "x.safetensors")
    needs = memory_needs(diffusion.describe_upscaler(path), DEFAULT, CPU)
    numbers = sum(p.numel() for p in tiny_upscalers.compact().parameters())
    assert needs.weights == 4 * numbers
    assert needs.working > 512 * 512 * 4 * 8


def test_upscalers_are_kept_and_freed_as_other_networks(tmp_path: Path):
    path = tiny_upscalers.write(tiny_upscalers.compact(), tmp_path / "x.safetensors")
    residency = diffusion.Residency(CPU)
    with residency.use(diffusion.describe_upscaler(path)) as first:
        pass
    with residency.use(diffusion.describe_upscaler(path)) as second:
        assert second is first
    assert residency.bytes_held > 0
    residency.free()
    assert residency.bytes_held == 0


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that are no whole upscaler."""
    made = tmp_path_factory.mktemp("strangers")
    tiny_models.write_folder(made / "model")
    tiny_models.write_lora(made / "model", made / "lora.safetensors")
    whole = tiny_upscalers.write(tiny_upscalers.compact(), made / "whole.safetensors")
    (made / "cut.safetensors").write_bytes(whole.read_bytes()[:-100])
    save_file({"something.weight": torch.zeros(3, 3)}, made / "unknown.safetensors")
    state = tiny_upscalers.state(tiny_upscalers.rrdb())
    del state["conv_hr.bias"], state["body.1.rdb3.conv5.weight"]
    save_file(state, made / "missing.safetensors")
    state = tiny_upscalers.state(tiny_upscalers.compact())
    state["body.2.weight"] = torch.zeros(8, 9, 3, 3)
    save_file(state, made / "shapes.safetensors")
    (made / "text.safetensors").write_text("<html>not a model</html>")
    return made


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("lora.safetensors", "this is a LoRA, not an upscaler"),
        ("model", "this is a model, not an upscaler"),
        ("cut.safetensors", "is cut short"),
        ("unknown.safetensors", "no kind of model that is known here"),
        ("text.safetensors", "not a safetensors file"),
        ("missing.safetensors", "2 weights of the upscaler are missing"),
        ("shapes.safetensors", "'body.2.weight' has shape"),
    ],
)
def test_files_that_are_no_upscaler_are_refused_in_words(strangers: Path, name: str, fact: str):
    with pytest.raises(NodeForgeError, match=fact) as refused:
        from_file(strangers / name, picture(8, 8))
    assert str(strangers / name) in str(refused.value)
    assert refused.value.way_out
