"""Values are refused with a sentence before anything is rendered."""

from __future__ import annotations

import pytest

from deployments.kubernetes.errors import ValuesError
from deployments.kubernetes.values import read_values

GROUP = "worker_groups: [{name: cpu, cpu: 4, memory: 8Gi}]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing could run a replica"),
        (GROUP + "colour: blue\n", "colour"),
        (GROUP + "image: {tag: latest}\n", "latest"),
        (GROUP + "name: Plates\n", "name"),
        (GROUP + f"name: {'a' * 48}\n", "name"),
        (GROUP + "args: {modells_dir: [/m]}\n", "modells_dir"),
        (GROUP + "route: {kind: none}\nupgrade: {strategy: NewClusterWithIncrementalUpgrade}\n", "Gateway API"),
        ("worker_groups: [{name: l4, cpu: 4, memory: 8Gi, accelerator: L4}]\n", "go together"),
        ("worker_groups: [{name: a, cpu: 4, memory: 8Gi, min_pods: 3, max_pods: 2}]\n", "max_pods"),
        ("worker_groups: [{name: a, cpu: 1, memory: 1Gi}, {name: a, cpu: 1, memory: 1Gi}]\n", "twice"),
        ("worker_groups: [", "no YAML"),
    ],
)
def test_wrong_values_are_refused_with_what_is_wrong(tmp_path, text, said):
    path = tmp_path / "values.yaml"
    path.write_text(text)
    with pytest.raises(ValuesError) as refusal:
        read_values(path)
    assert said in refusal.value.message


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValuesError, match=r"values\.yaml"):
        read_values(tmp_path / "values.yaml")
