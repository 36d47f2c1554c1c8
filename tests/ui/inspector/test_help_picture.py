"""Pictures in the nodes' help: there, small, shown."""

from pathlib import Path

import pytest

from nodeforge.settings import help_picture, shipped
from nodeforge.spec import Catalogue
from nodeforge.ui.common.formatting import help_picture_html
from nodeforge.ui.inspector.help_picture import HelpPicture
from tools.node_pictures import MOST_BYTES, has_picture

CATALOGUE = Catalogue.shipped()
FOLDER = shipped("resources") / "help" / "nodes"


def test_every_node_with_something_to_see_has_a_picture_and_no_other():
    wanted = {spec.type for spec in CATALOGUE.values() if has_picture(spec)}
    assert {file.stem for file in FOLDER.iterdir()} == wanted, "run: python -m tools.node_pictures"


def test_pictures_are_small():
    sizes = [file.stat().st_size for file in FOLDER.iterdir()]
    assert max(sizes) <= MOST_BYTES
    assert sum(sizes) <= 4 * 2**20


@pytest.mark.parametrize("type_id", ["values.integer", "models.load", "no.such", "../x"])
def test_a_node_without_anything_to_see_has_none(qapp, type_id: str):
    assert HelpPicture.of(type_id) is None
    assert help_picture_html(type_id) == ""


def test_a_picture_shrinks_and_never_grows(qapp):
    picture = HelpPicture.of("image.blur")
    assert picture is not None
    whole = picture.sizeHint()
    assert picture.heightForWidth(10 * whole.width()) == whole.height()
    assert picture.heightForWidth(whole.width() // 2) == pytest.approx(whole.height() / 2, abs=1)
    assert Path(help_picture("image.blur")).as_posix() in help_picture_html("image.blur")
