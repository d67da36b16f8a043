"""The part of `model_config.json` that points to a model on a Triton Inference Server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from deployments.models.errors import ModelPackageError
from deployments.models.package_layouts.contents import TritonModel

DEFAULT_PORT = 8001
EXAMPLE = '"triton": {"url": "grpc://127.0.0.1:8001", "model_name": "plates"}'


class TritonConfig(BaseModel):
    """`triton` in `model_config.json`; unlike elsewhere unknown keys are refused, no other tool writes it."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    url: str
    model_name: str = Field(min_length=1)
    model_version: str | int = ""
    batching: Literal["sightline", "triton"] = "sightline"
    shared_memory: Literal["auto", "off"] = "auto"
    root_certificates: str | None = None
    timeout_s: float = Field(default=60.0, gt=0)


def triton_model(config: TritonConfig | None, path: Path) -> TritonModel:
    """Where the model runs.

    Args:
        config: what the package says.
        path: the file that says it; other files that it names lie beside it.

    Raises:
        ModelPackageError: says what is wrong and what would be right.
    """
    if config is None:
        raise ModelPackageError(
            f"{path.name}: backend_type is 'triton', and `triton` is missing; write {EXAMPLE}", str(path)
        )
    tls, address = _address(config.url, path)
    certificates = config.root_certificates
    if certificates is not None and (
        Path(certificates).name != certificates or not (path.parent / certificates).is_file()
    ):
        raise ModelPackageError(
            f"{path.name}: triton.root_certificates is {certificates!r}; it must be the name of a file in the folder",
            str(path),
        )
    return TritonModel(
        address=address,
        tls=tls,
        model_name=config.model_name,
        model_version=str(config.model_version),
        batching=config.batching,
        shared_memory=config.shared_memory,
        root_certificates=None if certificates is None else path.parent / certificates,
        timeout_s=config.timeout_s,
    )


def _address(url: str, path: Path) -> tuple[bool, str]:
    """Whether the URL asks for TLS, and its `host:port`."""
    parts = urlsplit(url)
    try:
        port = parts.port or DEFAULT_PORT
    except ValueError:
        port = None
    host = parts.hostname
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in ("grpc", "grpcs") or not host or port is None or rest or not re.fullmatch(r"[\w.:-]+", host):
        raise ModelPackageError(
            f"{path.name}: triton.url is {url!r}; it must be grpc://host:port, or grpcs://host:port for TLS, of "
            "Triton's gRPC door",
            str(path),
        )
    return parts.scheme == "grpcs", f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
