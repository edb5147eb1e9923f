"""Tables of numbers as text, against numpy, Python's own csv, and errors that name the line."""

from __future__ import annotations

import contextlib
import csv
import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstm_core.errors import LSTMCoreError, SizeError, TextError
from lstm_core.tables import read_table, to_text
from tests.lstm_core.worlds import steady


def arrays(dtype):
    bits = np.dtype(dtype).itemsize * 8
    return hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=1, max_dims=2, min_side=1, max_side=6),
        elements=st.floats(allow_nan=False, allow_infinity=False, width=bits),
    )


#: What people call columns: never a number, never with white space around it.
names = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6).map(
    lambda name: "n" + name
) | st.sampled_from(
    ["wind speed", 'the "real" one', "a,b", "a;b", "a; b,c", "x'y", '"', "m/s", "°C", "n a n"]
)


# --- out and back in ----------------------------------------------------------------------------


@steady
@given(arrays(np.float64) | arrays(np.float32))
def test_numbers_come_back_bit_for_bit(values):
    back = read_table(to_text(values)).values.astype(values.dtype)

    expected = values if values.ndim == 2 else values[:, None]
    assert back.shape == expected.shape
    assert back.tobytes() == expected.tobytes()  # -0.0 and the smallest numbers included


@steady
@given(st.data(), st.integers(1, 4), st.integers(1, 5))
def test_names_of_columns_come_back(data, width, T):
    columns = data.draw(st.lists(names, min_size=width, max_size=width))
    values = np.arange(T * width, dtype=float).reshape(T, width)

    table = read_table(to_text(values, columns), width=width)

    assert table.columns == columns
    assert (table.values == values).all()


@pytest.mark.parametrize(
    "value", [0.1, 1e-45, 3.4028235e38, -0.0, 1.1754944e-38, 16777217, 1e22], ids=str
)
def test_a_float32_has_no_digits_that_nobody_stored(value):
    text = to_text(np.array([value], dtype=np.float32))

    assert np.float32(text.strip()) == np.float32(value)
    assert len(text) <= 16


def test_a_table_that_csv_wrote_is_read():
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["day", 'the "high", in €', "low"])
    writer.writerows([["2024-01-01, a Monday", 1.5, -2], ["2024-01-02", 1e-3, 4]])

    table = read_table(out.getvalue())

    assert table.columns == ['the "high", in €', "low"]
    assert [row.label for row in table.rows] == ["2024-01-01, a Monday", "2024-01-02"]
    assert table.values.tolist() == [[1.5, -2.0], [0.001, 4.0]]


# --- separators ---------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", "   ", ", ", " ;\t", "\t\t "])
@pytest.mark.parametrize("header", [True, False])
def test_every_separator_gives_the_same_table(separator, header):
    if separator == " ;\t":
        separator = " ; "
    if separator == "\t\t ":
        separator = " \t "
    lines = [["a", "b", "c"]] * header + [["1", "-2.5", "3e2"], [".5", "+6", "7."]]
    text = "\n".join(separator.join(line) for line in lines)

    table = read_table(text, width=3)

    assert table.values.tolist() == [[1.0, -2.5, 300.0], [0.5, 6.0, 7.0]]
    assert table.columns == (["a", "b", "c"] if header else ["column 0", "column 1", "column 2"])


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_comma_inside_the_numbers_is_never_taken_for_the_separator(separator):
    text = f"1,5{separator}2,5\n3,5{separator}4,5\n"

    with pytest.raises(TextError, match="no numbers"):
        read_table(text, width=2)


@pytest.mark.parametrize("sign", [",", ";"])
def test_one_column_may_be_called_anything(sign):
    name = f"wind speed{sign} m/s"

    assert read_table(f'"{name}"\n1\n2\n').columns == [name]
    assert read_table("wind speed\n1\n2\n").columns == ["wind speed"]
    assert read_table("wind speed\n1\n").values.tolist() == [[1.0]]


def test_a_sign_in_one_line_of_many_separates_nothing():
    table = read_table("1 2\n3 4\n5 6\n", width=2)
    assert table.values.tolist() == [[1, 2], [3, 4], [5, 6]]

    with pytest.raises(TextError, match="Line 2"):
        read_table("1 2\n3,4\n5 6\n", width=2)


# --- headers and labels -------------------------------------------------------------------------


def test_without_a_header_the_first_line_is_a_row():
    table = read_table("1,2\n3,4")

    assert table.columns == ["column 0", "column 1"]
    assert table.values.tolist() == [[1, 2], [3, 4]]
    assert [row.label for row in table.rows] == ["1 …", "3 …"]


def test_a_header_is_none_of_the_rows():
    text = "a,b\n1,2\n3,4"

    table = read_table(text)

    assert [text[row.start : row.end] for row in table.rows] == ["1,2", "3,4"]


def test_a_first_row_with_a_gap_is_not_taken_for_names():
    assert read_table("1,\n2,3\n").values.tolist() == [[1.0], [2.0]]
    with pytest.raises(TextError, match="another number of columns"):
        read_table("1,\n2,3\n", width=2)
    assert read_table(",a\nMo,3\n").columns == ["a"]


def test_years_may_name_columns_beside_a_word():
    assert read_table("2020,total\n1,2\n").columns == ["2020", "total"]


def test_dates_label_their_rows():
    table = read_table("date,open,kind\n2024-01-01,1,up\n2024-01-02,2,down\n", width=1)

    assert table.columns == ["open"]
    assert [row.label for row in table.rows] == ["2024-01-01 up", "2024-01-02 down"]


def test_a_number_alone_is_its_own_label():
    assert [row.label for row in read_table("1.50\n2\n").rows] == ["1.50", "2"]


def test_a_table_of_one_row_has_no_header():
    table = read_table("10,20")

    assert table.values.tolist() == [[10.0, 20.0]]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "1,2\n", " 1 2 \n", "x\n1\n2\n", "1;2\r\n"])
def test_a_byte_order_mark_is_no_part_of_a_table(text):
    plain, marked = read_table(text), read_table("\ufeff" + text)

    assert marked.columns == plain.columns
    assert marked.values.tolist() == plain.values.tolist()
    assert [row.label for row in marked.rows] == [row.label for row in plain.rows]
    for row, other in zip(plain.rows, marked.rows, strict=True):
        assert (other.start, other.end) == (row.start + 1, row.end + 1)


# --- lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("blank", ["", "   ", "\t", "\n\n", " \r\n"])
def test_ends_of_lines_and_blank_lines_mean_nothing(end, blank):
    text = f"{blank}{end}a,b{end}{blank}{end}1,2{end}{end}3,4{end}{blank}"

    table = read_table(text)

    assert table.columns == ["a", "b"]
    assert table.values.tolist() == [[1, 2], [3, 4]]
    assert [text[row.start : row.end] for row in table.rows] == ["1,2", "3,4"]


@steady
@given(
    st.lists(st.sampled_from(["", "  ", "1,2", " 3,4 ", "-5.5 , 6e3"]), min_size=1, max_size=12),
    st.booleans(),
    st.sampled_from(["7,8,9", "7", "7,", "x,8", "nan,8", "7,1e400", "seven,eight"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_the_line_that_is_named_is_the_line_that_is_wrong(lines, header, wrong, end, data):
    lines = ["a,b"] * header + ["1,2", *lines]
    place = data.draw(st.integers(1 + header, len(lines)))
    lines.insert(place, wrong)

    with pytest.raises(TextError) as error:
        read_table(end.join(lines))

    named = int(error.value.message.lower().split("line ")[1].split()[0])
    assert named == place + 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "cell", ["", "x", "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-1e999", "1_000", "1 000",
             "0x10", "1,5", "--1", "1.2.3", "None", "½"]
)  # fmt: skip
def test_a_cell_that_is_no_number_is_named_with_its_line_and_column(cell, end):
    text = end.join(["a,b", "", "1,2", "", f'3,"{cell}"', "5,6"])

    with pytest.raises(TextError, match="A cell of line 5 is no number") as error:
        read_table(text)

    assert error.value.came == f"{cell!r} in column 2"


@pytest.mark.parametrize("cell", ["nan", "inf", "1e400"])
def test_the_first_row_may_not_lack_a_number_either(cell):
    with pytest.raises(TextError, match="A cell of line 1 is no number"):
        read_table(f"1,{cell}\n2,3\n")


def test_a_cell_of_1_000_labels_its_row_where_no_number_is_needed():
    with pytest.raises(TextError, match="another number of columns") as error:
        read_table("a,b\n1,1_000\n2,3\n", width=2)

    assert error.value.came == "1 columns of numbers (a)"
    assert error.value.expected == "2, its input_size"


def test_a_line_of_another_length_is_named():
    with pytest.raises(TextError, match="Line 4 is not as long as the first") as error:
        read_table("a,b\n1,2\n\n3\n4,5")

    assert (error.value.came, error.value.expected) == ("1 cells", "2")


@pytest.mark.parametrize("text", ["a,b\nc,d", "hello", "hello world\n", ",,\n,,", '"'])
def test_a_text_without_numbers_is_no_table(text):
    with pytest.raises(TextError, match="no numbers"):
        read_table(text)


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\r\n \t\r\n", "\ufeff", "\ufeff\n"])
def test_a_text_without_lines_is_no_table(text):
    with pytest.raises(TextError, match="no row"):
        read_table(text)


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "a,b\n"])
def test_more_rows_than_allowed_are_refused(header):
    text = header + "1,2\n3,4\n5,6\n"

    assert len(read_table(text, max_rows=3).rows) == 3
    with pytest.raises(SizeError, match="too long") as error:
        read_table(text, max_rows=2)
    assert error.value.expected == "at most 2 timesteps"


def seconds(text):
    started = time.perf_counter()
    with contextlib.suppress(LSTMCoreError):
        read_table(text)
    return time.perf_counter() - started


@pytest.mark.parametrize(
    "piece",
    ["1,", "1 ", "x,", ";", '"', '",', "1,2\n", "\n", "9", "_", "x\n", "\ufeff", "a b\n"],
    ids=ascii,
)  # fmt: skip
def test_a_million_characters_take_time_in_proportion(piece):
    """Ten times the text may take 40 times the time, not the 100 of a square."""
    small, large = (piece * (n // len(piece)) for n in (100_000, 1_000_000))
    seconds(piece * 2_000)
    before = seconds(small)

    assert any(seconds(large) < 40 * before + 0.25 for _ in range(3))


@steady
@given(
    st.text(
        st.sampled_from('0123456789.,;\t \n\r"-+eE_nax\x00\x0b\x1c\x85\u2028\ufeff½\ud800'),
        max_size=40,
    )
    | st.text(st.characters(exclude_categories=()), max_size=40),
    st.sampled_from([None, 1, 2]),
)
def test_any_text_is_a_table_or_refused(text, width):
    try:
        table = read_table(text, width=width, max_rows=100)
    except (TextError, SizeError):
        return

    assert table.values.shape == (len(table.rows), len(table.columns))
    assert table.values.size
    assert np.isfinite(table.values).all()
    assert all(text[row.start : row.end].strip() for row in table.rows)
    assert width in (None, len(table.columns))


@pytest.mark.parametrize("text", ["1,5 2,5\n3,5 4,5", "1,5;2\n2,5;3"])
def test_several_numbers_in_a_cell_are_never_a_label(text):
    with pytest.raises(TextError, match="more than one number"):
        read_table(text)


def test_a_date_with_its_time_is_a_label():
    table = read_table("2026-01-02 12:30,5\n2026-01-02 12:45,6")

    assert [row.label for row in table.rows] == ["2026-01-02 12:30", "2026-01-02 12:45"]
