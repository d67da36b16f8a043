from __future__ import annotations

import json

import pytest

from workflows.catalogue import definition_schema, describe_blocks
from workflows.kinds import Kind
from workflows.registry import all_blocks

BLOCKS = {block["manifest_type_identifier"]: block for block in describe_blocks()["blocks"]}


def primitives(block_type):
    return {
        entry["property_name"]: entry["type_annotation"]
        for entry in describe_blocks()["primitives_connections"]
        if entry["manifest_type_identifier"] == block_type
    }


def connected(kind, block_type):
    return {
        entry["property_name"]
        for entry in describe_blocks()["kinds_connections"][kind]
        if entry["manifest_type_identifier"] == block_type
    }


def test_every_block_is_described():
    assert set(BLOCKS) == {block.type for block in all_blocks()}


def test_the_catalogue_and_the_schema_are_plain_json():
    json.dumps(describe_blocks())
    json.dumps(definition_schema())


def test_a_block_names_its_aliases_and_dimensions():
    crop = BLOCKS["roboflow_core/dynamic_crop@v1"]
    assert crop["manifest_type_identifier_aliases"] == ["DynamicCrop", "Crop"]
    assert crop["output_dimensionality_offset"] == 1
    assert crop["human_friendly_block_name"] == "Dynamic Crop"
    assert [output["name"] for output in crop["outputs_manifest"]] == ["crops", "predictions"]
    assert crop["outputs_manifest"][0]["kind"][0]["name"] == "image"


def test_properties_go_by_their_canonical_names():
    schema = BLOCKS["roboflow_core/detection_offset@v1"]["block_schema"]
    assert list(schema["properties"]) == ["type", "name", "predictions", "offset_width", "offset_height", "units"]
    assert schema["required"] == ["type", "name", "predictions", "offset_width", "offset_height"]


def test_properties_that_take_selectors_say_which():
    image = BLOCKS["roboflow_core/dynamic_crop@v1"]["block_schema"]["properties"]["images"]
    assert image["reference"] is True
    assert image["selected_element"] == "any_data"
    assert image["selector_points_to_batch"] == "dynamic"
    assert [kind["name"] for kind in image["kind"]] == ["image"]
    assert image["pattern"].startswith(r"(^\$steps\.")


def test_selectors_of_steps_have_no_kind():
    items = BLOCKS["roboflow_core/continue_if@v1"]["block_schema"]["properties"]["next_steps"]["items"]
    assert items["selected_element"] == "step"
    assert "kind" not in items


@pytest.mark.parametrize("key", ["name", "version", "short_description", "long_description", "block_type", "license"])
def test_every_schema_tells_about_its_block(key):
    assert all(block["block_schema"][key] for block in BLOCKS.values())


def test_constants_have_types():
    assert primitives("roboflow_core/dynamic_crop@v1") == {
        "name": "str",
        "mask_opacity": "float",
        "background_color": "Union[Tuple[int, int, int], str]",
    }
    assert primitives("roboflow_core/roboflow_object_detection_model@v1")["class_filter"] == "List[str]"
    assert primitives("roboflow_core/detection_offset@v1")["units"] == "str"


def test_properties_are_found_by_the_kinds_they_take():
    crop = "roboflow_core/dynamic_crop@v1"
    assert connected("image", crop) == {"images"}
    assert connected("float_zero_to_one", crop) == {"mask_opacity"}
    assert connected("*", crop) == {"images", "predictions", "mask_opacity", "background_color"}


def test_properties_that_select_steps_are_not_connected_by_kind():
    assert "next_steps" not in connected("*", "roboflow_core/continue_if@v1")


def test_selectors_inside_objects_are_marked():
    parameters = next(
        entry
        for entry in describe_blocks()["kinds_connections"]["*"]
        if entry["property_name"] == "evaluation_parameters"
    )
    assert (parameters["is_dict_element"], parameters["is_list_element"]) == (True, False)


def test_all_kinds_are_declared():
    assert {kind["name"] for kind in describe_blocks()["declared_kinds"]} == set(Kind)


def test_the_schema_of_a_document_knows_every_block():
    schema = definition_schema()
    assert schema["required"] == ["version", "inputs", "steps", "outputs"]
    steps = schema["properties"]["steps"]["items"]["anyOf"]
    types = set()
    for step in steps:
        declared = schema["$defs"][step["$ref"].rpartition("/")[2]]["properties"]["type"]
        types |= set(declared.get("enum") or [declared["const"]])
    assert types == {identifier for block in all_blocks() for identifier in block.identifiers}
