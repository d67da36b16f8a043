"""Against a real TLS server on loopback; the resolver and the rule for addresses are the test's own."""

import asyncio
import datetime
import ssl
from contextlib import asynccontextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deployments.dataplane.url_fetch import MAX_REDIRECTS, UrlFetcher
from deployments.errors import ImageInputError, PayloadTooLargeError

HOST = "images.example.test"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for HOST and its subdomains; its key and itself in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST), x509.DNSName(f"*.{HOST}")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


class Site:
    """A TLS server that answers with what the test put under each path."""

    def __init__(self):
        self.answers = {}
        self.requests = []
        self.port = 0

    def put(self, path, body=b"", status="200 OK", headers=()):
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        self.answers[path] = "\r\n".join(head).encode() + b"\r\n\r\n" + body

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head.decode())
        path = head.split(b" ")[1].decode()
        if path == "/slow":
            await asyncio.sleep(30)
        writer.write(self.answers.get(path, NOT_FOUND))
        try:
            await writer.drain()
            writer.close()
        except ConnectionError:
            pass


@asynccontextmanager
async def running(certificate):
    site = Site()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=context)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()


def fetcher(certificate, *, addresses=None, allow=lambda _: True, **options):
    known = {HOST: ["127.0.0.1"]} if addresses is None else addresses

    async def resolve(host, port):
        if host not in known:
            raise OSError("unknown host")
        return known[host]

    return UrlFetcher(
        max_bytes=options.pop("max_bytes", 1000),
        timeout_s=options.pop("timeout_s", 5.0),
        resolve=resolve,
        is_allowed_address=allow,
        tls=ssl.create_default_context(cafile=str(certificate)),
        **options,
    )


async def test_an_image_is_fetched_from_the_checked_address_under_its_own_name(certificate):
    async with running(certificate) as site:
        site.put("/a.png", b"pixels")
        assert await fetcher(certificate).fetch(f"https://{HOST}:{site.port}/a.png") == b"pixels"
        assert f"host: {HOST}:{site.port}" in site.requests[0].lower()


async def test_a_name_is_resolved_once_and_the_connection_goes_where_the_check_looked(certificate):
    asked = []

    async def changing(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async with running(certificate) as site:
        site.put("/a.png", b"pixels")
        fetch = UrlFetcher(
            max_bytes=100,
            timeout_s=5,
            resolve=changing,
            is_allowed_address=lambda address: address == "127.0.0.1",
            tls=ssl.create_default_context(cafile=str(certificate)),
        )
        assert await fetch.fetch(f"https://{HOST}:{site.port}/a.png") == b"pixels"
    assert asked == [HOST]


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [(["127.0.0.1"], "loopback"), (["8.8.8.8", "10.0.0.1"], "one of two inside"), ([], "none at all")],
)
async def test_a_host_that_is_not_public_is_refused_before_any_connection(certificate, addresses, reason):
    async with running(certificate) as site:
        guarded = UrlFetcher(max_bytes=100, timeout_s=5, resolve=lambda host, port: _give(addresses))
        with pytest.raises(ImageInputError, match="not a public one"):
            await guarded.fetch(f"https://{HOST}:{site.port}/a.png")
        assert site.requests == []


async def _give(value):
    return value


@pytest.mark.parametrize(
    "url",
    [
        "http://images.example.test/a.png",
        "ftp://images.example.test/a.png",
        "file:///etc/passwd",
        "https://localhost/a.png",
        "https://127.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://2130706433/a.png",
        "https://127.1/a.png",
        "https://0x7f.1/a.png",
        "https://user:secret@images.example.test/a.png",
        "https:///a.png",
        "https://exa mple.test/a.png",
        "no address",
        "",
    ],
)
async def test_addresses_that_are_no_https_url_of_a_full_name_are_refused(certificate, url):
    with pytest.raises(ImageInputError):
        await fetcher(certificate).fetch(url)


async def test_a_redirect_is_followed_to_another_checked_host(certificate):
    async with running(certificate) as site:
        site.put("/a", status="302 Found", headers=[f"Location: https://cdn.{HOST}:{site.port}/b"])
        site.put("/b", b"pixels")
        fetch = fetcher(certificate, addresses={HOST: ["127.0.0.1"], f"cdn.{HOST}": ["127.0.0.1"]})
        assert await fetch.fetch(f"https://{HOST}:{site.port}/a") == b"pixels"


@pytest.mark.parametrize("location", ["http://127.0.0.1/b", "https://169.254.169.254/b", "https://inside.test/b"])
async def test_a_redirect_that_leads_inside_is_refused(certificate, location):
    async with running(certificate) as site:
        site.put("/a", status="302 Found", headers=[f"Location: {location}"])
        fetch = fetcher(
            certificate,
            addresses={HOST: ["127.0.0.1"], "inside.test": ["10.0.0.1"]},
            allow=lambda address: address != "10.0.0.1",
        )
        with pytest.raises(ImageInputError):
            await fetch.fetch(f"https://{HOST}:{site.port}/a")


async def test_redirects_have_an_end(certificate):
    async with running(certificate) as site:
        site.put("/a", status="302 Found", headers=["Location: /a"])
        with pytest.raises(ImageInputError, match=str(MAX_REDIRECTS)):
            await fetcher(certificate).fetch(f"https://{HOST}:{site.port}/a")
        assert len(site.requests) == MAX_REDIRECTS + 1


async def test_a_certificate_for_another_name_is_refused(certificate):
    async with running(certificate) as site:
        site.put("/a.png", b"pixels")
        fetch = fetcher(certificate, addresses={"other.test": ["127.0.0.1"]})
        with pytest.raises(ImageInputError):
            await fetch.fetch(f"https://other.test:{site.port}/a.png")
        assert site.requests == []


async def test_content_as_large_as_allowed_is_read_and_one_byte_more_is_not(certificate):
    async with running(certificate) as site:
        site.put("/fits", b"x" * 1000)
        site.put("/large", b"x" * 1001)
        assert len(await fetcher(certificate).fetch(f"https://{HOST}:{site.port}/fits")) == 1000
        with pytest.raises(PayloadTooLargeError):
            await fetcher(certificate).fetch(f"https://{HOST}:{site.port}/large")


async def test_content_that_does_not_announce_its_size_is_cut_off_at_the_limit(certificate):
    async with running(certificate) as site:
        site.answers["/endless"] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000
        with pytest.raises(PayloadTooLargeError):
            await fetcher(certificate).fetch(f"https://{HOST}:{site.port}/endless")


async def test_a_server_that_does_not_answer_costs_no_more_than_the_timeout(certificate):
    async with running(certificate) as site:
        with pytest.raises(ImageInputError, match="within"):
            await fetcher(certificate, timeout_s=0.2).fetch(f"https://{HOST}:{site.port}/slow")


async def test_a_status_other_than_200_is_an_error(certificate):
    async with running(certificate) as site:
        with pytest.raises(ImageInputError, match="404"):
            await fetcher(certificate).fetch(f"https://{HOST}:{site.port}/missing")


async def test_compressed_content_is_refused(certificate):
    async with running(certificate) as site:
        site.put("/a", b"x", headers=["Content-Encoding: gzip"])
        with pytest.raises(ImageInputError, match="compressed"):
            await fetcher(certificate).fetch(f"https://{HOST}:{site.port}/a")


async def test_a_denied_host_wins_over_an_allowed_one(certificate):
    fetch = fetcher(certificate, allowed_hosts=("*.example.test",), denied_hosts=(HOST,))
    with pytest.raises(ImageInputError, match="may not be fetched"):
        await fetch.fetch(f"https://{HOST}/a.png")


async def test_a_host_outside_the_allowed_ones_is_refused(certificate):
    fetch = fetcher(certificate, allowed_hosts=("cdn.test", "*.cdn.test"))
    with pytest.raises(ImageInputError, match=r"only, not from"):
        await fetch.fetch(f"https://{HOST}/a.png")


async def test_messages_hold_neither_path_nor_query(certificate):
    with pytest.raises(ImageInputError) as caught:
        await fetcher(certificate, addresses={}).fetch(f"https://{HOST}/private.png?token=secret")
    assert "secret" not in str(caught.value)
    assert "private" not in str(caught.value)
