from __future__ import annotations

import pytest

from deployments.models.known_models import KnownModels
from tests.unit.deployments.models.builders import package


def known(*ids: str) -> KnownModels:
    return KnownModels(ids=frozenset(ids))


def test_models_are_found_by_their_ids_and_by_their_other_names() -> None:
    models = KnownModels.of({"plates/1": package(model_id="plates/1", aliases=("my-plates",))}, ["torn/1"])
    assert [models.find(name) for name in ("plates/1", "my-plates", "torn/1", "plates")] == [
        "plates/1",
        "plates/1",
        "torn/1",
        None,
    ]


@pytest.mark.parametrize(
    ("ids", "latest"),
    [
        (("plates/1",), "plates/1"),
        (("plates/9", "plates/10", "plates/2"), "plates/10"),
        (("plates/beta", "plates/1", "plates/alpha"), "plates/1"),
        (("plates/alpha", "plates/beta"), "plates/beta"),
        (("plates", "platesmall/1", "other/2"), None),
        ((), None),
    ],
)
def test_the_latest_version_of_a_project_is_the_highest_number(ids: tuple[str, ...], latest: str | None) -> None:
    assert known(*ids).latest("plates") == latest


def test_a_broken_package_is_no_latest_version() -> None:
    models = KnownModels(ids=frozenset({"plates/1"}), refused_ids=frozenset({"plates/2"}))
    assert models.latest("plates") == "plates/1"
