import pytest

from tools.nano.concepts import WELL_KNOWN, concepts_from, emoji_code, may_flip

NAMES = {
    "🐱": {"name": "cat face", "group": "Animals & Nature"},
    "👍🏽": {"name": "thumbs up: medium skin tone", "group": "People & Body"},
    "🕛": {"name": "twelve o’clock", "group": "Travel & Places"},
    "🏁": {"name": "chequered flag", "group": "Flags"},
    "☂️": {"name": "umbrella", "group": "Travel & Places"},
    "🌂": {"name": "closed umbrella", "group": "Objects"},
}
TAGS = {"1f431": ["kitten", "pet"], "2602": ["rain", "parasol"], "1f302": ["rain", "umbrella"]}


def test_skin_tones_clock_faces_and_flags_are_left_out():
    kept = [concept.name for concept in concepts_from(NAMES, TAGS)]
    assert kept == ["cat face", "umbrella", "closed umbrella"]


def test_a_tag_is_a_synonym_only_where_it_names_one_concept():
    by_code = {c.code: c.names for c in concepts_from(NAMES, TAGS)}
    assert by_code["2602-fe0f"] == ("umbrella", "parasol")
    assert by_code["1f302"] == ("closed umbrella",)


def test_a_chosen_concept_goes_by_the_word_one_says():
    (cat,) = concepts_from(NAMES, TAGS, {"🐱": "cat kitty"})
    assert cat.names == ("cat", "kitty", "cat face")


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("fox", True), ("crescent moon", False), ("magnifying glass tilted left", False)],
)
def test_names_with_a_side_are_not_mirrored(name, allowed):
    assert may_flip(name) is allowed


def test_a_code_is_the_file_name_of_the_picture():
    assert emoji_code("☂️") == "2602-fe0f"


def test_the_small_preset_has_about_a_hundred_concepts_with_words_of_their_own():
    words = [word for row in WELL_KNOWN.values() for word in row.split()]
    assert 90 <= len(WELL_KNOWN) <= 120
    assert len(words) == len(set(words))
