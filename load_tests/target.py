"""What is measured: a server that is started, asked and stopped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol


class TargetMissingError(RuntimeError):
    """A target cannot be run on this machine; the message says what it lacks, and how to get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningTarget:
    """A server that answers.

    Attributes:
        url: where, without a path.
        root_pid: the process below which (and with which) all of the server's CPU time is counted; None when it was
            not started here, and CPU is not accounted for.
        start_s: from its command to its first answer.
        headers: sent with every request, such as `Host` or a key.
        paths: route as scenarios write it -> route of this server, where they differ.
        models: id of a model as scenarios write it -> that of the model which stands for it here, where they differ.
        photograph: JPEG that it is shown instead of the scenario's, since its own models find one plate there; None for
            the scenario's.
    """

    url: str
    root_pid: int | None = None
    start_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    photograph: bytes | None = None


class Target(Protocol):
    """A kind of server."""

    @property
    def name(self) -> str:
        """As scenarios call it."""
        ...

    @property
    def about(self) -> str:
        """What it is, in one sentence."""
        ...

    def running(self) -> AbstractContextManager[RunningTarget]:
        """Start it, wait until it has answered once with every model warm, and stop it in the end.

        Raises:
            TargetMissingError: it is not installed here.
            RuntimeError: it did not start; the message has what it said.
        """
        ...
