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
MAX_NAMES_CHARACTERS = 1024
MAX_SERVER_TIMING_CHARACTERS = 4096  # proxies refuse answers whose headers fill their buffer

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
        headers["X-Model-Id"] = _header_text(",".join(sorted(work.model_ids))[:MAX_NAMES_CHARACTERS])
    if workflow_id:
        headers["X-Workflow-Id"] = _header_text(workflow_id[:MAX_NAMES_CHARACTERS])
    if timing := server_timing(work.timings):
        headers["Server-Timing"] = timing
    return headers


def server_timing(timings: Iterable[Timing]) -> str:
    """Queue, transfer and compute time of every step in milliseconds: each the longest of the step's pieces of work.

    Pieces of one step run side by side and share calls, so a sum would count the same time many times. Steps for which
    the header has no room are left out.

    Source: W3C Server Timing, https://www.w3.org/TR/server-timing/
    """
    longest: dict[str, tuple[float, float, float]] = {}
    for timing in timings:
        queue_ms, transfer_ms, compute_ms = longest.get(timing.step, (0.0, 0.0, 0.0))
        longest[timing.step] = (
            max(queue_ms, timing.queue_ms),
            max(transfer_ms, timing.transfer_ms),
            max(compute_ms, timing.compute_ms),
        )
    told = ""
    for step, (queue_ms, transfer_ms, compute_ms) in longest.items():
        name = _NOT_TOKEN.sub("_", step)
        parts = (("queue", queue_ms), ("transfer", transfer_ms), ("compute", compute_ms))
        of_step = ", ".join(f"{name}.{part};dur={part_ms:.1f}" for part, part_ms in parts)
        if len(told) + len(of_step) + 2 <= MAX_SERVER_TIMING_CHARACTERS:
            told = f"{told}, {of_step}" if told else of_step
    return told


def _header_text(text: str) -> str:
    return _NOT_LATIN.sub("?", text)
