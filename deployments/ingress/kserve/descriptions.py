"""What the Open Inference Protocol says about the server and its models.

Source: KServe Open Inference Protocol (V2) "HTTP/REST"; Triton Inference Server "Model Configuration Extension".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from deployments.dataplane.tensor_question import NetworkDescription
from deployments.ingress.kserve.model_names import AskedModel, name_and_version
from deployments.ingress.server import NAME, server_version
from deployments.models.engines.engine import TensorSpec
from deployments.models.engines.tensor_types import NAMES
from deployments.models.registry import ModelRow

EXTENSIONS = ("binary_tensor_data", "model_configuration", "model_repository")
PLATFORM = "onnx_onnxv1"
OPEN_AXIS = -1
READY = "READY"


def server_metadata() -> dict[str, Any]:
    """Who answers."""
    return {"name": NAME.lower(), "version": server_version(), "extensions": list(EXTENSIONS)}


def model_metadata(asked: AskedModel, network: NetworkDescription) -> dict[str, Any]:
    """Tensors of a model, by the name that the client gave it."""
    return {
        "name": asked.name,
        "versions": [asked.version or name_and_version(network.model_id).version],
        "platform": PLATFORM,
        "inputs": [_tensor(spec) for spec in network.inputs],
        "outputs": [_tensor(spec) for spec in network.outputs],
    }


def model_config(asked: AskedModel, network: NetworkDescription) -> dict[str, Any]:
    """The least that clients of Triton read: shapes without the batch where the first axis is one."""
    max_batch_size = batch_limit(network)
    skipped = 1 if max_batch_size else 0
    return {
        "name": asked.name,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "max_batch_size": max_batch_size,
        "input": [_config_tensor(spec, skipped) for spec in network.inputs],
        "output": [_config_tensor(spec, skipped) for spec in network.outputs],
    }


def batch_limit(network: NetworkDescription) -> int:
    """Largest batch to tell clients of; 0 when the first axes are no batch, or a fixed one."""
    open_axes = all(spec.shape and spec.shape[0] is None for spec in (*network.inputs, *network.outputs))
    return (network.max_batch_size or DEFAULT_BATCH_LIMIT) if open_axes else 0


DEFAULT_BATCH_LIMIT = 64


def repository_index(rows: Iterable[ModelRow]) -> list[dict[str, Any]]:
    """The models that are loaded now."""
    names = [name_and_version(row.model_id) for row in rows]
    return [{"name": each.name, "version": each.version, "state": READY, "reason": ""} for each in names]


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": NAMES[spec.dtype], "shape": lengths(spec.shape)}


def _config_tensor(spec: TensorSpec, skipped: int) -> dict[str, Any]:
    return {"name": spec.name, "data_type": f"TYPE_{NAMES[spec.dtype]}", "dims": lengths(spec.shape[skipped:])}


def lengths(shape: tuple[int | None, ...]) -> list[int]:
    """The shape as the protocol writes it."""
    return [OPEN_AXIS if length is None else length for length in shape]
