"""What a head says."""

import pytest
import torch

from lstm_core.predictions import Predictions
from tests.lstm_core.worlds import numbers


def test_the_most_probable_labels_come_first():
    predictions = Predictions(
        "tag", ["NOUN", "VERB", "ADJ"], torch.tensor([[0.2, 0.5, 0.3], [0.9, 0.0, 0.1]])
    )

    assert [label for label, _ in predictions.top(0)] == ["VERB", "ADJ", "NOUN"]
    assert [label for label, _ in predictions.top(1, k=2)] == ["NOUN", "ADJ"]


def test_top_is_a_sort_of_the_row():
    labels = [str(n) for n in range(20)]
    probabilities = torch.softmax(numbers(6, 20), dim=1)
    predictions = Predictions("next_token", labels, probabilities)

    for t, row in enumerate(probabilities.tolist()):
        by_hand = sorted(zip(labels, row, strict=True), key=lambda pair: -pair[1])
        assert predictions.top(t) == by_hand[:5]
        assert predictions.top(t, k=99) == by_hand


def test_everything_but_the_probabilities_is_json():
    predictions = Predictions("next_token", ["a", "b"], torch.ones(2, 2) / 2, [1, None])

    assert predictions.about() == {
        "task": "next_token",
        "labels": ["a", "b"],
        "targets": [1, None],
    }


@pytest.mark.parametrize("task", ["next_token", "tag", "classify"])
def test_scores_are_probabilities_where_there_is_something_to_choose(task):
    scores = torch.softmax(numbers(4, 3), dim=1)
    predictions = Predictions(task, ["a", "b", "c"], scores)

    assert predictions.probabilities is predictions.scores is scores


def test_numbers_are_no_probabilities_and_stay_in_their_order():
    predictions = Predictions("value", ["low", "high", "mean"], torch.tensor([[3.0, -1.0, 7.5]]))

    with pytest.raises(AttributeError, match="numbers, not probabilities"):
        _ = predictions.probabilities
    assert predictions.top(0) == [("low", 3.0), ("high", -1.0), ("mean", 7.5)]
    assert predictions.top(0, k=2) == [("low", 3.0), ("high", -1.0)]
    assert predictions.about() == {
        "task": "value",
        "labels": ["low", "high", "mean"],
        "targets": None,
    }


def test_predictions_say_how_sure_they_are_and_what_the_truth_got():
    logits = numbers(5, 4)
    targets = [0, 3, None, 2, 1]
    predictions = Predictions("next_token", list("abcd"), torch.softmax(logits, dim=1), targets)

    known = [0, 1, 3, 4]
    true = torch.tensor([targets[t] for t in known])
    losses = torch.nn.functional.cross_entropy(logits[known], true, reduction="none")
    torch.testing.assert_close(predictions.surprise[known], losses.double())
    assert predictions.surprise[2].isnan()
    assert predictions.rank[2].isnan()
    assert predictions.perplexity == pytest.approx(float(losses.mean().exp()))
    entropy = torch.distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(predictions.entropy, entropy.double())
    ordered = predictions.scores.sort(dim=1, descending=True).values.double()
    torch.testing.assert_close(predictions.margin, ordered[:, 0] - ordered[:, 1])
    best = predictions.scores.argmax(dim=1)
    assert predictions.changed.tolist() == [False, *(best[1:] != best[:-1]).tolist()]


def test_numbers_that_are_no_probabilities_have_no_entropy():
    predictions = Predictions("value", ["low"], torch.tensor([[3.0]]))

    with pytest.raises(AttributeError, match="numbers, not probabilities"):
        _ = predictions.entropy
