"""The time that a request allows for its answer, as its headers say it."""

from __future__ import annotations

import math

from starlette.datastructures import Headers

from deployments.errors import InvalidRequestError

TIMEOUT_HEADER = "x-request-timeout-seconds"
EDGE_TIMEOUT_HEADER = "x-sightline-timeout-seconds"
"""What the edge makes of the former: Serve would end the request by itself, in plain text."""


def timeout_s_of(headers: Headers) -> float | None:
    """Seconds that the client allows; None when it names none.

    Raises:
        InvalidRequestError: the header holds no positive number.
    """
    sent = headers.get(EDGE_TIMEOUT_HEADER) or headers.get(TIMEOUT_HEADER)
    if sent is None:
        return None
    try:
        timeout_s = float(sent)
    except ValueError:
        timeout_s = math.nan
    if not (0 < timeout_s < math.inf):
        raise InvalidRequestError(
            f"the header {TIMEOUT_HEADER} must be a positive number of seconds, not {sent[:40]!r}"
        )
    return timeout_s
