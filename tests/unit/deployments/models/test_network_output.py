from __future__ import annotations

from deployments.models.network_output import listed, positions_of_rank
from tests.unit.deployments.models.builders import outputs_of

OUTPUTS = outputs_of(output0=(1, 84, 8400), protos=(1, 32, 160, 160), anchors=(8400, 2))


def test_outputs_are_listed_with_their_shapes() -> None:
    assert listed(OUTPUTS) == "output0[1, 84, 8400], protos[1, 32, 160, 160], anchors[8400, 2]"
    assert listed([]) == "nothing"


def test_outputs_are_found_by_the_number_of_their_axes() -> None:
    assert positions_of_rank(OUTPUTS, 3) == [0]
    assert positions_of_rank(OUTPUTS, 5) == []
