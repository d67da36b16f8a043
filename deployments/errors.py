"""What can go wrong in serving, outside the workflow language.

ServingError
├── InvalidRequestError          the request makes no sense: its message says what would
├── ImageInputError              an image of a model route cannot be used
├── PayloadTooLargeError         body, pixels or number of images over the limit
├── WorkflowNotFoundError        no saved workflow has this name
├── ModelTaskError               the model exists and does something else
├── UnauthorizedKeyError         no key, or one that is good for nothing here
├── ForbiddenKeyError            the key is good, and for less than this
├── StateUnavailableError        keys or saved workflows cannot be read now; try again
├── OverloadedError              there is no room for more; try again
│   └── ClientOverLimitError     this client has as much under way as it may have
├── ModelNotLoadedError          a call for a loaded model came to a replica that has unloaded it
├── ReplicaLostError             a replica died, and the second try failed too
└── ModelError                   of deployments/models: no such model, or one that cannot be had

Statuses live in `deployments/ingress/errors.py`. Every argument goes to the base constructor, positionally.
"""

from __future__ import annotations


class ServingError(Exception):
    """Base of everything raised by `deployments`.

    Attributes:
        message: what is wrong, where, and what would be right; safe to show to the client.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class InvalidRequestError(ServingError):
    """The request makes no sense."""


class ImageInputError(ServingError):
    """An image of a model route cannot be read or is not allowed."""


class PayloadTooLargeError(ServingError):
    """Body, pixels or number of images over the limit."""


class WorkflowNotFoundError(ServingError):
    """No saved workflow has this name."""


class ModelTaskError(ServingError):
    """The model exists, and does something else."""


class UnauthorizedKeyError(ServingError):
    """No key, or one that is good for nothing here."""


class ForbiddenKeyError(ServingError):
    """The key is good, and for less than this."""


class StateUnavailableError(ServingError):
    """What is stored, keys or saved workflows, cannot be read now."""


class OverloadedError(ServingError):
    """There is no room for more.

    Attributes:
        retry_after_s: when there will be.
    """

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.args = (message, retry_after_s)
        self.retry_after_s = retry_after_s


class ClientOverLimitError(OverloadedError):
    """One client has as much under way as it may have."""


class ReplicaLostError(ServingError):
    """A replica died, and the second try failed too."""


class ModelNotLoadedError(ServingError):
    """A call that must not wait for a load came to a replica that does not have the model.

    Attributes:
        replica_id: which replica.
        loaded_ids: the models it has.
    """

    def __init__(self, message: str, replica_id: str, loaded_ids: tuple[str, ...]) -> None:
        super().__init__(message)
        self.args = (message, replica_id, loaded_ids)
        self.replica_id = replica_id
        self.loaded_ids = loaded_ids
