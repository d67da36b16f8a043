import string

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from training.stroke_alphabet import HEIGHT_PX, StrokeAlphabet


@pytest.mark.parametrize("character", string.ascii_uppercase + string.digits)
def test_every_capital_and_digit_fills_its_height(character):
    for number in range(8):
        glyph = StrokeAlphabet(number).glyph(character)
        assert glyph.shape[0] == HEIGHT_PX
        inked = np.flatnonzero(glyph.max(1) > 100)
        assert inked[0] <= 0.06 * HEIGHT_PX
        assert inked[-1] >= 0.94 * HEIGHT_PX
        assert glyph[:, [0, -1]].max(0).min() > 100


def test_a_number_always_gives_the_same_alphabet_in_whatever_order_it_is_asked():
    one, other = StrokeAlphabet(7), StrokeAlphabet(7)
    one.glyph("W")
    assert_array_equal(one.glyph("M"), other.glyph("M"))


def test_what_is_no_capital_and_no_digit_is_refused():
    with pytest.raises(KeyError):
        StrokeAlphabet(1).glyph("a")


def test_an_upright_i_is_one_stroke_wide():
    alphabet = StrokeAlphabet(3)
    columns = (alphabet.glyph("I").mean(0) > 200).sum()
    assert columns == pytest.approx(alphabet.stroke * HEIGHT_PX, abs=2)
