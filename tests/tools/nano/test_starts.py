"""Starting from trained weights: what is known stays, what is new hardly shows."""

import pytest
import torch

from tools.nano.shapes import LATENT_CHANNELS, decode, encode, new_unet, new_vae
from tools.nano.starts import fill, fill_unet, part_of, vae_from, widened

NARROW = (8, 8, 16, 16, 16)


@pytest.fixture
def narrow(monkeypatch):
    """An autoencoder of half as many latent channels."""
    torch.manual_seed(0)
    with monkeypatch.context() as patch:
        patch.setattr("tools.nano.shapes.LATENT_CHANNELS", LATENT_CHANNELS // 2)
        return new_vae(NARROW).eval()


@torch.no_grad()
def test_a_widened_autoencoder_gives_the_same_latents_and_nearly_the_same_pictures(narrow):
    wide = widened(narrow)
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    before, after = encode(narrow, pictures), encode(wide, pictures)
    known = LATENT_CHANNELS // 2
    assert torch.allclose(after.mean[:, :known], before.mean, atol=1e-5)
    assert torch.allclose(after.logvar[:, :known], before.logvar, atol=1e-5)
    assert after.mean[:, known:].std() > 0.01  # they say something from the start
    assert after.std[:, known:].max() < 0.5
    drawn, known_drawn = decode(wide, after.mean), decode(narrow, before.mean)
    assert (drawn - known_drawn).abs().mean() < 0.1 * known_drawn.std()


def test_a_model_s_autoencoder_is_read_at_the_width_that_is_trained(narrow, tmp_path):
    narrow.half().save_pretrained(tmp_path / "vae")
    for folder in (tmp_path, tmp_path / "vae"):
        read = vae_from(folder)
        assert read.config["latent_channels"] == LATENT_CHANNELS
        assert read.dtype == torch.float32
    assert part_of(tmp_path, "unet") == tmp_path


@torch.no_grad()
def test_a_unet_takes_over_what_it_knows_and_new_layers_pass_through(tmp_path):
    torch.manual_seed(0)
    known = new_unet((32, 32))
    known.half().save_pretrained(tmp_path / "unet")
    deeper = new_unet((32, 32, 32))
    fill_unet(deeper, tmp_path)
    taken = deeper.down_blocks[1].resnets[0].conv1.weight
    assert torch.equal(taken, known.float().down_blocks[1].resnets[0].conv1.weight)
    fresh = deeper.down_blocks[2].resnets[0]
    seen, time = torch.randn(1, 32, 4, 4), torch.randn(1, 128)
    assert torch.equal(fresh(seen, time), seen)


@torch.no_grad()
def test_further_channels_are_added_to_the_known_ones():
    model, before = torch.nn.Module(), torch.nn.Module()
    model.conv_in, before.conv_in = torch.nn.Conv2d(4, 3, 1), torch.nn.Conv2d(2, 3, 1)
    fill(model, before.state_dict())
    assert torch.equal(model.conv_in.weight[:, :2], before.conv_in.weight)
    assert model.conv_in.weight[:, 2:].abs().max() < 0.1
