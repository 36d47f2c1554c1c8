import json

import numpy as np
import pytest

from nodeforge.errors import RequestError
from nodeforge.formats import (
    FORMAT,
    NotJsonError,
    NoWorkflowError,
    document_from_picture,
    item_of_picture,
    load,
    read_any,
    save,
    stamp,
    write,
)
from nodeforge.graph.document import Document
from nodeforge.graph.edits import Collapse
from nodeforge.graph.model import Mode, Node
from nodeforge.imaging import PictureFormat, encode, item_stamp
from nodeforge.models import ModelFolders
from nodeforge.settings import Settings, shipped
from nodeforge.spec import Catalogue
from nodeforge.values.output_names import parameters_of
from support.graphs import end_of, graph, start_of, text_to_image
from support.small_catalogue import CATALOGUE

PICTURE = np.zeros((8, 8, 3), np.uint8)


@pytest.fixture
def document() -> Document:
    return Document(text_to_image())


def parameters(document: Document) -> str:
    return stamp(document, CATALOGUE).get("parameters", "")


def test_parameters_are_written_as_galleries_read_them(document):
    prompt, negative, facts = parameters(document).split("\n")
    assert (prompt, negative) == ("a red cube", "Negative prompt: blurry")
    assert facts.startswith(
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 5.0, Seed: 7, "
        "Size: 256x256, Model: nano, Version: NodeForge "
    )


def test_defaults_count_and_strength_is_told(document):
    document.node("guidance").values.clear()
    document.node("schedule").values["strength"] = 0.6
    assert "CFG scale: 7.5" in parameters(document)
    assert "Denoising strength: 0.6" in parameters(document)


def test_a_seed_from_a_value_node_is_found(document):
    document.graph.nodes["number"] = Node("values.integer", {"value": 99})
    document.graph.links[end_of("noise.seed")] = start_of("number.value")
    assert "Seed: 99" in parameters(document)


def test_a_batch_of_one_draw_says_its_convention_and_each_picture_its_place(document, tmp_path):
    """Comfyui §4: picture k of a batch is item k of one draw."""
    document.node("noise").values["batch"] = 3
    document.node("sampler").values["convention"] = "comfyui"
    texts = stamp(document, CATALOGUE)
    assert "Seed: 7, Batch size: 3, Convention: ComfyUI" in texts["parameters"]
    own = item_stamp(texts, 2)
    assert "Seed: 7, Batch pos: 2, Batch size: 3" in own["parameters"]
    file = tmp_path / "third.png"
    file.write_bytes(encode(PICTURE, PictureFormat.PNG, own))
    assert item_of_picture(file) == 2
    document.node("noise").values["item"] = 1
    alone = stamp(document, CATALOGUE)["parameters"]
    assert "Batch pos: 1" in alone
    assert parameters_of(alone, 0) == alone


def test_a_picture_of_a_batch_of_seeds_says_its_own_seed(document, tmp_path):
    """Files A16."""
    document.node("noise").values["batch"] = 3
    own = item_stamp(stamp(document, CATALOGUE), 2)
    assert "Seed: 9, Batch size: 3" in own["parameters"]
    file = tmp_path / "third.png"
    file.write_bytes(encode(PICTURE, PictureFormat.PNG, own))
    assert item_of_picture(file) is None


def test_subgraphs_change_nothing(document):
    before = parameters(document)
    document.perform(Collapse(["prompt", "negative", "denoise", "noise"]))
    assert parameters(document) == before


def test_without_a_negative_prompt_there_is_no_line_for_it(document):
    document.node("negative").mode = Mode.MUTE
    assert "Negative" not in parameters(document)


def test_of_two_passes_the_first_made_the_picture(document):
    document.graph.nodes["again"] = Node("sampling.denoise")
    document.graph.nodes["other"] = Node("sampling.schedule", {"steps": 8})
    for end, start in list(document.graph.links.items()):
        if end.node == "denoise":
            document.graph.links[end_of(f"again.{end.port}")] = start
    document.graph.links |= {
        end_of("again.latent"): start_of("denoise.latent"),
        end_of("again.schedule"): start_of("other.schedule"),
        end_of("decode.latent"): start_of("again.latent"),
    }
    assert "Steps: 20," in parameters(document)


def test_a_workflow_that_denoises_nothing_has_no_parameters():
    whole = graph({"a": "image.load", "b": "image.save"}, "a.image > b.image")
    texts = stamp(Document(whole), CATALOGUE)
    assert list(texts) == ["nodeforge"]


@pytest.mark.parametrize("format", list(PictureFormat))
def test_a_saved_picture_opens_as_the_workflow_that_made_it(document, tmp_path, format):
    document.node("prompt").values["text"] = 'ein Fuchs 🦊\n"quoted" <xml> & more'
    file = tmp_path / f"p{format.suffix}"
    file.write_bytes(encode(PICTURE, format, stamp(document, CATALOGUE)))
    assert document_from_picture(file) == document
    assert read_any(file) == document


def test_a_long_workflow_fits_into_every_format(tmp_path):
    whole = graph({f"n_{i}": Node("graph.note", {"text": "x" * 100}) for i in range(2000)})
    for format in PictureFormat:
        file = tmp_path / f"p{format.suffix}"
        file.write_bytes(encode(PICTURE, format, stamp(Document(whole), CATALOGUE)))
        assert document_from_picture(file).graph == whole


def test_a_picture_without_a_workflow_says_what_it_has(tmp_path):
    file = tmp_path / "p.png"
    file.write_bytes(encode(PICTURE, PictureFormat.PNG, {"workflow": "{}", "prompt": "{}"}))
    with pytest.raises(NoWorkflowError, match="It has: prompt, workflow") as caught:
        read_any(file)
    assert caught.value.place == "p.png"
    assert caught.value.texts == ("prompt", "workflow")


def test_a_damaged_workflow_in_a_picture_is_named(tmp_path):
    file = tmp_path / "p.png"
    file.write_bytes(encode(PICTURE, PictureFormat.PNG, {"nodeforge": '{"format": 1, x'}))
    with pytest.raises(NotJsonError, match=r"is not JSON") as caught:
        read_any(file)
    assert caught.value.place.startswith("p.png, line 1")


def test_a_picture_cut_short_is_refused_in_our_words(document, tmp_path):
    for format in PictureFormat:
        content = encode(PICTURE, format, stamp(document, CATALOGUE))
        for share in (0.1, 0.5):
            file = tmp_path / f"p{format.suffix}"
            file.write_bytes(content[: int(len(content) * share)])
            with pytest.raises(RequestError):
                read_any(file)


def test_a_damaged_picture_is_called_a_picture(tmp_path):
    file = tmp_path / "p.png"
    file.write_bytes(b"\x00broken" * 10)
    with pytest.raises(RequestError) as caught:
        read_any(file)
    assert "JSON" not in str(caught.value)


def test_a_workflow_file_is_read_by_its_content_whatever_its_name(document, tmp_path):
    file = tmp_path / "w.png"
    save(document, file)
    assert read_any(file) == document


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(RequestError, match="cannot be read"):
            read_any(path)


def test_the_stamp_holds_the_workflow_as_a_file_would(document):
    assert stamp(document)["nodeforge"] == write(document).decode()
    assert json.loads(stamp(document)["nodeforge"])["format"] == FORMAT


def test_what_is_left_to_the_model_is_written_as_it_was_run(tmp_path):
    """Steps, sampler, guidance and size of an auto workflow are numbers in the picture."""
    document, catalogue = load(shipped("workflows") / "text_to_image.json"), Catalogue.shipped()
    folders = ModelFolders(Settings(home=tmp_path))
    text = stamp(document, catalogue, folders.info)["parameters"]
    assert "Steps: 20, Sampler: DPM++ 2M, Schedule type: Normal, CFG scale: 3" in text
    assert "Size: 256x256" in text
    assert "Steps" not in stamp(document, catalogue)["parameters"]  # the model is not known
