"""What can go wrong in managing endpoints.

ControlError                     of ServingError
├── UnknownMachineTypeError      no machine type has this name
├── EndpointNotFoundError        the workspace has no endpoint of this name
├── EndpointConflictError        the name is taken by another endpoint, or its state does not allow this
├── InvalidEndpointError         a name, a number or a setting that no endpoint can have
└── PlatformError                what runs endpoints does not answer, or refuses
"""

from __future__ import annotations

from deployments.errors import ServingError


class ControlError(ServingError):
    """Base of everything raised by `deployments.control`."""


class UnknownMachineTypeError(ControlError):
    """No machine type has this name."""


class EndpointNotFoundError(ControlError):
    """The workspace has no endpoint of this name."""


class EndpointConflictError(ControlError):
    """The name is taken, or the endpoint's state does not allow this."""


class InvalidEndpointError(ControlError):
    """A name, a number or a setting that no endpoint can have."""


class PlatformError(ControlError):
    """What runs endpoints does not answer, or refuses."""
