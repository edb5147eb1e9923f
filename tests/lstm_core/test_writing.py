"""Writing on, against loops of torch's own nn.LSTM and against recordings of the whole text."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.analysis.sampling import draw, number_at, remaining
from lstm_core.errors import InputError, SizeError, TextError
from lstm_core.model_spec import HeadSpec, ModelSpec
from lstm_core.models import SequenceModel
from lstm_core.quantities import QUANTITIES
from lstm_core.shape import LSTMShape, ModuleShape, StackShape
from lstm_core.text import UNKNOWN, byte_name
from lstm_core.writing import Written
from tests.lstm_core.worlds import steady

LETTERS = [UNKNOWN, *"abcdefgh .,\n"]
WORDS = [UNKNOWN, "the", "sun", "is", "shiny", ".", "<eos>", "and"]


def model_of(
    *,
    split: str = "characters",
    feature: str = "character",
    items: list[str] = LETTERS,
    labels: list[str] | None = None,
    precision: str = "float64",
    scale: float = 2.0,
    lstm: LSTMShape | StackShape | None = None,
    **spec: Any,
) -> SequenceModel:
    """A model whose weights are so large that it has opinions."""
    stack = lstm or LSTMShape(5, 7, 2)
    torch.manual_seed(3)
    model = SequenceModel(
        ModelSpec(
            **{
                "title": "A model",
                "task": "next_token",
                "split": split,
                "vocabularies": {feature: items},
                "embedding": {feature: 5},
                "lstm": stack if isinstance(stack, StackShape) else StackShape.of(stack),
                "labels": labels or items,
                **spec,
            }
        )
    )
    with torch.no_grad():
        for weight in model.parameters():
            weight *= scale
    return model.to(getattr(torch, precision)).eval()


def all_of(written: Any) -> tuple[list[Written], str]:
    found = list(written)
    return found, "".join(one.appended for one in found)


def by_torch(model: SequenceModel, text: str, tokens: int, choose: Any) -> list[int]:
    """Labels by nn.LSTM's own forward of the whole sequence, again for every token."""
    lead = next(iter(model.embedding))
    vocabulary = model.tokenizer.vocabularies[lead]
    ids = [token.features[0].id for token in model.tokenizer(text)]
    labels = []
    with torch.no_grad():
        for _ in range(tokens):
            output, _ = nn.LSTM.forward(model.lstm, model.embedding[lead](torch.tensor(ids)))
            p = torch.softmax(model.head(output[-1]), dim=-1)
            labels.append(choose(p.double().numpy(), len(ids)))
            ids.append(vocabulary.id(model.spec.labels[labels[-1]]))
    return labels


def test_greedy_is_an_argmax_loop_of_torchs_own_lstm() -> None:
    model = model_of()
    never = LETTERS.index(UNKNOWN)

    def most(p: np.ndarray, _: int) -> int:
        p[never] = -1
        return int(p.argmax())

    written, text = all_of(model.write_on("a bad", 40))
    assert [one.id for one in written] == by_torch(model, "a bad", 40, most)
    assert text == "".join(LETTERS[one.id] for one in written)
    assert {one.chosen_from for one in written} == {1}


def test_a_sample_is_drawn_from_what_torch_says_and_the_filters_leave() -> None:
    model = model_of(split="whitespace", feature="token", items=WORDS)
    options = {"temperature": 0.7, "top_k": 5, "top_p": 0.95}
    allowed = np.array([word != UNKNOWN for word in WORDS])

    def drawn(p: np.ndarray, place: int) -> int:
        return draw(remaining(p, **options, allowed=allowed), number_at(11, place))

    written, text = all_of(model.write_on("the sun", 40, method="sample", seed=11, **options))
    assert [one.id for one in written] == by_torch(model, "the sun", 40, drawn)
    assert text == "".join(f" {WORDS[one.id]}" for one in written)
    assert len({one.id for one in written}) > 3


@pytest.mark.parametrize(("precision", "most"), [("float32", 1e-6), ("float64", 1e-12)])
@pytest.mark.parametrize(
    "world",
    [
        {},
        {"lstm": LSTMShape(5, 8, 2, proj_size=3)},
        {"lstm": StackShape((ModuleShape(5, 9, kind="LSTMCell"), ModuleShape(9, 4)), listed=True)},
        {"head": HeadSpec(reads="mean", hidden=(6,), activation="tanh")},
        {"head": HeadSpec(reads="max")},
        {"head": HeadSpec(reads="last")},
        {"split": "words", "feature": "word", "items": WORDS},
        {"initial_state": True},
    ],
)
def test_every_state_is_the_one_a_recording_of_the_whole_text_has(
    world: dict[str, Any], precision: str, most: float
) -> None:
    model = model_of(precision=precision, scale=1.2, **world)
    for name, buffer in model.named_buffers():
        buffer += 0.1 * (1 + len(name))
    text = "the sun" if "items" in world else "a bad"
    written, more = all_of(model.write_on(text, 30, method="sample", seed=5))
    whole = model.record(text + more)
    begun = len(whole.x) - 30
    arrays = {"x": whole.x, "scores": whole.predictions.scores}
    arrays |= {f"{layer}.{d}.{name}": array for (name, layer, d), array in whole.arrays.items()}
    assert [one.timestep for one in written] == list(range(begun, begun + 30))
    assert len(arrays) == 2 + len(QUANTITIES) * model.spec.lstm.num_layers
    for one in written:
        own = one.arrays()
        assert own.keys() == arrays.keys()
        for name, array in arrays.items():
            torch.testing.assert_close(own[name], array[one.timestep], rtol=0, atol=most)
    # What it was chosen by is what the recording predicts one timestep before.
    for one in written:
        p = arrays["scores"][one.timestep - 1].double()
        assert one.probability == pytest.approx(float(p[one.id]), abs=most)
        assert one.entropy == pytest.approx(float(-(p * p.log()).sum()), abs=10 * most)
        assert [n for n, _ in one.top] == p.topk(min(10, len(p))).indices.tolist()
        assert one.rank == 1 + int((p > p[one.id]).sum() + (p[: one.id] == p[one.id]).sum())
    targets = whole.predictions.targets
    assert targets is not None
    assert targets[begun - 1 : -1] == [one.id for one in written]


def test_nothing_is_read_twice() -> None:
    model = model_of()
    lengths = []
    model.embedding.register_forward_hook(lambda _, ids, __: lengths.append(len(ids[0])))
    list(model.write_on("a bad", 6))
    assert lengths == [5, 1, 1, 1, 1, 1, 1]


def test_a_text_that_is_stopped_and_written_on_is_the_one_that_came_at_once() -> None:
    model = model_of()
    _, whole = all_of(model.write_on("ab", 30, method="sample", seed=9))
    _, first = all_of(islice(model.write_on("ab", 30, method="sample", seed=9), 12))
    _, rest = all_of(model.write_on(f"ab{first}", 18, method="sample", seed=9))
    assert first + rest == whole
    _, other = all_of(model.write_on("ab", 30, method="sample", seed=10))
    assert other != whole


def test_the_first_token_can_be_given_as_a_label_or_an_id() -> None:
    model = model_of()
    by_label, text = all_of(model.write_on("ab", 5, first="f"))
    by_id, same = all_of(model.write_on("ab", 5, first=LETTERS.index("f")))
    assert (text[0], same) == ("f", text)
    own = model.record("ab").predictions.probabilities[-1]
    assert by_label[0].probability == pytest.approx(float(own[LETTERS.index("f")]))
    assert by_id[0].chosen_from == 1
    assert text[1:] == all_of(model.write_on("abf", 4))[1]


def test_a_head_with_labels_of_its_own_writes_only_what_can_be_read() -> None:
    labels = ["zebra", "sun", "<unk>", "##ny", "the", "is shiny", "."]
    model = model_of(
        split="words", feature="word", items=WORDS, labels=labels, head=HeadSpec(), scale=3.0
    )
    written, text = all_of(model.write_on("the sun", 60, method="sample", temperature=3.0, seed=1))
    assert {one.label for one in written} == {"sun", "the", "."}
    assert [t.text for t in model.tokenizer("the sun" + text)][2:] == [o.label for o in written]


def test_bytes_are_written_as_whole_characters() -> None:
    names = [byte_name(n) for n in range(256)]
    model = model_of(split="bytes", feature="byte", items=names, scale=0.5)
    written, text = all_of(model.write_on("é", 41, method="sample", seed=2))
    assert len(text.encode()) == len(written) == 41
    assert any(ord(character) > 0x7F for character in text)
    assert [t.features[0].value for t in model.tokenizer("é" + text)][2:] == [
        one.label for one in written
    ]


@steady
@given(st.integers(1, 6), st.text(st.sampled_from("abcdefgh .,\n"), min_size=1, max_size=8))
def test_as_many_tokens_come_as_were_asked_for(tokens: int, text: str) -> None:
    written, more = all_of(MODEL.write_on(text, tokens, method="sample"))
    assert len(written) == len(more) == tokens


MODEL = model_of()


def test_where_the_model_says_nothing_it_ends() -> None:
    model = model_of()
    with torch.no_grad():
        model.head.bias.fill_(float("nan"))
    assert list(model.write_on("ab", 5)) == []
    only_unknown = model_of()
    with torch.no_grad():
        only_unknown.head.weight.zero_()
        only_unknown.head.bias.fill_(-1e9)
        only_unknown.head.bias[LETTERS.index(UNKNOWN)] = 0
    for method in ("greedy", "sample"):
        assert list(only_unknown.write_on("ab", 5, method=method)) == []


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({"task": "tag"}, "does not say which token comes next"),
        ({"task": None, "labels": []}, "does not say which token comes next"),
        ({"lstm": LSTMShape(5, 4, bidirectional=True)}, "reads backward, too"),
        (
            {"lstm": StackShape((ModuleShape(5, 4, kind="BackwardLSTM"),), listed=True)},
            "reads backward, too",
        ),
        ({"labels": ["ab", UNKNOWN, "zz"]}, "None of this model's labels"),
    ],
)
def test_a_model_that_cannot_write_says_why(world: dict[str, Any], said: str) -> None:
    if world.get("task", "") is None:
        model = model_of(**{**world, "labels": None})
        model.spec = ModelSpec(**{**vars(model.spec), "labels": []})
    else:
        model = model_of(**world)
    with pytest.raises(InputError, match=said):
        model.write_on("ab", 5)


def test_a_model_that_reads_numbers_cannot_write() -> None:
    spec = ModelSpec("Numbers", "value", "table", {}, {}, StackShape.of(LSTMShape(2, 3)), ["next"])
    with pytest.raises(InputError, match="cannot write on"):
        SequenceModel(spec).write_on("1 2\n3 4")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"text": ""}, TextError, "no token"),
        ({"max_tokens": 1}, SizeError, "too long"),
        ({"tokens": 0}, InputError, "nothing to write"),
        ({"method": "beam"}, InputError, "No such method"),
        ({"seed": -1}, InputError, "seed"),
        ({"temperature": 0}, InputError, "temperature"),
        ({"top_k": 0}, InputError, "top_k"),
        ({"top_p": 2}, InputError, "top_p"),
        ({"first": "zebra"}, InputError, "No such label"),
        ({"first": 99}, InputError, "No such label"),
        ({"first": -1}, InputError, "No such label"),
        ({"first": UNKNOWN}, InputError, "cannot be written here"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        MODEL.write_on(**{"text": "ab", **options})
