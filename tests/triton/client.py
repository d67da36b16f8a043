"""Runs the program of NVIDIA's client against a server, from the client's own virtual environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.triton.server import ENVIRONMENT, HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the server said to one of the two clients.

    Attributes:
        values: by the names that the program gives them.
        outputs: of the inference, by name.
    """

    values: dict[str, Any]
    outputs: dict[str, NDArray[Any]]


def ask(
    http_port: int, grpc_port: int, name: str, version: str, feeds: Mapping[str, NDArray[Any]], folder: Path
) -> dict[str, Said]:
    """What the server said over `http` and over `grpc`."""
    tensors = folder / "tensors.npz"
    np.savez(tensors, **feeds)
    done = subprocess.run(
        [
            ENVIRONMENT / "bin" / "python",
            HERE / "client_program.py",
            f"127.0.0.1:{http_port}",
            f"127.0.0.1:{grpc_port}",
            name,
            version,
            tensors,
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    return {
        way: Said(
            values=values,
            outputs={path.stem.partition("-")[2]: np.load(path) for path in folder.glob(f"{way}-*.npy")},
        )
        for way, values in said.items()
    }
