from workflows.definition.nearest import suggest


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
