import pytest

from workflows.definition import nearest
from workflows.definition.nearest import suggest


@pytest.fixture
def compared(monkeypatch):
    """The known names that were compared with an unknown one."""
    names = []
    monkeypatch.setattr(nearest, "get_close_matches", lambda _, known, **__: names.extend(known) or [])
    return names


def test_the_nearest_name_is_suggested():
    assert suggest("iamge", ["image", "mask"], what="inputs") == "did you mean 'image'?"


def test_case_does_not_matter_to_nearness():
    assert suggest("objectdetectionmodel", ["ObjectDetectionModel", "Crop"], what="types").endswith(
        "'ObjectDetectionModel'?"
    )


def test_a_few_names_are_listed_when_none_is_near():
    assert suggest("zebra", ["image", "mask"], what="inputs") == "inputs here: image, mask"


def test_no_names_are_no_help():
    assert suggest("zebra", [], what="inputs") == "there are no inputs"


def test_many_names_are_counted_instead_of_listed():
    assert suggest("zebra", [f"input_{index}" for index in range(50)], what="inputs").startswith("there are 50 inputs")


def test_a_part_of_known_names_finds_them():
    assert suggest("ocr", ["OCRModel", "core/ocr_model@v1", "Crop"], what="types") == (
        "did you mean 'OCRModel' or 'core/ocr_model@v1'?"
    )


def test_two_letters_are_a_part_of_too_much():
    assert suggest("oc", ["core/ocr_model@v1"], what="types") == "types here: core/ocr_model@v1"


@pytest.mark.parametrize(("length", "expected"), [(64, "did you mean"), (65, "inputs here: aa")])
def test_a_long_name_is_like_no_other(length, expected):
    assert suggest("a" * length, ["a" * 64], what="inputs").startswith(expected)


def test_a_long_name_is_looked_for_in_no_other(compared):
    assert suggest("a" * 65, ["b" + "a" * 65], what="inputs").startswith("inputs here")
    assert compared == []


def test_only_so_many_names_are_compared_and_no_long_ones(compared):
    known = ["x" * 65, *(f"input_{index}" for index in range(1000))]
    assert suggest("zebra", known, what="inputs").startswith("there are 1001 inputs")
    assert compared == known[1:201]
