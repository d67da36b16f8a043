import pytest

from tests.unit.workflows.sample_blocks import BLOCKS, batch, document, parameter, step
from workflows.definition.document import parse_document
from workflows.errors import DuplicatedNameError, WorkflowEnvironmentConfigurationError, WorkflowSyntaxError


def parse(definition, max_steps=20):
    return parse_document(definition, BLOCKS, max_steps=max_steps)


def problems_of(definition):
    with pytest.raises(WorkflowSyntaxError) as caught:
        parse(definition)
    return [(p.step, p.block_type, p.property_name) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("item", "kinds", "dimensionality"),
    [
        ({"type": "WorkflowImage", "name": "x"}, ("image",), 1),
        ({"type": "InferenceImage", "name": "x"}, ("image",), 1),
        ({"type": "WorkflowVideoMetadata", "name": "x"}, ("video_metadata",), 1),
        ({"type": "WorkflowBatchInput", "name": "x"}, ("*",), 1),
        (
            {"type": "WorkflowBatchInput", "name": "x", "kind": [{"name": "string"}], "dimensionality": 3},
            ("string",),
            3,
        ),
        ({"type": "WorkflowParameter", "name": "x"}, ("*",), 0),
        ({"type": "InferenceParameter", "name": "x", "kind": ["integer"]}, ("integer",), 0),
    ],
)
def test_every_type_of_input_is_read(item, kinds, dimensionality):
    (found,) = parse(document([item], [])).inputs
    assert (found.name, found.kinds, found.dimensionality) == ("x", kinds, dimensionality)


def test_a_parameter_without_default_has_none():
    (found,) = parse(document([{"type": "WorkflowParameter", "name": "x"}], [])).inputs
    assert found.default_value is None


def test_keys_that_the_language_does_not_know_are_ignored():
    definition = document([batch("n") | {"colour": "red"}], [step("Double", "d", number="$inputs.n", image_metadata=1)])
    parsed = parse(definition | {"author": "somebody", "dynamic_blocks_definitions": []})
    assert [found.name for found in parsed.steps] == ["d"]


def test_a_step_keeps_the_alias_under_which_the_document_gave_a_field():
    (found,) = parse(document([], [step("Double", "d", value=1)])).steps
    assert found.declared_names["number"] == "value"
    assert found.manifest.number == 1


@pytest.mark.parametrize("missing", ["version", "inputs", "steps", "outputs"])
def test_a_missing_section_is_named_and_blames_no_step(missing):
    definition = document([], [])
    del definition[missing]
    with pytest.raises(WorkflowSyntaxError, match=missing) as caught:
        parse(definition)
    assert caught.value.problems == ()


@pytest.mark.parametrize("section", ["inputs", "steps", "outputs"])
def test_a_section_must_be_a_list(section):
    with pytest.raises(WorkflowSyntaxError, match=f'"{section}".*list'):
        parse(document([], []) | {section: {"a": 1}})


def test_an_unknown_type_of_input_gets_the_nearest_name():
    with pytest.raises(WorkflowSyntaxError, match="did you mean 'WorkflowImage'") as caught:
        parse(document([{"type": "WorkflowImages", "name": "x"}], []))
    assert caught.value.problems == ()


@pytest.mark.parametrize("item", ["image", None, {}, {"type": 3}, {"type": "WorkflowImage"}])
def test_what_is_no_input_blames_no_step(item):
    with pytest.raises(WorkflowSyntaxError, match=r"inputs\[0\]") as caught:
        parse(document([item], []))
    assert caught.value.problems == ()


@pytest.mark.parametrize(
    "output",
    ["a", {}, {"type": "JsonField", "name": "a"}, {"type": "Text", "name": "a", "selector": "$inputs.a"}],
)
def test_what_is_no_output_blames_no_step(output):
    with pytest.raises(WorkflowSyntaxError, match=r"outputs\[0\]") as caught:
        parse(document([], []) | {"outputs": [output]})
    assert caught.value.problems == ()


def test_an_output_knows_two_coordinate_systems_only():
    output = {"type": "JsonField", "name": "a", "selector": "$inputs.a", "coordinates_system": "moon"}
    with pytest.raises(WorkflowSyntaxError, match="coordinates_system"):
        parse(document([], []) | {"outputs": [output]})


def test_an_unknown_block_type_names_no_property_and_the_nearest_type():
    with pytest.raises(WorkflowSyntaxError, match="did you mean 'Double'") as caught:
        parse(document([], [step("Duoble", "d", number=1)]))
    (problem,) = caught.value.problems
    assert (problem.step, problem.block_type, problem.property_name) == ("d", "Duoble", None)


def test_each_wrong_property_of_each_step_is_one_problem():
    steps = [step("Double", "a", number="two"), step("AtLeast", "b", number=1, minimum="low", next_steps=["x"])]
    assert problems_of(document([], steps)) == [
        ("a", "Double", "number"),
        ("b", "AtLeast", "minimum"),
        ("b", "AtLeast", "next_steps"),
    ]


def test_a_problem_is_named_by_the_alias_that_the_document_used():
    assert problems_of(document([], [step("Double", "d", value="two")])) == [("d", "Double", "value")]


def test_a_missing_property_is_named_and_says_what_it_takes():
    with pytest.raises(WorkflowSyntaxError, match="integer, float") as caught:
        parse(document([], [step("Count", "c")]))
    assert [p.property_name for p in caught.value.problems] == ["number"]


def test_fields_that_do_not_fit_together_name_no_property():
    assert problems_of(document([], [step("Range", "r", low=2, high=1)])) == [("r", "Range", None)]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("text", (None, None, None)),
        ({"name": "d"}, ("d", None, None)),
        ({"type": "Double", "number": 1}, (None, "Double", "name")),
        ({"type": "Double", "number": 1, "name": "a.b"}, ("a.b", "Double", "name")),
    ],
)
def test_what_is_no_step_is_a_problem(item, expected):
    assert problems_of(document([], [item])) == [expected]


def test_a_long_wrong_value_is_shortened():
    with pytest.raises(WorkflowSyntaxError) as caught:
        parse(document([], [step("Double", "d", number="x" * 100_000)]))
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (document([batch("a"), parameter("a")], []), "inputs are called 'a'"),
        (document([], [step("Double", "a", number=1), step("Double", "a", number=1)]), "steps are called 'a'"),
        (
            document([batch("n")], []) | {"outputs": [{"type": "JsonField", "name": "a", "selector": "$inputs.n"}] * 2},
            "outputs are called 'a'",
        ),
    ],
)
def test_names_are_unique_in_their_section(definition, message):
    with pytest.raises(DuplicatedNameError, match=message):
        parse(definition)


def test_an_input_and_a_step_may_share_a_name():
    parse(document([batch("a")], [step("Double", "a", number="$inputs.a")], a="$steps.a.result"))


def test_code_in_a_definition_is_refused():
    with pytest.raises(WorkflowEnvironmentConfigurationError, match="Python blocks"):
        parse(document([], []) | {"dynamic_blocks_definitions": [{"type": "DynamicBlockDefinition"}]})


def test_the_number_of_steps_is_limited():
    steps = [step("Double", f"d{index}", number=1) for index in range(3)]
    assert len(parse(document([], steps), max_steps=3).steps) == 3
    with pytest.raises(WorkflowSyntaxError, match="3 steps; at most 2"):
        parse(document([], steps), max_steps=2)


def test_a_definition_must_be_an_object():
    with pytest.raises(WorkflowSyntaxError, match="JSON object"):
        parse(["version"])


@pytest.mark.parametrize("section", ["inputs", "outputs"])
def test_the_number_of_inputs_and_outputs_is_limited(section):
    with pytest.raises(WorkflowSyntaxError, match=f"1025 {section}; at most 1024"):
        parse(document([], []) | {section: [{}] * 1025})


@pytest.mark.parametrize(
    "definition",
    [
        document([batch("n" * 257)], []),
        document([], [step("Double", "n" * 257, number=1)]),
        document([batch("n")], [], **{"n" * 257: "$inputs.n"}),
    ],
)
def test_names_have_an_end(definition):
    with pytest.raises(WorkflowSyntaxError, match="has 257 characters; at most 256") as caught:
        parse(definition)
    assert len(caught.value.message) < 300


def test_a_name_of_the_greatest_length_is_accepted():
    assert parse(document([batch("n" * 256)], [])).inputs[0].name == "n" * 256
