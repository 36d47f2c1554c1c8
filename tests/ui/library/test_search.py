"""Node types are found by the names that people know, and the most useful come first."""

import pytest
from PySide6.QtCore import Qt

from nodeforge.formats.comfyui.table import ROWS
from nodeforge.spec import Catalogue
from nodeforge.ui.library.node_use import NodeUse
from nodeforge.ui.library.other_names import other_names
from nodeforge.ui.library.ranking import by_use, search

CATALOGUE = Catalogue.shipped()
SPECS = list(CATALOGUE.values())


def found(query: str, use: NodeUse | None = None) -> list[str]:
    return [spec.type for spec in search(query, by_use(SPECS, use or NodeUse()))]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("KSampler", "sampling.denoise"),
        ("ksampler", "sampling.denoise"),
        ("KSampler (Advanced)", "sampling.denoise"),
        ("CLIPTextEncode", "text.encode"),
        ("CLIP Text Encode", "text.encode"),
        ("Load Checkpoint", "models.load"),
        ("CheckpointLoaderSimple", "models.load"),
        ("VAEDecode", "latent.decode"),
        ("VAE Decode", "latent.decode"),
        ("EmptyLatentImage", "latent.empty"),
        ("LoraLoader", "models.load_lora"),
        ("SaveImage", "image.save"),
        ("ConditioningCombine", "text.combine"),
        ("Hires fix", "latent.upscale"),
        ("cfg scale", "sampling.guidance"),
        ("Sampling method", "sampling.sampler"),
        ("img2img", "latent.encode"),
        ("txt2img", "sampling.denoise"),
        ("Textual inversion", "text.load_embedding"),
        ("Mix", "image.blend"),
        ("Reroute", "graph.reroute"),
        ("Alpha over", "image.composite"),
        ("Dilate", "mask.grow"),
        ("Viewer", "image.preview"),
        ("File output", "image.save"),
        ("denoise", "sampling.denoise"),
        ("noise", "sampling.noise"),
        ("load image", "image.load"),
    ],
)
def test_a_name_of_another_program_finds_its_counterpart(query, first):
    """window 33: KSampler and CLIPTextEncode found nothing, though the import knows them."""
    assert found(query)[0] == first


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ("upscale", {"image.scale_by", "image.resize", "latent.scale_by", "latent.upscale"}),
        ("mix", {"image.blend", "latent.blend", "text.average"}),
        ("scale", {"image.scale_by", "image.resize", "latent.scale_by", "latent.upscale"}),
    ],
)
def test_a_word_finds_all_that_it_means_first(query, types):
    assert types <= set(found(query)[: len(types) + 3])


def test_every_class_that_the_import_knows_finds_what_it_becomes():
    missed = []
    for row in ROWS.values():
        if (
            row.becomes
            and row.becomes[0] in CATALOGUE
            and row.becomes[0] not in found(row.class_type)[:8]
        ):
            missed.append(row.class_type)
    assert missed == []


def test_names_are_of_types_that_there_are():
    assert {each for each in other_names() if each not in CATALOGUE} == set()


def test_types_of_the_canvas_are_last_with_and_without_a_search():
    for query in ("", "mask", "image", "region"):
        categories = [type_id.partition(".")[0] == "canvas" for type_id in found(query)]
        assert categories[0] is False
    assert [each.partition(".")[0] for each in found("")][-8:] == ["canvas"] * 8


def test_what_is_used_comes_first_among_what_fits_equally():
    use = NodeUse()
    use.added("mask.feather")
    use.added("text.zero")
    assert found("", use)[:2] == ["text.zero", "mask.feather"]
    assert found("mask", use)[0] == "mask.feather"
    assert found("noise", use)[0] == "sampling.noise"  # how well it fits counts more
    use.set_favourite("image.grid", True)
    assert found("", use)[0] == "image.grid"
    use.set_favourite("image.grid", False)
    assert found("", use)[0] == "text.zero"


def test_use_is_kept_between_starts_and_what_is_damaged_is_left_out(open_window):
    window = open_window()
    window.workspace.new()
    window.library.chosen.emit("image.blur")
    menu = window.library.menu_of("mask.invert")
    menu.actions()[1].trigger()
    groups = [window.library.tree.topLevelItem(i).text(0) for i in range(3)]
    assert groups[:2] == ["Favourites", "Recent"]
    assert window.library.tree.topLevelItem(0).child(0).text(0) == "Invert mask"
    again = NodeUse(window.workspace.store)
    assert again.recent == ["image.blur"]
    assert again.favourites == ["mask.invert"]
    bad = '{"counts": {"a": "x", "b": -1, "c": 2}, "recent": [1, "c"], "favourites": 3}'
    window.workspace.store.setValue("nodes", bad)
    again = NodeUse(window.workspace.store)
    assert (dict(again.counts), again.recent, again.favourites) == ({"c": 2}, ["c"], [])


def test_the_library_ranks_as_the_popup_does_and_enter_takes_the_first(qtbot, window):
    window.workspace.new()
    qtbot.keyClicks(window.library.search, "KSampler")
    qtbot.keyClick(window.library.search, Qt.Key.Key_Return)
    nodes = window.workspace.current.document.graph.nodes
    assert [node.type for node in nodes.values()] == ["sampling.denoise"]


def test_the_palette_finds_the_theme_by_either_name(qtbot, window):
    """window 33: "dark" found nothing while the theme was light."""
    from nodeforge.ui.window.menus.command_palette import CommandPalette

    window.switch_theme()
    palette = CommandPalette(window.commands, window)
    qtbot.keyClicks(palette.search, "dark")
    assert palette.list.topLevelItem(0).text(0) == "Light theme"
    palette.close()


@pytest.mark.parametrize(
    ("query", "first"), [("frame all", "Zoom to all"), ("ungroup", "Unpack subgraph")]
)
def test_the_palette_finds_commands_by_their_names_elsewhere(qtbot, window, query, first):
    from nodeforge.ui.window.menus.command_palette import CommandPalette

    window.workspace.new()
    window.library.chosen.emit("image.blur")
    palette = CommandPalette(window.commands, window)
    qtbot.keyClicks(palette.search, query)
    assert palette.list.topLevelItemCount()
    assert palette.list.topLevelItem(0).text(0) == first
    palette.close()
