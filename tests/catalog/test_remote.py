"""The URL door: only public addresses are asked, the checked address is the one connected to, and nothing drags on."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from catalog.remote import FetchRules, RejectedUrl, fetch_picture, is_public, resolve

pytestmark = pytest.mark.pure

LOOPBACK = ipaddress.ip_address("127.0.0.1")
PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 40


class Site(http.server.BaseHTTPRequestHandler):
    """A site whose paths misbehave as they say."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        getattr(self, self.path.split("/")[1].split("?")[0], self.missing)()

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def answer(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        if not {"Content_Length", "Transfer_Encoding"} & set(headers):
            headers["Content_Length"] = str(len(content))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)
        self.close_connection = True

    def missing(self) -> None:
        self.answer(404)

    def vase(self) -> None:
        self.answer(200, PICTURE)

    def chunked(self) -> None:
        self.answer(200, b"%x\r\n%b\r\n0\r\n\r\n" % (len(PICTURE), PICTURE), Transfer_Encoding="chunked")

    def moved(self) -> None:
        self.answer(302, Location="/vase")

    def away(self) -> None:
        self.answer(302, Location="http://inside.test/vase")

    def file(self) -> None:
        self.answer(302, Location="file:///etc/passwd")

    def loop(self) -> None:
        self.answer(302, Location="/loop")

    def liar(self) -> None:
        self.answer(200, b"x", Content_Length=str(10**12))

    def short(self) -> None:
        self.answer(200, PICTURE, Content_Length=str(len(PICTURE) + 5))

    def endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"x" * 65_536)

    def packed(self) -> None:
        self.answer(200, b"\x1f\x8b", Content_Encoding="gzip")

    def drip(self) -> None:
        """A header that never ends, one byte after the other."""
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while not self.server.stopping.wait(0.02):
                self.wfile.write(b"x")
                self.wfile.flush()

    def silent(self) -> None:
        self.server.stopping.wait(20)

    def garbage(self) -> None:
        self.wfile.write(b"\0\1\2 nonsense\r\n\r\n")
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Site)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()

    def handle_error(self, *_args: object) -> None:
        """A client that hangs up is what these tests are about."""


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


def rules_for(server: Server, **changed) -> FetchRules:
    """Rules under which ``shop.test`` is this server, and public; ``inside.test`` is not."""
    names = {"shop.test": [LOOPBACK], "inside.test": [ipaddress.ip_address("10.0.0.7")]}
    values = {
        "ports": frozenset({server.server_port, 80}),
        "is_allowed": lambda address: address == LOOPBACK or is_public(address),
        "resolve": lambda host, _port: names[host],
        "seconds": 5.0,
    }
    return FetchRules(**values | changed)


def url(server: Server, path: str, host: str = "shop.test") -> str:
    return f"http://{host}:{server.server_port}{path}"


def refused(address: str, rules: FetchRules | None = None) -> str:
    with pytest.raises(RejectedUrl) as refusal:
        fetch_picture(address, rules=rules or FetchRules(resolve=forbidden))
    assert str(refusal.value)
    return refusal.value.code


def forbidden(host: str, port: int) -> list:
    raise AssertionError(f"{host}:{port} must not be looked up")


@pytest.mark.parametrize("path", ["/vase", "/vase/a%20b/花?x=花#part", "/chunked", "/moved"])
def test_a_picture_is_fetched(site, path):
    assert fetch_picture(url(site, path), rules=rules_for(site)) == PICTURE


def test_the_request_names_the_site_and_carries_nothing_else(site, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fetch_picture(url(site, "/vase"), rules=rules_for(site))
    _path, headers = site.seen[-1]
    assert headers["Host"] == f"shop.test:{site.server_port}"
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "url-malformed"),
        ("vase.jpg", "url-malformed"),
        ("file:///etc/passwd", "url-malformed"),
        ("ftp://shop.test/v.jpg", "url-malformed"),
        ("gopher://shop.test:80/_x", "url-malformed"),
        ("data:image/png;base64,AAAA", "url-malformed"),
        ("http://", "url-malformed"),
        ("http:///v.jpg", "url-malformed"),
        ("http://me:secret@shop.test/v.jpg", "url-malformed"),
        ("http://shop.test@inside.test/", "url-malformed"),
        ("http://shop.test/a b", "url-malformed"),
        ("http://shop.test/\r\nHost: x", "url-malformed"),
        ("http://shop.test:99999/", "url-malformed"),
        ("http://shop.test:x/", "url-malformed"),
        ("http://[::1", "url-malformed"),
        ("http://[fe80::1%25eth0]/", "url-malformed"),
        ("http://shop\\@inside.test/", "url-malformed"),
        ("http://shop..test/", "url-malformed"),
        ("http://" + "a" * 70 + ".test/", "url-malformed"),
        ("http://shop.test/" + "a" * 2_000, "url-malformed"),
        ("http://shop.test:22/", "url-not-public"),
        ("http://shop.test:6379/", "url-not-public"),
        ("https://shop.test:0/", "url-not-public"),
    ],
)
def test_a_url_that_may_not_be_asked_is_not_even_looked_up(address, code):
    assert refused(address) == code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "localhost",
        "10.0.0.1",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::]",
        "[ff02::1]",
    ],
)
def test_addresses_that_are_not_public_are_refused_however_they_are_written(host, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", forbidden)
    assert refused(f"http://{host}/v.jpg", FetchRules()) in {"url-not-public", "url-unreachable"}


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


def test_the_systems_resolver_gives_addresses():
    assert resolve("127.0.0.1", 80) == [LOOPBACK]


def test_one_private_address_among_public_ones_is_a_trap(site):
    rules = rules_for(site, resolve=lambda _host, _port: [LOOPBACK, ipaddress.ip_address("10.0.0.7")])
    assert refused(url(site, "/vase"), rules) == "url-not-public"


def test_the_name_is_resolved_once_for_each_request(site):
    """A name server that answers otherwise the second time is never asked a second time."""
    answers = iter([[LOOPBACK], [ipaddress.ip_address("10.0.0.7")]])
    assert fetch_picture(url(site, "/vase"), rules=rules_for(site, resolve=lambda _h, _p: next(answers))) == PICTURE


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/away", "url-not-public"),
        ("/file", "url-malformed"),
        ("/loop", "url-redirects"),
        ("/missing", "url-refused"),
        ("/packed", "url-refused"),
        ("/liar", "url-too-large"),
        ("/endless", "url-too-large"),
        ("/short", "url-unreachable"),
        ("/garbage", "url-unreachable"),
    ],
)
def test_what_a_site_does_wrong_is_named(site, path, code):
    assert refused(url(site, path), rules_for(site, most_bytes=100_000)) == code


@pytest.mark.parametrize("path", ["/drip", "/silent"])
def test_a_site_cannot_drag_on(site, path):
    assert refused(url(site, path), rules_for(site, seconds=0.3)) == "url-too-slow"


def test_a_site_that_is_not_there_is_named():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    rules = FetchRules(ports=frozenset({port}), is_allowed=lambda _a: True, resolve=lambda _h, _p: [LOOPBACK])
    assert refused(f"http://shop.test:{port}/", rules) == "url-unreachable"


def test_a_name_that_is_not_there_is_named():
    def unknown(_host: str, _port: int) -> list:
        raise socket.gaierror(-2, "Name or service not known")

    assert refused("http://nowhere.test/", FetchRules(resolve=unknown)) == "url-unreachable"


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> tuple[str, str]:
    """A certificate for ``shop.test`` and its key, as files."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture
def secure_site(authority) -> Iterator[Server]:
    certificate, key = authority
    server = Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: server.names.append(name)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with running(server):
        yield server


def test_tls_checks_the_name_though_the_address_is_pinned(secure_site, authority):
    trusting = rules_for(secure_site, tls=lambda: ssl.create_default_context(cafile=authority[0]))
    assert fetch_picture(f"https://shop.test:{secure_site.server_port}/vase", rules=trusting) == PICTURE
    assert secure_site.names == ["shop.test"]
    other = rules_for(secure_site, tls=trusting.tls, resolve=lambda _h, _p: [LOOPBACK])
    assert refused(f"https://other.test:{secure_site.server_port}/vase", other) == "url-unreachable"


def test_a_certificate_that_nobody_vouches_for_is_refused(secure_site):
    assert refused(f"https://shop.test:{secure_site.server_port}/vase", rules_for(secure_site)) == "url-unreachable"


def test_a_redirect_from_https_to_http_is_refused(secure_site, authority):
    rules = rules_for(secure_site, tls=lambda: ssl.create_default_context(cafile=authority[0]))
    assert refused(f"https://shop.test:{secure_site.server_port}/away", rules) == "url-malformed"
