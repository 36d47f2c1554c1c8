import pytest

from nodeforge.api import DeclarationError, Upgrade, node, node_type_of
from nodeforge.spec import NodeSpec

RENAMED = Upgrade(rename={"share": "weight"})


def weigh(weight: float = 0.5) -> float:
    """Weigh.

    Args:
        weight: A number.
    """
    return weight


def test_steps_travel_with_the_node_as_json():
    steps = {2: RENAMED, 1: Upgrade(set={"share": 1.0}, scale={"share": 0.01})}
    declared = node_type_of(node("test.weigh", version=3, upgrade=steps)(weigh))
    assert declared is not None
    assert list(declared.spec.upgrades) == [1, 2]
    assert NodeSpec.from_json(declared.spec.to_json()) == declared.spec


def test_a_version_needs_no_step():
    declared = node_type_of(node("test.weigh", version=9)(weigh))
    assert declared is not None
    assert "upgrades" not in declared.spec.to_json()


@pytest.mark.parametrize(
    ("version", "steps", "fact"),
    [
        (2, {2: RENAMED}, "upgrade step 2 is not from a version before 2"),
        (2, {0: RENAMED}, "upgrade step 0 is not from a version before 2"),
        (2, {True: RENAMED}, "upgrade step True is not from a version before 2"),
        (2, {"1": RENAMED}, "upgrade step '1' is not from a version before 2"),
        (2, {1: {"rename": {}}}, "upgrade step 1 is no Upgrade"),
        (2, {1: Upgrade(rename={"weight": "share"})}, "step 1 leads to 'share', which is no port"),
        (2, {1: Upgrade(set={"share": 1})}, "step 1 leads to 'share', which is no port"),
        (2, {1: Upgrade(rename_outputs={"a": "b"})}, "step 1 leads to 'b', which is no port"),
        (0, {}, "the version is 0, not a whole number from 1"),
        (True, {}, "the version is True, not a whole number from 1"),
    ],
)
def test_a_wrong_step_fails_on_import_and_names_the_node(version, steps, fact):
    with pytest.raises(DeclarationError) as caught:
        node("test.weigh", version=version, upgrade=steps)(weigh)
    assert str(caught.value).startswith("test.weigh: ")
    assert fact in str(caught.value)
