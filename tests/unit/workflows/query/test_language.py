import pytest
from pydantic import ValidationError

from tests.unit.workflows.query.chains import binary, chain, condition, dynamic, group, run, static, unary
from tests.unit.workflows.query.values import detections
from workflows.errors import EvaluationEngineError, InvalidInputTypeError, UndeclaredSymbolError

LOWER = {"type": "StringToLowerCase"}
TRUE = binary(static(1), "==", static(1))
FALSE = binary(static(1), "==", static(2))
BROKEN = binary(static("a"), "(Number) >", static(2))


def test_an_empty_chain_gives_what_it_got():
    value = object()
    assert run(value=value) is value


def test_operations_work_one_after_another():
    operations = (
        {"type": "SequenceElementsCount"},
        {"type": "ConvertDictionaryToJSON"},
        {"type": "StringSubSequence", "start": 1, "end": 5},
        {"type": "StringToUpperCase"},
    )
    assert run(*operations, value=["a", "b", "a"]) == '"A":'


def test_a_chain_may_be_applied_to_each_element():
    assert run({"type": "SequenceApply", "operations": [LOWER]}, value=["A", "b"]) == ["a", "b"]
    assert run({"type": "SequenceApply", "operations": [LOWER]}, value=[]) == []


def test_elements_of_detections_are_single_detections():
    extract = {"type": "ExtractDetectionProperty", "property_name": "x_min"}
    assert run({"type": "SequenceApply", "operations": [extract]}, value=detections([1, 2, 3, 4])) == [1.0]


def test_an_error_says_where_in_the_chain_it_happened():
    applied = {"type": "SequenceApply", "operations": [LOWER]}
    expected = r"^operation 1 \(SequenceApply\): operation 0 \(StringToLowerCase\): takes a string, got an integer$"
    with pytest.raises(InvalidInputTypeError, match=expected):
        run({"type": "SequenceMap", "lookup_table": {"a": 1}}, applied, value=["a"])


@pytest.mark.parametrize(
    ("statements", "operator", "expected"),
    [
        ([TRUE], "or", True),
        ([FALSE], "or", False),
        ([FALSE, TRUE], "or", True),
        ([FALSE, TRUE], "and", False),
        ([TRUE, TRUE], "and", True),
        ([group(FALSE, TRUE), group(TRUE, FALSE, operator="and")], "or", True),
        ([group(FALSE, TRUE), group(TRUE, FALSE, operator="and")], "and", False),
    ],
)
def test_groups_join_statements(statements, operator, expected):
    assert condition(*statements, operator=operator).holds({}) is expected


def test_or_is_the_default():
    assert condition(FALSE, TRUE).holds({})


@pytest.mark.parametrize("statements", [[TRUE, BROKEN], [BROKEN, TRUE]])
def test_every_statement_is_evaluated(statements):
    with pytest.raises(
        EvaluationEngineError, match=r"statement \d: \(Number\) > cannot be told of a string and an int"
    ):
        condition(*statements).holds({})


def test_statements_may_be_negated():
    assert not condition(TRUE | {"negate": True}).holds({})
    assert condition(unary(static(None), "Exists", negate=True)).holds({})


def test_a_broken_statement_is_not_mended_by_negation():
    with pytest.raises(EvaluationEngineError):
        condition(BROKEN | {"negate": True}).holds({})


def test_operands_are_given_by_name_and_worked_on_before_the_test():
    same = condition(binary(dynamic("name", LOWER), "==", static("ABC", LOWER)))
    assert same.holds({"name": "aBc"})


def test_the_default_operand_is_the_underscore():
    assert condition(binary(dynamic(), "==", static(3))).holds({"_": 3})


def test_an_undeclared_operand_is_an_error_that_lists_the_declared_ones():
    with pytest.raises(
        UndeclaredSymbolError, match=r"statement 0: operand 'other' is not declared; declared here: a, b"
    ):
        condition(binary(dynamic("other"), "==", static(3))).holds({"a": 1, "b": 2})


def test_an_error_inside_an_operand_keeps_its_type():
    with pytest.raises(InvalidInputTypeError, match=r"statement 0: operation 0 \(StringToLowerCase\): takes a string"):
        condition(binary(static(5, LOWER), "==", static("abc"))).holds({})


def test_a_filter_sees_named_operands_beside_the_detection():
    size = dynamic("_", {"type": "ExtractDetectionProperty", "property_name": "size"})
    limit = dynamic("limit", {"type": "Multiply", "other": 2})
    keep = {"type": "DetectionsFilter", "filter_operation": group(binary(size, "(Number) >", limit))}
    names = {"limit": 50}
    kept = run(keep, value=detections([0, 0, 10, 10], [0, 0, 11, 10]), **names)
    assert kept.detection_id.tolist() == ["d-1"]
    assert names == {"limit": 50}


def test_a_filter_on_zero_detections_evaluates_nothing():
    keep = {"type": "DetectionsFilter", "filter_operation": group(BROKEN)}
    assert len(run(keep, value=detections())) == 0


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([{"type": "Teleport"}], "Input tag 'Teleport' found using 'type' does not match any of the expected tags"),
        ([{"foo": 1}], "Unable to extract tag"),
        ([{"type": "StringMatches"}], "Field required"),
        ([{"type": "SequenceApply", "operations": [{"type": "Teleport"}]}], "Input tag 'Teleport'"),
        ([{"type": "DetectionsFilter", "filter_operation": group()}], "at least 1 item"),
    ],
)
def test_chains_that_make_no_sense_are_refused_with_the_document(operations, message):
    with pytest.raises(ValidationError, match=message):
        chain(*operations)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (group(), "at least 1 item"),
        (binary(static(1), "~", static(2)), "Input should be '\\(Number\\) =='"),
        (unary(static(1), "Nope"), "Input should be 'Exists'"),
        ({"type": "TernaryStatement"}, "TernaryStatement"),
        (binary({"type": "Nope"}, "==", static(1)), "Nope"),
        (group(TRUE, operator="xor"), "Input should be 'or' or 'and'"),
    ],
)
def test_conditions_that_make_no_sense_are_refused_with_the_document(statement, message):
    with pytest.raises(ValidationError, match=message):
        condition(statement)


def test_unknown_keys_are_ignored():
    assert run(LOWER | {"foo": 1}, value="Ab") == "ab"


def test_groups_nested_beyond_reason_are_refused_not_run_out_of_stack():
    deep = TRUE
    for _ in range(2000):
        deep = group(deep)
    with pytest.raises(ValidationError):
        condition(deep)


def test_groups_nested_deeply_are_evaluated():
    deep = TRUE
    for _ in range(100):
        deep = group(deep)
    assert condition(deep).holds({})
