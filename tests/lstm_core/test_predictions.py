"""What a head says."""

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
