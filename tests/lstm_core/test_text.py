"""Cutting a text into tokens, and what a model reads of each."""

from __future__ import annotations

import itertools
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.errors import FileError, SizeError, TextError
from lstm_core.text import (
    BUCKETS,
    FEATURES,
    SPLITTERS,
    UNKNOWN,
    UNKNOWN_NAMES,
    Tokenizer,
    Vocabulary,
    bucket,
    byte_name,
)
from tests.lstm_core.worlds import steady

anything = st.text(st.characters(exclude_categories=()), max_size=60)
#: Made of what the rules for words are about, so that they meet in every combination.
english = st.lists(
    st.sampled_from(
        ["do", "n't", "n’t", "'s", "’re", "U.", "S.", "Mr.", "9", "1,000", ".", "...", "--", "!!",
         "a@b.c", "www.", "http://", " ", "\n", "_", "é", "e\u0301", "\u0301", "\u200d", "👩", "🏽",
         "🇩", "🇪", "-", "(", "\ufe0f", "नमस्ते", "\ud800", "\x00"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


#: What "simple" is about: scripts with and without spaces between words, marks, apostrophes.
scripts = st.lists(
    st.sampled_from(
        ["我", "爱", "々", "か\u3099", "き", "ー", "ｶ", "한", "가", "ไทย", "กำ", "a", "b9", "'",
         "’", "_", " ", "\u3000", "\n", "。", "🇯", "🇵", "👩\u200d", "🏽", "\ufe0f", "\U000e0100",
         "e\u0301"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


def cut(split: str, text: str) -> list[str]:
    return [text[start:end] for start, end in SPLITTERS[split](text)]


def make_tokenizer(split="words", **vocabularies: list[str]) -> Tokenizer:
    vocabularies = vocabularies or {"word": []}
    return Tokenizer(
        split, {name: Vocabulary([UNKNOWN, *items]) for name, items in vocabularies.items()}
    )


# --- where to cut -------------------------------------------------------------------------------


@steady
@given(anything | english)
def test_characters_are_the_whole_text_one_by_one(text):
    assert cut("characters", text) == list(text)


@steady
@given(st.sampled_from(["words", "whitespace", "simple"]), anything | english | scripts)
def test_tokens_are_exact_slices_that_together_are_the_text_without_white_space(split, text):
    spans = list(SPLITTERS[split](text))

    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert "".join(cut(split, text)) == "".join(text.split())
    assert not any(ch.isspace() for token in cut(split, text) for ch in token)


@steady
@given(anything | english)
def test_white_space_is_where_python_says_it_is(text):
    assert cut("whitespace", text) == text.split()


@steady
@given(anything | english)
def test_words_never_reach_over_white_space(text):
    assert cut("words", text) == [word for part in text.split() for word in cut("words", part)]


@steady
@given(anything | english)
def test_no_word_begins_with_a_mark_that_had_a_base(text):
    for start, _ in SPLITTERS["words"](text):
        if unicodedata.category(text[start]).startswith("M") or text[start] == "\u200d":
            assert start == 0 or text[start - 1].isspace()


@steady
@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20))
def test_a_word_is_one_token_however_its_accents_are_encoded(word):
    composed, decomposed = (unicodedata.normalize(form, word) for form in ("NFC", "NFD"))
    if not all(ch.isalpha() for ch in composed) or not decomposed[0].isalpha():
        return

    assert cut("words", composed) == [composed]
    assert cut("words", decomposed) == [decomposed]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I don't know.", "I do n't know ."),
        ("I don’t; she can't, WON'T!", "I do n’t ; she ca n't , WO N'T !"),
        ("It's what we're, they've, he'll, I'd, I'm", "It 's what we 're , they 've , he 'll , "
         "I 'd , I 'm"),
        ("the dogs' bowls", "the dogs ' bowls"),
        ("Mr. Smith met Dr. Who vs. St. Paul", "Mr. Smith met Dr. Who vs. St. Paul"),
        ("the U.S. at 10 a.m. today", "the U.S. at 10 a.m. today"),
        ("1,000.50 at 10:30 on 9/11", "1,000.50 at 10:30 on 9/11"),
        ("see http://a.b/c?d=e or www.x.org now", "see http://a.b/c?d=e or www.x.org now"),
        ("mail a.b+c@d-e.org, please", "mail a.b+c@d-e.org , please"),
        ("Wait... what?! -- No!!", "Wait ... what ? ! -- No !!"),
        ("well-known (sic)", "well - known ( sic )"),
        ("<b>bold</b>", "< b > bold < / b >"),
        ("snake_case __init__", "snake _ case __ init __"),
        ("不 知道", "不 知道"),
        ("مرحبا بالعالم", "مرحبا بالعالم"),
        ("שלום, world! (42)", "שלום , world ! ( 42 )"),
    ],
)  # fmt: skip
def test_english_is_cut_the_way_its_treebanks_are(text, tokens):
    assert cut("words", text) == tokens.split()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("cafe\u0301 vs café", ["cafe\u0301", "vs", "café"]),
        ("nai\u0308ve!", ["nai\u0308ve", "!"]),
        ("n\u0303andu\u0301's", ["n\u0303andu\u0301", "'s"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("قَوْلُهُ :", ["قَوْلُهُ", ":"]),
        ("I ❤️ it", ["I", "❤\ufe0f", "it"]),
        ("👩‍👩‍👧‍👦 family", ["👩‍👩‍👧‍👦", "family"]),
        ("🧑🏿‍🚀👨‍❤️‍👨", ["🧑🏿‍🚀", "👨‍❤️‍👨"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("1\ufe0f\u20e3 one", ["1\ufe0f\u20e3", "one"]),
        ("\u0301x", ["\u0301", "x"]),
        ("a \u0301", ["a", "\u0301"]),
        ("Z\u0351\u036b\u0313\u036aa", ["Z\u0351\u036b\u0313\u036aa"]),
    ],
)
def test_what_looks_like_one_sign_is_one_token(text, tokens):
    assert cut("words", text) == tokens


@pytest.mark.parametrize(
    "text",
    [
        *(
            piece * (200_000 // len(piece))
            for piece in ("a", "_", "a_", "1_", "a.", "1,", "a@", "a@b.", "n'", "n't", "www.",
                          "http://", "!", "\u0301", "👩\u200d", "🇩")
        ),
        "a@" + "b-" * 100_000,  # an address that never ends
        "a@" + "b." * 100_000 + "@",
        "+." * 32 + "@" + "b-" * 100_000,  # and that might begin at 64 places
    ],
    ids=lambda text: ascii(text[:4]),
)  # fmt: skip
def test_a_line_of_two_hundred_thousand_characters_is_cut_all_the_same(text):
    assert sum(end - start for start, end in SPLITTERS["words"](text)) == len(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("我爱北京天安门。", "我 爱 北 京 天 安 门 。"),
        ("GPT4模型v2很好", "GPT4 模 型 v2 很 好"),
        ("東京タワーへ行く", "東 京 タ ワ ー へ 行 く"),
        ("人々ｶﾀｶﾅ", "人 々 ｶ ﾀ ｶ ﾅ"),
        ("か\u3099き\u3099か", "か\u3099 き\u3099 か"),  # が, as some file systems write it
        ("葛\U000e0100飾区", "葛\U000e0100 飾 区"),  # with the sign for a variant
        ("字\u0301ab", "字\u0301 ab"),
        ("한국어 가", "한국어 가"),
        ("ภาษาไทยง่าย มาก", "ภาษาไทยง่าย มาก"),
        ("नमस्ते दुनिया", "नमस्ते दुनिया"),
        ("don't rock'n'roll", "don't rock'n'roll"),
        ("l’homme ‘quoted’ dogs'", "l’homme ‘ quoted ’ dogs '"),
        ("'tis 5'9", "' tis 5'9"),
        ("a我'b", "a 我 ' b"),
        ("snake_case, 3.5%", "snake _ case , 3 . 5 %"),
        ("👩‍👩‍👧‍👦👍🏽🇯🇵ok", "👩‍👩‍👧‍👦 👍🏽 🇯🇵 ok"),
        ("cafe\u0301s café", "cafe\u0301s café"),
        ("𠮷野家", "𠮷 野 家"),
    ],
)
def test_simple_words_are_runs_of_letters_and_chinese_by_character(text, tokens):
    assert cut("simple", text) == tokens.split(" ")


@steady
@given(st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x3096), min_size=1, max_size=9))
def test_kana_are_cut_by_character_however_their_marks_are_encoded(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert cut("simple", composed) == list(composed)
    assert [unicodedata.normalize("NFC", token) for token in cut("simple", decomposed)] == list(
        composed
    )


@pytest.mark.parametrize(
    "piece", ["a", "'", "a'", "我", "我'", "か\u3099", "_", "\u0301", "🇩", "ไ"]
)
def test_a_long_line_is_cut_simply_all_the_same(piece):
    text = piece * (200_000 // len(piece))

    assert sum(end - start for start, end in SPLITTERS["simple"](text)) == len(text)


# --- the tokenizer ------------------------------------------------------------------------------


@steady
@given(st.sampled_from(list(SPLITTERS)), anything | english)
def test_a_token_keeps_the_characters_it_was_cut_from_and_where_they_stood(split, text):
    tokenizer = make_tokenizer(split, word=["the"], suffix2=["he"])
    if not (text if split in ("characters", "bytes") else text.split()):
        with pytest.raises(TextError):
            tokenizer(text)
        return

    for token in tokenizer(text):
        if split == "bytes":  # a character may be several
            names = [byte_name(n) for n in text[token.start : token.end].encode("utf-8", "replace")]
            assert token.text in names
        else:
            assert token.text == text[token.start : token.end]
        assert [feature.name for feature in token.features] == ["word", "suffix2"]
        for feature in token.features:
            assert feature.value == FEATURES[feature.name](token.text)
            items = tokenizer.vocabularies[feature.name].items
            assert items[feature.id] == (feature.value if feature.known else UNKNOWN)
        assert token.known == token.features[0].known


def test_what_no_vocabulary_has_is_marked_unknown_feature_by_feature():
    tokenizer = make_tokenizer(word=["running"], suffix3=["ing"], shape=["Xxx"])

    known, ending_only = tokenizer("running swimming")

    assert known.known
    assert not ending_only.known
    assert [(f.name, f.value, f.id, f.known) for f in ending_only.features] == [
        ("word", "swimming", 0, False),
        ("suffix3", "ing", 1, True),
        ("shape", "xx", 0, False),
    ]


def test_the_first_vocabulary_leads():
    tokenizer = make_tokenizer(suffix3=["ing"], word=["running"])

    assert tokenizer("swimming")[0].known


def test_a_typed_unk_is_not_a_known_word():
    (token,) = make_tokenizer("whitespace", word=["a"])("<unk>")

    assert not token.known


@pytest.mark.parametrize(("split", "unit"), [("words", "word"), ("characters", "character")])
def test_an_empty_text_is_refused(split, unit):
    with pytest.raises(TextError, match="no token") as error:
        make_tokenizer(split)("")

    assert error.value.came == "an empty text"
    assert error.value.expected == f"at least one {unit}"


@pytest.mark.parametrize("text", [" ", "  \t ", "\n", "\r\n", "\xa0", "\u3000", "\u2028"])
@pytest.mark.parametrize("split", ["words", "whitespace"])
def test_a_text_of_white_space_is_refused(split, text):
    with pytest.raises(TextError, match="no token") as error:
        make_tokenizer(split)(text)

    assert error.value.came == f"{len(text)} characters of white space"


def test_white_space_is_a_text_for_a_character_model():
    assert [token.text for token in make_tokenizer("characters")(" \n")] == [" ", "\n"]


@pytest.mark.parametrize(("split", "n"), [("words", 3), ("characters", 5), ("whitespace", 3)])
def test_more_tokens_than_allowed_are_refused_and_counted(split, n):
    tokenizer = make_tokenizer(split)

    assert len(tokenizer("a b c", max_tokens=n)) == n
    with pytest.raises(SizeError, match="too long") as error:
        tokenizer("a b c", max_tokens=n - 1)
    assert error.value.came == f"{n} tokens"
    assert error.value.expected == f"at most {n - 1} tokens"


def all_bytes() -> Tokenizer:
    return Tokenizer("bytes", {"byte": Vocabulary([byte_name(n) for n in range(256)])})


@steady
@given(st.text(st.characters(exclude_categories=()), min_size=1) | english.filter(bool))
def test_the_bytes_of_a_text_are_its_utf_8(text):
    tokens = all_bytes()(text)

    assert bytes(token.features[0].id for token in tokens) == text.encode("utf-8", "replace")
    assert all(token.known for token in tokens)
    spans = [(token.start, token.end) for token in tokens]
    assert list(dict.fromkeys(spans)) == [(n, n + 1) for n in range(len(text))]
    assert [token.text for token in tokens] == [
        byte_name(n) for n in text.encode("utf-8", "replace")
    ]


def test_bytes_are_counted_not_characters():
    assert len(all_bytes()("é€", max_tokens=5)) == 5
    with pytest.raises(SizeError) as error:
        all_bytes()("é€", max_tokens=4)
    assert error.value.came == "5 tokens"


def test_the_names_of_bytes_are_different_and_plain_where_they_can_be():
    names = [byte_name(n) for n in range(256)]

    assert len(set(names)) == 256
    assert names[65] == "A"
    assert names[0xC3] == "<0xC3>"


@steady
@given(anything | english | scripts)
def test_every_word_has_a_bucket(text):
    assert 0 <= int(bucket(text)) < BUCKETS
    assert bucket(text) == bucket(text)
    if text.split():
        tokens = Tokenizer("whitespace", {"bucket": Vocabulary(BUCKETS)})(text)
        assert all(token.known for token in tokens)
        assert [token.features[0].id for token in tokens] == [int(bucket(w)) for w in text.split()]


def test_a_bucket_is_the_same_tomorrow():
    """A model is trained on one machine and runs on another."""
    assert [bucket(text) for text in ("", "the", "Straße", "\ud800")] == ["0", "486", "849", "688"]


def test_a_token_can_be_made_without_cutting():
    token = make_tokenizer(word=["new york"]).token("New York", start=7)

    assert (token.text, token.start, token.end, token.known) == ("New York", 7, 15, True)


@pytest.mark.parametrize(
    ("split", "vocabularies", "message"),
    [
        ("letters", {"word": Vocabulary([UNKNOWN])}, "No such way to split"),
        ("words", {"colour": Vocabulary([UNKNOWN])}, "No such feature"),
        ("words", {}, "needs a vocabulary"),
    ],
)
def test_a_tokenizer_that_cannot_be_is_refused(split, vocabularies, message):
    with pytest.raises(FileError, match=message) as error:
        Tokenizer(split, vocabularies)

    exists = {"letters": list(SPLITTERS)}.get(split, list(FEATURES) if vocabularies else None)
    assert error.value.exists == exists


# --- vocabularies and features ------------------------------------------------------------------


@pytest.mark.parametrize("items", [[], ["a", "a"], [UNKNOWN, "a", "a"], [UNKNOWN] * 2, 0])
def test_a_vocabulary_is_made_of_different_strings(items):
    with pytest.raises(FileError, match="vocabulary"):
        Vocabulary(items)


@steady
@given(st.lists(st.text(max_size=5), unique=True), st.text(max_size=5))
def test_a_vocabulary_finds_its_items_and_nothing_else(items, other):
    items = [UNKNOWN, *(item for item in items if item != UNKNOWN)]
    vocabulary = Vocabulary(items)

    assert vocabulary.unknown == 0
    assert len(vocabulary) == len(items)
    assert [vocabulary.id(item) for item in items] == list(range(len(items)))
    assert (other in vocabulary) == (other in items[1:])
    assert UNKNOWN not in vocabulary
    if other not in items:
        assert vocabulary.id(other) == 0


@pytest.mark.parametrize("name", UNKNOWN_NAMES)
def test_what_stands_for_everything_else_has_many_names_and_any_place(name):
    vocabulary = Vocabulary(["a", "b", name, "c"])

    assert vocabulary.unknown == 2
    assert [vocabulary.id(item) for item in ("a", "c", "other", name)] == [0, 3, 2, 2]
    assert "a" in vocabulary
    assert name not in vocabulary
    assert "other" not in vocabulary


def test_the_usual_name_goes_before_a_word_that_only_looks_like_one():
    vocabulary = Vocabulary(["unk", "UNK", "<unk>", "oov"])

    assert vocabulary.unknown == 2
    assert vocabulary.id("unk") == 0
    assert "unk" in vocabulary


def test_without_such_an_entry_what_is_not_known_is_refused():
    tokenizer = Tokenizer("words", {"word": Vocabulary(["the", "sun"])})

    assert [token.features[0].id for token in tokenizer("The sun")] == [0, 1]
    with pytest.raises(TextError, match="no entry for what it does not know") as error:
        tokenizer("the moon")
    assert error.value.came == "'moon'"
    assert "2: 'the' 'sun'" in error.value.expected
    with pytest.raises(TextError) as error:
        Vocabulary([f"w{n}" for n in range(5000)]).id("x")
    assert len(error.value.expected) < 400
    assert "5000" in error.value.expected


@steady
@given(st.lists(st.text(max_size=3), unique=True, min_size=1), st.text(max_size=3))
def test_any_list_of_different_strings_is_a_vocabulary(items, other):
    vocabulary = Vocabulary(items)

    assert [vocabulary.id(item) for item in items] == list(range(len(items)))
    unknown = next((items.index(name) for name in UNKNOWN_NAMES if name in items), None)
    assert vocabulary.unknown == unknown
    assert (other in vocabulary) == (other in items and items.index(other) != unknown)
    if other not in items and unknown is None:
        with pytest.raises(TextError):
            vocabulary.id(other)


def test_a_number_is_a_vocabulary_of_ids():
    vocabulary = Vocabulary(3)

    assert (len(vocabulary), vocabulary.items, vocabulary.unknown) == (3, ["0", "1", "2"], None)
    assert vocabulary.id("2") == 2
    for text in ("3", "-1", "02", "1.0", "x"):
        with pytest.raises(TextError):
            vocabulary.id(text)


@pytest.mark.parametrize(
    ("feature", "text", "value"),
    [
        ("character", "É", "É"),
        ("token", "Windiest", "Windiest"),
        ("lower", "Windiest 1987 É", "windiest 1987 é"),
        ("byte", "<0xC3>", "<0xC3>"),
        ("word", "Windiest", "windiest"),
        ("word", "1987", "0000"),
        ("word", "B2B", "b0b"),
        ("prefix2", "Windiest", "wi"),
        ("prefix3", "Windiest", "win"),
        ("suffix2", "Windiest", "st"),
        ("suffix3", "Windiest", "est"),
        ("suffix4", "Windiest", "iest"),
        ("suffix4", "a", "a"),
        ("shape", "Windiest", "Xxx"),
        ("shape", "NASA", "XX"),
        ("shape", "U.S.", "X.X."),
        ("shape", "1,000", "0,00"),
        ("shape", "!!!!", "!!"),
        ("shape", "iPhone7", "xXxx0"),
    ],
)
def test_features_read_what_they_are_named_after(feature, text, value):
    assert FEATURES[feature](text) == value


@steady
@given(anything)
def test_no_text_is_too_odd_for_a_feature(text):
    for feature in FEATURES.values():
        assert isinstance(feature(text), str)
    assert not re.search(r"(.)\1\1", FEATURES["shape"](text), re.DOTALL)
