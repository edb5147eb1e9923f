"""The models in the box: their cards, their sizes, and what they say of sentences."""

from __future__ import annotations

import itertools
import re

import pytest
import torch

from lstm_core.catalogue import ZOO, find_checkpoints, find_models
from lstm_core.models import SequenceModel, load_model
from lstm_core.text import UNKNOWN
from lstm_core.zoo import brackets, training

MODELS = sorted(path.parent.name for path in ZOO.glob("*/model.json"))
TAGGERS = [name for name in MODELS if name.startswith("tagger-")]
LIMIT = 4_000_000  # bytes of weights per model
LIMIT_OF_ALL = 16_000_000
LIMIT_OF_CHECKPOINTS = 24_000_000
MINUTES = 30  # of training
UNTIMED = {"shakespeare", "tagger-en"}  # older than the clock


@pytest.fixture(scope="module")
def box() -> dict[str, SequenceModel]:
    return {name: load_model(name) for name in MODELS}


def said(model: SequenceModel, text: str) -> list[str]:
    """The most probable label at every timestep."""
    predictions = model.record(text).predictions
    assert predictions is not None
    return [predictions.top(t)[0][0] for t in range(len(predictions.scores))]


def test_the_box_holds_taggers_a_language_model_a_classifier_and_a_counter() -> None:
    taggers = {"tagger-en", "tagger-fr", "tagger-zh"}
    assert {*taggers, "shakespeare", "sentiment", "brackets"} <= set(find_models())


def test_all_weights_together_are_small_enough_to_come_along() -> None:
    assert sum(path.stat().st_size for path in ZOO.glob("*/*.safetensors")) <= LIMIT_OF_ALL
    on_the_way = ZOO.glob("*/checkpoints/*/*.safetensors")
    assert sum(path.stat().st_size for path in on_the_way) <= LIMIT_OF_CHECKPOINTS


def test_no_training_was_left_unfinished_in_the_box() -> None:
    names = {path.name for path in ZOO.rglob("*") if path.is_file()} - {training.UNFINISHED}
    assert names == {"card.md", "model.json", "weights.safetensors", "checkpoint.json"}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_brings_what_it_was_on_the_way(name: str) -> None:
    found = find_checkpoints(ZOO / name)
    assert [c.step for c in found] == [round(share * found[0].of) for share in training.CHECKPOINTS]
    figures = [checkpoint.validation for checkpoint in found]
    assert figures == sorted(figures, reverse=True)
    for checkpoint in found:
        model = load_model(f"{name}@{checkpoint.step}")
        recording = model.record(model.spec.examples[0])
        assert recording.parity_report.ok
        assert recording.predictions is not None


def test_a_judge_that_has_seen_a_tenth_of_its_training_is_surer_than_one_that_has_seen_none(
    box: dict[str, SequenceModel],
) -> None:
    sure = []
    for model in (load_model("sentiment@0"), load_model("sentiment@214"), box["sentiment"]):
        predictions = model.record("A dull, lifeless and badly acted mess.").predictions
        assert predictions is not None
        sure.append(float(predictions.scores[-1, 0]))
    assert 0.4 < sure[0] < 0.6
    assert sure[1] > 0.8
    assert sure[2] > 0.8


@pytest.mark.parametrize("name", MODELS)
def test_training_took_less_than_half_an_hour(name: str, box: dict[str, SequenceModel]) -> None:
    card = box[name].spec.card
    assert 1 <= card["minutes"] <= MINUTES if "minutes" in card else name in UNTIMED


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
        assert " PATH/TO/" in command or name == "brackets"  # which makes its own
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
    tokenizer = box[name].tokenizer
    assert tokenizer is not None
    token = tokenizer("☃")[0]
    assert not token.known
    assert token.features[0].id == 0
    assert tokenizer.vocabularies[token.features[0].name].items[0] == UNKNOWN


def test_an_unknown_word_keeps_the_ending_the_tagger_knows(box: dict[str, SequenceModel]) -> None:
    token = box["tagger-en"].tokens("unfrabbling")[0]
    known = {feature.name: feature.known for feature in token.features}
    assert not known["word"]
    assert known["suffix3"]
    assert said(box["tagger-en"], "She was unfrabbling the door.")[2] == "VERB"


def test_the_same_word_gets_the_tag_its_neighbours_ask_for(box: dict[str, SequenceModel]) -> None:
    tags = said(box["tagger-en"], "She can open the can.")
    assert (tags[1], tags[4]) == ("AUX", "NOUN")


def test_no_label_of_a_language_model_is_unknown(box: dict[str, SequenceModel]) -> None:
    model = box["shakespeare"]
    assert model.spec.labels == model.spec.vocabularies["character"][1:]
    predictions = model.record("O, 2 lords").predictions
    assert predictions is not None
    assert predictions.targets is not None
    assert predictions.targets[2] is None  # "2" follows, and no play has one
    assert predictions.targets[0] == model.spec.labels.index(",")


# --- taggers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TAGGERS)
def test_taggers_read_both_ways_and_know_the_universal_tags(
    name: str, box: dict[str, SequenceModel]
) -> None:
    spec = box[name].spec
    assert spec.task == "tag"
    assert spec.lstm.directions(0) == ("forward", "backward")
    tags = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "NUM", "PART", "PRON", "PROPN"}
    assert {*tags, "PUNCT", "SCONJ", "SYM", "VERB", "X"} - {*spec.labels} <= {"PART", "SYM"}


def test_the_french_tagger_tells_words_apart_that_are_written_alike(
    box: dict[str, SequenceModel],
) -> None:
    model = box["tagger-fr"]
    assert said(model, "Les poules du couvent couvent.")[1:5] == ["NOUN", "ADP", "NOUN", "VERB"]
    assert said(model, "Nous portions les portions.")[:4] == ["PRON", "VERB", "DET", "NOUN"]


def test_french_is_cut_where_the_treebank_cuts_it(box: dict[str, SequenceModel]) -> None:
    tokens = box["tagger-fr"].tokens("Qu'a-t-il mangé aujourd'hui, l'homme du week-end ?")
    forms = ["Qu'", "a", "-t-il", "mangé", "aujourd'hui", ",", "l'", "homme", "du", "week-end", "?"]
    assert [token.text for token in tokens] == forms


def test_the_chinese_tagger_tags_a_sentence_that_was_typed(box: dict[str, SequenceModel]) -> None:
    text = "他们在大学学习中国的历史。"
    tokens = [token.text for token in box["tagger-zh"].tokens(text)]
    assert tokens == ["他们", "在", "大学", "学习", "中国", "的", "历史", "。"]
    tags = ["PRON", "ADP", "NOUN", "VERB", "PROPN", "PART", "NOUN", "PUNCT"]
    assert said(box["tagger-zh"], text) == tags


def test_the_chinese_tagger_tells_to_study_from_a_study(box: dict[str, SequenceModel]) -> None:
    tags = []
    for text in ("她花了三年时间研究这个问题。", "她的研究对科学有重要的影响。"):
        tokens = [token.text for token in box["tagger-zh"].tokens(text)]
        tags.append(said(box["tagger-zh"], text)[tokens.index("研究")])
    assert tags == ["VERB", "NOUN"]


# --- the judge of reviews -----------------------------------------------------------------------


def test_the_judge_reads_from_the_left_and_says_one_of_two_classes(
    box: dict[str, SequenceModel],
) -> None:
    spec = box["sentiment"].spec
    assert (spec.task, spec.head.reads) == ("classify", "last")
    assert spec.labels == ["negative", "positive"]
    assert not spec.lstm.modules[0].bidirectional
    assert spec.card["bytes"] <= 3_000_000


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("A warm, funny and beautifully told story.", "positive"),
        ("A dull, lifeless and badly acted mess.", "negative"),
        ("Brilliant actors trapped in a boring mess.", "negative"),
        ("Great fun until the ending ruins it.", "negative"),
        ("Slow and silly at first, it becomes a gripping and touching film.", "positive"),
    ],
)
def test_the_last_word_says_what_the_sentence_thinks(
    text: str, label: str, box: dict[str, SequenceModel]
) -> None:
    assert said(box["sentiment"], text)[-1] == label


def test_the_judge_changes_its_mind_in_the_middle_of_a_sentence(
    box: dict[str, SequenceModel],
) -> None:
    labels = said(box["sentiment"], "Brilliant actors trapped in a boring mess.")
    assert labels[:2] == ["positive", "positive"]
    assert labels[-2:] == ["negative", "negative"]
    labels = said(box["sentiment"], "It begins like a masterpiece and ends like a tax form.")
    assert (labels[3], labels[4], labels[9]) == ("negative", "positive", "negative")


def test_at_every_word_the_judge_says_what_it_would_say_if_the_sentence_ended_there(
    box: dict[str, SequenceModel],
) -> None:
    model, text = box["sentiment"], "The plot is thin, but the actors are wonderful and moving."
    whole = model.record(text)
    assert whole.predictions is not None
    for t, token in enumerate(model.tokens(text)):
        part = model.record(text[: token.end]).predictions
        assert part is not None
        assert torch.allclose(part.scores[-1], whole.predictions.scores[t], atol=1e-5)


# --- the counter of brackets --------------------------------------------------------------------


def test_the_counter_is_right_after_every_character_of_strings_twice_as_long(
    box: dict[str, SequenceModel],
) -> None:
    model = box["brackets"]
    recipe = brackets.Brackets(units=16)
    assert 2 * brackets.LENGTHS[1] == brackets.TEST_LENGTH
    assert brackets.TEST_STRINGS >= 2000
    assert recipe.test(model) == model.spec.card["value"] == 1
    others = brackets.strings(2, brackets.TEST_STRINGS, brackets.TEST_LENGTH)
    assert recipe.share_right(model, others) == 1


def test_the_counter_does_on_much_longer_strings_what_its_card_says(
    box: dict[str, SequenceModel],
) -> None:
    model = box["brackets"]
    remarks = brackets.Brackets(units=16).remarks(model)
    assert remarks["much_longer_strings"] == model.spec.card["much_longer_strings"]


@pytest.mark.parametrize("kinds", list(itertools.product("([", repeat=brackets.DEEPEST)))
def test_the_counter_counts_up_and_down_whatever_the_kind(
    kinds: tuple[str, ...], box: dict[str, SequenceModel]
) -> None:
    closing = [{"(": ")", "[": "]"}[kind] for kind in reversed(kinds)]
    depths = said(box["brackets"], "".join([*kinds, "a", *closing, "b"]))
    assert depths == [*"12345", "5", *"43210", "0"]


def test_what_is_no_bracket_leaves_the_depth_as_it_is(box: dict[str, SequenceModel]) -> None:
    assert said(box["brackets"], "f(x[0], ☃)") == [*"0112211110"]


def test_the_counter_is_small_enough_to_read_every_number(box: dict[str, SequenceModel]) -> None:
    spec = box["brackets"].spec
    assert [(m.num_layers, m.hidden_size, m.bidirectional) for m in spec.lstm.modules] == [
        (1, 16, False)
    ]
    assert spec.parameters < 2000


def test_the_units_that_count_follow_the_depth(box: dict[str, SequenceModel]) -> None:
    said_of_units = box["brackets"].spec.card["units_that_count"]
    [up, down] = (int(unit) for unit in re.findall(r"unit (\d+)", said_of_units))
    [(text, depths)] = brackets.strings(7, 1, 400)
    h = box["brackets"].record(text)["h", 0, "forward"]
    rows = torch.stack([h[:, up], h[:, down], torch.tensor(depths, dtype=torch.float32)])
    follows = torch.corrcoef(rows)[-1]
    assert follows[0] > 0.85
    assert follows[1] < -0.85
