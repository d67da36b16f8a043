"""The query language as clients see it in the catalogue of blocks."""

from __future__ import annotations

import inspect
from typing import Any, Literal, get_args, get_origin

from workflows.kinds import Kind
from workflows.query.comparators import BINARY, UNARY, Test
from workflows.query.language import AnyOperation
from workflows.query.operation import Operation


def operation_types() -> tuple[type[Operation], ...]:
    """The model of every operation, in the order of the catalogue."""
    union = get_args(AnyOperation)[0]
    return get_args(union)


def describe_query_language() -> dict[str, Any]:
    """`universal_query_language_description` of the catalogue: every operation and every test, with kinds by name."""
    tests = [*BINARY.items(), *UNARY.items()]
    return {
        "operations_description": [_operation(model) for model in operation_types()],
        "operators_descriptions": [_test(name, test) for name, test in tests],
    }


def _operation(model: type[Operation]) -> dict[str, Any]:
    return {
        "operation_type": get_args(model.model_fields["type"].annotation)[0],
        "compound": model.nested_takes is not None,
        "input_kind": _names(model.takes),
        "output_kind": _names(model.gives),
        "nested_operation_input_kind": None if model.nested_takes is None else _names(model.nested_takes),
        "nested_operation_output_kind": None if model.nested_gives is None else _names(model.nested_gives),
        "description": inspect.cleandoc(model.__doc__ or ""),
        "property_name_options": _property_names(model),
    }


def _property_names(model: type[Operation]) -> list[str] | None:
    field = model.model_fields.get("property_name")
    if field is None or get_origin(field.annotation) is not Literal:
        return None
    return list(get_args(field.annotation))


def _test(name: str, test: Test) -> dict[str, Any]:
    return {
        "operator_type": name,
        "operands_number": len(test.operands),
        "operands_kinds": [_names(kinds) for kinds in test.operands],
        "description": test.description,
    }


def _names(kinds: tuple[Kind, ...]) -> list[str]:
    return [str(kind) for kind in kinds]
