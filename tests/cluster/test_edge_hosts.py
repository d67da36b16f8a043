"""Where each way to say a host leads, at the real HAProxy: never to another endpoint."""

from __future__ import annotations

import random
import re

import pytest

from deployments.edge.config import CONTROL_PATHS
from tests.cluster.edge_house import ENDPOINTS, edge_house, request

pytestmark = pytest.mark.cluster

ALPHA, BETA, ALPH = "/@alpha.r00000001", "/@beta-2.r00000002", "/@alph.r00000003"


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    with edge_house(tmp_path_factory.mktemp("edge")) as house:
        yield house


@pytest.fixture(scope="module")
def behind_proxy(tmp_path_factory):
    """An edge that believes what comes from loopback, where the tests' requests come from."""
    with edge_house(tmp_path_factory.mktemp("trusting"), ("10.0.0.0/8", "127.0.0.1")) as house:
        yield house


SPELLINGS = ("{}", "{}:9001", "{}:80", "{}:65535", "{}.", "{}.:9001", " {} ", "\t{}", "{}:")
LEADS = {
    "localhost": "",
    "127.0.0.1": "",
    "plates.localhost": "",
    "doors.localhost": "/doors",
    "alpha.localhost": ALPHA,
    "alph.localhost": ALPH,
    "beta-2.localhost": BETA,
    "cams.example.org": BETA,
}
LETTERS = [
    ("LOCALHOST", ""),
    ("LocalHost:9001", ""),
    ("PLATES.localhost", ""),
    ("doors.LOCALHOST", "/doors"),
    ("Alpha.LocalHost", ALPHA),
    ("ALPHA.LOCALHOST.:80", ALPHA),
    ("aLPH.localhost", ALPH),
    ("BETA-2.localhost", BETA),
    ("Cams.Example.ORG:443", BETA),
    ("[::1]", ""),
    ("[::1]:9001", ""),
]


@pytest.mark.parametrize(
    ("host", "prefix"),
    [(spelling.format(host), prefix) for host, prefix in LEADS.items() for spelling in SPELLINGS] + LETTERS,
)
def test_a_host_leads_to_its_endpoint(edge, host, prefix):
    answer = edge.send(request(host))
    assert (answer.status, answer.who, answer.path) == (200, "cluster", f"{prefix}/info")


@pytest.mark.parametrize(
    "host",
    [
        "nobody.localhost",
        "alpha.alpha.localhost",
        "alpha.nobody.localhost",
        ".localhost",
        "xalpha.localhost",
        "alphax.localhost",
        "alpha-.localhost",
        "al.localhost",
        "*.localhost",
        "cams.example.org.localhost",
        "alpha.localhost.localhost",
        "a@alpha.localhost",
        "localhost.localhost",
        "127.0.0.1.localhost",
        "%61lpha.localhost",
        "alpha%2elocalhost.localhost",
        "_.localhost",
        "xn--alpha.localhost",
        "=paused.localhost",
        "/@alpha.localhost",
    ],
)
def test_a_name_that_no_endpoint_has_is_404(edge, host):
    answer = edge.send(request(host))
    assert answer.who == "edge"
    assert answer.status == (400 if "@" in host else 404)  # HAProxy itself wants no user in a host


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "example.org",
        "a.cams.example.org",
        "xcams.example.org",
        "cams.example.org.evil.com",
        "alpha.localhost.evil.com",
        "alpha.localhost..",
        "localhost.evil.com",
        "xlocalhost",
        "alphalocalhost",
        "alpha",
        "plates",
        "127.0.0.2",
        "10.0.0.1:9001",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.1.nip.io",
        "[::]",
        "[::2]:9001",
        "[2001:db8::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1%25eth0]",
        "[alpha.localhost]",
        "localhost@evil.com",
        "evil.com@localhost:80@evil.com",
        "alpha.localhost@evil.com",
        "localhost%00.evil.com",
        "localhost%2e",
        "alpha.localhost/",
        "alpha.localhost/@beta-2.r00000002",
        "alpha.localhost?x",
        "alpha.localhost#x",
        "//alpha.localhost",
        "http://alpha.localhost",
        "alpha localhost",
    ],
)
def test_a_host_that_is_not_ours_is_refused(edge, host):
    answer = edge.send(request(host))
    assert answer.who == "edge"
    assert answer.status in (400, 421)


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("",),
        (" ",),
        ("alpha.localhost,beta-2.localhost",),
        ("alpha.localhost, beta-2.localhost",),
        ("alpha.localhost", "beta-2.localhost"),
        ("beta-2.localhost", "alpha.localhost"),
        ("localhost", "alpha.localhost"),
        ("alpha.localhost", "localhost"),
        ("alpha.localhost", ""),
        ("", "alpha.localhost"),
        ("alpha.localhost", "alpha.localhost", "beta-2.localhost"),
    ],
)
def test_other_than_one_host_is_400(edge, hosts):
    answer = edge.send(request(*hosts))
    assert (answer.status, answer.who) == (400, "edge")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_without_a_host_it_is_400(edge, version):
    assert edge.send(f"GET /info HTTP/{version}\r\n\r\n".encode()).status == 400


@pytest.mark.parametrize(
    ("target", "host", "path"),
    [
        ("http://alpha.localhost/info", "alpha.localhost", f"{ALPHA}/info"),
        ("http://ALPHA.localhost/info", "alpha.localhost", f"{ALPHA}/info"),
        ("http://alpha.localhost:80/info", "alpha.localhost", f"{ALPHA}/info"),
        ("http://localhost/info", "localhost", "/info"),
        ("http://alpha.localhost", "alpha.localhost", f"{ALPHA}/"),
        (
            "http://alpha.localhost/?x=http://beta-2.localhost/",
            "alpha.localhost",
            f"{ALPHA}/?x=http://beta-2.localhost/",
        ),
    ],
)
def test_a_whole_address_leads_where_its_host_does(edge, target, host, path):
    answer = edge.send(request(host, target=target))
    assert (answer.status, answer.path) == (200, path)


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://alpha.localhost/info", "beta-2.localhost"),
        ("http://beta-2.localhost/info", "alpha.localhost"),
        ("http://alpha.localhost/info", "localhost"),
        ("http://localhost/info", "alpha.localhost"),
        ("http://evil.com/info", "alpha.localhost"),
        ("http://alpha.localhost/info", "evil.com"),
        ("http://alpha.localhost@beta-2.localhost/info", "alpha.localhost"),
        ("http://paused.localhost/info", "alpha.localhost"),
    ],
)
def test_an_address_and_a_host_that_differ_are_one_or_refused(edge, target, host):
    """Never may one decide where the request goes and the other be believed there."""
    answer = edge.send(request(host, target=target))
    if answer.who == "cluster":
        name = answer.headers["host"]
        assert answer.path == {"alpha.localhost": ALPHA, "beta-2.localhost": BETA, "localhost": ""}[name] + "/info"
        assert answer.headers["x-forwarded-host"] == name
    else:
        assert answer.status in (400, 421)


@pytest.mark.parametrize(
    "target",
    [
        f"{ALPHA}/info",
        ALPHA,
        f"{ALPHA}/",
        "/@alpha.r00000001/../info",
        "/@",
        "/-/routes",
        "/-/ROUTES",
        "/-/healthz",
        "/-/unknown-host",
        "/-/alive",
    ],
)
@pytest.mark.parametrize("host", ["localhost", "plates.localhost", "[::1]"])
def test_the_paths_of_endpoints_and_of_the_house_are_nobodys_to_say(edge, target, host):
    answer = edge.send(request(host, target=target))
    assert (answer.status, answer.who) == (404, "edge")


@pytest.mark.parametrize(
    "target", ["/../@beta-2.r00000002/info", "/..%2f", f"/{BETA}/info", f"{BETA}/info", "//", "/-/routes", "/%2e%2e/"]
)
def test_an_endpoint_is_not_left_by_a_path(edge, target):
    answer = edge.send(request("alpha.localhost", target=target))
    assert (answer.status, answer.who, answer.path) == (200, "cluster", ALPHA + target)


@pytest.mark.parametrize("target", ["info", "*", "beta", ".r1", "%2f"])
def test_a_target_that_is_no_path_reaches_no_endpoint(edge, target):
    answer = edge.send(request("alpha.localhost", target=target, method="OPTIONS" if target == "*" else "GET"))
    assert (answer.status, answer.who) == (400, "edge")


@pytest.mark.parametrize(("name", "state"), [("paused", "paused"), ("starting", "pending")])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
def test_an_endpoint_that_does_not_run_says_its_state(edge, name, state, method):
    answer = edge.send(request(f"{name}.localhost", method=method, more=("Content-Length: 0",)))
    assert (answer.status, answer.who) == (503, "edge")
    assert f'"status":"{state}"'.encode() in answer.body


@pytest.mark.parametrize("target", CONTROL_PATHS)
def test_the_control_plane_answers_on_the_apex_alone(edge, target):
    for host in ("localhost", "127.0.0.1", "[::1]:9001", "LOCALHOST."):
        assert edge.send(request(host, target=f"{target}?api_key=k")).who == "control"
    for host, prefix in (("plates.localhost", ""), ("alpha.localhost", ALPHA)):
        answer = edge.send(request(host, target=target))
        assert (answer.who, answer.path) == ("cluster", prefix + target)


@pytest.mark.parametrize("target", ["/listx", "/list/", "/x/list", "//list", "/LIST", "/%6cist"])
def test_what_resembles_its_paths_does_not_reach_it(edge, target):
    assert edge.send(request("localhost", target=target)).who == "cluster"


@pytest.mark.parametrize("more", [(), ("Authorization: Bearer k",)])
def test_a_key_and_an_unknown_name_are_shown_to_the_control_plane(edge, more):
    answer = edge.send(
        request(
            "nobody.localhost",
            target="/add" if more else "/add?api_key=k",
            method="POST",
            more=(*more, "X-Sightline-Host: x"),
        )
    )
    assert answer.who == "control"
    assert answer.path.split("?")[0] == "/-/unknown-host"
    assert answer.headers["x-sightline-host"] == "nobody.localhost"


@pytest.mark.parametrize("host", ["beta-2.localhost", "localhost", "evil.com", "", "beta-2.localhost, localhost"])
@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host", "X-Sightline-Host"])
def test_nobody_unknown_says_another_host(edge, header, host):
    said = f"host={host}" if header == "Forwarded" else host
    answer = edge.send(request("alpha.localhost", more=(f"{header}: {said}",)))
    assert (answer.status, answer.path) == (200, f"{ALPHA}/info")
    assert answer.headers["x-forwarded-host"] == "alpha.localhost"
    assert "forwarded" not in answer.headers
    assert "x-sightline-host" not in answer.headers


@pytest.mark.parametrize(
    ("host", "forwarded", "prefix"),
    [
        ("localhost", "alpha.localhost", ALPHA),
        ("inner.example", "Beta-2.localhost:443", BETA),
        ("inner.example", "evil.com, alpha.localhost", ALPHA),  # the last one is what the proxy itself says
        ("alpha.localhost", "localhost", ""),
        ("alpha.localhost", "cams.example.org.", BETA),
    ],
)
def test_a_trusted_proxy_says_the_host(behind_proxy, host, forwarded, prefix):
    answer = behind_proxy.send(request(host, more=(f"X-Forwarded-Host: {forwarded}", "X-Forwarded-For: 9.9.9.9")))
    assert (answer.status, answer.path) == (200, f"{prefix}/info")
    assert answer.headers["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"


def test_a_trusted_proxy_that_says_a_foreign_host_is_refused(behind_proxy):
    assert behind_proxy.send(request("alpha.localhost", more=("X-Forwarded-Host: evil.com",))).status == 421


def test_hosts_change_while_it_runs(edge):
    try:
        edge.running.lead({**ENDPOINTS, "late": "/@late.r1", "alpha": "=paused"})
        assert edge.send(request("late.localhost")).path == "/@late.r1/info"
        assert edge.send(request("alpha.localhost")).status == 503
        edge.running.lead({})
        assert edge.send(request("alpha.localhost")).status == 404
        assert edge.send(request("localhost")).status == 200
        many = {f"many-{number}": f"/@many-{number}.r1" for number in range(400)}
        edge.running.lead(many)
        assert edge.send(request("many-399.localhost")).path == "/@many-399.r1/info"
    finally:
        edge.running.lead(ENDPOINTS)
    assert edge.send(request("alpha.localhost")).path == f"{ALPHA}/info"


FRAGMENTS = (
    "alpha", "beta-2", "alph", "paused", "localhost", "cams.example.org", "evil.com", "127.0.0.1", "[::1]", "::1", ".",
    "..", ":", ":80", ":9001", "@", "/", "//", "\\", "%2e", "%00", " ", "\t", ",", ";", "=", "/@", ALPHA, BETA, "*",
    "?", "#", "\x7f", "\xe9", "-", "_", "A", "0",
)  # fmt: skip
HEADERS = ("X-Forwarded-Host", "Host ", "host", "X-Sightline-Host", "Transfer-Encoding", "Content-Length", ":authority")


def expected_prefix(host: str) -> str | None:
    """Where a host leads, said in Python: None for nowhere."""
    name = re.sub(r":\d*$", "", host.strip(" \t")).lower()
    name = name.removesuffix(".")
    hosts = LEADS | {"[::1]": "", "::1": ""}
    return hosts.get(name)


def test_ten_thousand_odd_requests_never_cross_endpoints(edge):
    """Whatever reaches the cluster is under the path of the endpoint whose host the cluster is told, and no other."""
    dice = random.Random(20260717)
    reached = 0
    for _ in range(10_000):
        odd = lambda: "".join(dice.choices(FRAGMENTS, k=dice.randint(1, 4)))  # noqa: E731
        host = dice.choice([*LEADS, "paused.localhost"]) if dice.random() < 0.5 else odd()
        hosts = [host] + ([odd()] if dice.random() < 0.1 else [])
        target = dice.choice(["/info", f"/{odd()}", f"http://{odd()}/info", odd()])
        more = tuple(f"{dice.choice(HEADERS)}: {odd()}" for _ in range(dice.choice([0, 0, 1, 2])))
        answer = edge.send(request(*hosts, target=target, more=more))
        if answer is None or answer.who != "cluster":
            continue
        reached += 1
        assert answer.headers["x-forwarded-host"] == answer.headers["host"], (hosts, target, more)
        prefix = expected_prefix(answer.headers["host"])
        assert prefix is not None, (hosts, target, more)
        if prefix:
            assert re.match(re.escape(prefix) + r"(/|\?|$)", answer.path), (hosts, target, more, answer.path)
        else:
            assert not re.match(r"/(@|-/)", answer.path), (hosts, target, more, answer.path)
        assert "x-sightline-host" not in answer.headers
    assert reached > 1000
