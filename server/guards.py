"""What stands between the network and the app, in this order; each one knows only ASGI.

HeaderGuard      the same careful headers on every reply
FaultGuard       an unexpected exception becomes a 500 with a number to find it by
HostGuard        only this server's own names: a page whose name was rebound to us is refused
CrossSiteGuard   only this server's own pages may change something
TokenGuard       with a token set, /api answers only those who carry it
BodyGuard        no body longer than its limit, counted as it comes
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lstm_core.errors import LSTMCoreError
from server.errors import BodyTooLargeError, CrossSiteError, HostError, TokenError
from server.responses import error_problem, fault_body, reply_with

logger = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: Everything from this server, nothing from anywhere else, no eval, no inline script.
#: Plotly puts an empty <style> into the page and fills it by script: the first hash is that of the
#: empty string. The second one is that of the map library's style sheet, which it inserts as it
#: loads, maps or not; a new version of Plotly may need a new hash, and the browser tests say so.
#: And it writes style attributes into the pictures it draws.
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
        " 'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        "frame-src 'self'",  # the gallery shows the page in frames
        "base-uri 'none'",
        "form-action 'self'",
    )
)

#: The same for whoever is older than the policy's own word for it. It knows no names of sites.
_FRAME_OPTIONS: Mapping[tuple[str, ...], str] = {("self",): "SAMEORIGIN", ("none",): "DENY"}


def careful_headers(frame_ancestors: Sequence[str] = ("self",)) -> dict[str, str]:
    """What every reply carries; ``frame_ancestors`` may show the page inside of theirs.

    They could lay something over it and have people click what they do not see; hence nobody else
    by default. A server with a token stays locked there: a frame of another site has no cookie.
    """
    names = [f"'{name}'" if name in ("self", "none") else name for name in frame_ancestors]
    headers = {
        "Content-Security-Policy": f"{CSP}; frame-ancestors {' '.join(names)}",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if option := _FRAME_OPTIONS.get(tuple(frame_ancestors)):
        headers["X-Frame-Options"] = option
    return headers


class HeaderGuard:
    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                # A file of the page may be edited at any time: ask first, use the copy if it
                # is still the same.
                headers.setdefault("Cache-Control", "no-store" if _is_api(scope) else "no-cache")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class FaultGuard:
    """Inside HeaderGuard, because Starlette's own handler of a 500 stands outside of all guards."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientDisconnect:
            return  # nobody is there to answer
        except Exception:
            request_id = secrets.token_hex(8)
            logger.exception("Request %s failed: %s %r", request_id, scope["method"], scope["path"])
            if begun:  # too late for another status; the server closes the connection
                raise
            await reply_with(fault_body(scope["path"], request_id))(scope, receive, send)


class _Guard(ABC):
    """Refuses by raising one of our errors in ``check``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    @abstractmethod
    def check(self, scope: Scope, headers: Headers) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self.check(scope, Headers(scope=scope))
            except LSTMCoreError as error:
                await error_problem(scope, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class HostGuard(_Guard):
    """Refuses DNS rebinding: a page of evil.example that calls us by that name."""

    LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

    def __init__(self, app: ASGIApp, host: str, allowed: Sequence[str]) -> None:
        super().__init__(app)
        self._names = {name.lower() for name in (*self.LOOPBACK, *allowed)}
        self._any_address = not is_loopback(host)
        if self._any_address and not _is_address(host):
            self._names.add(host.lower())

    def check(self, scope: Scope, headers: Headers) -> None:  # noqa: ARG002
        hosts = headers.getlist("host")
        name = _host_name(hosts[0]) if len(hosts) == 1 else None
        if name in self._names:
            return
        # Rebinding needs a name: who calls us by our address knows where we are.
        if name and self._any_address and _is_address(name):
            return
        raise HostError(
            "This server does not answer to that name.",
            came=f"Host: {', '.join(hosts) or '(none)'}",
            expected="one of the names below"
            + (", or an IP address" if self._any_address else "")
            + ", with any port; the setting allowed_hosts adds names",
            exists=sorted(self._names),
        )


class CrossSiteGuard(_Guard):
    """Refuses another site's page that posts to us with this user's browser."""

    def check(self, scope: Scope, headers: Headers) -> None:
        if scope["method"] in SAFE_METHODS:
            return
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            refused = site not in ("same-origin", "none")
        else:
            refused = origin is not None and _host_of(origin) != headers.get("host", "").lower()
        if refused:
            raise CrossSiteError(
                "A page of another site may not do this.",
                came=f"Sec-Fetch-Site: {site}" if site is not None else f"Origin: {origin}",
                expected="a request from this server's own page, or from a program",
            )


class TokenGuard(_Guard):
    OPEN = ("/api/health", "/api/session")

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        super().__init__(app)
        self._token = token

    def check(self, scope: Scope, headers: Headers) -> None:
        if self._token is None or not _is_api(scope) or scope["path"] in self.OPEN:
            return
        scheme, _, carried = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and equal(carried.strip(), self._token):
            return
        cookies = cookie_parser(headers.get("cookie", ""))
        if equal(cookies.get(cookie_name(self._token), ""), self._token):
            return
        raise TokenError(
            "This server asks for its token.",
            expected="the header 'Authorization: Bearer TOKEN', or a POST of the token to "
            "/api/session first; the address printed at the start carries it",
        )


class BodyGuard:
    """Reads the body before the app does, up to its limit, and hands it on in one piece.

    Paths in ``streams`` take files that are too large for that: the app gets those piece by piece,
    until they exceed their limit.
    """

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        limits: Mapping[str, int],
        streams: Mapping[str, int],
    ) -> None:
        self.app = app
        self._limit = limit
        self._limits = limits
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        if scope["path"] in self._streams:
            await self._stream(scope, receive, send, self._streams[scope["path"]])
            return
        limit = self._limits.get(scope["path"], self._limit)
        try:
            body = await _read(scope, receive, limit)
        except BodyTooLargeError as error:
            reply = error_problem(scope, error)
            # What is left unread would be taken for the next request.
            reply.headers["Connection"] = "close"
            await reply(scope, receive, send)
            return
        if body is not None:
            await self.app(scope, _once(body, receive), send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        seen, whole = 0, False

        async def receive_counted() -> Message:
            nonlocal seen, whole
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise _too_large(f"more than {limit:,} bytes", limit)
                whole = not message.get("more_body")
            return message

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not whole:
                MutableHeaders(scope=message)["Connection"] = "close"  # as above
            await send(message)

        try:
            _check_announced(scope, limit)
        except BodyTooLargeError as error:
            await error_problem(scope, error)(scope, receive, send_closing)
            return
        await self.app(scope, receive_counted, send_closing)


def announced_bytes(headers: Headers) -> int | None:
    """What Content-Length says; None where it says nothing."""
    announced = headers.get("content-length", "")
    return int(announced) if announced.isdecimal() and len(announced) < 20 else None


def _check_announced(scope: Scope, limit: int) -> None:
    announced = announced_bytes(Headers(scope=scope))
    if announced is not None and announced > limit:
        raise _too_large(f"{announced:,} bytes announced", limit)


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The body; None when the client has gone. Raises BodyTooLargeError."""
    _check_announced(scope, limit)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(f"more than {limit:,} bytes", limit)
        if not message.get("more_body"):
            return bytes(body)


def _too_large(came: str, limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        "This request is too large.", came=came, expected=f"at most {limit:,} bytes"
    )


def _once(body: bytes, receive: Receive) -> Receive:
    """First the body, then whatever really comes: the client's leaving."""
    given = False

    async def receive_body() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_body


# --- names and tokens ---------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def equal(a: str, b: str) -> bool:
    """In constant time, for any characters."""
    return hmac.compare_digest(
        a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass")
    )


def cookie_name(token: str) -> str:
    """Cookies know no ports: servers with different tokens on one machine need different names."""
    return f"gatescope-{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def _is_api(scope: Scope) -> bool:
    return bool(scope["path"] == "/api" or scope["path"].startswith("/api/"))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?", re.IGNORECASE)


def _host_name(host: str) -> str | None:
    """The name in a Host header, without the port."""
    match = _HOST.fullmatch(host)
    return match[1].lower() if match else None


def _host_of(origin: str) -> str:
    """host:port of an Origin header; '' for ``null`` and for what is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
