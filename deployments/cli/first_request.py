"""Waiting for a started server to be ready, and asking it the first question."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from threading import Event

from deployments.dataplane.sample import SAMPLE_PATH, sample_request, texts_read
from deployments.errors import ServingError

READY_TIMEOUT_S = 120.0
POLL_S = 0.1
POLL_TIMEOUT_S = 1.0


def first_answer(
    url: str, stopping: Event, check: Callable[[], None], say: Callable[[str], None], *, key: str | None = None
) -> str | None:
    """What the server reads on the sample photograph, once it is ready; None when it is to be stopped before that.

    Args:
        url: of the server.
        stopping: gives up.
        check: raises when the server has ended.
        say: told about progress.
        key: where the server asks for one.

    Raises:
        ServingError: it is not ready in time, or refuses the request.
    """
    if stopping.is_set():
        return None
    say("warming up the models")
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while not _is_ready(url):
        if stopping.wait(POLL_S):
            return None
        check()
        if time.monotonic() > deadline_s:
            raise ServingError(f"{url} was not ready after {READY_TIMEOUT_S:g} s")
    body = json.dumps(sample_request()).encode()
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{url}/workflows/run", data=body, headers={"Content-Type": "application/json"}
    )
    if key is not None:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=READY_TIMEOUT_S) as answer:  # noqa: S310 - our own address
            texts = texts_read(json.load(answer)["outputs"])
    except urllib.error.HTTPError as error:
        raise ServingError(f"the server refuses the sample: {error.read().decode(errors='replace')[:500]}") from error
    except OSError as error:
        raise ServingError(f"the server does not answer the sample: {error}") from error
    said = ", ".join(f'"{" ".join(text.split())}"' for text in texts) or "no text"
    return f"read {said} on {SAMPLE_PATH.name if SAMPLE_PATH.is_file() else 'a blank picture'}"


def write_request(directory: Path) -> Path:
    """Write the body of the sample request to a file that `curl -d @` can send."""
    path = directory / "request.json"
    path.write_text(json.dumps(sample_request()))
    return path


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readiness", timeout=POLL_TIMEOUT_S) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False
