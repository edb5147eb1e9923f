from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.server import worlds
from tests.server.worlds import problem

LINES = "The sun is shiny.\r\n\n  \t\n  Zwei, 漢字 👩‍👩‍👧 e\u0301\rשלום\n<b>x</b>"
SENTENCES = ["The sun is shiny.", "  Zwei, 漢字 👩‍👩‍👧 e\u0301", "שלום", "<b>x</b>"]


@pytest.mark.parametrize(
    ("mark", "codec", "name"),
    [
        (b"", "utf-8", "UTF-8"),
        (codecs.BOM_UTF8, "utf-8", "UTF-8 with byte order mark"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16, little end first"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16, big end first"),
    ],
)
def test_each_line_is_a_sentence(client: TestClient, mark: bytes, codec: str, name: str) -> None:
    reply = client.post("/api/sentences", content=mark + LINES.encode(codec))
    assert reply.json() == {"encoding": name, "sentences": SENTENCES}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("Grüße".encode("latin-1"), "byte 0xFC at offset 2"),
        ("“quoted”".encode("cp1252"), "byte 0x93 at offset 0"),
        ("日本".encode("shift_jis"), "byte 0x93 at offset 0"),
        ("ab".encode("utf-16-le"), "binary file"),  # without its mark
        ("ab".encode("utf-32"), "binary file"),
        (b"\xef\xbb\xbfab\xff", "byte 0xFF at offset 5"),
        (b"\xff\xfea", "byte 0x61 at offset 2"),
        (b"\xff\xfe\x00\xd8", "byte 0x00 at offset 2"),  # half of a surrogate pair
        (b"ab\xed\xa0\x80", "byte 0xED at offset 2"),  # the same in UTF-8
        (b"\xc0\x80", "byte 0xC0 at offset 0"),
        (b"PK\x03\x04\x00\x00", "the 5th character"),
        (b"\x89PNG\r\n\x1a\n\0", "byte 0x89"),
        (b"", "no sentence"),
        (b" \n\t\r\n", "no sentence"),
        (codecs.BOM_UTF8, "no sentence"),
        (b"a\n" * 2001, "2,001 sentences"),
        (b"a\n" + b"b" * 200_001, "line 2"),
    ],
)
def test_what_is_no_text_is_refused_with_the_place(
    client: TestClient, data: bytes, says: str
) -> None:
    assert says in problem(client.post("/api/sentences", content=data), 422)["detail"]


@pytest.mark.parametrize(
    "content_type", ["", "text/plain; charset=latin-1", "image/png", "x" * 999]
)
def test_any_content_type_will_do(client: TestClient, content_type: str) -> None:
    reply = client.post(
        "/api/sentences", content="é".encode(), headers={"Content-Type": content_type}
    )
    assert reply.json()["sentences"] == ["é"]


def test_a_large_file_is_refused_before_it_is_read(client: TestClient) -> None:
    told = problem(client.post("/api/sentences", content=b"a" * 1_000_001), 413)
    assert told["expected"] == "at most 1,000,000 bytes"


def test_a_stream_is_refused_as_soon_as_it_is_too_long(models: Path) -> None:
    sent = 0

    def chunks():  # type: ignore[no-untyped-def]
        nonlocal sent
        for _ in range(1000):
            sent += 1000
            yield b"a" * 1000

    with worlds.client_with(models, max_file_bytes=5000, max_json_bytes=2000) as client:
        problem(client.post("/api/sentences", content=chunks()), 413)
        problem(client.post("/api/recordings", content=chunks()), 413)
        problem(client.put("/nothing", content=chunks()), 413)
        assert client.post("/api/sentences", content=b"a" * 5000).status_code == 200
