"""Inference requests and answers over HTTP: JSON, with the bytes of binary tensors behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from numpy.typing import NDArray
from pydantic import ValidationError

from deployments.dataplane.tensor_question import TensorQuestion, Tensors
from deployments.errors import InvalidRequestError
from deployments.ingress.json_codec import encode_json
from deployments.ingress.kserve.bodies import InferenceRequest, InputTensor, refuse_extensions
from deployments.ingress.kserve.model_names import AskedModel
from deployments.ingress.kserve.tensors import from_bytes, from_list, to_bytes
from deployments.models.engines.tensor_types import NAMES

HEADER_LENGTH = "inference-header-content-length"
SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HttpInference:
    """A request, read.

    Attributes:
        request_id: given back in the answer; empty when there is none.
        question: the tensors.
        binary: outputs that are wanted as bytes; None when all of them are.
        timeout_us: how long it may take, microseconds; None when it does not say.
    """

    request_id: str
    question: TensorQuestion
    binary: frozenset[str] | None
    timeout_us: int | None


def read_inference(raw: bytes | bytearray, header_length: str | None) -> HttpInference:
    """The request in a body.

    Args:
        raw: the body.
        header_length: of its JSON, as the header says; None when the body is nothing else.

    Raises:
        InvalidRequestError: says what is wrong.
    """
    length = _json_length(header_length, len(raw))
    body = memoryview(raw).toreadonly()
    request = _request(body[:length])
    refuse_extensions(request.parameters)
    rest = body[length:]
    feeds: dict[str, NDArray[Any]] = {}
    for tensor in request.inputs:
        refuse_extensions(tensor.parameters)
        size = tensor.parameters.get("binary_data_size")
        if tensor.name in feeds:
            raise InvalidRequestError(f"the input {tensor.name!r} is there twice")
        if size is None:
            feeds[tensor.name] = from_list(tensor.name, tensor.datatype, tensor.shape, _data_of(tensor))
            continue
        if not isinstance(size, int) or not 0 <= size <= len(rest):
            raise InvalidRequestError(
                f"the input {tensor.name!r} has binary_data_size {size!r}; behind the JSON are {len(rest)} bytes more"
            )
        feeds[tensor.name] = from_bytes(tensor.name, tensor.datatype, tensor.shape, rest[:size])
        rest = rest[size:]
    if len(rest):
        raise InvalidRequestError(f"{len(rest)} bytes behind the JSON belong to no input")
    for output in request.outputs:
        refuse_extensions(output.parameters)
    return HttpInference(
        request_id=request.id,
        question=TensorQuestion(feeds=feeds, outputs=tuple(output.name for output in request.outputs)),
        binary=_binary(request),
        timeout_us=timeout_of(request.parameters.get("timeout")),
    )


def write_inference(
    asked: AskedModel, version: str, inference: HttpInference, answer: Tensors
) -> tuple[bytes, int | None]:
    """The body of an answer, and the length of its JSON when bytes follow it."""
    outputs, blobs = [], []
    for name, array in answer.items():
        entry: dict[str, Any] = {"name": name, "datatype": NAMES[array.dtype], "shape": list(array.shape)}
        if inference.binary is None or name in inference.binary:
            blobs.append(to_bytes(array))
            entry["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            entry["data"] = array.ravel()
        outputs.append(entry)
    body: dict[str, Any] = {"model_name": asked.name, "model_version": version, "outputs": outputs}
    if inference.request_id:
        body["id"] = inference.request_id
    text = encode_json(body)
    return b"".join((text, *blobs)), len(text) if blobs else None


def timeout_of(value: object) -> int | None:
    """The parameter `timeout`.

    Raises:
        InvalidRequestError: it is no number of microseconds.
    """
    if value is None or value == 0:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidRequestError("the parameter timeout must be a positive number of microseconds")
    return value


def _json_length(header: str | None, body_bytes: int) -> int:
    if header is None:
        return body_bytes
    if not (header.isascii() and header.isdigit() and len(header) < 20 and int(header) <= body_bytes):
        raise InvalidRequestError(
            f"the header {HEADER_LENGTH} is {header[:40]!r}; it must be the length of the JSON in the body, which has "
            f"{body_bytes} bytes"
        )
    return int(header)


def _request(text: memoryview) -> InferenceRequest:
    try:
        return InferenceRequest.model_validate(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the request is no JSON: {error.msg} at byte {error.pos}") from error
    except ValidationError as error:
        places = [
            f"{'.'.join(map(str, problem['loc'])) or 'the body'}: {problem['msg']}"
            for problem in error.errors()[:SHOWN_PROBLEMS]
        ]
        raise InvalidRequestError(f"the request does not fit the protocol: {'; '.join(places)}") from error


def _data_of(tensor: InputTensor) -> list[Any]:
    if tensor.data is None:
        raise InvalidRequestError(f"the input {tensor.name!r} has neither data nor the parameter binary_data_size")
    return tensor.data


def _binary(request: InferenceRequest) -> frozenset[str] | None:
    everything = request.parameters.get("binary_data_output") is True
    if not request.outputs:
        return None if everything else frozenset()
    return frozenset(
        output.name for output in request.outputs if output.parameters.get("binary_data", everything) is True
    )
