from __future__ import annotations

import logging
from pathlib import Path

import pytest

from deployments.models.errors import ModelPackageError
from deployments.models.offer import offer, with_others
from tests.unit.deployments.models.builders import package, write_package


def test_what_is_broken_is_refused_and_the_rest_is_offered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_package(tmp_path / "plates" / "1")
    write_package(tmp_path / "cars" / "1", weights=b"")
    with caplog.at_level(logging.WARNING):
        offered = offer(tmp_path)
    assert list(offered.packages) == ["plates/1"]
    assert list(offered.refused) == ["cars/1"]
    assert "weights.onnx is empty" in offered.refused["cars/1"].message
    assert [record.model_id for record in caplog.records] == ["cars/1"]


def test_a_broken_package_keeps_the_id_that_it_gives_itself(tmp_path: Path) -> None:
    write_package(tmp_path / "folder", {"model_id": "plates/2"}, weights=b"")
    assert list(offer(tmp_path).refused) == ["plates/2"]


def test_without_a_readable_configuration_the_folder_is_the_id(tmp_path: Path) -> None:
    write_package(tmp_path / "plates" / "2")
    (tmp_path / "plates" / "2" / "model_config.json").write_text("{")
    assert list(offer(tmp_path).refused) == ["plates/2"]
    assert list(offer(tmp_path / "plates" / "2").refused) == ["plates/2"]


def test_a_broken_package_is_not_replaced_by_an_earlier_one(tmp_path: Path) -> None:
    write_package(tmp_path / "shipped" / "a", {"model_id": "plates/2"})
    write_package(tmp_path / "own" / "b", {"model_id": "plates/2"}, weights=b"")
    offered = offer(tmp_path / "shipped", tmp_path / "own")
    assert (list(offered.packages), list(offered.refused)) == ([], ["plates/2"])


def test_a_whole_package_replaces_a_broken_earlier_one(tmp_path: Path) -> None:
    write_package(tmp_path / "shipped" / "a", {"model_id": "plates/2"}, weights=b"")
    write_package(tmp_path / "own" / "b", {"model_id": "plates/2"})
    offered = offer(tmp_path / "shipped", tmp_path / "own")
    assert (list(offered.packages), list(offered.refused)) == (["plates/2"], [])


def test_two_packages_of_one_id_are_both_refused(tmp_path: Path) -> None:
    write_package(tmp_path / "a", {"model_id": "plates/2"})
    write_package(tmp_path / "b", {"model_id": "plates/2"})
    offered = offer(tmp_path)
    assert offered.packages == {}
    assert offered.refused["plates/2"].message.startswith("two packages call themselves 'plates/2', in a and b;")


def test_an_alias_that_means_another_model_refuses_the_one_that_has_it(tmp_path: Path) -> None:
    write_package(tmp_path / "a", {"model_id": "plates/1"})
    write_package(tmp_path / "b", {"model_id": "plates/2", "aliases": ["plates/1"]})
    offered = offer(tmp_path)
    assert (list(offered.packages), list(offered.refused)) == (["plates/1"], ["plates/2"])


def test_an_empty_directory_offers_nothing(tmp_path: Path) -> None:
    offered = offer(tmp_path)
    assert (offered.packages, offered.refused) == ({}, {})


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelPackageError, match="there is no directory"):
        offer(tmp_path / "nowhere")


def test_a_package_that_calls_itself_like_a_model_of_every_server_is_refused(tmp_path: Path) -> None:
    write_package(tmp_path / "a", {"model_id": "plates/1", "aliases": ["reader"]})
    write_package(tmp_path / "b", {"model_id": "plates/2"})
    others = {"reader/1": package(model_id="reader/1", aliases=("reader",))}
    offered = with_others(offer(tmp_path), others)
    assert (sorted(offered.packages), list(offered.refused)) == (["plates/2", "reader/1"], ["plates/1"])
    assert "calls itself 'reader' too, which means 'reader/1' already" in offered.refused["plates/1"].message
