from types import SimpleNamespace

from deployments.models.known_models import KnownModels
from deployments.router.placement import Placement

PLAIN = {"request_serialization": "pickle", "response_serialization": "pickle"}


def test_all_handles_of_a_placement_pickle_plainly():
    handle = SimpleNamespace(options=lambda **options: options)  # a real one starts a cluster when it is asked
    placement = Placement(
        known=KnownModels(aliases={"lorries": "cars/1"}), detectors={"cars/1": handle}, readers={"signs/1": handle}
    ).with_plain_pickles()
    assert placement.canonical("lorries") == "cars/1"
    assert (placement.detectors, placement.readers) == ({"cars/1": PLAIN}, {"signs/1": PLAIN})
