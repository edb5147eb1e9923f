"""The models in the box, their cards, and the scripts that trained them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from lstm_core.catalogue import ZOO, find_models
from lstm_core.errors import FileError
from lstm_core.models import SequenceModel, load_model
from lstm_core.text import UNKNOWN
from lstm_core.zoo import shakespeare, tagger, training

MODELS = sorted(path.parent.name for path in ZOO.glob("*/model.json"))
LIMIT = 4_000_000  # bytes of weights per model

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
        # The mean over as many steps as the real training takes would hardly have moved.
        how = replace(shakespeare.Shakespeare.hyperparameters, average=0.9)
        patch.setattr(shakespeare.Shakespeare, "hyperparameters", how)
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


def train_shakespeare(data: Path, output: Path, *options: str) -> int:
    small = ["--units", "24", "--epochs", "15", "--output", str(output)]
    return shakespeare.main([str(data), *small, *options])


def train_tagger(data: Path, output: Path, *options: str) -> int:
    small = ["--language", "en", "--units", "8", "--epochs", "12", "--output", str(output)]
    return tagger.main([str(data), *small, *options])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    """Both models, trained once on tiny texts."""
    data, output = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("models")
    text = data / "input.txt"
    text.write_text(tiny_text(), encoding="utf-8")
    treebank = tiny_treebank(data)
    return {
        "shakespeare": (text, output, train_shakespeare(text, output)),
        "tagger-en": (treebank, output, train_tagger(treebank, output)),
    }


COMMANDS: dict[str, Callable[..., int]] = {
    "shakespeare": train_shakespeare,
    "tagger-en": train_tagger,
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


# --- the models in the box ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def box() -> dict[str, SequenceModel]:
    return {name: load_model(name) for name in MODELS}


def test_the_box_holds_a_language_model_and_a_tagger() -> None:
    assert {"shakespeare", "tagger-en"} <= set(find_models())


@pytest.mark.parametrize("name", MODELS)
def test_a_card_counts_the_bytes_and_parameters_there_are(
    name: str, box: dict[str, SequenceModel]
) -> None:
    card = box[name].spec.card
    assert card["bytes"] == (ZOO / name / "weights.safetensors").stat().st_size <= LIMIT
    assert card["parameters"] == sum(weight.numel() for weight in box[name].parameters())


@pytest.mark.parametrize("name", MODELS)
def test_a_card_states_a_value_that_reaches_its_goal(
    name: str, box: dict[str, SequenceModel]
) -> None:
    card = box[name].spec.card
    sense, goal = card["goal"].rsplit(" ", 1)
    assert sense in ("at most", "at least")
    reached = card["value"] <= float(goal) if sense == "at most" else card["value"] >= float(goal)
    assert reached


@pytest.mark.parametrize("name", MODELS)
def test_the_card_for_people_says_what_model_json_says(
    name: str, box: dict[str, SequenceModel]
) -> None:
    written = (ZOO / name / "card.md").read_text(encoding="utf-8")
    assert written == training.card_text(name, box[name].spec)


@pytest.mark.parametrize("name", MODELS)
def test_a_card_names_its_data_its_licence_and_commands_anyone_can_run(
    name: str, box: dict[str, SequenceModel]
) -> None:
    card = box[name].spec.card
    assert all(card[key] for key in ("summary", "data", "source", "licence", "metric", "split"))
    for command in (card["command"], card["measured"]):
        assert command.startswith("python -m lstm_core.zoo.")
        assert " PATH/TO/" in command
    assert "--evaluate" in card["measured"]


@pytest.mark.parametrize("name", MODELS)
def test_every_example_is_recorded_in_parity_with_torch(
    name: str, box: dict[str, SequenceModel]
) -> None:
    assert 3 <= len(box[name].spec.examples) <= 5
    for example in box[name].spec.examples:
        recording = box[name].record(example)
        assert recording.parity_report.ok
        assert recording.predictions is not None
        assert len(recording.predictions.probabilities) == len(recording.tokens)


@pytest.mark.parametrize("name", MODELS)
def test_what_a_model_does_not_know_shows_as_unknown(
    name: str, box: dict[str, SequenceModel]
) -> None:
    token = box[name].tokenizer("☃")[0]
    assert not token.known
    assert token.features[0].id == 0
    assert box[name].tokenizer.vocabularies[token.features[0].name].items[0] == UNKNOWN


def test_an_unknown_word_keeps_the_ending_the_tagger_knows(box: dict[str, SequenceModel]) -> None:
    token = box["tagger-en"].tokenizer("unfrabbling")[0]
    known = {feature.name: feature.known for feature in token.features}
    assert not known["word"]
    assert known["suffix3"]
    predictions = box["tagger-en"].record("She was unfrabbling the door.").predictions
    assert predictions is not None
    assert predictions.top(2)[0][0] == "VERB"


def test_the_same_word_gets_the_tag_its_neighbours_ask_for(box: dict[str, SequenceModel]) -> None:
    recording = box["tagger-en"].record("She can open the can.")
    assert recording.predictions is not None
    assert recording.predictions.top(1)[0][0] == "AUX"
    assert recording.predictions.top(4)[0][0] == "NOUN"


def test_no_label_of_a_language_model_is_unknown(box: dict[str, SequenceModel]) -> None:
    model = box["shakespeare"]
    assert model.spec.labels == model.spec.vocabularies["character"][1:]
    predictions = model.record("O, 2 lords").predictions
    assert predictions is not None
    assert predictions.targets is not None
    assert predictions.targets[2] is None  # "2" follows, and no play has one
    assert predictions.targets[0] == model.spec.labels.index(",")
