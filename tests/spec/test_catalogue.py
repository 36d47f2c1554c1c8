import pytest

from nodeforge.spec import Catalogue, NodeSpec, PortSpec, UnknownNodeTypeError, fits


def spec(type_id: str) -> NodeSpec:
    image = (PortSpec("image", "image"),)
    return NodeSpec(type_id, 1, "Title", "Summary.", "", image, image)


def test_an_unknown_type_is_refused_with_the_nearest_known():
    catalogue = Catalogue([spec("latent.blend"), spec("image.save")])
    with pytest.raises(UnknownNodeTypeError, match=r"Did you mean 'latent\.blend'"):
        catalogue["latent.blned"]
    assert catalogue.get("latent.blned") is None
    assert "image.save" in catalogue


def test_a_catalogue_survives_json():
    catalogue = Catalogue([spec("latent.blend"), spec("image.save")])
    assert dict(Catalogue.from_json(catalogue.to_json())) == dict(catalogue)


@pytest.mark.parametrize(
    ("source", "target", "yes"),
    [
        ("image", "image", True),
        ("image", "mask", False),
        ("integer", "float", True),
        ("float", "integer", False),
        ("any", "image", True),
        ("image", "any", True),
        ("text", "path", False),
    ],
)
def test_which_outputs_fit_which_inputs(source: str, target: str, yes: bool):
    assert fits(source, target) is yes
