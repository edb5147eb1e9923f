"""What is guessed of networks as people train them, known by nothing but names and shapes."""

from __future__ import annotations

import pytest

from lstm_core.checkpoints.contents import TensorInfo
from lstm_core.checkpoints.inspection import Inspection, TableInfo
from lstm_core.checkpoints.proposal import BROUGHT, Proposal, propose
from lstm_core.errors import CheckpointError
from lstm_core.shape import ModuleShape

WORDS = ["<pad>", "<unk>", *(f"word{n}" for n in range(98))]


def lstm(prefix, *sizes, kind="LSTM", without="nothing", **options):
    """Name and shape of the weights of an nn.LSTM or nn.LSTMCell below ``prefix``."""
    weights = ModuleShape(*sizes, kind=kind, **options).weights()
    return {
        f"{prefix}.{name}" if prefix else name: shape
        for name, shape in weights.items()
        if without not in name
    }


def linear(prefix, out, into, bias=True):
    return {f"{prefix}.weight": (out, into)} | ({f"{prefix}.bias": (out,)} if bias else {})


def inspection(*parts, **tables) -> Inspection:
    tensors = {name: TensorInfo(shape, "float32") for part in parts for name, shape in part.items()}
    infos = [TableInfo.of(name, strings) for name, strings in tables.items()]
    return Inspection("a test", 1, tensors, infos, [])


def asked(proposal: Proposal) -> list[str]:
    return [field.name for field in proposal.asked]


TWO_WAY = {"bidirectional": True}
COPY = [lstm("lstm", 10, 20), linear("emb", 50, 10, False), linear("fc", 50, 20)]


def copies(*prefixes):
    return [
        {f"{prefix}.{name}": shape for name, shape in part.items()}
        for prefix in prefixes
        for part in COPY
    ]


WILD = {
    "a language model of words": (
        inspection(
            {"encoder.weight": (33278, 200)},
            lstm("rnn", 200, 200, 2),
            linear("decoder", 33278, 200),
        ),
        {"embedding": "encoder.weight", "head": "decoder.weight", "task": "next_token"},
        ["vocabulary"],
    ),
    "sentiment, one number out": (
        inspection(
            {"embedding.weight": (25002, 100)},
            lstm("rnn", 100, 256, 2, **TWO_WAY),
            linear("fc", 1, 512),
        ),
        {"embedding": "embedding.weight", "head": "fc.weight", "task": "classify", "reads": "last"},
        ["vocabulary", "task", "reads"],
    ),
    "a tagger": (
        inspection(
            {"word_embeddings.weight": (9, 6)}, lstm("lstm", 6, 6), linear("hidden2tag", 3, 6)
        ),
        {"embedding": "word_embeddings.weight", "head": "hidden2tag.weight", "task": "tag"},
        ["vocabulary"],
    ),
    "a tagger with a CRF": (
        inspection(
            {"transitions": (5, 5), "word_embeds.weight": (17, 5)},
            lstm("lstm", 5, 2, **TWO_WAY),
            linear("hidden2tag", 5, 4),
        ),
        {"head": "hidden2tag.weight", "task": "tag"},
        ["vocabulary"],
    ),
    "characters, one-hot, with their table": (
        inspection(
            lstm("lstm", 83, 512, 2), linear("fc", 83, 512), tokens=list(map(chr, range(33, 116)))
        ),
        {
            "embedding": "one-hot",
            "vocabulary": "tokens",
            "tokenizer": "characters",
            "lowercase": "no",
            "task": "next_token",
            "labels": "vocabulary",
        },
        [],
    ),
    "a time series": (
        inspection(lstm("lstm", 1, 50, 2), linear("linear", 1, 50)),
        {"embedding": "numbers", "head": "linear.weight", "task": "value"},
        [],
    ),
    "three LSTMs on each other": (
        inspection(
            {"0.encoder.weight": (60000, 400)},
            lstm("0.rnns.0", 400, 1152),
            lstm("0.rnns.1", 1152, 1152),
            lstm("0.rnns.2", 1152, 400),
            linear("1.decoder", 60000, 400),
        ),
        {"lstm": "0.rnns.0 + 0.rnns.1 + 0.rnns.2", "head": "1.decoder.weight"},
        ["vocabulary"],
    ),
    "an encoder and a decoder": (
        inspection(
            {"encoder.embedding.weight": (7853, 256), "decoder.embedding.weight": (5893, 256)},
            lstm("encoder.rnn", 256, 512, 2),
            lstm("decoder.rnn", 256, 512, 2),
            linear("decoder.fc_out", 5893, 512),
        ),
        {"lstm": "encoder.rnn", "embedding": "encoder.embedding.weight", "head": "none"},
        ["lstm", "vocabulary"],
    ),
    "a head of two layers": (
        inspection(
            {"embed.weight": (5000, 50)},
            lstm("lstm", 50, 64, **TWO_WAY),
            linear("fc1", 32, 128),
            linear("fc2", 2, 32),
        ),
        {"head": "fc1.weight + fc2.weight", "activation": "relu", "task": "classify"},
        ["vocabulary", "activation", "task", "reads"],
    ),
    "attention beside the head": (
        inspection(
            {"embedding.weight": (5000, 64)},
            lstm("lstm", 64, 64),
            linear("attention.W", 64, 64, bias=False),
            linear("attention.v", 1, 64, bias=False),
            linear("out", 4, 64),
        ),
        {"head": "out.weight", "task": "classify"},
        ["vocabulary", "task"],
    ),
    "Keras' names, one bias": (
        inspection(
            {"embedding.weight": (10000, 32)},
            lstm("lstm", 32, 32, without="bias_hh"),
            lstm("lstm_1", 32, 16, without="bias_hh"),
            linear("dense", 1, 16),
        ),
        {"lstm": "lstm + lstm_1", "head": "dense.weight", "task": "classify"},
        ["vocabulary", "task"],
    ),
    "one in both directions below another": (
        inspection(
            {"embedding.weight": (900, 4)},
            lstm("bidirectional", 4, 3, **TWO_WAY),
            lstm("top", 6, 5),
            linear("dense", 1, 5),
        ),
        {"lstm": "bidirectional + top", "head": "dense.weight", "task": "classify"},
        ["vocabulary", "task"],
    ),
    "nothing but an LSTM": (
        inspection(lstm("", 8, 16, 2, bidirectional=True, proj_size=4)),
        {"lstm": "", "embedding": "numbers", "head": "none"},
        [],
    ),
    "a model and its running mean": (
        inspection(*copies("model", "ema")),
        {"lstm": "model.lstm", "embedding": "model.emb.weight", "head": "model.fc.weight"},
        ["lstm", "vocabulary"],
    ),
    "an embedding that may be the head": (
        inspection({"emb.weight": (1000, 128)}, lstm("lstm", 128, 128, 2)),
        {"embedding": "emb.weight", "head": "none"},
        ["vocabulary", "head"],
    ),
    "cells": (
        inspection(
            {"emb.weight": (1000, 32)},
            lstm("cells.0", 32, 64, kind="LSTMCell"),
            lstm("cells.1", 64, 64, kind="LSTMCell"),
            linear("out", 1000, 64, bias=False),
        ),
        {"lstm": "cells.0 + cells.1", "task": "next_token"},
        ["vocabulary"],
    ),
    "nn.Sequential, nothing but numbers for names": (
        inspection({"0.weight": (100, 16)}, lstm("1", 16, 24), linear("2", 5, 24)),
        {"lstm": "1", "embedding": "0.weight", "head": "2.weight"},
        ["vocabulary", "task"],
    ),
    "an actor and a critic": (
        inspection(lstm("lstm", 64, 128), linear("actor", 2, 128), linear("critic", 1, 128)),
        {"embedding": "numbers", "head": "actor.weight"},
        ["head", "task"],
    ),
}


@pytest.mark.parametrize("name", WILD)
def test_what_names_and_shapes_decide_is_decided_and_the_rest_is_asked(name):
    found, expected, questions = WILD[name]

    proposal = propose(found)

    assert {k: proposal.choices.get(k) for k in expected} == expected
    assert asked(proposal) == questions
    for field in proposal.fields:
        assert field.value in [option.value for option in field.options]
        assert field.why or not field.asked


@pytest.mark.parametrize("name", WILD)
def test_every_option_of_every_question_can_be_chosen(name):
    found, *_ = WILD[name]
    for field in propose(found).fields:
        for option in field.options:
            proposal = propose(found, {field.name: option.value})
            assert proposal.choices[field.name] == option.value
            assert field.name not in asked(proposal)


def words_model(rows=100):
    return inspection({"embedding.weight": (rows, 8)}, lstm("lstm", 8, 12), linear("fc", rows, 12))


def test_a_vocabulary_that_fits_answers_the_question():
    proposal = propose(words_model(), brought=[TableInfo.of("", WORDS)])

    assert asked(proposal) == []
    assert proposal.choices["vocabulary"] == BROUGHT
    assert proposal.choices["labels"] == "vocabulary"
    assert proposal.choices["lowercase"] == "yes"
    assert proposal.problem is None


def test_a_vocabulary_that_does_not_fit_is_a_problem_in_words():
    proposal = propose(words_model(rows=5000), brought=[TableInfo.of("", WORDS)])

    assert "100 entries" in proposal.problem
    assert "5,000 rows" in proposal.problem


def test_a_vocabulary_may_leave_the_last_rows_out_and_says_so():
    proposal = propose(words_model(rows=102), brought=[TableInfo.of("", WORDS)])

    assert proposal.choices["vocabulary"] == BROUGHT
    assert proposal.problem is None
    assert asked(proposal) == ["first_row"]
    assert proposal.choices["first_row"] == "0"  # it has <pad> and <unk>, so none is missing there


def test_a_vocabulary_without_special_entries_may_begin_behind_them():
    proposal = propose(words_model(rows=104), brought=[TableInfo.of("", WORDS[2:])])

    assert proposal.choices["first_row"] == "6"
    assert asked(proposal) == ["first_row"]


@pytest.mark.parametrize(
    ("h", "c"),
    [("h0", "c0"), ("charlstm_h_init", "charlstm_c_init"), ("init.hidden", "init.cell")],
)
@pytest.mark.parametrize("shape", [(2, 6), (2, 1, 6)])
def test_initial_states_that_were_learned_are_asked_for(h, c, shape):
    found = inspection(lstm("lstm", 4, 6, 2), {h: shape, c: shape})

    proposal = propose(found)

    assert proposal.choices["initial"] == f"{h} + {c}"
    assert asked(proposal) == ["initial"]
    assert proposal.unused == []
    assert set(propose(found, {"initial": "none"}).unused) == {h, c}


def test_tags_brought_beside_words_name_the_labels():
    found = inspection({"embedding.weight": (100, 8)}, lstm("lstm", 8, 12), linear("fc", 3, 12))
    brought = [TableInfo.of("word2idx", WORDS), TableInfo.of("tag2idx", ["NOUN", "VERB", "X"])]

    proposal = propose(found, brought=brought)

    assert proposal.choices["vocabulary"] == f"{BROUGHT}word2idx"
    assert proposal.choices["task"] == "tag"
    assert proposal.choices["labels"] == f"{BROUGHT}tag2idx"


def test_names_of_classes_may_come_alone():
    found = inspection({"embedding.weight": (5000, 8)}, lstm("lstm", 8, 12), linear("fc", 2, 12))

    proposal = propose(found, brought=[TableInfo.of("", ["bad", "good"])])

    assert proposal.problem is None
    assert proposal.choices["labels"] == BROUGHT
    assert "vocabulary" in asked(proposal)


@pytest.mark.parametrize(
    ("strings", "tokenizer"),
    [
        (["<unk>", *"abcdefghijklmnopqrstuvwxyz"], "characters"),
        (["the", "do", "n't", "it", "'s"], "words"),
        (["the", "cat", "sat", "on"], "simple"),
        (["the", "##ing", "##ed", "cat"], "whitespace"),
    ],
)
def test_the_vocabulary_says_how_text_is_cut(strings, tokenizer):
    found = inspection({"embedding.weight": (len(strings), 8)}, lstm("lstm", 8, 12))

    proposal = propose(found, brought=[TableInfo.of("", strings)])

    assert proposal.choices["tokenizer"] == tokenizer


@pytest.mark.parametrize("choice", [{"lstm": "decoder"}, {"head": "lstm"}, {"colour": "red"}])
def test_a_choice_that_there_is_not_is_refused_with_those_that_there_are(choice):
    with pytest.raises(CheckpointError) as error:
        propose(words_model(), choice)

    assert error.value.exists


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"gru.weight_ih_l0": (30, 4), "gru.weight_hh_l0": (30, 10)}, "a GRU"),
        ({"rnn.weight_ih_l0": (10, 4), "rnn.weight_hh_l0": (10, 10)}, "a plain RNN"),
        ({"lstm.weight_ih_l0": (40, 4)}, "weight_hh is missing"),
        (
            {"lstm.weight_ih_l0": (40, 4), "lstm.weight_hh_l0": (40, 10), "lstm.bias_ih_l0": (39,)},
            "bias_ih_l0 has shape (39,)",
        ),
        ({"conv.weight": (3, 3)}, "conv.weight"),
        ({}, "without any tensor"),
    ],
)
def test_a_file_without_an_lstm_says_what_it_holds_instead(tensors, words):
    found = inspection(tensors)

    with pytest.raises(CheckpointError) as error:
        propose(found)

    assert words in str(error.value)


def test_an_lstm_beside_a_gru_is_opened():
    found = inspection(
        lstm("lstm", 4, 6), {"gru.weight_ih_l0": (18, 4), "gru.weight_hh_l0": (18, 6)}
    )

    assert propose(found).choices["lstm"] == "lstm"


def test_what_is_not_used_is_said():
    found = inspection(lstm("lstm", 4, 6), {"norm.weight": (6,)}, linear("fc", 2, 6))

    assert propose(found).unused == ["norm.weight"]
