"""How typed French and Chinese are cut into the words that the taggers read."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.text import SPLITTERS, UNKNOWN, Tokenizer, Vocabulary
from lstm_core.zoo import tagger

WORDS = [
    "我们",
    "我",
    "中国",
    "中国人",
    "人民",
    "喜欢",
    "的",
    "一二三四五六七八",
    "一二三四五六七八九",
]


def french(text: str) -> list[str]:
    return [text[start:end] for start, end in SPLITTERS["french"](text)]


def chinese(text: str) -> list[str]:
    tokenizer = Tokenizer("longest", {"word": Vocabulary([UNKNOWN, *WORDS])})
    return [token.text for token in tokenizer(text)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("l'homme", "l' homme"),
        ("L’arbre", "L’ arbre"),
        ("aujourd'hui", "aujourd'hui"),
        ("qu'il", "qu' il"),
        ("d'accord", "d' accord"),
        ("lorsqu'elle jusqu'à", "lorsqu' elle jusqu' à"),
        ("quelqu'un d'autre", "quelqu'un d' autre"),
        ("c'est-à-dire", "c'est-à-dire"),
        ("J'ai l'«oasis»", "J' ai l' « oasis »"),
        ("dit-il, a-t-elle", "dit -il , a -t-elle"),
        ("Vas-y, donne-le-moi", "Vas -y , donne-le -moi"),
        ("Est-ce vrai ?", "Est -ce vrai ?"),
        ("week-end, lui-même, celui-ci", "week-end , lui-même , celui-ci"),
        ("peut-être", "peut-être"),
        ("rendez-vous", "rendez-vous"),
        ("du pain des amis", "du pain des amis"),
        ("80 000 habitants, 3,5 %", "80 000 habitants , 3,5 %"),
        ("le 1er et la 24e", "le 1er et la 24e"),
        ("en 1971-72 à 14h30", "en 1971-72 à 14 h 30"),
        ("M. Dupont, av. J.-C.", "M. Dupont , av. J.-C."),
        ("rock'n'roll", "rock ' n' roll"),
        ("Attends... non !!", "Attends ... non !!"),
        ("voir https://exemple.fr/a", "voir https://exemple.fr/a"),
    ],
)
def test_french_is_cut_at_elisions_and_in_front_of_pronouns(text: str, words: str) -> None:
    assert "|".join(french(text)) == "|".join(joined(words))


def joined(words: str) -> list[str]:
    """ "80 000" is one word with a space in it."""
    return (
        words.replace("80 000", "80_000").replace(" ", "|").replace("80_000", "80 000").split("|")
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我们喜欢中国", "我们 喜欢 中国"),
        ("中国人民", "中国人 民"),  # the longest from the left, and no second thoughts
        ("我不", "我 不"),
        ("我们在2024年说hello,don't!", "我们 在 2024 年 说 hello , do n't !"),
        ("喜欢 的", "喜欢 的"),
        ("我们，中国。", "我们 ， 中国 。"),
        ("一二三四五六七八九", "一二三四五六七八 九"),  # longer words are not looked for
        ("カタ", "カ タ"),
    ],
)
def test_chinese_is_cut_into_the_longest_words_that_are_known(text: str, words: str) -> None:
    assert chinese(text) == words.split()


def test_without_a_vocabulary_every_chinese_character_stands_alone() -> None:
    assert [*SPLITTERS["longest"]("我们 ok")] == [(0, 1), (1, 2), (3, 5)]


def test_a_text_without_chinese_is_cut_as_english_is() -> None:
    text = "She can't open the U.S. can, e.g. 1,000.50!!"
    assert [*SPLITTERS["longest"](text)] == [*SPLITTERS["words"](text)]


@pytest.mark.parametrize("split", ["french", "longest"])
@given(text=st.text())
def test_nothing_but_white_space_is_left_out_and_nothing_comes_twice(split: str, text: str) -> None:
    end = 0
    for start, stop in SPLITTERS[split](text):
        assert start < stop
        assert not text[end:start].strip()
        end = stop
    assert not text[end:].strip()


@pytest.mark.parametrize("split", ["french", "longest"])
@pytest.mark.parametrize(
    "piece", ["l'homme-", "a-", "-t-il", "1 000 ", "我们", "一", "a'", "J.-", "é"]
)
def test_long_lines_take_linear_time(split: str, piece: str) -> None:
    """Ten times the text may take 40 times the time, not the 100 of a square."""

    def seconds(count: int) -> float:
        began = time.perf_counter()
        assert list(SPLITTERS[split](piece * count))
        return time.perf_counter() - began

    before = seconds(2_000)

    assert any(seconds(20_000) < 40 * before + 0.25 for _ in range(3))


# --- the figure on the card ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "written"),
    [
        ("de/ADP le/DET pain/NOUN", "du/ADP pain/NOUN"),
        ("près/ADV de/ADP les/DET", "près/ADV des/ADP"),
        ("à/ADP le/DET fond/NOUN", "Au/ADP fond/NOUN"),
        ("il/PRON va/VERB à/ADP les/DET", "il/PRON va/VERB aux/ADP"),
        ("essayer/VERB de/ADP le/PRON voir/VERB", "essayer/VERB de/ADP le/PRON voir/VERB"),
        ("le/DET film/NOUN à/ADP lequel/PRON", "le/DET film/NOUN auquel/ADP"),
        ("de/ADP la/DET", "de/ADP la/DET"),
    ],
)
def test_two_words_become_one_where_french_writes_one(sentence: str, written: str) -> None:
    def read(text: str) -> tagger.Sentence:
        return [(form, tag) for form, tag in (pair.split("/") for pair in text.split())]

    expected = read(written)
    if sentence.startswith("de/ADP le/DET"):
        expected[0] = ("Du", "ADP")  # a sentence begins with a capital
    assert tagger.as_written(read(sentence), tagger.CONTRACTIONS_FR) == expected


def test_agreement_counts_the_words_both_cut_alike() -> None:
    tokenizer = Tokenizer("longest", {"word": Vocabulary([UNKNOWN, *WORDS])})
    sentence = [("中国", "PROPN"), ("人民", "NOUN"), ("的", "PART")]
    # Ours: 中国人 民 的. One of three words agrees.
    assert tagger.agreement(tokenizer, [("中国人民的", sentence)], {}) == pytest.approx(1 / 3)


def test_words_are_found_again_in_the_text_whatever_their_capitals() -> None:
    assert list(tagger.spans("Au fond du puits", ["au", "fond", "DU", "puits"])) == [
        (0, 2),
        (3, 7),
        (8, 10),
        (11, 16),
    ]
