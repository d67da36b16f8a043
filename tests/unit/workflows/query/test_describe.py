from workflows.kinds import Kind
from workflows.query.describe import describe_query_language

OPERATION_KEYS = {
    "operation_type",
    "compound",
    "input_kind",
    "output_kind",
    "nested_operation_input_kind",
    "nested_operation_output_kind",
    "description",
    "property_name_options",
}


def operations():
    return {row["operation_type"]: row for row in describe_query_language()["operations_description"]}


def comparisons():
    return {row["operator_type"]: row for row in describe_query_language()["operators_descriptions"]}


def test_all_36_operations_and_22_tests_are_described():
    assert len(operations()) == 36
    assert len(comparisons()) == 22


def test_rows_have_the_keys_that_clients_read():
    assert all(set(row) == OPERATION_KEYS for row in operations().values())
    expected = {"operator_type", "operands_number", "operands_kinds", "description"}
    assert all(set(row) == expected for row in comparisons().values())


def test_everything_has_a_description_of_one_line():
    described = [*operations().values(), *comparisons().values()]
    assert all(row["description"].endswith(".") and "\n" not in row["description"] for row in described)


def test_compound_operations_say_what_their_inside_works_on():
    compound = {name for name, row in operations().items() if row["compound"]}
    assert compound == {"SequenceMap", "SequenceApply", "DetectionsFilter"}
    inside = operations()["DetectionsFilter"]
    assert inside["nested_operation_input_kind"] == ["detection"]
    assert inside["nested_operation_output_kind"] == ["boolean"]


def test_operations_that_extract_list_what_they_can():
    options = {name: row["property_name_options"] for name, row in operations().items() if row["property_name_options"]}
    assert set(options) == {
        "DetectionsPropertyExtract",
        "ExtractDetectionProperty",
        "ClassificationPropertyExtract",
        "ExtractImageProperty",
        "ExtractFrameMetadata",
    }
    assert options["ExtractImageProperty"] == ["size", "height", "width", "aspect_ratio"]
    assert len(options["DetectionsPropertyExtract"]) == 31


def test_kinds_are_names_of_kinds():
    named = {kind for row in operations().values() for kind in [*row["input_kind"], *row["output_kind"]]}
    named |= {kind for row in comparisons().values() for kinds in row["operands_kinds"] for kind in kinds}
    assert named <= set(Kind)


def test_operands_are_counted():
    assert comparisons()["=="]["operands_number"] == 2
    assert comparisons()["Exists"]["operands_number"] == 1
