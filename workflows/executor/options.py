"""What one run may use and how long it may take."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from workflows.values.image import MAX_CROPPED_PIXELS

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets the bytes behind an https address."""

MAX_REQUEST_PIXELS = 256_000_000
"""Pixels of all images of one request: 768 MB when all are decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Limits and surroundings of one run.

    Attributes:
        deadline_unix_s: wall-clock time after which nobody waits for the answer.
        fetch: gets images that are sent as addresses; None refuses them.
        max_images: images of one request.
        max_pixels: of one image.
        max_elements_per_step: elements that one step may make for one request, such as crops, or one input bring.
        max_request_pixels: of all images of one request.
        max_cropped_pixels: of all crops that the steps make for one request.
        max_answer_characters: of the results as JSON.
        excluded_fields: outputs to leave out; unknown names are ignored.
        passed_through: errors of ports that reach the caller as they are, instead of as failures of a step.
    """

    deadline_unix_s: float = math.inf
    fetch: Fetch | None = None
    max_images: int = 64
    max_pixels: int = 50_000_000
    max_elements_per_step: int = 4096
    max_request_pixels: int = MAX_REQUEST_PIXELS
    max_cropped_pixels: int = MAX_CROPPED_PIXELS
    max_answer_characters: int = 1 << 28
    excluded_fields: frozenset[str] = frozenset()
    passed_through: tuple[type[Exception], ...] = ()
