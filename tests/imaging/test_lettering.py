import numpy as np
import pytest

from nodeforge.imaging import FontError, Lettering, PictureTooLargeError, TextAlign, draw_text

BLACK = np.zeros((120, 200, 3), np.float32)


def ink(text, **how):
    """Rows and columns with ink."""
    made = draw_text(BLACK, text, Lettering(20, **how))[..., 0] > 0
    return np.flatnonzero(made.any(axis=1)), np.flatnonzero(made.any(axis=0))


def test_a_text_is_drawn_in_its_colour_at_its_place():
    made = draw_text(BLACK, "H", Lettering(40, (1, 0.5, 0), 1.0, 50, 30))
    rows, columns = np.nonzero(made[..., 0])
    assert columns.min() >= 50
    assert rows.min() >= 30
    assert made.max(axis=(0, 1)).tolist() == [1, 0.5, 0]
    assert draw_text(BLACK, "H", Lettering(40, opacity=0.5)).max() == 0.5


def test_nothing_to_write_or_nothing_seen_keeps_every_bit(picture):
    pixels = picture(20, 10, 4)
    for text, how in (("", Lettering()), (" \n ", Lettering()), ("x", Lettering(left=500))):
        assert np.array_equal(draw_text(pixels, text, how), pixels)


def test_long_lines_are_wrapped_between_words_and_long_words_within():
    one, _ = ink("word word")
    two, columns = ink("word word", width=60)
    assert two[-1] > one[-1] + 15
    assert columns[-1] < 60
    _, columns = ink("Donaudampfschifffahrt", width=60)
    assert columns[-1] <= 60


def test_lines_are_kept_and_aligned():
    rows, _ = ink("a\n\na")
    assert rows[-1] > 50
    left, centre, right = (ink("i", align=align, width=100)[1][0] for align in TextAlign)
    assert left < centre < right <= 100


@pytest.mark.parametrize("text", ["猫", "naïve", "🐱 and fox", "\x00"])
def test_characters_that_the_font_lacks_are_named(text):
    with pytest.raises(FontError, match="the font has no character for: ") as refused:
        draw_text(BLACK, text, Lettering())
    assert "font file" in refused.value.way_out


def test_a_file_that_is_no_font_is_named(tmp_path):
    (tmp_path / "x.ttf").write_text("words")
    for name in ("x.ttf", "missing.ttf"):
        with pytest.raises(FontError, match=name):
            draw_text(BLACK, "a", Lettering(font=tmp_path / name))


def test_a_book_is_refused():
    with pytest.raises(PictureTooLargeError, match="10,001 characters"):
        draw_text(BLACK, "x" * 10_001, Lettering())
