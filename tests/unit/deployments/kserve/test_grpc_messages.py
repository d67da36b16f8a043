import numpy as np
import pytest
from numpy.testing import assert_array_equal

from deployments.errors import InvalidRequestError, PayloadTooLargeError
from deployments.kserve.generated import open_inference_pb2 as messages
from deployments.kserve.grpc_messages import read_question, timeout_us_of, write_answer

Input = messages.ModelInferRequest.InferInputTensor
Contents = messages.InferTensorContents
RAW = np.array([1.5, 2], dtype="<f4").tobytes()


def request(*inputs, **fields):
    return messages.ModelInferRequest(model_name="plates", inputs=inputs, **fields)


def x(datatype="FP32", shape=(1, 2), **fields):
    return Input(name="x", datatype=datatype, shape=shape, **fields)


def parameter(**value):
    return messages.InferParameter(**value)


def test_raw_tensors_are_read_in_the_order_of_the_inputs():
    outputs = [messages.ModelInferRequest.InferRequestedOutputTensor(name="twice")]
    question = read_question(request(x(), outputs=outputs, raw_input_contents=[RAW]), 1000)
    assert_array_equal(question.feeds["x"], [[1.5, 2]])
    assert question.outputs == ("twice",)


@pytest.mark.parametrize(
    ("datatype", "contents"),
    [
        ("FP32", Contents(fp32_contents=[1, 0])),
        ("FP64", Contents(fp64_contents=[1, 0])),
        ("BOOL", Contents(bool_contents=[True, False])),
        ("INT8", Contents(int_contents=[1, 0])),
        ("INT64", Contents(int64_contents=[1, 0])),
        ("UINT8", Contents(uint_contents=[1, 0])),
        ("UINT64", Contents(uint64_contents=[1, 0])),
    ],
)
def test_typed_contents_are_read_from_the_field_of_their_type(datatype, contents):
    assert read_question(request(x(datatype, contents=contents)), 1000).feeds["x"].tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (request(x(), raw_input_contents=[RAW, RAW]), "2 raw_input_contents for 1 inputs"),
        (request(x(), raw_input_contents=[RAW[:4]]), "has 4 bytes; FP32 of shape [1, 2] has 8"),
        (request(x(contents=Contents(fp32_contents=[1]))), "has 1 elements; shape [1, 2] has 2"),
        (request(x("FP16", contents=Contents(fp32_contents=[1, 2]))), "send it in raw_input_contents"),
        (request(x("BYTES", contents=Contents(bytes_contents=[b"a", b"b"]))), "those that are taken are"),
        (request(x("INT8", contents=Contents(int_contents=[1, 1000]))), "holds something that is no INT8"),
        (request(x(shape=(-1, 2)), raw_input_contents=[RAW]), "cannot have the shape [-1, 2]"),
        (request(x(), x(), raw_input_contents=[RAW, RAW]), "an input is there twice"),
        (
            request(x(parameters={"shared_memory_region": parameter(string_param="a")}), raw_input_contents=[]),
            "shared memory is not offered",
        ),
    ],
)
def test_what_is_wrong_is_said(asked, message):
    with pytest.raises(InvalidRequestError) as caught:
        read_question(asked, 1000)
    assert message in caught.value.message


def test_a_request_of_more_bytes_than_accepted_is_refused():
    with pytest.raises(PayloadTooLargeError, match="10 are accepted"):
        read_question(request(x(), raw_input_contents=[RAW]), 10)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [({}, None), ({"timeout": parameter(int64_param=7)}, 7), ({"timeout": parameter(uint64_param=8)}, 8)],
)
def test_a_timeout_is_microseconds(parameters, expected):
    assert timeout_us_of(request(parameters=parameters)) == expected


def test_answers_are_raw():
    answer = write_answer(request(id="7"), "1", {"twice": np.array([[3, 4]], dtype=np.float32)})
    assert (answer.model_name, answer.model_version, answer.id) == ("plates", "1", "7")
    assert [(output.name, output.datatype, list(output.shape)) for output in answer.outputs] == [
        ("twice", "FP32", [1, 2])
    ]
    assert answer.raw_output_contents[0] == np.array([3, 4], dtype="<f4").tobytes()
