import random

import pytest

from training.plate_formats import HARD_LETTERS, NATIONAL, fill, national_registration


def test_digits_and_letters_stand_where_the_pattern_says():
    text = fill("L DDD-LL", random.Random(1))
    assert [text[at] for at in (1, 5)] == [" ", "-"]
    assert text[0].isalpha()
    assert text[2:5].isdigit()
    assert text[6:].isalpha()


def test_an_empty_pattern_gives_an_empty_text():
    assert fill("", random.Random(1)) == ""


@pytest.mark.parametrize("country", ["PL", "F", "BG"])
def test_letters_that_a_country_leaves_out_are_not_drawn(country):
    allowed, rng = NATIONAL[country].letters, random.Random(2)
    drawn = set(fill("L" * 3000, rng, allowed))
    assert drawn == set(allowed)
    assert not set(HARD_LETTERS) <= drawn


def test_districts_replace_their_sign_and_every_country_is_drawn():
    rng = random.Random(3)
    drawn = [national_registration(rng) for _ in range(3000)]
    assert {country for country, _ in drawn} == set(NATIONAL)
    assert not any("@" in text or "L" * 9 in text for _, text in drawn)


def test_the_last_two_places_of_a_slovak_registration_are_letters():
    rng = random.Random(4)
    texts = [text for country, text in (national_registration(rng) for _ in range(500)) if country == "SK"]
    assert texts
    assert all(text[-2:].isalpha() and text[-5:-2].isdigit() for text in texts)
