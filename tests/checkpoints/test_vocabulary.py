"""Vocabularies as people keep them, in the order of their ids."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.checkpoints.contents import Limits
from lstm_core.checkpoints.string_tables import as_strings
from lstm_core.checkpoints.vocabulary import read_vocabulary, tables_in
from lstm_core.errors import CheckpointError

CONLLU = """# text = Le chat dort
1\tLe\t_\tDET\t_\t_\t_\t_\t_\t_
2\tchat\t_\tNOUN\t_\t_\t_\t_\t_\t_
3-4\tdu\t_\t_\t_\t_\t_\t_\t_\t_
3\tde\t_\tADP\t_\t_\t_\t_\t_\t_
4\tle\t_\tDET\t_\t_\t_\t_\t_\t_

1\tLe\t_\tDET\t_\t_\t_\t_\t_\t_
"""

tokens = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=6),
    min_size=2,
    max_size=30,
    unique=True,
)


def read(folder, text: str | bytes, **limits):
    path = folder / "vocabulary"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_vocabulary(path, Limits(**limits))


@given(tokens)
def test_a_list_a_map_to_ids_and_a_map_from_ids_are_the_same_vocabulary(strings):
    ids = {token: n for n, token in enumerate(strings)}

    assert as_strings(strings) == strings
    assert as_strings(ids) == strings
    assert as_strings(dict(enumerate(strings))) == strings
    assert as_strings(json.loads(json.dumps(dict(enumerate(strings))))) == strings
    assert as_strings(dict(reversed(ids.items()))) == strings


@given(tokens)
def test_json_comes_back_whatever_it_is_wrapped_in(strings):
    ids = {token: n for n, token in enumerate(strings)}
    wrapped = {"version": 1, "config": {"word2idx": ids, "note": "x"}, "more": [1, 2]}

    assert dict(tables_in(json.loads(json.dumps(wrapped)), Limits())) == {
        "config.word2idx": strings
    }


def test_keras_keeps_its_vocabulary_as_a_string_of_json(tmp_path):
    inner = json.dumps({"the": 1, "cat": 2, "sat": 3})
    text = json.dumps({"class_name": "Tokenizer", "config": {"word_index": inner}})

    assert read(tmp_path, text) == {"config.word_index": [None, "the", "cat", "sat"]}


def test_several_tables_keep_their_places(tmp_path):
    text = json.dumps({"word2idx": {"a": 0, "b": 1}, "tag2idx": {"NOUN": 1, "VERB": 0}})

    assert read(tmp_path, text) == {"word2idx": ["a", "b"], "tag2idx": ["VERB", "NOUN"]}


def test_a_token_per_line_with_spaces_and_blank_lines_kept(tmp_path):
    assert read(tmp_path, "<pad>\n \n\nthe cat\r\n") == {"": ["<pad>", " ", "", "the cat"]}


def test_ids_behind_the_tokens_give_the_order(tmp_path):
    assert read(tmp_path, "the 2\ncat 0\nsat\t1\n") == {"": ["cat", "sat", "the"]}


def test_counts_behind_the_tokens_do_not(tmp_path):
    assert read(tmp_path, "the 1061396\nof 593677\nand 416629\n") == {"": ["the", "of", "and"]}


@pytest.mark.parametrize(
    "text",
    [
        "1 the\n0 cat\n2 a b\n",
        "token,id\nthe,1\ncat,0\na b,2\n",
        "0,cat\n1,the\n2,a b\n",
        "id\ttoken\n0\tcat\n1\tthe\n2\ta b\n",
    ],
)
def test_ids_may_stand_on_either_side(tmp_path, text):
    assert read(tmp_path, text) == {"": ["cat", "the", "a b"]}


def test_a_comma_in_quotation_marks_is_a_token(tmp_path):
    assert read(tmp_path, '",",0\nthe,1\n"""",2\n') == {"": [",", "the", '"']}


@pytest.mark.parametrize("header", ["", "3 5\n"])
def test_of_a_file_of_word_vectors_the_words_are_taken(tmp_path, header):
    rows = "".join(f"{word} 0.1 -2 3e-5 4 5.0\n" for word in ("the", "of", ". . ."))

    assert read(tmp_path, header + rows) == {"": ["the", "of", ". . ."]}


def test_a_row_for_padding_that_the_file_leaves_out_is_put_back(tmp_path):
    assert read(tmp_path, "@@UNKNOWN@@\nthe\n") == {"": [None, "@@UNKNOWN@@", "the"]}


def test_tokens_kept_as_bytes_are_their_text():
    assert as_strings([b"<unk>", "é".encode()]) == ["<unk>", "é"]
    assert as_strings({b"b": 1, b"a": 0}) == ["a", "b"]


def test_conllu_gives_forms_in_order_of_appearance_and_tags(tmp_path):
    assert read(tmp_path, CONLLU) == {
        "forms": ["Le", "chat", "de", "le"],
        "tags": ["ADP", "DET", "NOUN"],
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_texts_with_a_byte_order_mark_are_read(tmp_path, encoding):
    assert read(tmp_path, "é\n天\n".encode(encoding)) == {"": ["é", "天"]}


def test_a_line_that_begins_with_a_bracket_is_a_token(tmp_path):
    assert read(tmp_path, "[PAD]\n[UNK]\nthe\n") == {"": ["[PAD]", "[UNK]", "the"]}


def test_gaps_between_ids_have_no_string():
    assert as_strings({"a": 1, "b": 3}) == [None, "a", None, "b"]


@pytest.mark.parametrize(
    "value",
    [
        {"the": 1061396, "of": 593677},  # counts
        {"a": 0, "b": 0},
        {"lr": 0.1, "epochs": 3},
        {"hidden": 3, "name": "x"},
        {"a": True, "b": False},
        {"a": -1, "b": 0},
        ["a", 1],
        ["only"],
        {},
        "text",
        None,
        3,
    ],
)
def test_what_is_no_vocabulary_is_none(value):
    assert as_strings(value) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfe\xfa", "no text"),
        (b"abc\0def\nx", "binary"),
        (b"caf\xe9\nx\n", "0xE9 at offset 3"),
        ('{"lr": 0.1, "epochs": 3}', "2 keys: lr, epochs"),
        ("[" * 100_000 + "]" * 100_000, "nested"),
        ("", "0 lines"),
        ("one\n", "1 lines"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path, text, words):
    with pytest.raises(CheckpointError) as error:
        read(tmp_path, text)

    assert words in str(error.value)


def test_a_vocabulary_that_is_too_long_is_refused_with_both_numbers(tmp_path):
    with pytest.raises(CheckpointError, match=r"11 entries.*at most 10"):
        read(tmp_path, json.dumps([str(n) for n in range(11)]), table_entries=10)


def test_what_contains_itself_is_walked_once():
    loop: dict = {"words": ["a", "b"]}
    loop["again"] = loop
    shared = [loop] * 1000

    assert list(tables_in({"x": shared, "y": shared}, Limits())) == [("x.0.words", ["a", "b"])]
