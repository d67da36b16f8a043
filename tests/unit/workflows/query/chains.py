"""Running chains and conditions as a document writes them."""

from typing import Any

from pydantic import TypeAdapter

from workflows.query.language import Operations, StatementGroup, run_chain

_CHAIN = TypeAdapter(Operations)


def chain(*operations: dict[str, Any]) -> Operations:
    return _CHAIN.validate_python(list(operations))


def run(*operations: dict[str, Any], value: Any, **names: Any) -> Any:
    return run_chain(chain(*operations), value, names)


def static(value: Any, *operations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "StaticOperand", "value": value, "operations": list(operations)}


def dynamic(name: str | None = None, *operations: dict[str, Any]) -> dict[str, Any]:
    operand = {"type": "DynamicOperand", "operations": list(operations)}
    return operand if name is None else operand | {"operand_name": name}


def binary(left: Any, comparator: str, right: Any, **extra: Any) -> dict[str, Any]:
    return {
        "type": "BinaryStatement",
        "left_operand": left,
        "comparator": {"type": comparator},
        "right_operand": right,
    } | extra


def unary(operand: Any, operator: str, **extra: Any) -> dict[str, Any]:
    return {"type": "UnaryStatement", "operand": operand, "operator": {"type": operator}} | extra


def group(*statements: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"type": "StatementGroup", "statements": list(statements)} | extra


def condition(*statements: dict[str, Any], **extra: Any) -> StatementGroup:
    return StatementGroup.model_validate(group(*statements, **extra))
