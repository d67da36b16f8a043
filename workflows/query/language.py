"""The parts of the query language that contain one another: chains of operations, and conditions.

A manifest declares `operations: Operations` or `condition: StatementGroup`; what it gets is validated once, with the
document, and is then called for every element: `run_chain(operations, value, names)`, `condition.holds(names)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from workflows.errors import EvaluationEngineError, QueryError
from workflows.kinds import DETECTION_KINDS, Kind
from workflows.query.classification import ClassificationPropertyExtract
from workflows.query.comparators import BINARY, UNARY, UNCOMPARABLE, BinaryComparator, UnaryOperator
from workflows.query.detection_properties import DetectionsPropertyExtract, ExtractDetectionProperty, one_by_one
from workflows.query.detections import (
    DetectionsOffset,
    DetectionsRename,
    DetectionsSelection,
    DetectionsShift,
    DetectionsToDictionary,
    PickDetectionsByParentClass,
    SortDetections,
    narrowed,
)
from workflows.query.images import (
    ConvertImageToBase64,
    ConvertImageToJPEG,
    ExtractFrameMetadata,
    ExtractImageProperty,
)
from workflows.query.numbers import Divide, Multiply, NumberRound, RandomNumber, ToBoolean, ToNumber
from workflows.query.operation import Names, Operation, QueryPart, expect, located, operand
from workflows.query.sequences import (
    ConvertDictionaryToJSON,
    LookupTable,
    NumericSequenceAggregate,
    SequenceAggregate,
    SequenceElementsCount,
    SequenceJoin,
    SequenceLength,
    SequenceMap,
    elements,
)
from workflows.query.strings import (
    StringMatches,
    StringSubSequence,
    StringToLowerCase,
    StringToUpperCase,
    TimestampToISOFormat,
    ToString,
)
from workflows.query.time_limit import Evaluation, check_time
from workflows.values.detections import Detections
from workflows.values.wording import type_in_words

DEFAULT_OPERAND = "_"
"""Name of the value at hand: inside a filter, the detection that is judged."""


class SequenceApply(Operation):
    """Applies a chain of operations to each element of a list."""

    takes: ClassVar = (Kind.LIST_OF_VALUES,)
    gives: ClassVar = (Kind.LIST_OF_VALUES,)
    nested_takes: ClassVar = (Kind.ANY,)
    nested_gives: ClassVar = (Kind.ANY,)

    type: Literal["SequenceApply"]
    operations: list[AnyOperation]

    def apply(self, value: Any, names: Names) -> list[Any]:
        return [run_chain(self.operations, element, names) for element in elements(value)]

    @property
    def works_on_pixels(self) -> bool:
        return works_on_pixels(self.operations)


class DetectionsFilter(Operation):
    """Keeps the detections for which a condition holds; each is the operand _ in turn."""

    takes: ClassVar = DETECTION_KINDS
    gives: ClassVar = DETECTION_KINDS
    nested_takes: ClassVar = (Kind.DETECTION,)
    nested_gives: ClassVar = (Kind.BOOLEAN,)

    type: Literal["DetectionsFilter"]
    filter_operation: StatementGroup

    def apply(self, value: Any, names: Names) -> Detections:
        detections = expect(value, Detections, "detections")
        scope = dict(names)
        kept = np.zeros(len(detections), dtype=np.bool_)
        for position, detection in enumerate(one_by_one(detections)):
            scope[DEFAULT_OPERAND] = detection
            kept[position] = self.filter_operation.holds(scope)
        return narrowed(detections, kept)


class StaticOperand(QueryPart):
    """A value that stands in the condition itself."""

    type: Literal["StaticOperand"]
    value: Any
    operations: list[AnyOperation] = Field(default_factory=list, description="What to do with it before the test.")

    def resolved(self, names: Names) -> Any:
        """The value after its operations."""
        return run_chain(self.operations, self.value, names)


class DynamicOperand(QueryPart):
    """A value that is given by name when the condition is evaluated."""

    type: Literal["DynamicOperand"]
    operand_name: str = DEFAULT_OPERAND
    operations: list[AnyOperation] = Field(default_factory=list, description="What to do with it before the test.")

    def resolved(self, names: Names) -> Any:
        """The value after its operations.

        Raises:
            UndeclaredSymbolError: no operand has this name.
        """
        return run_chain(self.operations, operand(self.operand_name, names), names)


AnyOperand = Annotated[StaticOperand | DynamicOperand, Field(discriminator="type")]


class BinaryStatement(QueryPart):
    """A test on two values."""

    type: Literal["BinaryStatement"]
    left_operand: AnyOperand
    comparator: BinaryComparator
    right_operand: AnyOperand
    negate: bool = False

    def holds(self, names: Names) -> bool:
        """Whether the test holds, or does not when negated.

        Raises:
            QueryError: an operand cannot be computed, or the test does not fit the operands.
        """
        left = self.left_operand.resolved(names)
        right = self.right_operand.resolved(names)
        try:
            return bool(BINARY[self.comparator.type].holds(left, right)) is not self.negate
        except UNCOMPARABLE as error:
            raise _not_evaluated(
                self.comparator.type, f"{type_in_words(left)} and {type_in_words(right)}", error
            ) from error


class UnaryStatement(QueryPart):
    """A test on one value."""

    type: Literal["UnaryStatement"]
    operand: AnyOperand
    operator: UnaryOperator
    negate: bool = False

    def holds(self, names: Names) -> bool:
        """Whether the test holds, or does not when negated.

        Raises:
            QueryError: the operand cannot be computed, or the test does not fit it.
        """
        value = self.operand.resolved(names)
        try:
            return bool(UNARY[self.operator.type].holds(value)) is not self.negate
        except UNCOMPARABLE as error:
            raise _not_evaluated(self.operator.type, type_in_words(value), error) from error


class StatementGroup(QueryPart):
    """Statements of which one (or) or all (and) must hold."""

    type: Literal["StatementGroup"]
    statements: list[AnyStatement] = Field(min_length=1)
    operator: Literal["or", "and"] = "or"

    def holds(self, names: Names) -> bool:
        """Whether the group holds; every statement is evaluated, so that a broken one is always reported.

        Raises:
            QueryError: a statement cannot be evaluated.
        """
        results = []
        with Evaluation():
            for position, statement in enumerate(self.statements):
                check_time()
                try:
                    results.append(statement.holds(names))
                except QueryError as error:
                    raise located(error, f"statement {position}") from error
        return any(results) if self.operator == "or" else all(results)


AnyStatement = Annotated[BinaryStatement | UnaryStatement | StatementGroup, Field(discriminator="type")]

AnyOperation = Annotated[
    StringToLowerCase
    | StringToUpperCase
    | StringSubSequence
    | StringMatches
    | ToString
    | ToNumber
    | ToBoolean
    | NumberRound
    | Multiply
    | Divide
    | RandomNumber
    | LookupTable
    | SequenceMap
    | SequenceApply
    | NumericSequenceAggregate
    | SequenceAggregate
    | SequenceLength
    | SequenceElementsCount
    | SequenceJoin
    | DetectionsPropertyExtract
    | ExtractDetectionProperty
    | DetectionsFilter
    | DetectionsSelection
    | SortDetections
    | DetectionsOffset
    | DetectionsShift
    | DetectionsRename
    | PickDetectionsByParentClass
    | DetectionsToDictionary
    | ClassificationPropertyExtract
    | ExtractImageProperty
    | ExtractFrameMetadata
    | ConvertImageToJPEG
    | ConvertImageToBase64
    | ConvertDictionaryToJSON
    | TimestampToISOFormat,
    Field(discriminator="type"),
]

Operations = list[AnyOperation]
"""The type of a manifest's field that holds a chain."""

for recursive in (SequenceApply, DetectionsFilter, StaticOperand, DynamicOperand, StatementGroup):
    recursive.model_rebuild()


def run_chain(operations: Sequence[Operation], value: Any, names: Names | None = None) -> Any:
    """What comes out of a chain: each operation works on what the one before gave.

    Raises:
        QueryError: an operation does not work on the value it got; the message says which.
    """
    scope = {} if names is None else names
    with Evaluation():
        for position, operation in enumerate(operations):
            check_time()
            try:
                value = operation.apply(value, scope)
            except QueryError as error:
                raise located(error, f"operation {position} ({operation.type})") from error
    return value


def works_on_pixels(operations: Sequence[Operation]) -> bool:
    """Whether a chain takes long enough to be kept off an event loop."""
    return any(operation.works_on_pixels for operation in operations)


def _not_evaluated(test: str, operands: str, cause: Exception) -> EvaluationEngineError:
    return EvaluationEngineError(
        f"{test} cannot be told of {operands}: {cause}", None, type(cause).__name__, str(cause)
    )
