from __future__ import annotations

import pickle

import pytest

import lstm_core.errors
import server.errors
from server.errors import STATUS, ServerError, kind_of, status_of, visible


@pytest.mark.parametrize("module", [lstm_core.errors, server.errors])
def test_every_error_has_a_row_in_the_table(module: object) -> None:
    errors = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, lstm_core.errors.LSTMCoreError)
    ]
    missing = set(errors) - set(STATUS) - {lstm_core.errors.LSTMCoreError, ServerError}
    assert missing == set()


def test_every_error_of_ours_is_drawn_at_the_top_of_its_file() -> None:
    for kind in vars(server.errors).values():
        if isinstance(kind, type) and kind.__module__ == server.errors.__name__:
            assert kind.__name__ in (server.errors.__doc__ or "")


def test_an_unknown_error_is_ours() -> None:
    assert status_of(KeyError()) == 500
    assert status_of(UnicodeError()) == 500


def test_kinds_are_words() -> None:
    assert kind_of(lstm_core.errors.UnknownModelError("")) == "unknown-model"
    assert kind_of(server.errors.BusyError("")) == "busy"


def test_errors_cross_processes_unchanged() -> None:
    error = server.errors.ModelChangedError("m", came="c", expected="e", exists=["x"])
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), vars(copy), str(copy)) == (type(error), vars(error), str(error))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("\ud800", "\\ud800"),
        ("a\0b", "a\\x00b"),
        ("\u202egnp", "\\u202egnp"),
        ("\x1b[31m", "\\x1b[31m"),
        ("x" * 1000, "x" * 499 + "…"),
    ],
)
def test_what_has_no_picture_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown
