"""Messages of the protocol to questions, and answers to messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from deployments.dataplane.tensor_question import TensorQuestion, Tensors
from deployments.errors import InvalidRequestError, PayloadTooLargeError
from deployments.ingress.kserve.bodies import check_datatype, refuse_extensions
from deployments.ingress.kserve.tensors import from_bytes, from_list, to_bytes
from deployments.kserve.generated import open_inference_pb2 as messages
from deployments.models.engines.tensor_types import NAMES

CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
}
"""Field of `contents` for each type; half precision has none and travels raw."""


def read_question(request: messages.ModelInferRequest, max_body_bytes: int) -> TensorQuestion:
    """The tensors of a request.

    Raises:
        PayloadTooLargeError: more bytes than are accepted.
        InvalidRequestError: says what is wrong.
    """
    size_bytes = request.ByteSize()
    if size_bytes > max_body_bytes:
        raise PayloadTooLargeError(f"the request has {size_bytes} bytes, {max_body_bytes} are accepted here")
    refuse_extensions(request.parameters)
    for output in request.outputs:
        refuse_extensions(output.parameters)
    feeds = dict(_feeds(request))
    if len(feeds) != len(request.inputs):
        raise InvalidRequestError("an input is there twice")
    return TensorQuestion(feeds=feeds, outputs=tuple(output.name for output in request.outputs))


def timeout_us_of(request: messages.ModelInferRequest) -> int | None:
    """The parameter `timeout`; None when there is none."""
    if "timeout" not in request.parameters:
        return None
    parameter = request.parameters["timeout"]
    return parameter.int64_param or parameter.uint64_param or None


def write_answer(request: messages.ModelInferRequest, version: str, answer: Tensors) -> messages.ModelInferResponse:
    """The response, its tensors raw."""
    return messages.ModelInferResponse(
        model_name=request.model_name,
        model_version=version,
        id=request.id,
        outputs=[
            messages.ModelInferResponse.InferOutputTensor(name=name, datatype=NAMES[array.dtype], shape=array.shape)
            for name, array in answer.items()
        ],
        raw_output_contents=[to_bytes(array) for array in answer.values()],
    )


def _feeds(request: messages.ModelInferRequest) -> Iterator[tuple[str, NDArray[Any]]]:
    raw = request.raw_input_contents
    if raw and len(raw) != len(request.inputs):
        raise InvalidRequestError(
            f"{len(raw)} raw_input_contents for {len(request.inputs)} inputs; each needs one, or none does"
        )
    for at, tensor in enumerate(request.inputs):
        refuse_extensions(tensor.parameters)
        if raw:
            yield tensor.name, from_bytes(tensor.name, tensor.datatype, tensor.shape, raw[at])
        else:
            yield tensor.name, _from_contents(tensor)


def _from_contents(tensor: messages.ModelInferRequest.InferInputTensor) -> NDArray[Any]:
    check_datatype(tensor.name, tensor.datatype)
    field = CONTENTS.get(tensor.datatype)
    if field is None:
        raise InvalidRequestError(f"the tensor {tensor.name!r} is {tensor.datatype}; send it in raw_input_contents")
    return from_list(tensor.name, tensor.datatype, tensor.shape, list(getattr(tensor.contents, field)))
