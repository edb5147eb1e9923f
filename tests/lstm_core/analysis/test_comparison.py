"""Recordings side by side: what numpy says of the same states, timestep by timestep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lstm_core
from lstm_core import Recording, record
from lstm_core.analysis import Comparison, compare, linear_cka
from lstm_core.errors import InputError, SelectionError
from tests.lstm_core.worlds import make_lstm, numbers


def recorded(text: str, *, seed: int = 0, **options: Any) -> Recording:
    """Of words; equal words have equal inputs."""
    words = text.split()
    lstm = make_lstm(3, 4, num_layers=2, seed=seed, **options)
    x = torch.stack([numbers(3, seed=sum(map(ord, word))) for word in words])
    found = record(lstm, x)
    assert isinstance(found, Recording)
    found.tokens = tuple(words)
    return found


def test_two_layers_are_compared_at_every_timestep() -> None:
    rec = recorded("so the sun is shiny")
    a, b = rec["h", 0].numpy(), rec["h", 1].numpy()
    found = compare(rec, of=("h", 0), to=("h", 1))
    assert found.pairs.tolist() == [[t, t] for t in range(5)]
    assert found.same.all()
    for t in range(5):
        size = (np.linalg.norm(a[t]) + np.linalg.norm(b[t])) / 2
        assert found.relative[t] == pytest.approx(np.linalg.norm(a[t] - b[t]) / size)
        assert found.cosine[t] == pytest.approx(
            a[t] @ b[t] / np.linalg.norm(a[t]) / np.linalg.norm(b[t])
        )
    assert found.mean_cosine == pytest.approx(found.cosine.mean())
    assert found.cka == pytest.approx(linear_cka(a, b))


def test_one_edited_word_is_where_they_part() -> None:
    rec, other = recorded("so the sun is shiny"), recorded("so the moon is shiny")
    found = compare(rec, other, of=("h", 1), threshold=0.05)
    assert found.same.tolist() == [True, True, False, True, True]
    assert found.distance[:2].tolist() == [0, 0]
    assert found.parts_at == 2 == np.argmax(found.relative > 0.05)
    assert compare(rec, other, of=("h", 1), threshold=2).parts_at is None
    again = compare(rec, of=("h", 1))
    assert again.parts_at is None
    np.testing.assert_allclose(again.cosine, 1)
    assert again.cka == 1


def test_a_backward_direction_parts_from_the_end() -> None:
    rec = recorded("so the sun is shiny", bidirectional=True)
    other = recorded("so the moon is shiny", bidirectional=True)
    forward = compare(rec, other, of=("h", 0, "forward"), threshold=0.01)
    backward = compare(rec, other, of=("h", 0, "backward"), threshold=0.01)
    assert forward.distance[:2].tolist() == [0, 0]
    assert backward.distance[3:].tolist() == [0, 0]
    assert forward.parts_at == backward.parts_at == 2
    assert backward.relative[1] > 0


def test_words_without_partner_have_no_distance_and_are_where_they_part() -> None:
    rec, other = recorded("so the sun is shiny"), recorded("the sun is very shiny")
    found = compare(rec, other, of=("c", 0))
    assert found.pairs.tolist() == [[0, -1], [1, 0], [2, 1], [3, 2], [-1, 3], [4, 4]]
    assert np.isnan(found.relative).tolist() == [True, False, False, False, True, False]
    assert np.isnan(found.norm).tolist() == [False, False, False, False, True, False]
    assert np.isnan(found.other_norm).tolist() == [True, False, False, False, False, False]
    assert found.parts_at == 0
    a, b = rec["c", 0].numpy()[1:], other["c", 0].numpy()[[0, 1, 2, 4]]
    assert found.cka == pytest.approx(linear_cka(a, b))
    assert found.distance[2] == pytest.approx(np.linalg.norm(a[1] - b[1]))
    later = compare(rec, other, of=("c", 0), start=1, stop=4, threshold=2)
    assert later.pairs.tolist() == [[1, 0], [2, 1], [3, 2]]
    assert later.parts_at is None


def test_where_widths_differ_there_are_norms_and_cka_only() -> None:
    rec = recorded("so the sun is shiny", proj_size=2)
    found = compare(rec, of=("h", 0), to=("c", 0), threshold=0)
    for numbers_ in (found.cosine, found.distance, found.relative):
        assert np.isnan(numbers_).all()
    np.testing.assert_allclose(found.other_norm, np.linalg.norm(rec["c", 0], axis=1))
    assert 0 < found.cka < 1
    assert np.isnan(found.mean_cosine)
    assert found.parts_at is None


def test_one_timestep_and_numbers_that_are_none_have_defined_values() -> None:
    rec = recorded("sun")
    found = compare(rec, of=("h", 0), to=("h", 1))
    assert np.isnan(found.cka)
    assert np.isfinite(found.cosine).all()
    one, other = recorded("so the sun is shiny"), recorded("so the sun is shiny")
    other["h", 1][2] = float("nan")
    found = compare(one, other, of=("h", 1))
    assert np.isnan(found.relative).tolist() == [False, False, True, False, False]
    assert found.parts_at == 2
    assert found.cka == pytest.approx(1)
    assert compare(other, other, of=("h", 1)).parts_at is None


def test_any_precision_and_what_was_loaded_will_do(tmp_path: Path) -> None:
    lstm = make_lstm(3, 4, dtype=torch.float32)
    half = make_lstm(3, 4, dtype=torch.bfloat16)
    x = numbers(6, 3)
    rec, rough = record(lstm, x.float()), record(half, x.bfloat16())
    assert isinstance(rec, Recording)
    assert compare(rec, rough).relative.max() < 0.1  # without tokens, timestep by timestep
    rec.save(tmp_path / "one.safetensors")
    assert compare(rec, Recording.load(tmp_path / "one.safetensors")).distance.max() == 0


def test_what_does_not_fit_says_so() -> None:
    rec, other = recorded("so the sun"), recorded("so the")
    rec.tokens = None
    with pytest.raises(InputError, match="3 and 2 timesteps"):
        compare(rec, other)
    with pytest.raises(InputError, match="no such timesteps"):
        compare(rec, start=3)
    with pytest.raises(SelectionError):
        compare(rec, of=("h", 7))


def test_it_says_what_it_is() -> None:
    rec, other = recorded("so the sun is shiny"), recorded("so the moon is shiny")
    found = compare(rec, other, of=("h", 1), threshold=0.05)
    assert isinstance(found, Comparison)
    text = repr(found)
    assert text.startswith("Comparison of 5 pairs of timesteps, 0 without partner: CKA 0.")
    assert text.endswith("they part at timestep 2 | 2")
    assert "never part" in repr(compare(rec))
    assert lstm_core.analysis.compare is compare
