"""Which calls there are, under the names that clients use. Serve's gRPC servers are told of them by `add_to_server`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc

from deployments.kserve.generated import open_inference_pb2 as messages

SERVICE = "inference.GRPCInferenceService"

REQUESTS: Mapping[str, Any] = {
    "ServerLive": messages.ServerLiveRequest,
    "ServerReady": messages.ServerReadyRequest,
    "ServerMetadata": messages.ServerMetadataRequest,
    "ModelReady": messages.ModelReadyRequest,
    "ModelMetadata": messages.ModelMetadataRequest,
    "ModelConfig": messages.ModelConfigRequest,
    "RepositoryIndex": messages.RepositoryIndexRequest,
    "ModelInfer": messages.ModelInferRequest,
}
"""Call -> its request. Whatever else Triton offers is answered with UNIMPLEMENTED, by gRPC itself."""


def add_to_server(servicer: Any, server: Any) -> None:
    """Have a gRPC server hand the calls of the protocol to the methods of `servicer` of the same names."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, name),
            request_deserializer=request.FromString,
            response_serializer=_serialize,
        )
        for name, request in REQUESTS.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


def _serialize(message: Any) -> bytes:
    return bytes(message.SerializeToString())
