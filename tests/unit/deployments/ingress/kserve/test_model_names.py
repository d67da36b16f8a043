import pytest

from deployments.ingress.kserve.model_names import AskedModel, known_id, meant_id, name_and_version
from deployments.models.errors import UnknownModelError
from deployments.models.known_models import KnownModels


@pytest.mark.parametrize(
    ("name", "version", "model_id"),
    [
        ("plates", "2", "plates/2"),
        ("plates/2", "", "plates/2"),
        ("plates/2", "2", "plates/2"),
        ("yolov8n-640", "", "yolov8n-640"),
    ],
)
def test_project_and_version_or_the_whole_id_are_the_same_model(name, version, model_id):
    assert AskedModel(name=name, version=version).model_id == model_id


def test_a_model_is_listed_by_its_project_and_its_version():
    assert name_and_version("doctr/default") == AskedModel(name="doctr", version="default")
    assert name_and_version("plates") == AskedModel(name="plates", version="")


KNOWN = KnownModels(
    ids=frozenset({"plates/1", "plates/2", "coco/3", "alone"}),
    aliases={"my-plates": "plates/1"},
    refused_ids=frozenset({"torn/1"}),
)


@pytest.mark.parametrize(
    ("name", "version", "model_id"),
    [
        ("plates", "", "plates/2"),
        ("plates", "1", "plates/1"),
        ("plates/1", "", "plates/1"),
        ("plates", "7", "plates/7"),
        ("my-plates", "", "plates/1"),
        ("my-plates", "1", "plates/1"),
        ("my-plates", "2", "my-plates/2"),
        ("yolov8n-640", "", "coco/3"),
        ("alone", "", "alone"),
        ("torn/1", "", "torn/1"),
        ("torn", "", "torn"),
        ("nope", "", "nope"),
    ],
)
def test_a_name_without_a_version_means_the_highest_one(name, version, model_id):
    assert meant_id(AskedModel(name=name, version=version), KNOWN) == model_id


def test_a_model_that_cannot_be_served_is_known():
    assert known_id(AskedModel(name="torn", version="1"), KNOWN) == "torn/1"


@pytest.mark.parametrize(("name", "version"), [("nope", ""), ("plates", "7"), ("torn", "")])
def test_a_model_that_is_not_there_is_not_known(name, version):
    with pytest.raises(UnknownModelError, match="there is no model"):
        known_id(AskedModel(name=name, version=version), KNOWN)
