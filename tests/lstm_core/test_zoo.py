"""The scripts that train the models in the box, on tiny texts."""

from __future__ import annotations

import copy
import itertools
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
import safetensors.torch
import torch

from lstm_core import catalogue
from lstm_core.errors import FileError
from lstm_core.models import SequenceModel, load_model
from lstm_core.text import UNKNOWN
from lstm_core.zoo import brackets, sentiment, shakespeare, tagger, training
from lstm_core.zoo.hiding import Hiding

Trained = tuple[Path, Path, int]  # the texts, the folder of models, the exit status


@pytest.fixture(scope="module", autouse=True)
def small_steps() -> Iterator[None]:
    """One thread, and steps as small as the texts: many updates in little time."""
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shakespeare, "STREAMS", 16)
        patch.setattr(shakespeare, "STEPS", 20)
        patch.setattr(shakespeare, "CHUNK", 100)
        patch.setattr(tagger, "BATCH", 8)
        patch.setattr(sentiment, "BATCH", 8)
        patch.setattr(brackets, "STEPS", 20)
        patch.setattr(brackets, "TEST_STRINGS", 50)
        patch.setattr(brackets, "FARTHEST", 160)
        # The mean over as many steps as the real training takes would hardly have moved.
        how = replace(shakespeare.Shakespeare.hyperparameters, average=0.9)
        patch.setattr(shakespeare.Shakespeare, "hyperparameters", how)
        patch.setattr(sentiment.Sentiment, "hyperparameters", how)
        yield
    torch.set_num_threads(threads)


# --- tiny texts ---------------------------------------------------------------------------------


def tiny_text() -> str:
    """Some 9,000 characters in which a word decides what follows it."""
    draw = random.Random(1)
    sentences = ["The king is dead. ", "Long live the queen! ", "Who goes there? "]
    return "".join(draw.choice(sentences) for _ in range(500))


def tiny_treebank(folder: Path) -> Path:
    """A language in which "can" is a verb after "you" and a noun after "the"."""
    draw = random.Random(1)
    noun, verb = [("the", "DET"), ("can", "NOUN")], [("you", "PRON"), ("can", "VERB")]
    for name, size in (("train", 120), ("dev", 20), ("test", 20)):
        blocks = []
        for number in range(size):
            words = [word for _ in range(draw.randint(1, 4)) for word in draw.choice([noun, verb])]
            # A name that occurs once in all the treebank: it stays out of the vocabulary.
            words.append((f"{name}{'xyz'[number % 3]}{chr(97 + number % 26)}{number}", "PROPN"))
            rows = [f"{n}\t{form}\t_\t{tag}" for n, (form, tag) in enumerate(words, start=1)]
            blocks.append("\n".join(["# text", "1-2\tyoucan\t_\t_", *rows]))
        text = "\n\n".join(blocks) + "\n\n"
        (folder / f"{name}.conllu").write_text(text, encoding="utf-8")
    return folder


def tiny_french(folder: Path) -> Path:
    """Two words that are written as one in front of a noun, and stand apart in front of a verb."""
    draw = random.Random(1)
    noun = [("de", "ADP"), ("le", "DET"), ("pain", "NOUN")], "du pain"
    verb = [("de", "ADP"), ("le", "PRON"), ("voir", "VERB")], "de le voir"
    sizes = {"sequoia-train": 60, "sequoia-dev": 20, "gsd-dev": 40, "gsd-test": 20}
    for name, size in sizes.items():
        blocks = []
        for _ in range(size):
            parts = [draw.choice([noun, verb]) for _ in range(draw.randint(1, 3))]
            words = [word for part, _ in parts for word in part]
            rows = [f"{n}\t{form}\t_\t{tag}" for n, (form, tag) in enumerate(words, start=1)]
            text = " ".join(text for _, text in parts)
            blocks.append("\n".join([f"# text = {text}", *rows]))
        (folder / f"{name}.conllu").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return folder


def tiny_chinese(folder: Path) -> Path:
    """Words of one and two characters, written without spaces."""
    draw = random.Random(1)
    words = [("我们", "PRON"), ("学习", "VERB"), ("中国", "PROPN"), ("的", "PART"), ("花", "NOUN")]
    for name, size in (("dev", 60), ("test", 20)):
        blocks = []
        for _ in range(size):
            drawn = [draw.choice(words) for _ in range(draw.randint(1, 6))]
            rows = [f"{n}\t{form}\t_\t{tag}" for n, (form, tag) in enumerate(drawn, start=1)]
            blocks.append("\n".join([f"# text = {''.join(form for form, _ in drawn)}", *rows]))
        (folder / f"{name}.conllu").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return folder


def tiny_reviews(folder: Path) -> Path:
    """Sentences that one word decides, wherever it stands."""
    draw = random.Random(1)
    others = ["the", "film", "of", "an", "actor", "seen", "in", "town", "by", "us"]
    for name, deciding in (("pos", "splendid"), ("neg", "dreary")):
        lines = set()
        while len(lines) < 120:
            words = draw.choices(others, k=draw.randint(2, 6))
            words.insert(draw.randint(0, len(words)), deciding)
            lines.add(" ".join(words))
        (folder / f"{name}.txt").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return folder


def train_shakespeare(data: Path, output: Path, *options: str) -> int:
    small = ["--units", "24", "--epochs", "15", "--output", str(output)]
    return shakespeare.main([str(data), *small, *options])


def train_tagger(data: Path, output: Path, *options: str, language: str = "en") -> int:
    small = ["--language", language, "--units", "8", "--epochs", "12", "--output", str(output)]
    return tagger.main([str(data), *small, *options])


def train_sentiment(data: Path, output: Path, *options: str) -> int:
    small = ["--units", "8", "--epochs", "12", "--output", str(output)]
    return sentiment.main([str(data), *small, *options])


def train_brackets(data: Path, output: Path, *options: str) -> int:
    assert not data.exists()  # it needs none
    return brackets.main(["--units", "8", "--epochs", "5", "--output", str(output), *options])


COMMANDS: dict[str, Callable[..., int]] = {
    "shakespeare": train_shakespeare,
    "tagger-en": train_tagger,
    "tagger-fr": partial(train_tagger, language="fr"),
    "tagger-zh": partial(train_tagger, language="zh"),
    "sentiment": train_sentiment,
    "brackets": train_brackets,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    """Every model, trained once on tiny texts."""
    output = tmp_path_factory.mktemp("models")
    text = tmp_path_factory.mktemp("shakespeare") / "input.txt"
    text.write_text(tiny_text(), encoding="utf-8")
    data = {
        "shakespeare": text,
        "tagger-en": tiny_treebank(tmp_path_factory.mktemp("en")),
        "tagger-fr": tiny_french(tmp_path_factory.mktemp("fr")),
        "tagger-zh": tiny_chinese(tmp_path_factory.mktemp("zh")),
        "sentiment": tiny_reviews(tmp_path_factory.mktemp("reviews")),
        "brackets": tmp_path_factory.mktemp("nothing") / "nowhere",
    }
    return {
        name: (data[name], output, train(data[name], output)) for name, train in COMMANDS.items()
    }


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(folder / "weights.safetensors")


# --- training -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_seed_gives_the_same_weights_bit_by_bit(
    name: str, trained: dict[str, Trained], tmp_path: Path
) -> None:
    data, output, status = trained[name]
    assert status == 0
    assert COMMANDS[name](data, tmp_path) == 0
    first, second = weights(output / name), weights(tmp_path / name)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert (output / name / "card.md").read_bytes() == (tmp_path / name / "card.md").read_bytes()


@pytest.mark.parametrize("name", COMMANDS)
def test_another_seed_gives_other_weights_and_the_card_says_so(
    name: str, trained: dict[str, Trained], tmp_path: Path
) -> None:
    data, output, _ = trained[name]
    COMMANDS[name](data, tmp_path, "--seed", "2", "--epochs", "1")
    first, second = weights(output / name), weights(tmp_path / name)
    assert any(not torch.equal(first[key], second[key]) for key in first)
    assert "--epochs 1" in load_model(tmp_path / name).spec.card["command"]
    assert "--seed 2" in load_model(tmp_path / name).spec.card["command"]


def test_the_language_model_beats_the_frequencies_of_the_characters(
    trained: dict[str, Trained],
) -> None:
    _, output, _ = trained["shakespeare"]
    text = tiny_text()
    share = {character: text.count(character) / len(text) for character in set(text)}
    entropy = -sum(p * math.log(p) for p in share.values())
    assert load_model(output / "shakespeare").spec.card["value"] < 0.6 * entropy


def test_the_tagger_beats_the_most_frequent_tag_of_every_word(
    trained: dict[str, Trained],
) -> None:
    data, output, _ = trained["tagger-en"]
    words = [word for sentence in tagger.read_conllu(data / "test.conllu") for word in sentence]
    verbs, nouns = words.count(("can", "VERB")), words.count(("can", "NOUN"))
    chance = 1 - min(verbs, nouns) / len(words)
    assert load_model(output / "tagger-en").spec.card["value"] > chance


def test_the_french_tagger_reads_a_contraction_as_one_word_and_as_two(
    trained: dict[str, Trained],
) -> None:
    _, output, _ = trained["tagger-fr"]
    predictions = load_model(output / "tagger-fr").record("du pain de le pain").predictions
    assert predictions is not None
    tags = [predictions.top(t)[0][0] for t in range(5)]
    assert tags[:2] == ["ADP", "NOUN"]
    assert tags[2] == "ADP"


def test_the_chinese_tagger_cuts_what_was_typed_into_words_it_knows(
    trained: dict[str, Trained],
) -> None:
    _, output, _ = trained["tagger-zh"]
    recording = load_model(output / "tagger-zh").record("我们学习花学")
    assert list(recording.tokens) == ["我们", "学习", "花", "学"]
    assert recording.predictions is not None
    assert recording.predictions.top(1)[0][0] == "VERB"
    assert load_model(output / "tagger-zh").spec.card["value"] >= 0.8


def test_the_judge_of_reviews_changes_its_mind_at_the_word_that_decides(
    trained: dict[str, Trained],
) -> None:
    _, output, _ = trained["sentiment"]
    model = load_model(output / "sentiment")
    assert model.spec.card["value"] > 0.9
    predictions = model.record("the film seen in town splendid").predictions
    assert predictions is not None
    assert predictions.top(5)[0][0] == "positive"
    predictions = model.record("the film seen in town dreary").predictions
    assert predictions is not None
    assert predictions.top(5)[0][0] == "negative"


@pytest.mark.parametrize("name", COMMANDS)
def test_evaluating_reproduces_the_figure_on_the_card(
    name: str, trained: dict[str, Trained], capsys: pytest.CaptureFixture[str]
) -> None:
    data, output, _ = trained[name]
    assert COMMANDS[name](data, output, "--evaluate") == 0
    value = f"{load_model(output / name).spec.card['value']:.4f}"
    assert f"measured {value}, the card says {value}" in capsys.readouterr().out


def test_evaluating_fails_when_the_card_promises_too_much(
    trained: dict[str, Trained], tmp_path: Path
) -> None:
    data, output, _ = trained["tagger-en"]
    model = load_model(output / "tagger-en")
    training.write_model(model, tmp_path / "tagger-en", {"value": 1.5})
    assert train_tagger(data, tmp_path, "--evaluate") == 1


def test_evaluating_refuses_texts_the_model_was_not_trained_on(
    trained: dict[str, Trained], tmp_path: Path
) -> None:
    _, output, _ = trained["shakespeare"]
    (tmp_path / "other.txt").write_text("Something else. " * 200, encoding="utf-8")
    with pytest.raises(FileError, match="not the ones"):
        train_shakespeare(tmp_path / "other.txt", output, "--evaluate")


def test_a_trained_model_is_saved_without_dropout(trained: dict[str, Trained]) -> None:
    for name, (_, output, _) in trained.items():
        assert load_model(output / name).lstm.dropout == 0.0


def test_the_average_of_the_weights_moves_by_its_share(trained: dict[str, Trained]) -> None:
    _, output, _ = trained["tagger-en"]
    model, averaged = load_model(output / "tagger-en"), load_model(output / "tagger-en")
    with torch.no_grad():
        model.head.bias += 1
    before = averaged.head.bias.clone()
    training.average_weights(averaged, model, 0.75)
    assert torch.allclose(averaged.head.bias, before + 0.25)
    training.average_weights(averaged, model, 0.0)
    assert torch.equal(averaged.head.bias, model.head.bias)


def test_a_text_too_short_to_hold_some_out_is_refused() -> None:
    with pytest.raises(FileError, match="too short"):
        shakespeare.Shakespeare("To be, or not to be", units=8)


def test_a_treebank_without_sentences_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.conllu").write_text("# nothing here\n", encoding="utf-8")
    with pytest.raises(FileError, match="no sentence"):
        tagger.read_conllu(tmp_path / "empty.conllu")
    with pytest.raises(FileError, match="missing"):
        tagger.read_conllu(tmp_path / "nowhere.conllu")


def test_multi_word_lines_and_empty_nodes_are_not_words(tmp_path: Path) -> None:
    rows = ["1-2\tdon't\t_\t_", "1\tdo\t_\tAUX", "1.1\tit\t_\tPRON", "2\tn't\t_\tPART"]
    (tmp_path / "x.conllu").write_text("\n".join(rows) + "\n\n", encoding="utf-8")
    assert tagger.read_conllu(tmp_path / "x.conllu") == [[("do", "AUX"), ("n't", "PART")]]


def test_the_figure_does_not_depend_on_how_the_text_is_cut_into_chunks(
    trained: dict[str, Trained],
) -> None:
    data, output, _ = trained["shakespeare"]
    model = load_model(output / "shakespeare")
    recipe = shakespeare.Shakespeare(data.read_text(encoding="utf-8"), units=16)
    x = recipe.test_ids
    assert len(x) > 2 * shakespeare.CHUNK
    with torch.no_grad():
        h, _ = model.lstm(model.embedding(x[:-1, None]))
        rows = torch.log_softmax(model.head(h), dim=-1)
    surprise = -rows[torch.arange(len(x) - 1), x[1:] - 1].mean().item()
    assert recipe.test(model) == pytest.approx(surprise, abs=1e-5)


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    rates = [training.learning_rate_factor(step, 100, 0.1) for step in range(101)]
    peak = rates.index(max(rates))
    assert 5 <= peak <= 10
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] == pytest.approx(0)


def test_reviews_that_are_missing_or_too_few_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="missing"):
        sentiment.read_sentences(tmp_path)
    for name in sentiment.FILES:
        (tmp_path / name).write_text(f"a sentence of {name}\n\n", encoding="utf-8")
    with pytest.raises(FileError, match="too few"):
        sentiment.read_sentences(tmp_path)


def test_no_sentence_is_both_trained_on_and_measured(trained: dict[str, Trained]) -> None:
    data, _, _ = trained["sentiment"]
    sentences = sentiment.read_sentences(data)
    recipe = sentiment.Sentiment(data, units=8)
    parts = [recipe.train_examples, recipe.validation_examples, recipe.test_examples]
    assert sum(map(len, parts)) == len(sentences) == len(dict(sentences))
    assert [len(part) for part in parts] == [192, 24, 24]


def test_the_judge_begins_with_how_much_more_praise_has_a_word_than_pans(
    trained: dict[str, Trained],
) -> None:
    data, _, _ = trained["sentiment"]
    recipe = sentiment.Sentiment(data, units=8)
    model = SequenceModel(recipe.spec)
    recipe.prepare(model)
    first = model.state_dict()["embedding.word.weight"][:, 0]
    weight = dict(zip(recipe.spec.vocabularies["word"], first.tolist(), strict=True))
    assert weight["splendid"] > 3
    assert weight["dreary"] < -3
    assert abs(weight["film"]) < 0.5
    assert weight[UNKNOWN] == 0


def test_rare_values_are_hidden_more_often_than_frequent_ones() -> None:
    hiding = Hiding(["often"] * 99 + ["rare"], {"word": 4, "suffix2": 4}, minimum=1)
    assert hiding.vocabularies["word"] == [UNKNOWN, "often", "rare"]
    ids = torch.tensor([[1, 1], [2, 2]]).repeat_interleave(3000, dim=0)
    hidden = (hiding(ids, torch.Generator().manual_seed(1)) == 0).double()
    often, rare = hidden[:3000, 0].mean().item(), hidden[3000:, 0].mean().item()
    assert often == pytest.approx(0.5 / 99.5, abs=0.005)
    assert rare == pytest.approx(0.5 / 1.5, abs=0.04)
    assert not torch.equal(hidden[:, 0], hidden[:, 1])  # a word may keep its ending


def test_brackets_are_made_to_match_and_their_depths_are_right() -> None:
    seen = set()
    for text, depths in brackets.strings(1, 300, 40):
        assert len(text) == len(depths) == 40
        open_brackets: list[str] = []
        for character, depth in zip(text, depths, strict=True):
            if character in "([":
                open_brackets.append({"(": ")", "[": "]"}[character])
            elif character in ")]":
                assert open_brackets.pop() == character
            assert depth == len(open_brackets) <= brackets.DEEPEST
            seen.add((character, depth))
        assert not open_brackets
    assert {depth for _, depth in seen} == set(range(brackets.DEEPEST + 1))
    assert {character for character, _ in seen} == {*brackets.CHARACTERS, brackets.UNSEEN}


@pytest.mark.parametrize("options", [["--epochs", "0"], ["--units", "-1"], ["--threads", "x"]])
def test_a_number_of_nothing_is_refused(
    options: list[str], trained: dict[str, Trained], capsys: pytest.CaptureFixture[str]
) -> None:
    data, output, _ = trained["shakespeare"]
    with pytest.raises(SystemExit):
        train_shakespeare(data, output, *options)
    assert "is not a number above 0" in capsys.readouterr().err


def test_texts_that_are_not_there_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        train_shakespeare(tmp_path / "nowhere.txt", tmp_path)
    assert "nowhere.txt" in capsys.readouterr().err


# --- interrupted and resumed --------------------------------------------------------------------


@contextmanager
def interrupted_after(method: str, calls: int) -> Iterator[None]:
    """A training whose ``method`` works so often, and then never comes back."""
    original = getattr(training.Training, method)
    count = 0

    def counted(self: training.Training, *arguments: object) -> None:
        nonlocal count
        count += 1
        if count > calls:
            raise KeyboardInterrupt
        original(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.Training, method, counted)
        try:
            yield
        except KeyboardInterrupt:
            return
    pytest.fail("it came to its end")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_resumed_training_gives_the_weights_of_an_unbroken_one_bit_by_bit(
    name: str, trained: dict[str, Trained], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, output, _ = trained[name]
    with interrupted_after("save", 2):  # after an epoch that nobody wrote down
        COMMANDS[name](data, tmp_path)
    with interrupted_after("step", 4):  # in the middle of an epoch, some minutes later
        torch.manual_seed(99)
        COMMANDS[name](data, tmp_path)
    capsys.readouterr()
    torch.manual_seed(98)
    assert COMMANDS[name](data, tmp_path) == 0
    assert "going on after epoch 2" in capsys.readouterr().out
    unbroken, resumed = weights(output / name), weights(tmp_path / name)
    assert unbroken.keys() == resumed.keys()
    assert all(torch.equal(unbroken[key], resumed[key]) for key in unbroken)
    assert (output / name / "card.md").read_bytes() == (tmp_path / name / "card.md").read_bytes()
    kept = [
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*/*.*")}
        for folder in (output / name / "checkpoints", tmp_path / name / "checkpoints")
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 2 * len(training.CHECKPOINTS)


def test_checkpoints_are_the_weights_of_their_steps(
    trained: dict[str, Trained], tmp_path: Path
) -> None:
    data, output, _ = trained["tagger-en"]
    found = catalogue.find_checkpoints(output / "tagger-en")
    total = found[0].of
    assert [c.step for c in found] == [round(share * total) for share in training.CHECKPOINTS]
    seen: dict[int, dict[str, torch.Tensor]] = {}
    real = training.Training.step

    def watched(self: training.Training, loss: torch.Tensor) -> None:
        seen.setdefault(0, copy.deepcopy(self.model.state_dict()))
        real(self, loss)
        seen[self.steps] = copy.deepcopy(self.model.state_dict())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.Training, "step", watched)
        train_tagger(data, tmp_path)
    for checkpoint in found:
        kept = weights(checkpoint.folder)
        assert all(torch.equal(kept[n], w.half()) for n, w in seen[checkpoint.step].items())
        model = load_model(checkpoint.folder)
        assert model.spec.title.endswith(f", step {checkpoint.step}")
        assert all(torch.equal(w, kept[n].float()) for n, w in model.state_dict().items())


def test_checkpoints_of_another_training_do_not_stay(
    tmp_path: Path, trained: dict[str, Trained]
) -> None:
    data, _, _ = trained["tagger-en"]
    stale = tmp_path / "tagger-en" / "checkpoints" / "77777"
    stale.mkdir(parents=True)
    with interrupted_after("save", 1):
        train_tagger(data, tmp_path)
    assert not stale.exists()


def test_a_finished_training_leaves_only_the_model(trained: dict[str, Trained]) -> None:
    for name, (_, output, _) in trained.items():
        there = {path.name for path in (output / name).iterdir()}
        assert there == {"card.md", "model.json", "weights.safetensors", "checkpoints"}


def test_what_is_left_by_an_interrupted_training_holds_no_code_and_is_no_model(
    trained: dict[str, Trained], tmp_path: Path
) -> None:
    data, _, _ = trained["tagger-en"]
    with interrupted_after("save", 1):
        train_tagger(data, tmp_path)
    left = tmp_path / "tagger-en" / training.UNFINISHED
    assert {path.name for path in left.parent.iterdir()} == {left.name, "checkpoints"}
    assert torch.load(left, weights_only=True)["epoch"] == 1


def test_a_training_with_other_options_starts_anew_and_says_so(
    trained: dict[str, Trained], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, output, _ = trained["tagger-en"]
    with interrupted_after("save", 1):
        train_tagger(data, tmp_path, "--seed", "2", "--units", "4")
    assert train_tagger(data, tmp_path) == 0
    assert "other model or texts, seed: starting anew" in capsys.readouterr().out
    assert all(
        torch.equal(weight, weights(tmp_path / "tagger-en")[name])
        for name, weight in weights(output / "tagger-en").items()
    )


def test_a_damaged_rest_of_a_training_is_not_gone_on_from(
    trained: dict[str, Trained], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, _, _ = trained["sentiment"]
    with interrupted_after("save", 1):
        train_sentiment(data, tmp_path)
    left = tmp_path / "sentiment" / training.UNFINISHED
    left.write_bytes(left.read_bytes()[:-1000])
    assert train_sentiment(data, tmp_path) == 0
    assert "cannot be read: starting anew" in capsys.readouterr().out


def test_whoever_is_interrupted_while_saving_keeps_the_epoch_before(
    trained: dict[str, Trained], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _, _ = trained["tagger-en"]
    with interrupted_after("save", 2):
        train_tagger(data, tmp_path)

    def half(_: object, file: BinaryIO) -> None:
        file.write(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        train_tagger(data, tmp_path)
    left = tmp_path / "tagger-en" / training.UNFINISHED
    assert torch.load(left, weights_only=True)["epoch"] == 2


def test_minutes_count_what_was_trained_before_the_interruption(
    trained: dict[str, Trained], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _, _ = trained["brackets"]
    clock = itertools.count(step=40.0)
    monkeypatch.setattr(training.time, "perf_counter", lambda: next(clock))
    with interrupted_after("save", 2):
        train_brackets(data, tmp_path)
    train_brackets(data, tmp_path)
    assert load_model(tmp_path / "brackets").spec.card["minutes"] == 4  # 5 epochs of 40 s
