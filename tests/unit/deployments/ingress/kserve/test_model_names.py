import pytest

from deployments.ingress.kserve.model_names import AskedModel, name_and_version


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
