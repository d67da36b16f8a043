"""What the command says of the first answer."""

from __future__ import annotations

import base64
import json

from deployments.cli.first_request import write_request
from deployments.dataplane.sample import TUTORIAL, sample_request, texts_read
from workflows.values.image_codec import image_size


def test_the_request_that_is_written_is_json_with_a_readable_picture(tmp_path):
    body = json.loads(write_request(tmp_path).read_text())
    assert body["specification"] == TUTORIAL
    width, height = image_size(base64.b64decode(body["inputs"]["image"]["value"]))
    assert width > 0
    assert height > 0


def test_texts_are_taken_from_every_element_and_empty_ones_left_out():
    outputs = [{"recognised_plates": ["B 1 ABC", ""]}, {"recognised_plates": []}, {"recognised_plates": None}]
    assert texts_read(outputs) == ["B 1 ABC"]
    assert texts_read([]) == []


def test_every_excluded_field_is_an_output_of_the_definition():
    names = {output["name"] for output in TUTORIAL["outputs"]}
    assert set(sample_request()["excluded_fields"]) <= names
