"""Files of all kinds, families and layouts are told for what they are, by their headers alone."""

from __future__ import annotations

import pytest

from nodeforge.models import recognise
from support.model_files import write_safetensors
from support.model_headers import model_headers
from support.transformer_headers import transformer_headers

ZOO = [*model_headers(), *transformer_headers()]


@pytest.mark.parametrize("each", ZOO, ids=lambda each: each.name)
def test_a_file_is_told_for_what_it_is(each, tmp_path):
    file = write_safetensors(
        tmp_path / f"{each.name}.safetensors",
        each.tensors,
        metadata=each.metadata,
        dtypes=each.dtypes,
    )
    info = recognise(file)
    assert (str(info.kind), info.family) == (each.kind, each.family)
    assert each.reason in info.reason
    assert info.inpainting == each.inpainting
    if each.kind in ("checkpoint", "unet"):
        assert info.prediction_type == each.prediction
        assert info.variant == each.variant or not each.variant
        assert bool(info.variant_source) == bool(info.variant)
    if each.encoder:
        assert info.encoder == each.encoder
    if each.quantisation != "…":
        assert info.quantisation == each.quantisation


def test_the_zoo_is_large_and_has_enough_nonsense():
    assert len(ZOO) >= 320
    assert len({each.name for each in ZOO}) == len(ZOO)
    assert sum(each.reason == "no kind" for each in ZOO) == 20
