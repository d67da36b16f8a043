"""What every operation of the query language is: a model of its JSON that also knows how to do it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from workflows.errors import InvalidInputTypeError, OperationError, QueryError, UndeclaredSymbolError
from workflows.kinds import Kind
from workflows.values.wording import type_in_words

Expected = TypeVar("Expected")

Names = Mapping[str, Any]
"""Named operands: what conditions, and operations that take a parameter's name, may refer to."""

NUMBER_KINDS = (Kind.INTEGER, Kind.FLOAT, Kind.FLOAT_ZERO_TO_ONE)


class QueryPart(BaseModel):
    """What every part of an expression has in common; keys that it does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Operation(QueryPart, ABC):
    """One link of a chain: the value that comes in, changed into the value that goes out.

    The docstring of a subclass is the description that clients see.

    Attributes:
        takes: kinds it works on.
        gives: kinds it returns.
        nested_takes: kinds that the chain or condition inside it works on; None where there is none inside.
        nested_gives: kinds that the chain or condition inside it returns; None where there is none inside.
    """

    takes: ClassVar[tuple[Kind, ...]]
    gives: ClassVar[tuple[Kind, ...]]
    nested_takes: ClassVar[tuple[Kind, ...] | None] = None
    nested_gives: ClassVar[tuple[Kind, ...] | None] = None

    type: str

    @abstractmethod
    def apply(self, value: Any, names: Names) -> Any:
        """The value that goes out.

        Raises:
            QueryError: the operation does not work on this value.
        """

    @property
    def works_on_pixels(self) -> bool:
        """Whether the operation takes long enough to be kept off an event loop."""
        return False


def expect(value: Any, kind: type[Expected], words: str) -> Expected:
    """`value`, when it is a `kind`.

    Raises:
        InvalidInputTypeError: it is not; the message says that the operation takes `words`.
    """
    if not isinstance(value, kind):
        raise wrong_type(value, words)
    return value


def operand(name: str, names: Names) -> Any:
    """The named operand.

    Raises:
        UndeclaredSymbolError: nobody declared it.
    """
    if name not in names:
        declared = ", ".join(sorted(names)) or "none"
        raise UndeclaredSymbolError(f"operand {name!r} is not declared; declared here: {declared}")
    return names[name]


def wrong_type(value: Any, takes: str) -> InvalidInputTypeError:
    """The error of an operation that works on `takes` and got something else."""
    return InvalidInputTypeError(f"takes {takes}, got {type_in_words(value)}")


def wrong_value(message: str, cause: Exception) -> InvalidInputTypeError:
    """The error of an operation whose input has the right type but cannot be worked on."""
    return InvalidInputTypeError(message, None, type(cause).__name__, str(cause))


def operation_failed(message: str, cause: Exception) -> OperationError:
    """The error of an operation that failed for another reason than its input's type."""
    return OperationError(message, None, type(cause).__name__, str(cause))


def located(error: QueryError, place: str) -> QueryError:
    """The same error, told where it happened."""
    return type(error)(f"{place}: {error.message}", error.problems, error.inner_type, error.inner_message)


def is_number(value: Any) -> bool:
    """Whether `value` is something to calculate with; true and false count as 1 and 0."""
    return isinstance(value, (int, float, np.integer, np.floating))
