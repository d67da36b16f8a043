"""Bodies of inference requests, and what of the protocol is not offered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from deployments.errors import InvalidRequestError
from deployments.models.engines.tensor_types import DTYPES

MOST_AXES = 16
Length = Annotated[int, Field(ge=0, lt=2**31)]


class InputTensor(BaseModel):
    """One input; its values are here, or behind the JSON."""

    name: str
    datatype: str
    shape: list[Length] = Field(max_length=MOST_AXES)
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: list[Any] | None = None


class RequestedOutput(BaseModel):
    """One output that is wanted."""

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class InferenceRequest(BaseModel):
    """The JSON of a request."""

    id: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: list[InputTensor]
    outputs: list[RequestedOutput] = Field(default_factory=list)


def refuse_extensions(parameters: Iterable[str]) -> None:
    """Say what is not offered, rather than leave it out silently.

    Args:
        parameters: names of the parameters of a tensor or of the request.

    Raises:
        InvalidRequestError: one of them asks for it.
    """
    for name in parameters:
        if name.startswith("shared_memory"):
            raise InvalidRequestError("shared memory is not offered here; send and ask for tensors in the message")
        if name == "classification":
            raise InvalidRequestError("the classification extension is not offered here; ask for the tensor itself")
        if name.startswith("sequence_"):
            raise InvalidRequestError("sequences are not offered here: no model keeps a state between requests")


def check_datatype(name: str, datatype: str) -> None:
    """Refuse element types that no network here takes.

    Raises:
        InvalidRequestError: it is one of them.
    """
    if datatype not in DTYPES:
        raise InvalidRequestError(
            f"the tensor {name!r} has datatype {datatype[:20]!r}; those that are taken are {', '.join(sorted(DTYPES))}"
        )
