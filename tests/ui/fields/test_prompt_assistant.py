"""Writing a prompt: its length in tokens, words to go on with; seeds and models that help."""

from pathlib import Path

import pytest
import tiny_transformers
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QPlainTextEdit

from nodeforge.diffusion.networks.tokenizer import tokenizer_of
from nodeforge.diffusion.text.prompt_weights import parse
from nodeforge.formats import read, write
from nodeforge.graph.model import Node
from nodeforge.models import FAMILIES, TEXT_ENCODER_KINDS
from nodeforge.settings import shipped
from nodeforge.ui.fields.model_field import ModelDialog
from nodeforge.ui.fields.model_preview import preview_picture
from nodeforge.ui.fields.prompt_completion import matching_words
from nodeforge.ui.fields.token_counter import (
    ChunkedTokenizer,
    CutTokenizer,
    TokenCount,
    _tokenizer_at,
)
from nodeforge.values import TextEncoderPart, Weights

NANO = shipped("resources") / "models" / "nano" / "tokenizer"


@pytest.fixture
def prompt(window):
    """The prompt of the shipped workflow, with the cursor after its last letter."""
    window.files.open(shipped("workflows") / "text_to_image.json")
    window.area.view.select(["prompt"])
    edit = window.inspector.row("text").field.findChild(QPlainTextEdit)
    edit.setFocus()
    edit.moveCursor(edit.textCursor().MoveOperation.End)
    return edit


def text_of(window) -> str:
    return window.workspace.current.document.node("prompt").values["text"]


def test_tokens_are_counted_as_the_encoder_counts_them():
    from transformers import CLIPTokenizer

    theirs = CLIPTokenizer.from_pretrained(str(NANO))
    words = ChunkedTokenizer(NANO)
    for text in ("a fox", "a (red:1.2) fox, [blue]", "", r"a \(b\) ((c))", "x " * 40):
        wanted = sum(
            len(theirs(piece.text, add_special_tokens=False, verbose=False).input_ids)
            for piece in parse(text)
        )
        assert words.count(text) == TokenCount(wanted, 30)


def test_the_length_is_said_by_chunks():
    assert str(TokenCount(12, 75)) == "12 of 75 tokens"
    assert str(TokenCount(83, 75)) == "83 tokens, 2 chunks; 8 of 75 in the last"


def test_a_prompt_that_is_cut_says_how_much_is_not_read():
    assert str(TokenCount(12, 500, cut=True)) == "12 of 500 tokens"
    assert str(TokenCount(520, 500, cut=True)) == "520 of 500 tokens; the last 20 are not read"


@pytest.mark.parametrize("name", ["flux1", "chroma", "z_image", "flux2_klein_4b"])
def test_language_models_count_a_prompt_as_it_is_cut(name):
    """As many tokens as its limit are read with the template; one more is cut."""
    family = FAMILIES[name]
    *_, kind = family.text_encoders.values()
    folder = TEXT_ENCODER_KINDS[kind].tokenizer_folder
    words = CutTokenizer(folder / "tokenizer.json.gz", family, [])
    part = TextEncoderPart(kind, Weights("", "", name, "text_encoder"))
    theirs = tokenizer_of(part)
    for text in ("a fox", "", "a (red:1.2) fox", "fox " * 700):
        plain = text.replace("(red:1.2)", "red") if family.reads_weights else text
        told = words.count(text)
        whole = theirs.count(family.prompt_template.format(plain))
        assert told.tokens - told.chunk == whole - family.text_length


def test_a_model_of_two_text_encoders_counts_by_the_one_whose_tokens_are_read(tmp_path):
    """Flux.1's CLIP reads the prompt as a whole, T5 its tokens: 512 with its end."""
    tiny_transformers.PIPELINES["flux1"]().save_pretrained(tmp_path)
    counted = _tokenizer_at(tmp_path)
    assert counted is not None
    assert counted.count("a fox").chunk == 511
    assert "umbrella" in counted.vocabulary_words


def test_the_prompt_says_how_long_it_is_while_it_is_typed(qtbot, window, prompt):
    field = window.inspector.row("text").field
    assert field.token_text == "2 of 30 tokens"
    qtbot.keyClicks(prompt, " and a cat")
    assert field.token_text == "5 of 30 tokens"


def test_a_text_that_is_no_prompt_is_not_counted(window):
    window.files.open(shipped("workflows") / "lora_style.json")
    window.area.view.select(["prompt"])
    assert window.inspector.row("text").field.token_text
    window.area.view.select(["style"])
    assert window.inspector.row("block_weights").field.token_text == ""


def test_a_known_word_is_offered_and_taken_by_tab(qtbot, window, prompt):
    qtbot.keyClicks(prompt, " with umb")
    assert prompt.completion.suggestions == ["umbrella"]
    qtbot.keyClick(prompt, Qt.Key.Key_Tab)
    assert text_of(window) == "a fox with umbrella"
    assert prompt.completion.suggestions == []


def test_running_closes_the_list(qtbot, window, prompt):
    """Window, newcomer: the list stayed over the panel for as long as the run took."""
    qtbot.keyClicks(prompt, " umb")
    qtbot.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert window.runner.busy
    assert prompt.completion.suggestions == []


def test_enter_breaks_the_line_and_escape_closes_the_list(qtbot, window, prompt):
    qtbot.keyClicks(prompt, " umb")
    qtbot.keyClick(prompt, Qt.Key.Key_Escape)
    assert prompt.completion.suggestions == []
    qtbot.keyClicks(prompt, "r")
    assert prompt.completion.suggestions
    qtbot.keyClick(prompt, Qt.Key.Key_Return)
    assert text_of(window) == "a fox umbr\n"


def test_names_come_before_words_used_before_and_those_before_known_words():
    sources = (["foxglove"], ["Forest", "fog"], ["fox", "forest", "four"])
    assert list(matching_words("fo", sources)) == ["foxglove", "Forest", "fog", "fox", "four"]
    assert list(matching_words("Fox", sources)) == ["foxglove"]
    assert list(matching_words("fo", [["embedding:fog"]])) == ["embedding:fog"]


def test_of_words_that_change_while_steps_run_the_longest_counts():
    words = ChunkedTokenizer(NANO)
    for text, longest in (
        ("a [cat:red dog:0.4]", "a red dog"),
        ("a [cat::0.5]", "a cat"),
        ("[cat|red dog|fox] in snow", "red dog in snow"),
        ("a [cat] in snow", "a cat in snow"),
    ):
        assert words.count(text) == words.count(longest), text


def test_loaded_embeddings_are_offered_as_prompts_call_them(qtbot, window, prompt):
    document = window.workspace.current.document
    document.graph.nodes["load"] = Node("text.load_embedding", {"file": "old/zigzag.pt"})
    qtbot.keyClicks(prompt, " zig")
    assert prompt.completion.suggestions == ["embedding:zigzag"]
    qtbot.keyClick(prompt, Qt.Key.Key_Tab)
    assert text_of(window) == "a fox embedding:zigzag"


def test_embeddings_in_the_folder_are_offered(qtbot, window, home: Path, prompt):
    folder = home / "models" / "embeddings" / "my"
    folder.mkdir(parents=True)
    (folder / "zagzig.safetensors").touch()
    qtbot.keyClicks(prompt, " embedding:my")
    assert prompt.completion.suggestions == ["embedding:my/zagzig"]


def test_what_becomes_of_a_seed_is_saved_and_undone(qtbot, window):
    window.files.open(shipped("workflows") / "text_to_image.json")
    opened = window.workspace.current
    window.area.view.select(["noise"])
    menu = window.inspector.row("seed").field.findChild(QComboBox)
    menu.setFocus()
    assert menu.currentText() == "Randomise"  # shipped files do
    qtbot.keyClick(menu, Qt.Key.Key_Down)
    assert menu.currentText() == "Increment"
    assert opened.document.view.seeds == {"noise.seed": "increment"}
    assert read(write(opened.document)).view.seeds == {"noise.seed": "increment"}
    opened.document.undo()
    assert menu.currentText() == "Randomise"
    assert opened.document.view.seeds == {"noise.seed": "random"}


def test_a_model_is_known_by_the_picture_beside_it(window, home: Path):
    folder = home / "models" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "mine.safetensors").write_bytes(b"no model")
    QImage(300, 200, QImage.Format.Format_RGB32).save(str(folder / "mine.png"))
    assert preview_picture(folder / "mine.safetensors") == folder / "mine.png"
    assert preview_picture(NANO.parent) == NANO.parent / "samples.jpg"
    dialog = ModelDialog(window.workspace, "checkpoint", window)
    items = [dialog._list.topLevelItem(i) for i in range(dialog._list.topLevelItemCount())]
    nano = next(item for item in items if item.text(0) == "nano")
    dialog._list.setCurrentItem(nano)
    assert dialog._picture.pixmap().width() > 100
    assert "Family: nano" in dialog._about.text()
