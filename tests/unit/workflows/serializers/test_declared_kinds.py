from __future__ import annotations

from workflows.kinds import Kind
from workflows.serializers.declared_kinds import declared_kinds


def test_every_kind_is_described_once():
    assert sorted(kind["name"] for kind in declared_kinds()) == sorted(Kind)


def test_descriptions_are_one_sentence():
    for kind in declared_kinds():
        assert kind["description"].endswith(".")
        assert kind["description"].count(". ") == 0
