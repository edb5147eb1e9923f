"""Exports read back with the programs they are for: pandas, numpy, safetensors and pyarrow."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pyarrow.parquet
import pytest
import safetensors
import safetensors.numpy
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_core import exports, record
from lstm_core.errors import InputError, SelectionError
from lstm_core.exports import FORMATS, write_export
from lstm_core.predictions import Predictions
from tests.lstm_core.worlds import make_lstm, numbers, steady

ROOT = Path(exports.__file__).parents[1]

#: What tokens may look like, and what spoils them on the way: formulas, separators, missing values.
NASTY = [
    *("", " ", ",", ";", '"', '""', 'a"b', "a,b", "a;b", "\n", "\r", "\r\n", "a\nb", "\t", "\\"),
    *("=1+1", "+1", "-1", "-", "--", "@SUM(A1)", " =1", "\u00a0=1", "＝1", "'", "''", "'=1", "'a"),
    *("NA", "NaN", "nan", "null", "None", "N/A", "#N/A", "inf", "1", "01", "1e5", "True"),
    *("é", "日本", "🙂", "\u202e", "\ufeff", "\u2028", "\x0b", "\x85", "<script>", "a\0b"),
]
tokens_ = st.lists(
    st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    min_size=1,
    max_size=6,
)


@st.composite
def slices(draw):
    """Arguments of write_export: two arrays of one precision, of any numbers at all."""
    tokens = draw(tokens_)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    width = np.dtype(dtype).itemsize * 8
    arrays, units = {}, {}
    for name in ("1.forward.h", "x"):
        units[name] = draw(st.lists(st.integers(0, 600), min_size=1, max_size=4, unique=True))
        shape = (len(tokens), len(units[name]))
        arrays[name] = draw(hnp.arrays(dtype, shape, elements=st.floats(width=width)))
    return {
        "arrays": arrays,
        "tokens": tokens,
        "start": draw(st.integers(0, 10_000)),
        "units": units,
        "metadata": {"model": "tagger", "text": "".join(tokens)},
    }


def written(format, arrays, **options) -> bytes:
    file = io.BytesIO()
    write_export(file, format, arrays, **options)
    return file.getvalue()


def column_names(part):
    return [f"{name}[{unit}]" for name in part["arrays"] for unit in part["units"][name]]


def timesteps(part):
    return list(range(part["start"], part["start"] + len(part["tokens"])))


def same_bits(a, b):
    """-0.0 and the smallest numbers included; which NaN it is, no text can say."""
    a, b = np.asarray(a), np.asarray(b)
    same = (a == b) & (np.signbit(a) == np.signbit(b)) | (np.isnan(a) & np.isnan(b))
    return a.dtype == b.dtype and a.shape == b.shape and bool(same.all())


# --- CSV ----------------------------------------------------------------------------------------


@steady
@given(slices())
def test_a_csv_file_is_read_by_pandas_exactly(part):
    data = written("csv", **part)
    values = np.concatenate(list(part["arrays"].values()), axis=1)
    names = column_names(part)

    table = pandas.read_csv(io.BytesIO(data), dtype=dict.fromkeys(names, values.dtype))
    tokens = pandas.read_csv(io.BytesIO(data), usecols=["token"], dtype=str, keep_default_na=False)[
        "token"
    ]

    assert list(table.columns) == ["timestep", "token", *names]
    assert table["timestep"].tolist() == timesteps(part)
    assert same_bits(table[names].to_numpy(), values)
    assert tokens.str.removeprefix("'").tolist() == part["tokens"]


@steady
@given(slices())
def test_a_csv_file_is_read_by_pythons_own_module(part):
    rows = list(csv.reader(io.StringIO(written("csv", **part).decode("utf-8"), newline="")))

    values = np.concatenate(list(part["arrays"].values()), axis=1)
    assert rows[0] == ["timestep", "token", *column_names(part)]
    assert [int(row[0]) for row in rows[1:]] == timesteps(part)
    assert [row[1].removeprefix("'") for row in rows[1:]] == part["tokens"]
    assert same_bits(np.array([row[2:] for row in rows[1:]]).astype(values.dtype), values)


@steady
@given(tokens_)
def test_no_token_in_a_csv_file_is_a_formula(tokens):
    data = written("csv", **with_tokens(tokens)).decode("utf-8")

    for row in list(csv.reader(io.StringIO(data, newline="")))[1:]:
        assert not row[1].strip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
        assert not row[1].startswith(("\t", "\r", "\n"))


def test_an_ordinary_token_is_written_as_it_is():
    data = written("csv", **with_tokens(["The", "sun", "isn't", "a-b", "1=1", "é"])).decode()

    assert [row[1] for row in csv.reader(io.StringIO(data))] == [
        *("token", "The", "sun", "isn't", "a-b", "1=1", "é")
    ]


def test_numbers_in_a_csv_file_are_as_short_as_they_can_be():
    part = with_tokens(["a"]) | {"arrays": {"x": np.array([[0.1]], np.float32)}}
    assert written("csv", **part) == b'"timestep","token","x[0]"\n0,"a",0.1\n'

    part["arrays"] = {"x": np.array([[0.1]], np.float32).astype(np.float64)}
    assert written("csv", **part).endswith(b",0.10000000149011612\n")


def test_a_csv_file_never_takes_several_times_its_size_in_memory():
    """Each piece that is written is small beside the whole."""

    class Watched(io.BytesIO):
        largest = 0

        def write(self, data):
            self.largest = max(self.largest, len(data))
            return super().write(data)

    file = Watched()
    values = np.random.default_rng(0).standard_normal((4_000, 2_000)).astype(np.float32)
    part = with_tokens(["a"] * 4_000) | {"arrays": {"x": values}, "units": {"x": range(2_000)}}
    write_export(file, "csv", **part)

    assert file.largest < file.tell() / 4
    last = file.getvalue().splitlines()[-1].split(b",")[2:]
    assert (np.array(last).astype(np.float32) == values[-1]).all()


# --- Parquet ------------------------------------------------------------------------------------


@steady
@given(slices())
def test_a_parquet_file_is_read_by_pandas_exactly(part):
    table = pandas.read_parquet(io.BytesIO(written("parquet", **part)))

    values = np.concatenate(list(part["arrays"].values()), axis=1)
    names = column_names(part)
    assert list(table.columns) == ["timestep", "token", *names]
    assert table["timestep"].tolist() == timesteps(part)
    assert table["token"].dtype == "category"
    assert table["token"].tolist() == part["tokens"]
    assert same_bits(table[names].to_numpy(), values)


@steady
@given(slices(), st.integers(1, 12))
def test_a_parquet_file_says_what_it_is_in_any_number_of_row_groups(part, block):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "_PARQUET_BLOCK", block)
        file = pyarrow.parquet.ParquetFile(io.BytesIO(written("parquet", **part)))

    metadata = file.schema_arrow.metadata
    assert {key.decode(): value.decode() for key, value in metadata.items()} == part["metadata"]
    assert pyarrow.types.is_dictionary(file.schema_arrow.field("token").type)
    table = file.read()
    assert table["token"].to_pylist() == part["tokens"]
    values = np.concatenate(list(part["arrays"].values()), axis=1)
    read = np.stack([table[name].to_numpy() for name in column_names(part)], axis=1)
    assert same_bits(read, values)


# --- NPZ ----------------------------------------------------------------------------------------


@steady
@given(slices())
def test_an_npz_file_is_read_by_numpy_exactly(part):
    part["tokens"] = [token.rstrip("\0") for token in part["tokens"]]

    with np.load(io.BytesIO(written("npz", **part))) as file:
        assert file["timesteps"].tolist() == timesteps(part)
        assert file["tokens"].tolist() == part["tokens"]
        assert json.loads(str(file["metadata"])) == part["metadata"]
        for name, array in part["arrays"].items():
            assert file[name].tobytes() == array.tobytes()
            assert file[name].dtype == array.dtype
            assert file[f"{name}.units"].tolist() == part["units"][name]
            assert file[f"{name}.units"].dtype == np.int64
        assert len(file.files) == 3 + 2 * len(part["arrays"])


def test_tokens_numpy_cannot_hold_are_refused_with_a_way_out(monkeypatch):
    with pytest.raises(InputError, match=r"NUL.*another format"):
        written("npz", **with_tokens(["a\0"]))
    monkeypatch.setattr(exports, "_MAX_STRING_BYTES", 1_000)
    with pytest.raises(InputError, match=r"4,000 bytes.*at most 1,000; or another format"):
        written("npz", **with_tokens(["a" * 100] + ["b"] * 9))


# --- safetensors --------------------------------------------------------------------------------


@steady
@given(slices())
def test_a_safetensors_file_is_read_by_safetensors_exactly(part):
    data = written("safetensors", **part)

    tensors = safetensors.numpy.load(data)
    assert tensors.pop("timesteps").tolist() == timesteps(part)
    for name, array in part["arrays"].items():
        assert tensors[name].tobytes() == array.tobytes()
        assert tensors[name].dtype == array.dtype
        assert tensors[name].shape == array.shape
        assert tensors[f"{name}.units"].tolist() == part["units"][name]
        assert tensors[f"{name}.units"].dtype == np.int64
    assert len(tensors) == 2 * len(part["arrays"])


def test_a_safetensors_file_says_what_it_is(tmp_path):
    part = with_tokens(NASTY)
    (tmp_path / "a.safetensors").write_bytes(written("safetensors", **part))

    with safetensors.safe_open(tmp_path / "a.safetensors", "pt") as file:
        metadata = file.metadata()
        assert json.loads(metadata.pop("tokens")) == NASTY
        assert metadata == part["metadata"]
        assert file.get_tensor("x").dtype == torch.float32


# --- all of them --------------------------------------------------------------------------------


def with_tokens(tokens):
    return {
        "arrays": {"x": np.zeros((len(tokens), 1), np.float32)},
        "tokens": tokens,
        "start": 0,
        "units": {"x": [0]},
        "metadata": {"model": "tagger"},
    }


def read_back(format, data):
    """The array ``x`` of an export."""
    if format == "npz":
        return np.load(io.BytesIO(data))["x"]
    if format == "safetensors":
        return safetensors.numpy.load(data)["x"]
    table = {"csv": pandas.read_csv, "parquet": pandas.read_parquet}[format](io.BytesIO(data))
    return table.filter(like="x[").to_numpy()


@pytest.mark.parametrize("format", FORMATS)
def test_arrays_of_different_precisions_and_a_view_go_into_one_file(format):
    values = np.random.default_rng(0).standard_normal((6, 8)).astype(np.float16)
    part = with_tokens(list("abcdef"))
    part["arrays"] = {"h": np.ones((6, 1)), "x": values[:, 1::2], "c": np.ones((6, 1), np.float32)}
    part["units"] = {"h": [3], "x": [1, 3, 5, 7], "c": [2]}

    read = read_back(format, written(format, **part))

    assert (read.astype(np.float16) == values[:, 1::2]).all()
    if format in ("npz", "safetensors"):
        assert read.dtype == np.float16


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_cannot_seek_will_do_and_is_left_open(format):
    class Stream(io.RawIOBase):
        def __init__(self):
            self.pieces = []

        def writable(self):
            return True

        def write(self, data):
            self.pieces.append(bytes(data))
            return len(data)

    part = with_tokens(["a", "b"])
    stream = Stream()
    write_export(stream, format, **part)

    assert not stream.closed
    assert (read_back(format, b"".join(stream.pieces)) == 0).all()


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_slice_is_the_same_file(format):
    assert written(format, **with_tokens(NASTY)) == written(format, **with_tokens(NASTY))


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_half_of_a_surrogate_pair_becomes_the_replacement_character(format):
    data = written(format, **with_tokens(["a\ud800b"]))
    read = {"csv": pandas.read_csv, "parquet": pandas.read_parquet}[format](io.BytesIO(data))
    assert read["token"].tolist() == ["a\ufffdb"]


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_half_of_a_surrogate_pair_is_kept_where_it_can_be(format, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(written(format, **with_tokens(["a\ud800b"])))
    if format == "npz":
        assert np.load(path)["tokens"].tolist() == ["a\ud800b"]
    else:
        with safetensors.safe_open(path, "np") as file:
            assert json.loads(file.metadata()["tokens"]) == ["a\ud800b"]


def test_a_format_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"'xlsx'.*csv, npz, safetensors, parquet"):
        written("xlsx", **with_tokens(["a"]))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"arrays": {"x": np.zeros((2, 1), np.int32)}}, "float64, float32 or float16"),
        ({"arrays": {"x": np.zeros((2, 1), ">f4")}}, "this machine's order of bytes"),
        ({"arrays": {"x": np.zeros((3, 1))}}, "a row per token"),
        ({"arrays": {"x": np.zeros(2)}}, "a column per unit"),
        ({"arrays": {"x": np.zeros((2, 2))}, "units": {"x": [4, 4]}}, "1 different units"),
        ({"units": {"h": [0]}}, "no different units"),
    ],
)
def test_parts_that_do_not_fit_are_refused(wrong, said):
    with pytest.raises(InputError, match=said):
        written("csv", **with_tokens(["a", "b"]) | wrong)


def test_importing_it_imports_nothing_heavy():
    code = """if True:
        import sys
        import lstm_core.exports
        from lstm_core.analysis import matching, ordering, pooling, summaries
        heavy = {"torch", "scipy", "pyarrow", "pandas", "safetensors"}
        print(sorted(heavy & set(sys.modules)))
    """
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


# --- Recording.export ---------------------------------------------------------------------------


def make_recording(T=5, **options):
    lstm = make_lstm(num_layers=2, bidirectional=True, **options)
    return record(lstm, numbers(T, 3), tokens=[f"token {t}" for t in range(T)])


@pytest.mark.parametrize("format", FORMATS)
def test_a_recording_exports_a_slice_of_some_units(tmp_path, format):
    rec = make_recording()

    path = tmp_path / f"slice.{format.upper()}"
    rec.export(path, arrays=["1.backward.c", "x"], start=1, stop=4, units=[2, 0])

    read = {
        "csv": lambda: pandas.read_csv(path).filter(like="1.backward.c").to_numpy(),
        "parquet": lambda: pandas.read_parquet(path)[
            ["1.backward.c[2]", "1.backward.c[0]"]
        ].to_numpy(),
        "npz": lambda: np.load(path)["1.backward.c"],
        "safetensors": lambda: safetensors.numpy.load_file(path)["1.backward.c"],
    }[format]()
    expected = rec["c", 1, "backward"][1:4][:, [2, 0]].numpy()
    assert (read == expected).all()
    if format in ("csv", "parquet"):
        table = pandas.read_csv(path) if format == "csv" else pandas.read_parquet(path)
        assert table["token"].tolist() == ["token 1", "token 2", "token 3"]
        assert table["timestep"].tolist() == [1, 2, 3]


def test_everything_with_timesteps_is_exported_by_default(tmp_path):
    rec = make_recording(proj_size=2)
    rec.predictions = Predictions("class", ["a", "b"], numbers(5, 2))

    rec.export(tmp_path / "all.npz")

    saved = safetensors.numpy.load(rec.to_bytes())
    with np.load(tmp_path / "all.npz") as file:
        for name, array in saved.items():
            if array.ndim == 2:
                assert same_bits(file[name], array)
                assert file[f"{name}.units"].tolist() == list(range(array.shape[1]))
        assert file["0.forward.h"].shape == (5, 2)  # h is as wide as its projection
        tables = {name for name, array in saved.items() if array.ndim == 2}
        beside = {"timesteps", "tokens", "metadata", *(f"{name}.units" for name in tables)}
        assert set(file.files) == tables | beside


def test_what_numpy_has_no_type_for_is_exported_as_float32(tmp_path):
    rec = record(make_lstm().bfloat16(), numbers(4, 3).bfloat16())

    rec.export(tmp_path / "half.parquet", arrays=["0.forward.h"])

    table = pandas.read_parquet(tmp_path / "half.parquet")
    assert (table.filter(like="h[").to_numpy() == rec["h", 0].float().numpy()).all()
    assert table["token"].tolist() == [""] * 4


def test_the_metadata_of_a_recording_is_exported_as_text(tmp_path):
    rec = make_recording()
    rec.metadata = {"model": "tagger", "seed": 3}

    rec.export(tmp_path / "a.parquet")

    metadata = pyarrow.parquet.read_schema(tmp_path / "a.parquet").metadata
    assert metadata == {b"model": b"tagger", b"seed": b"3"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"arrays": ["2.forward.h"]}, r"'2\.forward\.h'.*0\.forward\.i"),
        ({"arrays": ["0.forward.h_0"]}, "No such array"),
        ({"arrays": ["x"], "units": [0, 3]}, "x has no such unit.*3.*0 to 2"),
        ({"start": 2, "stop": 9}, "0 ≤ start < stop ≤ 5"),
        ({"start": 3, "stop": 3}, "start 3, stop 3"),
        ({"start": -1}, "start -1"),
    ],
)
def test_what_was_not_recorded_is_not_exported(tmp_path, options, said):
    with pytest.raises(SelectionError, match=said):
        make_recording().export(tmp_path / "a.csv", **options)
    assert not list(tmp_path.iterdir())


def test_a_suffix_of_no_format_wants_the_format_to_be_said(tmp_path):
    rec = make_recording()
    with pytest.raises(InputError, match=r"'txt'.*csv, npz, safetensors, parquet"):
        rec.export(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())
    rec.export(tmp_path / "a.txt", "csv")
    assert (tmp_path / "a.txt").read_text().startswith('"timestep","token",')
