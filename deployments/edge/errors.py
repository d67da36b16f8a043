"""What can go wrong with the edge as a process."""

from __future__ import annotations

from deployments.errors import ServingError


class EdgeUnavailableError(ServingError):
    """There is no HAProxy for this platform, or it does not take our configuration, or does not answer."""
