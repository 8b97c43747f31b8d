"""The one door to addresses that others name: only the open web is asked, at an address that was checked before.

A name is resolved once and the connection made to the very address that was checked, so that a second answer of the
name server changes nothing. Every redirect is a new URL with the same checks. Proxies of the environment, cookies and
credentials are not used. What comes back is bytes of any kind: they still have to pass ``catalog.images``.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.utils.translation import gettext_lazy as _

from jobs.errors import Text, UserError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
T = TypeVar("T")

_REDIRECTS = {301, 302, 303, 307, 308}
_LONGEST_URL = 2_000
_CHUNK = 64 * 1024
_ACCEPT = "image/jpeg,image/png,image/webp,image/avif,image/gif,image/tiff"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?\.?", re.ASCII)

_CHECK = _("Check the address, or save the picture and upload it.")
_TEXTS: dict[str, tuple[Text, Text]] = {
    "url-malformed": (_("This is no web address of a picture."), _("It begins with https:// and names a public site.")),
    "url-not-public": (_("Pictures are only fetched from public sites."), _CHECK),
    "url-unreachable": (_("The site does not answer."), _CHECK),
    "url-refused": (_("The site answers with the status %(status)s."), _CHECK),
    "url-redirects": (_("The address sends us on too often."), _("Use the address that the browser shows at the end.")),
    "url-too-large": (_("The picture is larger than %(megabytes)d MB."), _("Save a smaller copy and upload that.")),
    "url-too-slow": (_("The site takes too long."), _("Try again later, or save the picture and upload it.")),
}


class RejectedUrl(UserError):
    """The URL is not fetched, or gives nothing that we can use; ``code`` says why."""


def resolve(host: str, port: int) -> list[Address]:
    """The addresses of ``host`` by the system's resolver, without repetition."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers))


def is_public(address: Address) -> bool:
    """Whether ``address`` is one of the open internet, also behind any translation that it carries within."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if not all(is_public(one) for one in inner if one is not None):
            return False
        if address.ipv4_mapped is not None or address in _NAT64:
            return True  # these stand for the address within, and for nothing else
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not address.is_loopback
        and not address.is_link_local
    )


@dataclass(frozen=True)
class FetchRules:
    """What may be asked, and for how much. The callables are there for tests."""

    most_bytes: int = 15_000_000
    #: Of the whole fetch with its redirects; a name server that hangs has its own bound.
    seconds: float = 10.0
    most_redirects: int = 3
    ports: frozenset[int] = frozenset({80, 443})
    schemes: frozenset[str] = frozenset({"http", "https"})
    #: ``host:port`` of the operator's own machines, which may be asked although they are not of the open web.
    internal: frozenset[str] = frozenset()
    is_allowed: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], list[Address]] = resolve
    tls: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)


DEFAULT = FetchRules()


@dataclass(frozen=True)
class Reply:
    """What a server answered to a message."""

    status: int
    #: The first ``rules.most_bytes`` of the body.
    body: bytes


def fetch_picture(url: str, *, rules: FetchRules = DEFAULT) -> bytes:
    """What ``url`` gives, at most ``rules.most_bytes``.

    Raises:
        RejectedUrl: nothing else, whatever the URL and its server do.
    """
    deadline = time.monotonic() + rules.seconds
    target = _checked(url, rules)
    for _hop in range(rules.most_redirects + 1):
        answer = _ask(target, deadline, rules, _exchange)
        if isinstance(answer, bytes):
            return answer
        following = _checked(urljoin(target.geturl(), answer), rules)
        if (target.scheme, following.scheme) == ("https", "http"):
            raise _rejected("url-malformed", rules)
        target = following
    raise _rejected("url-redirects", rules)


def post(url: str, *, body: bytes, headers: Mapping[str, str], rules: FetchRules = DEFAULT) -> Reply:
    """Send ``body`` to ``url`` and read the answer's status; a redirect is an answer, and is not followed.

    Raises:
        RejectedUrl: nothing else, whatever the URL and its server do.
    """
    deadline = time.monotonic() + rules.seconds
    return _ask(_checked(url, rules), deadline, rules, partial(_send, body=body, headers=headers))


def check(url: str, *, rules: FetchRules = DEFAULT) -> None:
    """Raise ``RejectedUrl`` where ``url`` may not be asked. A name that nobody knows yet may be known later."""
    target = _checked(url, rules)
    try:
        _addresses(target.hostname or "", target.port or _default_port(target.scheme), rules)
    except RejectedUrl as error:
        if error.code != "url-unreachable":
            raise


def _checked(url: str, rules: FetchRules) -> SplitResult:
    """The URL's parts where it is one that may be asked at all; its host in ASCII."""
    if len(url) > _LONGEST_URL or any(letter.isspace() or not letter.isprintable() for letter in url):
        raise _rejected("url-malformed", rules)
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii").lower()
    except ValueError as error:
        raise _rejected("url-malformed", rules) from error
    if parts.scheme not in rules.schemes or parts.username is not None or parts.password is not None:
        raise _rejected("url-malformed", rules)
    if not (_HOST.fullmatch(host) or (":" in host and _is_address(host))):
        raise _rejected("url-malformed", rules)
    wanted = port if port is not None else _default_port(parts.scheme)
    if wanted not in rules.ports and f"{host}:{wanted}" not in rules.internal:
        raise _rejected("url-not-public", rules)
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    return parts._replace(netloc=netloc, fragment="")


_Exchange = Callable[[socket.socket, SplitResult, float, FetchRules], T]


def _ask(target: SplitResult, deadline: float, rules: FetchRules, exchange: _Exchange[T]) -> T:
    """What ``exchange`` makes of a connection to the target."""
    host = target.hostname or ""
    port = target.port or _default_port(target.scheme)
    addresses = _addresses(host, port, rules)
    try:
        with _connected(addresses, port, deadline) as raw, _cut_off(raw, deadline):
            stream = rules.tls().wrap_socket(raw, server_hostname=host) if target.scheme == "https" else raw
            with contextlib.closing(stream):
                return exchange(stream, target, deadline, rules)
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = isinstance(error, TimeoutError) or time.monotonic() >= deadline
        raise _rejected("url-too-slow" if late else "url-unreachable", rules) from error


def _request(
    stream: socket.socket, target: SplitResult, method: str, headers: Mapping[str, str], body: bytes | None = None
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(target.hostname or "")
    connection.sock = stream
    # A Host of our own: the connection knows nothing of the port and scheme.
    connection.putrequest(method, _ascii_path(target), skip_host=True, skip_accept_encoding=True)
    fixed = {
        "Host": target.netloc,
        "Accept-Encoding": "identity",
        "User-Agent": "StyleRec",
        "Connection": "close",
    }
    for name, value in {**headers, **fixed}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    return connection.getresponse()


def _send(
    stream: socket.socket,
    target: SplitResult,
    deadline: float,
    rules: FetchRules,
    *,
    body: bytes,
    headers: Mapping[str, str],
) -> Reply:
    """POST; the answer's status, and the beginning of what it says."""
    wanted = {**headers, "Content-Length": str(len(body))}
    with contextlib.closing(_request(stream, target, "POST", wanted, body)) as response:
        return Reply(response.status, response.read(rules.most_bytes))


def _exchange(stream: socket.socket, target: SplitResult, deadline: float, rules: FetchRules) -> bytes | str:
    """GET; the content, or where a redirect points to."""
    with contextlib.closing(_request(stream, target, "GET", {"Accept": _ACCEPT})) as response:
        if response.status in _REDIRECTS and (location := response.getheader("Location")):
            return location
        # Packed content would be unpacked by nobody, and a picture needs no packing.
        if response.status != 200 or response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise _rejected("url-refused", rules, status=response.status)
        return _content(response, deadline, rules)


def _content(response: http.client.HTTPResponse, deadline: float, rules: FetchRules) -> bytes:
    """The body, counted while it comes; a length that the server announces is only believed where it is too large."""
    announced = response.getheader("Content-Length", "")
    if announced.isdecimal() and int(announced[:20]) > rules.most_bytes:
        raise _rejected("url-too-large", rules)
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > rules.most_bytes:
            raise _rejected("url-too-large", rules)
    if time.monotonic() >= deadline:
        raise TimeoutError  # the end of the content may be the end of our patience
    if announced.isdecimal() and len(content) < int(announced[:20]):
        raise http.client.IncompleteRead(b"")
    return bytes(content)


def _addresses(host: str, port: int, rules: FetchRules) -> list[Address]:
    """The host's addresses, every one of which must be allowed: a name with a private one among them is a trap."""
    try:
        addresses = rules.resolve(host, port)
    except (OSError, ValueError) as error:
        raise _rejected("url-unreachable", rules) from error
    internal = f"{host}:{port}" in rules.internal
    if not addresses or not (internal or all(rules.is_allowed(address) for address in addresses)):
        raise _rejected("url-not-public" if addresses else "url-unreachable", rules)
    return addresses


@contextlib.contextmanager
def _connected(addresses: list[Address], port: int, deadline: float) -> Iterator[socket.socket]:
    """A connection to the first address that takes it."""
    for index, address in enumerate(addresses[:4]):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            connected = socket.create_connection((str(address), port), timeout=left)
            break
        except OSError:
            if index == len(addresses[:4]) - 1:
                raise
    with contextlib.closing(connected):
        yield connected


@contextlib.contextmanager
def _cut_off(connection: socket.socket, deadline: float) -> Iterator[None]:
    """End the connection at the deadline: a socket's own timeout begins anew with every byte that drips in."""
    same = connection.dup()  # TLS takes the first one over
    watch = threading.Timer(max(0.0, deadline - time.monotonic()), _shut, [same])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        watch.join()
        same.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _is_address(host: str) -> bool:
    """Whether this is an IPv6 address without a zone of this machine."""
    try:
        return "%" not in host and ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _ascii_path(target: SplitResult) -> str:
    """Path and query as they are sent; what is escaped already stays so."""
    path = quote(target.path or "/", safe="/%:@!$&'()*+,;=~")
    return f"{path}?{quote(target.query, safe='/?%:@!$&()*+,;=~')}" if target.query else path


def _rejected(code: str, rules: FetchRules, *, status: int = 0) -> RejectedUrl:
    message, hint = _TEXTS[code]
    return RejectedUrl(code, message % {"megabytes": rules.most_bytes // 1_000_000, "status": status}, hint)
