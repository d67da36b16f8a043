"""Finding ports that nobody uses, and saying so when one is used."""

from __future__ import annotations

import errno
import socket

from deployments.cli.ray_environment import ServePorts
from deployments.edge.config import LOOPBACK

# Below the range that the kernel hands out (32768 and up) and above Ray's default for workers (10002 to 19999).
FIRST_OWN_PORT = 20000
LAST_OWN_PORT = 29999
REPLICA_PORTS = 64
SINGLE_PORTS = 8


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on a port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: closed connections may linger
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def has_ipv6_loopback() -> bool:
    """Whether this machine can listen on `::1`."""
    if not socket.has_ipv6:
        return False
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def choose_ports(seed: int) -> tuple[int, ServePorts]:
    """A port for Serve's HTTP and the ports beside it, free now on every interface that they are bound on.

    Args:
        seed: where in the range to begin, so that two servers that start together look in different places.

    Raises:
        OSError: the whole range is taken.
    """
    block = 2 * REPLICA_PORTS + SINGLE_PORTS
    blocks = (LAST_OWN_PORT - FIRST_OWN_PORT) // block
    for attempt in range(blocks):
        first = FIRST_OWN_PORT + (seed + attempt) % blocks * block
        # Replicas try their range port by port; the single ones must be free from the start.
        if all(is_free(port, host) for port in range(first, first + SINGLE_PORTS) for host in (LOOPBACK, "0.0.0.0")):  # noqa: S104
            ports = ServePorts(
                fallback_proxy=first + 1,
                haproxy_stats=first + 2,
                haproxy_metrics=first + 3,
                grpc=first + 4,
                fallback_grpc=first + 5,
                control=first + 6,
                metrics=first + 7,
                first_replica=first + SINGLE_PORTS,
                replicas=REPLICA_PORTS,
                first_replica_grpc=first + SINGLE_PORTS + REPLICA_PORTS,
            )
            return first, ports
    raise OSError(errno.EADDRINUSE, f"no free block of ports between {FIRST_OWN_PORT} and {LAST_OWN_PORT}")
