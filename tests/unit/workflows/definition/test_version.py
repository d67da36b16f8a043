import pytest

from workflows.definition.version import ENGINE_VERSION, check_version
from workflows.errors import NotSupportedExecutionEngineError, WorkflowDefinitionError, WorkflowSyntaxError


@pytest.mark.parametrize("version", ["1.0", "1.0.0", "1.4", "1.15.3", "1.17.0", "1.99", "1", ""])
def test_every_release_of_the_first_major_version_is_accepted(version):
    check_version({"version": version})


def test_the_advertised_version_is_the_newest_that_the_language_names():
    assert ENGINE_VERSION == "1.17.0"


@pytest.mark.parametrize("version", ["2.0", "0.9", "3"])
def test_other_major_versions_are_not_served(version):
    with pytest.raises(NotSupportedExecutionEngineError, match=r"1\.17\.0"):
        check_version({"version": version})


@pytest.mark.parametrize("version", ["abc", " ", "one.two", 1.0, 1, [], "1" * 5000])
def test_what_is_no_version_makes_no_sense(version):
    with pytest.raises(WorkflowDefinitionError, match=r"1\.0"):
        check_version({"version": version})


@pytest.mark.parametrize("document", [{}, {"version": None}])
def test_a_missing_version_is_an_error_of_the_syntax(document):
    with pytest.raises(WorkflowSyntaxError) as caught:
        check_version(document)
    assert caught.value.problems == ()


@pytest.mark.parametrize("version", ["x" * 100_000, ["x" * 100_000], f"2.{'1' * 4000}"])
def test_a_long_version_is_shortened(version):
    with pytest.raises((WorkflowDefinitionError, NotSupportedExecutionEngineError)) as caught:
        check_version({"version": version})
    assert len(caught.value.message) < 300
