"""Every answer of the readers against numpy, loop by loop, on the downloaded arrays."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from server import analyses
from tests.server import worlds
from tests.server.worlds import WORDS, problem, record

LONG = "the sun, is shiny. " * 58  # 1,102 characters: three tiles
CELLS = ["0.forward", "1.forward"]

Arrays = dict[str, np.ndarray[Any, Any]]


def ask(client: TestClient, path: str, **query: Any) -> Any:
    reply = client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    return reply


def tensors(client: TestClient, path: str, **query: Any) -> Arrays:
    return safetensors.numpy.load(ask(client, path, **query).content)


@pytest.fixture(scope="module")
def url(client: TestClient) -> str:
    return f"/api/recordings/{record(client, LONG)['id']}"


@pytest.fixture(scope="module")
def whole(client: TestClient, url: str) -> Arrays:
    return tensors(client, f"{url}/arrays")


# --- tiles --------------------------------------------------------------------------------------


def bucket(values: list[float], statistic: str) -> float:
    """What the documentation says, one bucket at a time."""
    if not all(math.isfinite(value) for value in values):
        return math.nan
    mean = math.fsum(values) / len(values)
    if statistic == "mean":
        return mean
    low, high = min(values), max(values)
    if high - mean == mean - low:
        return high if abs(high) >= abs(low) else low
    return high if high - mean > mean - low else low


def pooled(
    values: np.ndarray[Any, Any], level: int, tile: int, rows: int, statistic: str, order: Any
) -> np.ndarray[Any, Any]:
    T, U = values.shape
    width, columns = 2**level, math.ceil(T / 2**level)
    result = []
    for column in range(tile * 512, min(tile * 512 + 512, columns)):
        cut = values[column * width : (column + 1) * width][:, order].astype(float)
        result.append(
            [
                bucket(cut[:, row : row + rows].ravel().tolist(), statistic)
                for row in range(0, U, rows)
            ]
        )
    return np.array(result)


@given(
    level=st.integers(0, 12),
    units_per_row=st.integers(1, 8),
    statistic=st.sampled_from(["extreme", "mean"]),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_a_tile_is_what_a_loop_over_its_buckets_gives(
    client: TestClient,
    url: str,
    whole: Arrays,
    level: int,
    units_per_row: int,
    statistic: str,
    data: st.DataObject,
) -> None:
    tiles = math.ceil(math.ceil(len(LONG) / 2**level) / 512)
    tile = data.draw(st.integers(0, tiles - 1))
    name = data.draw(st.sampled_from(["1.forward.c", "x", "scores", "0.forward.i"]))
    sent = tensors(
        client,
        f"{url}/tiles",
        name=name,
        level=level,
        tile=tile,
        units_per_row=units_per_row,
        statistic=statistic,
    )
    order = range(whole[name].shape[1])
    expected = pooled(whole[name], level, tile, units_per_row, statistic, order)
    assert sent[name].dtype == np.float16
    np.testing.assert_allclose(sent[name], expected, rtol=1e-3, atol=1e-6)


def test_the_tiles_of_a_level_are_all_its_columns(
    client: TestClient, url: str, whole: Arrays
) -> None:
    parts = [tensors(client, f"{url}/tiles", name="x", tile=n)["x"] for n in range(3)]
    assert [len(part) for part in parts] == [512, 512, len(LONG) - 1024]
    np.testing.assert_array_equal(np.concatenate(parts), whole["x"].astype(np.float16))
    told = problem(client.get(f"{url}/tiles?name=x&tile=3"), 422)
    assert told["expected"] == "0 ≤ tile < 3 at level 0"


def test_many_arrays_come_in_one_reply_each_once(client: TestClient, url: str) -> None:
    names = [f"{cell}.{q}" for cell in CELLS for q in "ifgoch"]
    sent = tensors(client, f"{url}/tiles", name=[*names, *names], level=2)
    assert sorted(sent) == sorted(names)


def test_what_float16_cannot_hold_stays_finite_and_what_is_not_finite_is_nan(
    tmp_path: Path,
) -> None:
    model = worlds.save(tmp_path / "large", worlds.words())
    with torch.no_grad():
        weights = model.embedding["word"].weight
        weights[WORDS.index("sun"), 0] = 1e30
        weights[WORDS.index("is"), 0] = -1e30
        weights[WORDS.index("shiny"), 0] = float("inf")
    model.save(tmp_path / "large")
    with worlds.client_with(tmp_path) as client:
        made = record(client, "the sun is shiny the", "large")
        sent = tensors(client, f"/api/recordings/{made['id']}/tiles", name=["x", "0.forward.h"])
        by_name = {array["name"]: array for array in made["arrays"]}
        assert (by_name["x"]["low"], by_name["x"]["finite"]) == (np.float32(-1e30), False)
        assert by_name["x"]["high"] == np.float32(1e30)
    column = sent["x"][:, 0]
    assert (column[1], column[2]) == (65504, -65504)
    assert np.isnan(column[3])
    assert np.isfinite(sent["x"][:, 1:]).all()


def test_the_range_of_an_array_is_that_of_its_numbers(client: TestClient, whole: Arrays) -> None:
    for array in record(client, LONG)["arrays"]:
        values = whole[array["name"]]
        assert (array["low"], array["high"]) == (values.min(), values.max())
        assert array["finite"]


def test_an_array_without_a_finite_number_has_no_range(client: TestClient) -> None:
    by_name = {array["name"]: array for array in record(client, "abc", "nan")["arrays"]}
    assert by_name["0.forward.i"]["finite"] is False
    array = tensors(
        client, f"/api/recordings/{record(client, 'abc', 'nan')['id']}/arrays", name="0.forward.i"
    )["0.forward.i"]
    finite = array[np.isfinite(array)]
    assert by_name["0.forward.i"]["low"] == (finite.min() if finite.size else None)


# --- orders -------------------------------------------------------------------------------------


def expected_order(values: np.ndarray[Any, Any], sort: str, unit: int) -> list[int]:
    values = values.astype(float)
    if sort == "peak":
        keys = np.abs(values).argmax(axis=0)
    elif sort == "mean":
        keys = -values.mean(axis=0)
    elif sort == "variance":
        keys = -values.var(axis=0)
    elif sort == "similarity":
        keys = -np.corrcoef(values.T)[unit]
        keys[unit] = -2
    else:
        keys = np.arange(values.shape[1])
    return np.argsort(keys, kind="stable").tolist()


@pytest.mark.parametrize("sort", ["index", "peak", "mean", "variance", "similarity"])
@pytest.mark.parametrize("quantity", ["h", "c", "i"])
def test_an_order_is_what_numpy_says(
    client: TestClient, url: str, whole: Arrays, sort: str, quantity: str
) -> None:
    sent = ask(client, f"{url}/orders", layer=1, sort=sort, sort_of=quantity, unit=2).json()
    assert sent == {"order": expected_order(whole[f"1.forward.{quantity}"], sort, 2)}


@pytest.mark.parametrize("sort", ["peak", "mean", "variance", "similarity", "cluster"])
def test_a_tile_has_its_units_in_the_order_of_its_cell(
    client: TestClient, url: str, whole: Arrays, sort: str
) -> None:
    names = ["0.forward.c", "1.forward.i", "x", "scores"]
    query = {"sort": sort, "sort_of": "c", "unit": 1, "level": 3}
    sent = tensors(client, f"{url}/tiles", name=names, units_per_row=4, **query)
    for name in names:
        order = range(whole[name].shape[1])
        if name[0] in "01":
            order = ask(
                client, f"{url}/orders", layer=name[0], sort=sort, sort_of="c", unit=1
            ).json()["order"]
            assert sorted(order) == list(range(6))
        expected = pooled(whole[name], 3, 0, 4, "extreme", list(order))
        np.testing.assert_allclose(sent[name], expected, rtol=1e-3, atol=1e-6)


def test_where_a_projection_makes_widths_differ_units_stay_as_they_are(client: TestClient) -> None:
    url = f"/api/recordings/{record(client, 'the sun is shiny ' * 5, 'projected')['id']}"
    names = ["0.forward.c", "0.forward.h"]
    plain = tensors(client, f"{url}/tiles", name=names)
    by_h = tensors(client, f"{url}/tiles", name=names, sort="variance", sort_of="h")
    by_c = tensors(client, f"{url}/tiles", name=names, sort="variance", sort_of="c")
    for name, other, sort_of in ((names[1], by_h, "h"), (names[0], by_c, "c")):
        order = ask(client, f"{url}/orders", layer=0, sort="variance", sort_of=sort_of).json()
        np.testing.assert_array_equal(other[name], plain[name][:, order["order"]])
    np.testing.assert_array_equal(by_h[names[0]], plain[names[0]])
    np.testing.assert_array_equal(by_c[names[1]], plain[names[1]])
    # Unit 4 is one of c, and none of h.
    similar = tensors(client, f"{url}/tiles", name=names, sort="similarity", unit=4)
    np.testing.assert_array_equal(similar[names[1]], plain[names[1]])
    told = problem(client.get(f"{url}/orders?layer=0&sort=similarity&unit=4"), 422)
    assert told["expected"] == "0 ≤ unit < 3"


def test_an_order_is_computed_once(
    client: TestClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"sort": "similarity", "sort_of": "o", "unit": 3}
    first = ask(client, f"{url}/orders", layer=0, **query).json()
    monkeypatch.setattr(analyses.Analyses, "_find", None)
    assert ask(client, f"{url}/orders", layer=0, **query).json() == first


# --- units --------------------------------------------------------------------------------------


def test_summaries_are_those_of_numpy(client: TestClient, url: str, whole: Arrays) -> None:
    names = ["1.forward.h", "scores"]
    sent = tensors(client, f"{url}/unit-summaries", name=names)
    for name in names:
        values = whole[name].astype(float)
        for statistic, expected in (
            ("low", values.min(axis=0)),
            ("high", values.max(axis=0)),
            ("mean", values.mean(axis=0)),
            ("variance", values.var(axis=0)),
        ):
            assert sent[f"{name}.{statistic}"].dtype == np.float32
            np.testing.assert_allclose(sent[f"{name}.{statistic}"], expected, rtol=1e-6)
    assert len(sent) == 8


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_matching_units_are_those_a_loop_finds(
    client: TestClient, url: str, whole: Arrays, data: st.DataObject
) -> None:
    values = whole["1.forward.c"].astype(float)
    T = len(values)
    start = data.draw(st.sampled_from([0, 1, 500, T - 1]))
    stop = data.draw(st.integers(start + 1, min(start + 4, T)))
    above = float(
        data.draw(st.sampled_from(values[start].tolist())) - data.draw(st.sampled_from([0, 0.05]))
    )
    before, after = data.draw(st.booleans()), data.draw(st.booleans())
    found = []
    for unit, column in enumerate(values.T):
        on = all(column[t] > above for t in range(start, stop))
        off_before = not before or start == 0 or column[start - 1] <= above
        off_after = not after or stop == T or column[stop] <= above
        if on and off_before and off_after:
            found.append(unit)
    query = {"layer": 1, "quantity": "c", "start": start, "stop": stop, "above": repr(above)}
    sent = ask(client, f"{url}/matching-units", **query, off_before=before, off_after=after)
    assert sent.json() == {"units": found}


def test_units_of_arrays_can_be_cut_out(client: TestClient, url: str, whole: Arrays) -> None:
    names = ["0.forward.c", "1.forward.h", "x", "0.forward.h_0"]
    sent = tensors(client, f"{url}/arrays", name=names, unit_start=1, unit_stop=4, start=7)
    for name in names[:3]:
        np.testing.assert_array_equal(sent[name], whole[name][7:, 1:4])
    np.testing.assert_array_equal(sent[names[3]], whole[names[3]])
    half = tensors(client, f"{url}/arrays", name=names[0], unit_start=5, dtype="float16")
    np.testing.assert_array_equal(half[names[0]], whole[names[0]][:, 5:].astype(np.float16))


def test_large_arrays_come_in_pieces_with_their_length(
    client: TestClient, url: str, whole: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server import array_file
    from server.routes import recordings

    monkeypatch.setattr(recordings, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(array_file, "PIECE_BYTES", 100)
    for query in ({}, {"dtype": "float64"}, {"unit_stop": 2, "name": ["x", "scores"], "start": 3}):
        reply = ask(client, f"{url}/arrays", **query)
        assert int(reply.headers["content-length"]) == len(reply.content)
        for name, array in safetensors.numpy.load(reply.content).items():
            cut = whole[name] if array.ndim == 1 else whole[name][-len(array) :, : array.shape[1]]
            np.testing.assert_array_equal(array, cut.astype(array.dtype))


# --- what cannot be asked -----------------------------------------------------------------------

HUGE = 10**30


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("tiles", 422),
        ("tiles?name=", 404),
        ("tiles?name=0.forward.z", 404),
        ("tiles?name=0.forward.h_0", 422),
        ("tiles?name=x&level=-1", 422),
        (f"tiles?name=x&level={HUGE}", 422),
        ("tiles?name=x&level=60&tile=1", 422),
        ("tiles?name=x&level=1.5", 422),
        ("tiles?name=x&tile=-1", 422),
        (f"tiles?name=x&tile={HUGE}", 422),
        ("tiles?name=x&tile=9999999", 422),
        ("tiles?name=x&units_per_row=0", 422),
        (f"tiles?name=x&units_per_row={HUGE}", 422),
        ("tiles?name=x&statistic=median", 422),
        ("tiles?name=x&sort=random", 422),
        ("tiles?name=x&sort=mean&sort_of=z", 422),
        ("tiles?name=x&sort=similarity", 422),
        ("tiles?name=x&sort=similarity&unit=-1", 422),
        (f"tiles?name=x&sort=similarity&unit={HUGE}", 422),
        ("orders", 422),
        ("orders?layer=-1", 422),
        (f"orders?layer={HUGE}", 422),
        ("orders?layer=2", 404),
        ("orders?layer=0&direction=backward", 404),
        ("orders?layer=0&direction=up", 422),
        ("orders?layer=0&sort=similarity", 422),
        ("orders?layer=0&sort=similarity&unit=6", 422),
        ("unit-summaries", 422),
        ("unit-summaries?name=0.forward.c_0", 422),
        ("unit-summaries?name=y", 404),
        ("matching-units?layer=0", 422),
        ("matching-units?layer=0&above=nan", 422),
        ("matching-units?layer=0&above=inf", 422),
        ("matching-units?layer=0&above=1e999", 422),
        ("matching-units?layer=0&above=x", 422),
        ("matching-units?layer=7&above=0", 404),
        ("matching-units?layer=0&above=0&quantity=h_0", 422),
        ("matching-units?layer=0&above=0&start=5&stop=5", 422),
        (f"matching-units?layer=0&above=0&stop={HUGE}", 422),
        ("matching-units?layer=0&above=0&start=-1", 422),
        ("matching-units?layer=0&above=0&off_before=perhaps", 422),
        ("arrays?unit_start=-1&name=x", 422),
        ("arrays?unit_start=3&unit_stop=3&name=x", 422),
        ("arrays?unit_stop=7&name=0.forward.h", 422),
        (f"arrays?unit_stop={HUGE}&name=x", 422),
        (f"arrays?start={HUGE}", 422),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_says_why(
    client: TestClient, url: str, query: str, status: int
) -> None:
    told = problem(client.get(f"{url}/{query}"), status)
    assert told["detail"]


def test_extremes_that_make_sense_are_answered(client: TestClient, url: str) -> None:
    sent = tensors(client, f"{url}/tiles", name="x", level=60, units_per_row=10_000_000)
    assert sent["x"].shape == (1, 1)
    everything = ask(client, f"{url}/matching-units", layer=0, above=-1e300).json()
    assert everything == {"units": [0, 1, 2, 3, 4, 5]}


def test_a_reply_that_would_be_too_large_is_refused(
    client: TestClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyses, "MAX_REPLY_BYTES", 5000)
    told = problem(client.get(f"{url}/tiles?name=x"), 422)
    assert "units_per_row" in told["expected"]
    tensors(client, f"{url}/tiles", name="x", units_per_row=5)


def test_nothing_is_asked_for_a_copy_the_browser_has(
    client: TestClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [
        "tiles?name=x",
        "tiles?name=x&sort=mean",
        "orders?layer=0&sort=mean",
        "unit-summaries?name=x",
        "matching-units?layer=0&above=0",
        "arrays?name=x&unit_stop=2",
    ]
    tags = {path: client.get(f"{url}/{path}").headers["etag"] for path in paths}
    assert len(set(tags.values())) == len(paths)
    monkeypatch.setattr(analyses.Workers, "run", None)
    for path, tag in tags.items():
        again = client.get(f"{url}/{path}", headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_recording_that_is_gone_can_be_asked_nothing(client: TestClient) -> None:
    for path in ("tiles?name=x", "orders?layer=0", "unit-summaries?name=x", "export?format=csv"):
        reply = client.get(f"/api/recordings/{'0' * 32}/{path}&name=x")
        assert "makes it again" in problem(reply, 404)["detail"]


def test_readers_do_without_torch() -> None:
    script = "import sys, server.reading; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "False\n", done.stderr
