"""What is asked of an edge that runs, by the socket in its directory."""

from __future__ import annotations

import socket
from pathlib import Path

from deployments.edge.config import SOCKET_NAME
from deployments.edge.errors import EdgeUnavailableError

ANSWER_TIMEOUT_S = 5.0


def socket_path(directory: Path) -> Path:
    """Where it is."""
    return directory / SOCKET_NAME


def ask_edge(directory: Path, commands: str) -> str:
    """What the edge answers to commands of HAProxy's runtime interface.

    Args:
        directory: of its files.
        commands: one line, `;` between commands; what follows `<<` at its end are the lines of a payload.

    Raises:
        EdgeUnavailableError: it does not answer.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_TIMEOUT_S)
            connection.connect(str(socket_path(directory)))
            connection.sendall(f"{commands}\n".encode())
            answer = b""
            while part := connection.recv(65536):
                answer += part
            return answer.decode()
    except OSError as error:
        raise EdgeUnavailableError(f"the edge does not answer on its socket: {error}") from error
