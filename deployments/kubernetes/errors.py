"""What can be wrong with values for Kubernetes."""

from __future__ import annotations

from deployments.errors import ServingError


class ValuesError(ServingError):
    """The values cannot be rendered, or what they say could not run."""
