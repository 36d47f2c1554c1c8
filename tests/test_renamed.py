"""Public things are found by the names that the last release had, with a warning."""

import pytest

from nodeforge import api, diffusion


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (api, "Framing", "AddedConditions"),
        (api, "Weakened", "PerturbationKind"),
        (diffusion, "Drawn", "DrawnNoise"),
        (diffusion, "PlaceError", "LayerNameError"),
        (diffusion, "draw", "draw_noise"),
        (diffusion, "frame", "set_added_conditions"),
        (diffusion, "keep_out", "exclude_area"),
        (diffusion, "look_at", "add_image_prompt"),
        (diffusion, "parse_places", "parse_layer_names"),
        (diffusion, "place", "set_area"),
        (diffusion, "restrict", "set_range"),
        (diffusion, "steer", "add_control"),
    ],
)
def test_an_old_name_is_the_new_thing_with_a_warning(module, old, new):
    with pytest.warns(DeprecationWarning, match=f"{old} is now called {new}"):
        assert getattr(module, old) is getattr(module, new)


def test_other_names_are_missing_as_ever():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = api.nonsense
