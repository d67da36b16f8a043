import asyncio

import pytest

from deployments.dataplane.admission import Admission
from deployments.dataplane.request_fetches import FETCHED_AT_ONCE, RequestFetches
from deployments.errors import ImageInputError, OverloadedError, PayloadTooLargeError
from deployments.settings import AdmissionLimits
from workflows.errors import RuntimeInputError

URL = "https://images.example.com/a.png"


class Fetcher:
    """Gives 100 bytes in parts of 10, and knows how many it was asked for at once."""

    def __init__(self, error=None):
        self.error = error
        self.under_way = self.most_under_way = 0

    async def fetch(self, url, count):
        if self.error is not None:
            raise self.error
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        for _ in range(10):
            await asyncio.sleep(0)
            count(10)
        self.under_way -= 1
        return b"x" * 100


@pytest.fixture
def admission():
    """Room for 1000 bytes, of which each byte fetched takes two."""
    return Admission(AdmissionLimits(max_in_flight_bytes=1000, bytes_per_body_byte=2))


def fetches(admission, fetcher=None, ticket=None):
    return RequestFetches(fetcher or Fetcher(), admission=admission, ticket=ticket)


async def test_a_request_is_counted_for_what_it_fetches_and_for_nothing_once_it_left(admission):
    ticket = admission.enter(50)
    assert await fetches(admission, ticket=ticket).fetch(URL) == b"x" * 100
    assert admission.counters.in_flight_bytes == 250
    admission.leave(ticket)
    admission.grow(ticket, 900)
    assert admission.counters.in_flight_bytes == 0


async def test_what_does_not_fit_beside_other_requests_is_refused_for_now(admission):
    admission.enter(700)
    with pytest.raises(OverloadedError, match="try again later"):
        await fetches(admission, ticket=admission.enter(150)).fetch(URL)
    assert admission.counters.in_flight_bytes == 700 + 150 + 140  # it ended where the next part had no room


async def test_what_would_never_fit_is_refused_for_good(admission):
    with pytest.raises(PayloadTooLargeError, match=r"1010 bytes of memory .* at most 1000"):
        await fetches(admission, ticket=admission.enter(850)).fetch(URL)


async def test_images_of_one_request_are_bounded_together(admission):
    both = fetches(admission, ticket=admission.enter(700))
    await both.fetch(URL)
    with pytest.raises(PayloadTooLargeError, match="name fewer at once"):
        await both.fetch(URL)


async def test_few_are_fetched_at_a_time(admission):
    fetcher = Fetcher()
    all_of_one = fetches(admission, fetcher)
    await asyncio.gather(*(all_of_one.fetch(URL) for _ in range(20)))
    assert fetcher.most_under_way == FETCHED_AT_ONCE


async def test_addresses_are_refused_where_nothing_is_fetched(admission):
    with pytest.raises(RuntimeInputError, match="base64"):
        await RequestFetches(None, admission=admission, ticket=None).fetch(URL)


async def test_a_refused_address_is_an_input_error_of_the_workflow(admission):
    with pytest.raises(RuntimeInputError, match="not a public one"):
        await fetches(admission, Fetcher(ImageInputError("not a public one"))).fetch(URL)


async def test_a_fetched_image_that_is_too_large_stays_that(admission):
    with pytest.raises(PayloadTooLargeError):
        await fetches(admission, Fetcher(PayloadTooLargeError("too large"))).fetch(URL)
