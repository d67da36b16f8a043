"""What can go wrong with what is stored.

StorageError
├── StorageUnavailableError   the database cannot be opened, or is of another version
├── InvalidNameError          a name or a time that cannot be stored
├── NameTakenError            another endpoint has it
├── NotStoredError            no such endpoint, key or workspace
├── StateChangedError         somebody else was faster; read again
└── LeaseLostError            another holder has the lease now; stop
"""

from __future__ import annotations

from deployments.errors import ServingError


class StorageError(ServingError):
    """Base of everything raised by `deployments.storage`."""


class StorageUnavailableError(StorageError):
    """The database cannot be opened, or is of another version."""


class InvalidNameError(StorageError):
    """A name or a time that cannot be stored."""


class NameTakenError(StorageError):
    """Another endpoint has this name."""


class NotStoredError(StorageError):
    """There is no such endpoint, key or workspace."""


class StateChangedError(StorageError):
    """Somebody else changed it first; read again."""


class LeaseLostError(StorageError):
    """Another holder has the lease now; whoever gets this stops what it does."""
