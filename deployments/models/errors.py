"""What can go wrong with models.

ModelError
├── UnknownModelError        no model package has this id
├── InvalidModelIdError      the text is no model id
├── ModelPackageError        a folder is no model package that can be served
│   └── OtherRuntimeError    the package is whole, and made for a runtime that is not here
├── ModelSourceError         a package cannot be fetched from where it is said to be
├── ModelLoadError           the package looks right, and its weights do not load
├── ModelUnavailableError    the server that runs the model is away; it may be back soon
└── UnsupportedModelError    the package is right, and nothing here can run such a model

Pictures that cannot be read are `workflows.errors.ImageDecodeError`. All arguments are positional and travel in `args`:
an exception is rebuilt from them in another process.
"""

from __future__ import annotations

from deployments.errors import ServingError


class ModelError(ServingError):
    """Base of everything raised by `deployments.models`.

    Attributes:
        message: what is wrong, where, and what would be right; safe to show to the client.
    """

    def __str__(self) -> str:
        return self.message


class _ModelIdError(ModelError):
    def __init__(self, message: str, model_id: str) -> None:
        super().__init__(message)
        self.args = (message, model_id)
        self.model_id = model_id


class UnknownModelError(_ModelIdError):
    """No model package has this id.

    Attributes:
        model_id: the id that was asked for.
    """


class InvalidModelIdError(_ModelIdError):
    """The text is no model id.

    Attributes:
        model_id: the text.
    """


class ModelPackageError(ModelError):
    """A folder is no model package that can be served.

    Attributes:
        path: the file or folder that is wrong.
    """

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.args = (message, path)
        self.path = path


class OtherRuntimeError(ModelPackageError):
    """The package is whole, and made for a runtime that is not here; a directory is served without it."""


class ModelSourceError(ModelError):
    """A package cannot be fetched from where it is said to be.

    Attributes:
        source: where, without credentials.
    """

    def __init__(self, message: str, source: str) -> None:
        super().__init__(message)
        self.args = (message, source)
        self.source = source


class ModelLoadError(_ModelIdError):
    """The weights of a package do not load.

    Attributes:
        model_id: the model.
    """


class ModelUnavailableError(_ModelIdError):
    """The server that runs the model does not answer, or is not ready for it; the same request may do later.

    Attributes:
        model_id: the model.
    """


class UnsupportedModelError(_ModelIdError):
    """No code here runs such a model.

    Attributes:
        model_id: the model.
    """
