"""The server's own errors, and the one table that turns exceptions into HTTP statuses.

LSTMCoreError                  says what came, what was expected and what exists
└── ServerError
    ├── UnknownRecordingError  no recording of that id is kept (any more)
    ├── UnknownArrayError      a recording holds no array of that name
    ├── RangeError             timesteps outside the recording
    ├── TextFileError          a file that is not a text, or too many sentences in it
    ├── BodyTooLargeError      more bytes than allowed
    ├── MediaTypeError         a file that was not sent as plain bytes
    ├── SlowUploadError        an upload of which nothing came for too long
    ├── UnknownUploadError     no file of that id waits to be opened (any more)
    ├── ReadOnlyModelError     a model that nobody here may rename or remove
    ├── DiskFullError          no room on the disk
    ├── KeptFullError          as many models kept as allowed
    ├── DataFolderError        the data folder cannot be used
    ├── HostError              called by a name that is not this server's
    ├── CrossSiteError         sent by a page of another site
    ├── TokenError             no token, or a wrong one
    ├── BusyError              the queue is full
    ├── StoppingError          the server is shutting down
    ├── WorkerDiedError        the process that computed was killed
    ├── ModelChangedError      the model was written anew between two looks at it
    └── TimeLimitError         the computation took too long
"""

from __future__ import annotations

import http
import re

from lstm_core.errors import (
    CheckpointError,
    FileError,
    InputError,
    LSTMCoreError,
    SelectionError,
    SizeError,
    TextError,
    UnknownModelError,
)


class ServerError(LSTMCoreError):
    """Something the server itself refuses."""


class UnknownRecordingError(ServerError):
    """No recording of that id is kept."""


class UnknownArrayError(ServerError):
    """A recording holds no array of that name."""


class RangeError(ServerError):
    """Timesteps outside the recording."""


class TextFileError(ServerError):
    """A file that is not a text, or holds too much."""


class BodyTooLargeError(ServerError):
    """More bytes than allowed."""


class MediaTypeError(ServerError):
    """A file that was not sent as plain bytes."""


class SlowUploadError(ServerError):
    """An upload of which nothing came for too long."""


class UnknownUploadError(ServerError):
    """No file of that id waits to be opened."""


class ReadOnlyModelError(ServerError):
    """A model that nobody here may rename or remove."""


class DiskFullError(ServerError):
    """No room on the disk."""


class KeptFullError(ServerError):
    """As many models kept as allowed."""


class DataFolderError(ServerError):
    """The data folder cannot be used."""


class HostError(ServerError):
    """Called by a name that is not this server's."""


class CrossSiteError(ServerError):
    """Sent by a page of another site."""


class TokenError(ServerError):
    """No token, or a wrong one."""


class BusyError(ServerError):
    """The queue is full."""


class StoppingError(ServerError):
    """The server is shutting down."""


class WorkerDiedError(ServerError):
    """The process that computed was killed."""


class ModelChangedError(ServerError):
    """The model was written anew between two looks at it."""


class TimeLimitError(ServerError):
    """The computation took too long."""


STATUS: dict[type[Exception], int] = {
    TextError: 422,
    SizeError: 422,
    InputError: 422,
    UnknownModelError: 404,
    SelectionError: 404,
    CheckpointError: 422,  # a file somebody brought
    FileError: 500,  # a damaged model on our own disk; nothing a client could mend
    UnknownRecordingError: 404,
    UnknownArrayError: 404,
    RangeError: 422,
    TextFileError: 422,
    BodyTooLargeError: 413,
    MediaTypeError: 415,
    SlowUploadError: 408,
    UnknownUploadError: 404,
    ReadOnlyModelError: 403,
    DiskFullError: 507,
    KeptFullError: 507,
    DataFolderError: 507,
    HostError: 400,
    CrossSiteError: 403,
    TokenError: 401,
    BusyError: 429,
    StoppingError: 503,
    WorkerDiedError: 503,
    ModelChangedError: 503,
    TimeLimitError: 504,
}

#: Headers that belong to a status, whoever raised it.
HEADERS: dict[int, dict[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": "1"},
    503: {"Retry-After": "2"},
}


def status_of(error: Exception) -> int:
    """The HTTP status of an exception: its class's row in the table, or the next class's up."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def kind_of(error: Exception) -> str:
    """A stable name for programs: UnknownModelError is ``unknown-model``."""
    words = re.findall(r"[A-Z]+[a-z]*", type(error).__name__.removesuffix("Error"))
    return "-".join(words).lower() or "error"


def phrase(status: int) -> str:
    return http.HTTPStatus(status).phrase


def visible(text: str, limit: int = 500) -> str:
    """``text`` as it may be echoed: cut, and what has no picture of its own escaped.

    Lone surrogates cannot be encoded at all, control and direction marks garble a terminal.
    """
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(
        ch if ch.isprintable() or ch == "\n" else ch.encode("unicode_escape").decode("ascii")
        for ch in cut
    )
