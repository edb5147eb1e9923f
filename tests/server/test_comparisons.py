"""Every comparison the server sends against numpy, on the downloaded arrays."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray
from starlette.testclient import TestClient

from server import analyses, comparisons
from server.progress import ProgressWriter
from server.workers import Workers
from tests.server import worlds
from tests.server.worlds import problem, record, strict

Arrays = dict[str, NDArray[Any]]

LINES = {"Accept": "application/x-ndjson"}
LONG = "the sun, is shiny. " * 40  # 760 characters: two tiles
STATES = ["0.forward.h", "1.forward.h", "1.forward.c"]


def ask(client: TestClient, path: str, **query: Any) -> Any:
    reply = client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    return strict(reply.text)


def tensors(client: TestClient, path: str, **query: Any) -> Arrays:
    reply = client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    return safetensors.numpy.load(reply.content)


class Run:
    """A recording and its numbers."""

    def __init__(self, client: TestClient, text: str, model: str = "chars") -> None:
        self.made = record(client, text, model)
        self.id = self.made["id"]
        self.text = text
        self.url = f"/api/recordings/{self.id}"
        self.arrays = tensors(client, f"{self.url}/arrays", dtype="float64")
        self.tokens = [token["text"] for token in self.made["tokens"]]


@pytest.fixture(scope="module")
def run(client: TestClient) -> Run:
    return Run(client, LONG)


@pytest.fixture(scope="module")
def words(client: TestClient) -> tuple[Run, Run]:
    """Two sentences of a bidirectional tagger; one word is another, one is left out."""
    texts = "the sun is shiny the sun is shiny", "the sun is very shiny the moon shiny"
    one, other = (Run(client, text, "words") for text in texts)
    return one, other


#: The timesteps of these two, side by side.
ALIGNED = [(0, 0), (1, 1), (2, 2), (None, 3), (3, 4), (4, 5), (5, 6), (6, None), (7, 7)]
BOTH = [(i, j) for i, j in ALIGNED if i is not None and j is not None]


def cka(X: NDArray[Any], Y: NDArray[Any]) -> float:
    """By the timesteps' products."""
    n = len(X)
    H = np.eye(n) - 1 / n
    K, L = H @ X @ X.T @ H, H @ Y @ Y.T @ H
    return float((K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum()))


# --- similarity ---------------------------------------------------------------------------------


def test_all_layers_against_all_layers(client: TestClient, run: Run) -> None:
    found = ask(client, f"{run.url}/similarity", name=[*STATES, STATES[0]], start=3, stop=90)
    assert (found["names"], found["other_names"], found["timesteps"]) == (STATES, STATES, 87)
    expected = [[cka(run.arrays[a][3:90], run.arrays[b][3:90]) for b in STATES] for a in STATES]
    np.testing.assert_allclose(found["cka"], expected, atol=1e-5)
    some = ask(client, f"{run.url}/similarity", name=STATES[0], other_name=STATES[1:])
    assert (some["names"], some["other_names"]) == (STATES[:1], STATES[1:])
    expected = [[cka(run.arrays[STATES[0]], run.arrays[b]) for b in STATES[1:]]]
    np.testing.assert_allclose(some["cka"], expected, atol=1e-5)


def test_two_sentences_are_aligned_first(client: TestClient, words: tuple[Run, Run]) -> None:
    one, other = words
    names = ["0.forward.h", "0.backward.h"]
    found = ask(client, f"{one.url}/similarity", name=names, other=other.id)
    assert found["timesteps"] == len(BOTH)
    i, j = np.array(BOTH).T
    expected = [[cka(one.arrays[a][i], other.arrays[b][j]) for b in names] for a in names]
    np.testing.assert_allclose(found["cka"], expected, atol=1e-5)


def test_further_sentences_add_their_timesteps(client: TestClient, words: tuple[Run, Run]) -> None:
    one, other = words
    names = ["0.forward.h", "0.backward.c"]
    found = ask(client, f"{one.url}/similarity", name=names, also=[other.id, one.id], stop=4)
    runs = [(one, slice(0, 4)), (other, slice(None)), (one, slice(None))]
    X, Y = (np.concatenate([r.arrays[name][rows] for r, rows in runs]) for name in names)
    assert found["timesteps"] == len(X)
    np.testing.assert_allclose(found["cka"], [[1, cka(X, Y)], [cka(Y, X), 1]], atol=1e-5)


def test_further_sentences_stand_beside_what_another_model_makes_of_them(
    client: TestClient, words: tuple[Run, Run]
) -> None:
    one, other = words
    names, other_names = ["0.forward.h", "0.backward.c"], ["1.forward.h"]
    beside = [Run(client, run.text, "projected") for run in words]
    found = ask(
        client,
        f"{one.url}/similarity",
        name=names,
        other=beside[0].id,
        other_name=other_names,
        also=[other.id],
        other_also=[beside[1].id],
    )
    X = [np.concatenate([run.arrays[name] for run in words]) for name in names]
    Y = [np.concatenate([run.arrays[name] for run in beside]) for name in other_names]
    assert found["timesteps"] == len(X[0])
    np.testing.assert_allclose(found["cka"], [[cka(a, b) for b in Y] for a in X], atol=1e-5)


def test_one_token_has_no_similarity(client: TestClient) -> None:
    run = Run(client, "a")
    found = ask(client, f"{run.url}/similarity", name=STATES)
    assert (found["timesteps"], found["cka"]) == (1, [[None] * 3] * 3)


def test_where_states_are_not_finite_the_rest_is_compared(client: TestClient) -> None:
    run = Run(client, "abcdef", "nan")
    found = ask(client, f"{run.url}/similarity", name=["x", "0.forward.h"])
    finite = np.isfinite(run.arrays["0.forward.h"]).all(axis=1)
    assert not finite.all()
    assert found["cka"][0][0] == pytest.approx(1)
    if finite.sum() < 2:
        assert found["cka"][0][1] is None
    side = ask(client, f"{run.url}/comparison", name="0.forward.h", other_name="0.forward.c")
    assert [norm is None for norm in side["norm"]] == (~finite).tolist()
    paths = tensors(client, f"{run.url}/paths", name="0.forward.h")["0.0.forward.h"]
    assert np.isnan(paths).all(axis=1).tolist() == (~finite).tolist()
    matches = ask(client, f"{run.url}/best-matches", name="0.forward.h")["matches"]
    assert [match["other_unit"] for match in matches] == [None] * 6


def test_as_lines_it_says_how_far_it_is(
    client: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "SMALL_PRODUCTS", 0)
    path = f"{run.url}/similarity?{urlencode({'name': STATES[:2], 'start': 7}, doseq=True)}"
    reply = client.get(path, headers=LINES)
    assert reply.headers["content-type"] == "application/x-ndjson"
    *steps, last = [strict(line) for line in reply.text.splitlines()]
    assert steps[0] == {"progress": {"done": 0, "of": 1, "what": "waiting"}}
    assert last == {"similarity": client.get(path).json()}
    # What is remembered is the only line.
    again = client.get(path, headers=LINES)
    assert again.text.count("\n") == 1
    assert again.headers["cache-control"] == "no-store"
    assert client.get(path).headers["vary"] == "Accept"


def test_as_lines_what_is_refused_at_once_has_its_own_status(
    client: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem(client.get(f"{run.url}/similarity?name=9.forward.h", headers=LINES), 404)
    problem(client.get(f"/api/recordings/{'0' * 32}/similarity?name=x", headers=LINES), 404)

    async def fail(*_: Any) -> Any:
        raise ArithmeticError("a secret")

    monkeypatch.setattr(Workers, "run", fail)
    reply = client.get(f"{run.url}/similarity?name=x&start=9", headers=LINES)
    told = strict(reply.text.splitlines()[-1])["problem"]
    assert told["status"] == 500
    assert "secret" not in reply.text


def test_who_hangs_up_ends_it_unless_somebody_else_waits(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    real = Workers.run

    async def slow(self: Workers, job: Any, *args: Any) -> Any:
        if job != "similarity":
            return await real(self, job, *args)
        ProgressWriter(Path(args[-1]))(1, 2, "comparing")
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            ended.append(args[-1])
            raise

    monkeypatch.setattr(Workers, "run", slow)
    monkeypatch.setattr(comparisons, "SMALL_PRODUCTS", 0)
    app = worlds.app_with(models, data_folder=tmp_path)

    async def listen(key: str, left: asyncio.Event, heard: list[Any]) -> None:
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            heard.extend(strict(line) for line in message.get("body", b"").splitlines())

        await app(_scope(f"/api/recordings/{key}/similarity"), receive, send)

    async def story() -> None:
        async with app.router.lifespan_context(app):
            services = app.state.services
            made = await services.recordings.get_or_make(worlds.wanted("the sun"))
            events = [asyncio.Event(), asyncio.Event()]
            heard: list[list[Any]] = [[], []]
            tasks = [
                asyncio.create_task(listen(made.id, event, lines))
                for event, lines in zip(events, heard, strict=True)
            ]
            step = {"progress": {"done": 1, "of": 2, "what": "comparing"}}
            async with asyncio.timeout(20):
                while not all(step in lines for lines in heard):
                    await asyncio.sleep(0.02)
            events[0].set()
            await tasks[0]
            await asyncio.sleep(0.1)
            assert ended == []
            events[1].set()
            await tasks[1]
            async with asyncio.timeout(20):
                while not ended or Path(ended[0]).exists():
                    await asyncio.sleep(0.02)
            with services.recordings.held(made.id) as recording:
                assert recording.holders == 1

    asyncio.run(story())


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"name=x&name=1.forward.h",
        "headers": [(b"host", b"localhost"), (b"accept", b"application/x-ndjson")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 8000),
    }


def test_a_comparison_that_is_left_ends_its_process(models: Path, tmp_path: Path) -> None:
    """With the real pool: a job that takes seconds, and a client that does not wait for it."""
    app = worlds.app_with(models, data_folder=tmp_path)

    async def story() -> None:
        async with app.router.lifespan_context(app):
            services = app.state.services
            made = await services.recordings.get_or_make(worlds.wanted("the sun, " * 2000))
            pool = services.comparisons._comparers
            with services.recordings.held(made.id) as recording:
                every = [name for name, e in recording.file.entries.items() if len(e.shape) == 2]
                sides = comparisons.Sides(recording, None)
                rows = recording.file.rows(None, None)
                matrix = comparisons.checked_matrix(sides, every, (), rows, [sides] * 60)
                asking = asyncio.create_task(services.comparisons.similarity(matrix))
                async with asyncio.timeout(30):
                    while not pool.pids:
                        await asyncio.sleep(0.01)
                (pid,) = pool.pids
                asking.cancel()
                async with asyncio.timeout(30):
                    while Path(f"/proc/{pid}").exists():
                        await asyncio.sleep(0.02)
                # The next one gets a process of its own.
                small = comparisons.checked_matrix(sides, ["x"], (), range(5), ())
                assert b'"cka":[[1.0]]' in await services.comparisons.similarity(small)

    asyncio.run(story())


# --- comparison ---------------------------------------------------------------------------------


def relative(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b)) * 2)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_two_sentences_side_by_side(
    client: TestClient, words: tuple[Run, Run], direction: str
) -> None:
    one, other = words
    name = f"0.{direction}.h"
    found = ask(client, f"{one.url}/comparison", name=name, other=other.id, threshold=0.05)
    assert found["names"] == [name, name]
    assert found["widths"] == [6, 6]
    assert [tuple(pair) for pair in found["pairs"]] == ALIGNED
    A, B = one.arrays[name], other.arrays[name]
    parted = []
    for k, (i, j) in enumerate(ALIGNED):
        a, b = (None if t is None else X[t] for t, X in ((i, A), (j, B)))
        for norm, x in ((found["norm"][k], a), (found["other_norm"][k], b)):
            assert norm == (None if x is None else pytest.approx(np.linalg.norm(x), rel=1e-5))
        if a is None or b is None:
            assert found["same"][k] is False
            assert found["cosine"][k] is found["distance"][k] is found["relative"][k] is None
            parted.append(k)
            continue
        assert found["same"][k] == (one.tokens[i] == other.tokens[j])
        angle = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert found["cosine"][k] == pytest.approx(angle, abs=1e-6)
        assert found["distance"][k] == pytest.approx(np.linalg.norm(a - b), abs=1e-6)
        assert found["relative"][k] == pytest.approx(relative(a, b), abs=1e-6)
        if relative(a, b) > 0.05:
            parted.append(k)
    assert found["parts_at"] == parted[0 if direction == "forward" else -1]
    i, j = np.array(BOTH).T
    assert found["cka"] == pytest.approx(cka(A[i], B[j]), abs=1e-5)
    known = [angle for angle in found["cosine"] if angle is not None]
    assert found["mean_cosine"] == pytest.approx(np.mean(known))


def test_how_predictions_changed(client: TestClient, words: tuple[Run, Run]) -> None:
    one, other = words
    found = ask(client, f"{one.url}/comparison", name="0.forward.h", other=other.id)
    labels = one.made["predictions"]["labels"]
    P, Q = one.arrays["scores"], other.arrays["scores"]
    for (i, j), top, moved in zip(
        ALIGNED, found["predictions"]["top"], found["predictions"]["moved"], strict=True
    ):
        assert top[0] == (None if i is None else labels[P[i].argmax()])
        assert top[1] == (None if j is None else labels[Q[j].argmax()])
        if i is None or j is None:
            assert moved is None
        else:
            assert moved == pytest.approx(np.abs(P[i] - Q[j]).sum() / 2, abs=1e-6)
    alone = ask(client, f"{one.url}/comparison", name="0.forward.h", other=one.id)
    assert alone["predictions"] is None
    assert alone["parts_at"] is None
    assert set(alone["relative"]) == {0}


def test_two_models_read_the_same_text(client: TestClient, words: tuple[Run, Run]) -> None:
    one = words[0]
    other = Run(client, one.made["text"], "projected")
    query = {"name": "0.forward.h", "other": other.id, "other_name": "1.backward.h"}
    found = ask(client, f"{one.url}/comparison", **query)
    assert found["widths"] == [6, 3]
    assert all(found["same"])
    assert found["relative"] == [None] * 8
    assert found["parts_at"] is None
    assert found["cka"] == pytest.approx(
        cka(one.arrays["0.forward.h"], other.arrays["1.backward.h"]), abs=1e-5
    )
    assert found["predictions"]["moved"][0] is not None  # of the same four tags
    chars = Run(client, "the sun")
    found = ask(client, f"{one.url}/comparison", name="0.forward.h", other=chars.id)
    assert set(found["predictions"]["moved"]) == {None}


def test_forward_beside_backward_on_one_axis(client: TestClient, words: tuple[Run, Run]) -> None:
    run = words[0]
    names = "0.forward.h", "0.backward.h"
    query = {"name": names[0], "other_name": names[1], "start": 2, "stop": 6, "threshold": 0}
    found = ask(client, f"{run.url}/comparison", **query)
    assert found["pairs"] == [[t, t] for t in range(2, 6)]
    expected = [relative(run.arrays[names[0]][t], run.arrays[names[1]][t]) for t in range(2, 6)]
    np.testing.assert_allclose(found["relative"], expected, rtol=1e-5)
    assert (found["parts_at"], found["threshold"]) == (0, 0)


def test_a_head_of_numbers_has_no_probabilities_to_compare(tmp_path: Path) -> None:
    from lstm_core.model_spec import ModelSpec
    from lstm_core.shape import LSTMShape, StackShape

    spec = ModelSpec(
        title="Numbers",
        task="value",
        split="words",
        vocabularies={"word": worlds.WORDS},
        embedding={"word": 4},
        lstm=StackShape.of(LSTMShape(4, 3)),
        labels=["a", "b"],
    )
    worlds.save(tmp_path / "values", spec)
    with worlds.client_with(tmp_path) as client:
        one, other = Run(client, "the sun", "values"), Run(client, "the shiny", "values")
        found = ask(client, f"{one.url}/comparison", name="0.forward.h", other=other.id)
        assert found["predictions"] is None


# --- best matches -------------------------------------------------------------------------------


def test_units_and_their_partners(client: TestClient, words: tuple[Run, Run]) -> None:
    one, other = words
    query = {"name": "0.forward.h", "other": other.id, "other_name": "0.backward.c"}
    matches = ask(client, f"{one.url}/best-matches", **query)["matches"]
    i, j = np.array(BOTH).T
    A, B = one.arrays["0.forward.h"][i], other.arrays["0.backward.c"][j]
    r = np.corrcoef(np.concatenate([A, B], axis=1).T)[:6, 6:]
    assert [match["unit"] for match in matches] == list(range(6))
    assert [match["other_unit"] for match in matches] == np.abs(r).argmax(axis=1).tolist()
    assert sorted(match["one_to_one_unit"] for match in matches) == list(range(6))
    for unit, match in enumerate(matches):
        assert match["correlation"] == pytest.approx(r[unit, match["other_unit"]], abs=1e-5)
        own = r[unit, match["one_to_one_unit"]]
        assert match["one_to_one_correlation"] == pytest.approx(own, abs=1e-5)


def test_a_wider_array_has_units_without_a_partner_of_their_own(
    client: TestClient, run: Run
) -> None:
    query = {"name": "scores", "other_name": "0.forward.h"}
    matches = ask(client, f"{run.url}/best-matches", **query)["matches"]
    assert len(matches) == 30
    assert sum(match["one_to_one_unit"] is not None for match in matches) == 6
    assert all(match["other_unit"] is not None for match in matches)


# --- paths --------------------------------------------------------------------------------------


def by_svd(X: NDArray[Any], components: int) -> tuple[NDArray[Any], NDArray[Any]]:
    centred = X - X.mean(axis=0)
    _, sizes, loadings = np.linalg.svd(centred, full_matrices=False)
    sign = [np.sign(max(loading, key=abs)) for loading in loadings]
    points = centred @ (loadings * np.array(sign)[:, None]).T
    return points[:, :components], (sizes**2 / np.square(sizes).sum())[:components]


def test_paths_of_several_sentences_in_a_space_of_each_array(
    client: TestClient, words: tuple[Run, Run]
) -> None:
    one, other = words
    names = ["0.forward.h", "0.backward.c"]
    query = {"name": names, "also": other.id, "components": 2, "start": 1}
    sent = tensors(client, f"{one.url}/paths", **query)
    assert len(sent) == 6
    for name in names:
        parts = [one.arrays[name][1:], other.arrays[name]]
        points, shares = by_svd(np.concatenate(parts), 2)
        found = np.concatenate([sent[f"0.{name}"], sent[f"1.{name}"]])
        assert found.dtype == np.float32
        assert [len(sent[f"{k}.{name}"]) for k in (0, 1)] == [len(part) for part in parts]
        np.testing.assert_allclose(found, points, atol=1e-5)
        np.testing.assert_allclose(sent[f"explained.{name}"], shares, atol=1e-5)


def test_paths_of_all_arrays_in_one_space(client: TestClient, words: tuple[Run, Run]) -> None:
    one, other = words
    names = ["0.forward.h", "0.backward.h"]
    query = {"name": names, "also": other.id, "space": "shared"}
    sent = tensors(client, f"{one.url}/paths", **query)
    keys = [(k, name) for name in names for k in (0, 1)]
    whole = np.concatenate([(one, other)[k].arrays[name] for k, name in keys])
    points, shares = by_svd(whole, 3)
    found = np.concatenate([sent[f"{k}.{name}"] for k, name in keys])
    np.testing.assert_allclose(found, points, atol=1e-5)
    np.testing.assert_allclose(sent["explained"], shares, atol=1e-5)
    assert len(sent) == 5
    told = problem(client.get(f"{one.url}/paths?name=0.forward.h&name=scores&space=shared"), 422)
    assert told["came"] == "0.forward.h of 6 units, scores of 4"


def test_one_token_is_a_path_of_one_point_at_the_origin(client: TestClient) -> None:
    sent = tensors(client, f"{Run(client, 'a').url}/paths", name="0.forward.h", components=2)
    assert sent["0.0.forward.h"].tolist() == [[0, 0]]
    assert sent["explained.0.forward.h"].tolist() == [0, 0]


# --- tiles --------------------------------------------------------------------------------------


def test_tiles_of_two_layers_and_of_their_difference(client: TestClient, run: Run) -> None:
    names = {"name": "0.forward.h", "other_name": "1.forward.h"}
    for query in (
        {"level": 0, "tile": 1},
        {"level": 2, "units_per_row": 4, "statistic": "mean"},
        {"level": 1, "sort": "variance", "sort_of": "c"},
        {"level": 60, "units_per_row": 10_000_000},
    ):
        sent = tensors(client, f"{run.url}/comparison-tiles", **names, **query)
        one = tensors(client, f"{run.url}/tiles", name=names["name"], **query)
        np.testing.assert_array_equal(sent["one"], one[names["name"]])
        assert sent["one"].shape == sent["other"].shape == sent["difference"].shape
    order = ask(client, f"{run.url}/orders", layer=0, sort="variance", sort_of="c")["order"]
    query = {"sort": "variance", "sort_of": "c"}
    sent = tensors(client, f"{run.url}/comparison-tiles", **names, **query)
    A, B = run.arrays["0.forward.h"][:512, order], run.arrays["1.forward.h"][:512, order]
    np.testing.assert_allclose(sent["other"], B, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(sent["difference"], A - B, rtol=1e-3, atol=1e-4)


def test_a_pooled_difference_is_that_of_the_numbers(client: TestClient, run: Run) -> None:
    query = {"name": "0.forward.h", "other_name": "1.forward.h", "level": 3, "statistic": "mean"}
    sent = tensors(client, f"{run.url}/comparison-tiles", **query)["difference"]
    apart = run.arrays["0.forward.h"] - run.arrays["1.forward.h"]
    expected = [apart[t : t + 8].mean(axis=0) for t in range(0, len(apart), 8)]
    np.testing.assert_allclose(sent, expected, rtol=1e-3, atol=1e-4)


def test_tiles_of_another_sentence_stand_at_the_timesteps_of_this(
    client: TestClient, words: tuple[Run, Run]
) -> None:
    one, other = words
    sent = tensors(client, f"{one.url}/comparison-tiles", name="0.forward.h", other=other.id)
    A, B = one.arrays["0.forward.h"], other.arrays["0.forward.h"]
    expected = np.full(A.shape, np.nan)
    for i, j in BOTH:
        expected[i] = B[j]
    np.testing.assert_allclose(sent["one"], A, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(sent["other"], expected, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(sent["difference"], A - expected, rtol=1e-3, atol=1e-4)
    wider = {"name": "0.forward.h", "other": other.id, "other_name": "scores", "sort": "mean"}
    sent = tensors(client, f"{one.url}/comparison-tiles", **wider)
    assert sorted(sent) == ["one", "other"]
    i, j = np.array(BOTH).T
    np.testing.assert_allclose(sent["other"][i], other.arrays["scores"][j], rtol=1e-3)


# --- what cannot be asked -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("similarity", 422),
        ("similarity?name=0.forward.z", 404),
        ("similarity?name=0.forward.h_0", 422),
        ("similarity?name=x&other=nobody", 404),
        ("similarity?name=x&also=nobody", 404),
        ("similarity?name=x&other_name=y", 404),
        ("similarity?name=x&start=5&stop=5", 422),
        ("similarity?name=x&stop=100000", 422),
        ("similarity?name=x&other=OTHER&also=OTHER", 422),
        ("similarity?name=x&also=OTHER&other_also=OTHER", 422),
        ("similarity?name=x&other=OTHER&also=OTHER&other_also=nobody", 404),
        ("similarity?name=x&also=OTHER", 422),
        ("comparison", 422),
        ("comparison?name=", 404),
        ("comparison?name=x&other_name=0.forward.h_0", 422),
        ("comparison?name=x&threshold=-1", 422),
        ("comparison?name=x&threshold=nan", 422),
        ("comparison?name=x&start=-1", 422),
        ("best-matches?name=y", 404),
        ("best-matches?name=x&other=nobody", 404),
        ("paths", 422),
        ("paths?name=x&components=0", 422),
        ("paths?name=x&components=11", 422),
        ("paths?name=x&space=mine", 422),
        ("paths?name=x&also=OTHER", 422),
        ("paths?name=1.forward.h&also=OTHER", 404),
        ("comparison-tiles?name=x&tile=2", 422),
        ("comparison-tiles?name=x&other_name=y", 404),
        ("comparison-tiles?name=x&sort=similarity", 422),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_says_why(
    client: TestClient, run: Run, words: tuple[Run, Run], query: str, status: int
) -> None:
    path = f"{run.url}/{query}".replace("OTHER", words[0].id)
    assert problem(client.get(path), status)["detail"]


def test_what_would_need_too_much_is_refused(
    client: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "MAX_PAIRS", 3)
    monkeypatch.setattr(comparisons, "MAX_UNIT_PAIRS", 30)
    told = problem(client.get(f"{run.url}/similarity?name=x&name=1.forward.h"), 422)
    assert told["came"] == "2 with 2"
    problem(client.get(f"{run.url}/best-matches?name=1.forward.h"), 422)
    monkeypatch.setattr(comparisons, "MAX_NUMBERS", 1000)
    for path in ("similarity", "comparison", "best-matches", "paths"):
        told = problem(client.get(f"{run.url}/{path}?name=x"), 422)
        assert "fewer timesteps" in told["expected"]
    monkeypatch.setattr(analyses, "MAX_REPLY_BYTES", 1000)
    problem(client.get(f"{run.url}/paths?name=x"), 422)
    problem(client.get(f"{run.url}/comparison-tiles?name=x"), 422)


PATHS = [
    "similarity?name=x&stop=50",
    "comparison?name=x",
    "best-matches?name=x",
    "paths?name=x",
    "comparison-tiles?name=x",
]


def test_nothing_is_asked_for_a_copy_the_browser_has(
    client: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [*PATHS, *(f"{path}&other_name=1.forward.h" for path in PATHS[:3])]
    tags = {path: client.get(f"{run.url}/{path}").headers["etag"] for path in paths}
    assert len(set(tags.values())) == len(paths)
    monkeypatch.setattr(Workers, "run", None)
    for path, tag in tags.items():
        again = client.get(f"{run.url}/{path}", headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


def test_large_ones_go_to_a_process_of_their_own(
    client: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[tuple[bool, str]] = []
    real = Workers.run

    async def seen(self: Workers, job: Any, *args: Any) -> Any:
        jobs.append((self._short, job))
        return await real(self, job, *args)

    monkeypatch.setattr(Workers, "run", seen)
    small = [client.get(f"{run.url}/{path}&stop=40").content for path in PATHS[1:4]]
    assert jobs == [(True, "comparison"), (True, "best_matches"), (True, "paths")]
    monkeypatch.setattr(comparisons, "SMALL_NUMBERS", 0)
    monkeypatch.setattr(comparisons, "SMALL_PRODUCTS", 0)
    for n in (41, 42):
        client.get(f"{run.url}/similarity?name=x&stop={n}")
        monkeypatch.setattr(comparisons, "SMALL_PRODUCTS", 1e9)
    assert jobs[3:] == [(False, "similarity"), (True, "similarity")]
    del jobs[3:]
    assert small == [client.get(f"{run.url}/{path}&stop=40").content for path in PATHS[1:4]]
    assert jobs[3:] == [(False, "comparison"), (False, "best_matches"), (False, "paths")]
