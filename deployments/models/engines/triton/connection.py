"""A connection to one model on a Triton server, which may go away and come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tritonclient.grpc import InferInput, InferRequestedOutput, InferResult
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.tensor_types import DTYPES
from deployments.models.errors import ModelError, ModelLoadError, ModelUnavailableError
from deployments.models.package_layouts.contents import TritonModel
from workflows.errors import DeadlineExceededError

ASKING_TIMEOUT_S = 10.0
MAX_MESSAGE_BYTES = 2**31 - 1
MAX_REASON_CHARACTERS = 300

# A server that was away is tried again within a second; gRPC's own patience grows to two minutes.
CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)

AWAY = frozenset({"StatusCode.UNAVAILABLE", "StatusCode.NOT_FOUND", "StatusCode.CANCELLED"})
"""The server, or the model on it, is not there; both can come back."""


class ForgottenRegionError(Exception):
    """The server does not know a region of shared memory: it was started anew since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOnServer:
    """What Triton says about a model.

    Attributes:
        inputs: of one run; half precision as Triton has it.
        outputs: likewise.
        max_batch_size: most elements of one run; 0 when the model knows no batches.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    max_batch_size: int


class TritonConnection:
    """Asks one Triton for one model. Its coroutines belong on one event loop, always the same."""

    def __init__(self, model_id: str, model: TritonModel) -> None:
        """Nothing is connected yet.

        Args:
            model_id: what requests call it, for messages.
            model: where it runs.
        """
        self._model_id = model_id
        self._model = model
        self._client: InferenceServerClient | None = None

    async def describe(self) -> ModelOnServer:
        """What the model takes and gives.

        Raises:
            ModelUnavailableError: the server is away, or has no such model.
            ModelLoadError: a tensor of a type that is not served.
        """
        name, version = self._model.model_name, self._model.model_version
        try:
            metadata = await self._opened().get_model_metadata(name, version, client_timeout=ASKING_TIMEOUT_S)
            answer = await self._opened().get_model_config(name, version, client_timeout=ASKING_TIMEOUT_S)
        except InferenceServerException as error:
            raise self._translated(error, deadline_over=False) from error
        return ModelOnServer(
            inputs=tuple(self._spec(tensor) for tensor in metadata.inputs),
            outputs=tuple(self._spec(tensor) for tensor in metadata.outputs),
            max_batch_size=int(answer.config.max_batch_size),
        )

    async def infer(
        self,
        inputs: Sequence[InferInput],
        outputs: Sequence[InferRequestedOutput],
        timeout_s: float,
        *,
        deadline_over: bool,
    ) -> InferResult:
        """One run.

        Args:
            inputs: with their data, or the regions where it is.
            outputs: and where they go.
            timeout_s: how long it may take; Triton is told, and gives up too.
            deadline_over: whether the request's time is over when this is, rather than our patience with Triton.

        Raises:
            DeadlineExceededError: the time was over first.
            ModelUnavailableError: the server is away, or has no such model.
            ForgottenRegionError: an input lies in a region that the server does not know.
            ModelError: it refused or failed.
        """
        try:
            return await self._opened().infer(
                self._model.model_name,
                list(inputs),
                self._model.model_version,
                list(outputs),
                client_timeout=timeout_s,
            )
        except InferenceServerException as error:
            raise self._translated(error, deadline_over=deadline_over) from error

    async def register(self, region: str, size_bytes: int) -> None:
        """Show the server a region of shared memory; it is then known under the region's own name.

        Raises:
            InferenceServerException: it cannot be opened there, or the server is away.
        """
        await self._opened().register_system_shared_memory(
            region, f"/{region}", size_bytes, client_timeout=ASKING_TIMEOUT_S
        )

    async def unregister(self, region: str) -> None:
        """Have the server let go of a region; nothing happens when it does not know it or is away."""
        try:
            await self._opened().unregister_system_shared_memory(region, client_timeout=ASKING_TIMEOUT_S)
        except InferenceServerException:
            return  # with the server its mapping is gone too

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.close()

    def _opened(self) -> InferenceServerClient:
        if self._client is None:
            certificates = self._model.root_certificates
            self._client = InferenceServerClient(
                self._model.address,
                ssl=self._model.tls,
                root_certificates=None if certificates is None else str(certificates),
                channel_args=list(CHANNEL_OPTIONS),
            )
        return self._client

    def _spec(self, tensor: Any) -> TensorSpec:
        dtype = DTYPES.get(tensor.datatype)
        if dtype is None:
            raise ModelLoadError(
                f"tensor {tensor.name!r} of {self._there()} has type {tensor.datatype}; served are "
                f"{', '.join(sorted(DTYPES))}",
                self._model_id,
            )
        shape = tuple(int(length) if length > 0 else None for length in tensor.shape)
        return TensorSpec(name=tensor.name, shape=shape, dtype=dtype)

    def _there(self) -> str:
        version = f" version {self._model.model_version}" if self._model.model_version else ""
        return f"model {self._model.model_name!r}{version} on Triton at {self._model.address}"

    def _translated(self, error: InferenceServerException, *, deadline_over: bool) -> Exception:
        status, reason = str(error.status()), _first_line(str(error.message()))
        if "shared memory region" in reason and "find" in reason:
            return ForgottenRegionError(reason)
        if status == "StatusCode.DEADLINE_EXCEEDED":
            if deadline_over:
                return DeadlineExceededError(f"the request's time was over while {self._there()} worked on it")
            return ModelUnavailableError(
                f"{self._model_id!r} is {self._there()}, which does not answer", self._model_id
            )
        if status in AWAY:
            return ModelUnavailableError(
                f"{self._model_id!r} is {self._there()}, which cannot be had now ({reason}); start that server with "
                "that model, or correct `triton` in model_config.json",
                self._model_id,
            )
        return ModelError(f"{self._model_id!r} is {self._there()}, which failed: {reason}")


def _first_line(text: str) -> str:
    line = (text.strip() or "no reason given").splitlines()[0]
    return line if len(line) <= MAX_REASON_CHARACTERS else line[: MAX_REASON_CHARACTERS - 3] + "..."
