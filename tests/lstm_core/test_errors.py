"""The errors say what came, what was expected and what exists, and survive a process border."""

import copy
import pickle
import re

import pytest

from lstm_core import errors
from lstm_core.errors import LSTMCoreError

TREE = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, LSTMCoreError)
]
everything = {"came": "4", "expected": "at most 3", "exists": ["0", "1"]}


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ({}, "No such layer."),
        ({"came": "4"}, "No such layer. Came: 4."),
        ({"expected": "3"}, "No such layer. Expected: 3."),
        ({"exists": ["0", "1"]}, "No such layer. There are: 0, 1."),
        ({"exists": []}, "No such layer. There are: none."),
        (everything, "No such layer. Came: 4. Expected: at most 3. There are: 0, 1."),
    ],
)
def test_an_error_reads_as_sentences(parts, text):
    assert str(LSTMCoreError("No such layer.", **parts)) == text


@pytest.mark.parametrize("error_type", TREE)
@pytest.mark.parametrize("parts", [{}, everything])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling_with_all_its_parts(error_type, parts, protocol):
    error = error_type("No such layer.", **parts)

    back = pickle.loads(pickle.dumps(error, protocol))

    assert type(back) is error_type
    assert str(back) == str(error)
    assert vars(back) == vars(error)
    assert back.args == error.args
    assert vars(copy.copy(error)) == vars(error)


@pytest.mark.parametrize("error_type", TREE[1:])
def test_every_error_can_be_caught_by_its_plain_python_name(error_type):
    missing = error_type in (errors.SelectionError, errors.UnknownModelError)

    assert issubclass(error_type, LookupError if missing else ValueError)


def test_the_tree_at_the_top_of_the_module_is_the_tree():
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__)

    assert drawn == [error_type.__name__ for error_type in TREE[1:]]
    assert all(issubclass(error_type, LSTMCoreError) for error_type in TREE)
    assert errors.CheckpointError.__base__ is errors.FileError


def test_what_exists_is_a_list_of_its_own():
    choices = ["a"]
    error = LSTMCoreError("No.", exists=choices)
    choices.append("b")

    assert error.exists == ["a"]
