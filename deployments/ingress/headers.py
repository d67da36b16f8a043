"""What the headers of an answer say about the work behind it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

import orjson

from deployments.dataplane.backend import Timing, Work

ENGINE = "inference-models"
"""The name clients know for a server with the newer model backend."""

MAX_LOAD_DETAILS_BYTES = 4096
MAX_REQUEST_ID_CHARACTERS = 128
MAX_TIMED_STEPS = 64

EXPOSED = (
    "X-Request-ID",
    "x-inference-engine",
    "X-Model-Cold-Start",
    "X-Model-Cold-Start-Count",
    "X-Model-Load-Time",
    "X-Model-Load-Details",
    "X-Model-Id",
    "X-Workflow-Id",
    "X-Workspace-Id",
    "X-Processing-Time",
    "Server-Timing",
)
"""Headers that a page from another origin may read."""

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9!#$%&'*+\-.^_`|~]")
_NOT_LATIN = re.compile(r"[^\x20-\x7e]")


def request_id_of(sent: str | None) -> str:
    """The id the client sent, when it is one that may be echoed and logged; else a fresh one."""
    if sent and len(sent) <= MAX_REQUEST_ID_CHARACTERS and _PRINTABLE.fullmatch(sent):
        return sent
    return uuid.uuid4().hex


def standing_headers(request_id: str, work: Work | None, workflow_id: str | None, elapsed_s: float) -> dict[str, str]:
    """Headers of every answer.

    Args:
        request_id: id of the request.
        work: what was done for it; None for requests without model work.
        workflow_id: name of the saved workflow that ran, when one did.
        elapsed_s: time since the request came in.
    """
    loads = [] if work is None else work.model_loads
    headers = {
        "X-Request-ID": request_id,
        "x-inference-engine": ENGINE,
        "X-Model-Cold-Start": "true" if loads else "false",
        "X-Model-Cold-Start-Count": str(len(loads)),
        "X-Processing-Time": f"{elapsed_s:.6f}",
    }
    if work is None:
        return headers
    if loads:
        headers["X-Model-Load-Time"] = repr(sum(load.seconds for load in loads))
        details = orjson.dumps([{"m": load.model_id, "t": load.seconds} for load in loads])
        if len(details) <= MAX_LOAD_DETAILS_BYTES:
            headers["X-Model-Load-Details"] = _header_text(details.decode())
    if work.model_ids:
        headers["X-Model-Id"] = _header_text(",".join(sorted(work.model_ids)))
    if workflow_id:
        headers["X-Workflow-Id"] = _header_text(workflow_id)
    if work.timings:
        headers["Server-Timing"] = server_timing(work.timings)
    return headers


def server_timing(timings: Iterable[Timing]) -> str:
    """Queue, transfer and compute time of every step, summed over its pieces of work, in milliseconds.

    Pieces of one step run side by side, so a sum may exceed the time the request took.

    Source: W3C Server Timing, https://www.w3.org/TR/server-timing/
    """
    sums: dict[str, list[float]] = {}
    for timing in timings:
        of_step = sums.setdefault(timing.step, [0.0, 0.0, 0.0])
        of_step[0] += timing.queue_ms
        of_step[1] += timing.transfer_ms
        of_step[2] += timing.compute_ms
    parts = []
    for step, (queue_ms, transfer_ms, compute_ms) in list(sums.items())[:MAX_TIMED_STEPS]:
        name = _NOT_TOKEN.sub("_", step)
        parts.append(f"{name}.queue;dur={queue_ms:.1f}")
        parts.append(f"{name}.transfer;dur={transfer_ms:.1f}")
        parts.append(f"{name}.compute;dur={compute_ms:.1f}")
    return ", ".join(parts)


def _header_text(text: str) -> str:
    return _NOT_LATIN.sub("?", text)
