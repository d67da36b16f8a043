from __future__ import annotations

from pathlib import Path

import pytest

from load_tests.scenario_files import ScenarioFileError, read_definition, read_yaml


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "flow.json is no JSON"),
        (b"[" * 100_000, "flow.json is no JSON"),
        (b"[]", "flow.json is no definition of a workflow"),
        (b"{}", "a JSON object with a list of `inputs`"),
        (b'{"inputs": [1]}', "a JSON object with a list of `inputs`"),
        (b'{"inputs": "\xff"}', "flow.json is no text: byte 12 is no UTF-8"),
    ],
)
def test_what_is_no_definition_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "flow.json").write_bytes(content)
    with pytest.raises(ScenarioFileError, match=says):
        read_definition(tmp_path / "flow.json")


def test_a_definition_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "flow.json").write_text('{"inputs": [], "steps": [1]}')
    assert read_definition(tmp_path / "flow.json") == {"inputs": [], "steps": [1]}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioFileError, match="cannot be read: Is a directory"):
        read_yaml(tmp_path)


@pytest.mark.parametrize("text", ["a: {b: 1, b: 2}", "{a: 1, 'a': 2}", "- {1: a, 1: b}"])
def test_keys_that_stand_twice_are_refused_wherever_they_are(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ScenarioFileError, match="stands twice"):
        read_yaml(tmp_path / "a.yaml")


def test_equal_keys_of_different_places_are_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: {b: 1}\nc: {b: 2}\n")
    assert read_yaml(tmp_path / "a.yaml") == {"a": {"b": 1}, "c": {"b": 2}}
