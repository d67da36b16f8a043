"""Patches that make one object of another."""

from __future__ import annotations

import pytest

from deployments.kubernetes.merge_patch import merge_patch


@pytest.mark.parametrize(
    ("before", "after", "patch"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1, "b": 2}, {"b": 2}, {"a": None}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1]}),
        ({}, {"a": {}}, {"a": {}}),
    ],
)
def test_a_patch_says_what_differs(before, after, patch):
    assert merge_patch(before, after) == patch
