"""What is written is read back: any labels in any order, by every way to cut a text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.errors import TextError
from lstm_core.spelling import Spelling
from lstm_core.text import SPLITTERS, UNKNOWN, Tokenizer, Vocabulary, byte_name
from tests.lstm_core.worlds import steady

#: Pieces that ways to cut like to join or to take apart.
PIECES = [
    *("sun", "the", "0", "80", "000", "1", "n't", "'s", "don", ".", ",", "-", "--", "!", "?", "@"),
    *("U", "S", "Mr", "www", "http", ":", "/", "e", "été", "l'", "qu'", "-t-il", "h", "°", "n°"),
    *("\u0301", "a\u0301", "\u200d", "🙂", "👍🏽", "🇫", "🇷", "_", "我", "爱", "中", "国", "中国"),
    *("中国人", "人", "の", "가", "x1", "1st", "<b>", "…"),
]
#: What can never be written, each for a reason of its own.
NEVER = ["", " ", "two words", UNKNOWN, "\0", "\ud800", "sun\n", "not there"]


def spelling(split: str, feature: str = "token") -> Spelling:
    items = [UNKNOWN, *PIECES, "two words", "\n", " "]
    return Spelling(Tokenizer(split, {feature: Vocabulary(items)}), [*PIECES, *NEVER, "\n"])


def read(spelling: Spelling, text: str) -> list[str]:
    return [token.features[0].value for token in spelling.tokenizer(text)]


@pytest.mark.parametrize("split", sorted(set(SPLITTERS) - {"bytes"}))
def test_what_is_written_is_read_as_the_same_tokens(split: str) -> None:
    made = spelling(split)
    labels = [n for n, can in enumerate(made.writable) if can]
    assert labels

    @steady
    @given(
        st.sampled_from(["the sun", "sun ", "80", "a b\n", "中国人", "U.S", "l'", "qu'\t", "中 "]),
        st.lists(st.sampled_from(labels), min_size=1, max_size=25),
    )
    def check(text: str, chosen: list[int]) -> None:
        before = read(made, text)
        speller = made.begin(text)
        spelled = [speller.write(label) for label in chosen]
        assert text + "".join(one.appended for one in spelled) == speller.text
        assert read(made, speller.text) == before + [made.labels[n] for n in chosen]
        assert made.tokenizer(speller.text)[len(before) :] == [one.token for one in spelled]

    check()


@pytest.mark.parametrize("split", sorted(SPLITTERS))
def test_what_would_not_be_read_back_is_never_writable(split: str) -> None:
    made = spelling(split)
    writable = dict(zip(made.labels, made.writable, strict=True))
    assert not any(writable[label] for label in NEVER if label != " ")
    for label, can in writable.items():
        alone = split == "characters" and len(label) == 1
        if alone and label in PIECES:
            assert can


def test_line_ends_and_spaces_are_written_where_they_are_tokens() -> None:
    made = Spelling(Tokenizer("characters", {"character": Vocabulary([" ", "\n", "a"])}), " \na")
    assert made.writable.tolist() == [True, True, True]
    assert spelling("whitespace").writable[-1] == False  # noqa: E712


def test_a_label_the_model_reads_as_another_one_is_not_writable() -> None:
    lower = Tokenizer("whitespace", {"lower": Vocabulary([UNKNOWN, "the", "sun"])})
    assert Spelling(lower, ["the", "The", "moon"]).writable.tolist() == [True, False, False]
    strict = Tokenizer("whitespace", {"token": Vocabulary(["the"])})
    assert Spelling(strict, ["the", "moon"]).writable.tolist() == [True, False]


def test_chinese_is_written_without_spaces_where_it_stays_what_it_is() -> None:
    made = spelling("longest")
    speller = made.begin("我")
    for label in ("爱", "中国", "中", "国", "sun", "我"):
        speller.write(made.labels.index(label))
    assert speller.text == "我爱中国中 国 sun 我"


def test_french_thousands_stay_two_numbers() -> None:
    made = spelling("french")
    speller = made.begin("80")
    speller.write(made.labels.index("000"))
    assert speller.text == "80  000"


def test_a_text_without_a_token_cannot_be_begun() -> None:
    for split in ("characters", "words", "bytes"):
        with pytest.raises(TextError):
            spelling(split).begin("")


BYTES = Spelling(
    Tokenizer("bytes", {"byte": Vocabulary([byte_name(n) for n in range(256)])}),
    [byte_name(n) for n in range(255, -1, -1)],
)


@steady
@given(st.sampled_from(["a", "é", "🙂"]), st.integers(1, 12), st.data())
def test_bytes_that_are_allowed_are_a_whole_text_at_the_end(
    text: str, count: int, data: Any
) -> None:
    before = len(text.encode())
    speller = BYTES.begin(text)
    written, tokens = b"", []
    for n in range(count):
        allowed = [k for k, can in enumerate(speller.writable(count - n)) if can]
        # Beyond ASCII as often as not.
        high = [k for k in allowed if k < 128]
        label = data.draw(st.sampled_from(high if high and data.draw(st.booleans()) else allowed))
        written += bytes([255 - label])
        tokens.append(speller.write(label).token)
    assert speller.text == text + written.decode()  # strict: no error may be in it
    assert BYTES.tokenizer(speller.text)[before:] == tokens


def test_every_character_but_nul_can_be_written_byte_by_byte() -> None:
    for character in ("\x01", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\U0010ffff"):
        speller = BYTES.begin("a")
        data = character.encode()
        for n, byte in enumerate(data):
            allowed = speller.writable(len(data) - n)
            assert allowed[255 - byte]
            speller.write(255 - byte)
        assert speller.text == "a" + character
    assert not BYTES.begin("a").writable(4)[255]


def test_without_all_bytes_only_ascii_is_written() -> None:
    names = [byte_name(n) for n in range(0xC4)]
    made = Spelling(Tokenizer("bytes", {"byte": Vocabulary(names)}), names[:-1][: 0x80 + 10])
    assert made.begin("a").writable(10).nonzero()[0].tolist() == list(range(1, 0x80))
