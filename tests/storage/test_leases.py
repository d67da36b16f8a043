import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from deployments.storage.errors import LeaseLostError
from deployments.storage.leases import acquire, fenced, release
from deployments.storage.workspaces import ensure_workspace, workspaces


def take(database, holder, now_unix_s):
    return acquire(database, "control", holder, lasts_s=10.0, now_unix_s=now_unix_s)


def test_one_holds_it_at_a_time_and_may_renew_it(database):
    first = take(database, "a", 1000.0)
    assert (first.token, first.until_unix_s) == (1, 1010.0)
    assert take(database, "b", 1009.0) is None
    renewed = take(database, "a", 1009.0)
    assert (renewed.token, renewed.until_unix_s) == (1, 1019.0)


def test_one_that_has_ended_goes_to_the_next_with_a_larger_token(database):
    take(database, "a", 1000.0)
    assert take(database, "b", 1010.0).token == 2
    assert take(database, "a", 1020.0).token == 3


def test_one_that_is_given_back_is_free_at_once(database):
    lease = take(database, "a", 1000.0)
    release(database, lease, now_unix_s=1001.0)
    assert take(database, "b", 1001.0).token == 2
    release(database, lease, now_unix_s=1002.0)  # of the past: b keeps it
    assert take(database, "a", 1002.0) is None


def test_who_has_lost_it_writes_nothing(database):
    lost = take(database, "a", 1000.0)
    take(database, "b", 1011.0)
    its_own_clock_s = 1005.0  # says that there is time left
    with (
        pytest.raises(LeaseLostError, match="held by 'a'"),
        fenced(database, lost, now_unix_s=its_own_clock_s) as session,
    ):
        ensure_workspace(session, "acme", now_unix_s=its_own_clock_s)
    with database.reading() as session:
        assert workspaces(session) == []


def test_who_is_late_writes_nothing_even_before_another_has_it(database):
    lease = take(database, "a", 1000.0)
    with pytest.raises(LeaseLostError), fenced(database, lease, now_unix_s=1010.0):
        pass


def test_the_holder_writes(database):
    lease = take(database, "a", 1000.0)
    with fenced(database, lease, now_unix_s=1001.0) as session:
        ensure_workspace(session, "acme", now_unix_s=1001.0)
    with database.reading() as session:
        assert workspaces(session) == ["acme"]


def test_nobody_takes_it_over_in_the_middle_of_a_transaction(open_again):
    writer, other = open_again(), open_again()
    lease = take(writer, "a", 1000.0)
    with ThreadPoolExecutor(1) as pool:
        with fenced(writer, lease, now_unix_s=1009.0) as session:
            ensure_workspace(session, "acme", now_unix_s=1009.0)
            taken = pool.submit(take, other, "b", 1011.0)
            with pytest.raises(TimeoutError):
                taken.result(timeout=0.3)
        assert taken.result(timeout=60).token == 2


def test_of_many_who_want_a_new_one_exactly_one_gets_it(open_again):
    databases = {holder: open_again() for holder in "abcd"}
    together = threading.Barrier(len(databases))

    def try_it(holder):
        together.wait()
        return take(databases[holder], holder, 1000.0)

    with ThreadPoolExecutor(len(databases)) as pool:
        leases = list(pool.map(try_it, databases))
    assert [lease.token for lease in leases if lease is not None] == [1]
