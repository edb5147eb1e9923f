"""``gatescope`` and ``python -m server``: start the server and print where it is.

``gatescope open FILE…`` makes a model of a checkpoint first (``opening_command``).

Workers import this module again when they are born, so nothing heavy is imported at the top.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import logging
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from server.settings import Settings

PORTS_TO_TRY = 20
DRAIN_SECONDS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. 2 when the settings do not allow it, or a file cannot be opened."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["open"]:
        return _open(arguments[1:])
    parser = _parser()
    options = parser.parse_args(arguments)
    return _run(options, _settings(parser, options))


def _open(arguments: Sequence[str]) -> int:
    from server.opening_command import DESCRIPTION, add_options, open_files

    parser = _parser("gatescope open", DESCRIPTION)
    add_options(parser)
    options = parser.parse_args(arguments)
    settings = _settings(parser, options)
    served = not (options.inspect or options.no_serve)
    if served and (refusal := _refusal(settings)):  # before anybody has answered questions
        print(refusal, file=sys.stderr)
        return 2
    code, model_id = open_files(options, settings)
    if code or model_id is None:
        return code
    if not served:
        print(f"With the server running: {_url(settings, settings.port, model=model_id)}")
        return 0
    return _run(options, settings, model=model_id)


def _run(options: argparse.Namespace, settings: Settings, *, model: str | None = None) -> int:
    refusal = _refusal(settings)
    if refusal:
        print(refusal, file=sys.stderr)
        return 2
    try:
        listening = _listen(settings.host, settings.port, may_move=_is_default(options, settings))
    except OSError as error:
        reason = error.strerror or error
        print(f"Cannot listen on {settings.host}, port {settings.port}: {reason}", file=sys.stderr)
        return 2
    url = _url(settings, listening.getsockname()[1], model=model)
    return _serve(settings, listening, lambda: _announce(url, open_browser=options.open))


def _parser(
    prog: str = "gatescope",
    description: str = "See inside an LSTM, in the browser. 'gatescope open FILE' opens your own.",
) -> argparse.ArgumentParser:
    from server.about import version

    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog="Every setting is an environment variable, too: GATESCOPE_PORT=9000.",
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1: only this machine)")
    parser.add_argument("--port", type=int, help="port (8000, or the next free one)")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    parser.add_argument(
        "--token",
        help="secret that requests must carry; 'auto' makes one. Other users of this machine can "
        "see the command line: GATESCOPE_TOKEN keeps it from them",
    )
    parser.add_argument(
        "--insecure", action="store_true", default=None, help="listen on a network without a token"
    )
    parser.add_argument(
        "--models",
        action="append",
        dest="model_folders",
        metavar="FOLDER",
        help="folder that holds model folders; may be given several times",
    )
    parser.add_argument("--version", action="version", version=f"gatescope {version()}")
    return parser


def _settings(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Settings:
    """The environment's settings, with those of the command line on top."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from server.settings import Settings

    names = ("host", "port", "token", "insecure", "model_folders")
    given: dict[str, Any] = {
        name: value for name in names if (value := getattr(options, name)) is not None
    }
    try:
        return Settings(**given)
    except ValidationError as error:
        parser.error("; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors()))
    except SettingsError as error:
        parser.error(str(error))


def _refusal(settings: Settings) -> str | None:
    """Why the server does not start, or None."""
    from server.guards import is_loopback

    if is_loopback(settings.host) or settings.token or settings.insecure:
        return None
    return (
        f"Not started: on {settings.host} everybody in the network could use this server.\n"
        "Add --token auto to ask them for a token, or --insecure if that is what you want."
    )


def _is_default(options: argparse.Namespace, settings: Settings) -> bool:
    return options.port is None and "port" not in settings.model_fields_set


def _listen(host: str, port: int, *, may_move: bool) -> socket.socket:
    """A listening socket; on the next free port if the default one is taken."""
    family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0][0]
    for candidate in range(port, port + (PORTS_TO_TRY if may_move else 1)):
        found = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":  # there it would let two servers share a port
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, candidate))
            found.listen(128)
        except OSError as error:
            found.close()
            taken = error.errno == errno.EADDRINUSE
            if not taken or not may_move or candidate == port + PORTS_TO_TRY - 1:
                raise
            continue
        if candidate != port:
            print(f"Port {port} is taken; using {candidate}.", flush=True)
        return found
    raise AssertionError("unreachable")


def _url(settings: Settings, port: int, *, model: str | None = None) -> str:
    """What to open on this machine. The token goes into the fragment, which is never sent."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host else host
    token = settings.token.get_secret_value() if settings.token else None
    parts = [f"{name}={value}" for name, value in (("token", token), ("model", model)) if value]
    return f"http://{host}:{port}/{'#' if parts else ''}{'&'.join(parts)}"


def _announce(url: str, *, open_browser: bool) -> None:
    print(f"Gatescope is at {url}", flush=True)
    if open_browser:
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _serve(settings: Settings, listening: socket.socket, announce: Callable[[], None]) -> int:
    import uvicorn

    from server.app import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                announce()

    config = uvicorn.Config(
        create_app(settings),
        http="h11",  # refuses two Host headers and headers above 64 kB
        ws="none",
        access_log=False,  # addresses hold what people typed
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = Server(config)
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has shut down and passes Ctrl+C on
        server.run(sockets=[listening])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
