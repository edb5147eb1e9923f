from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from server.settings import Settings


def test_the_defaults_are_those_of_a_laptop() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.token) == ("127.0.0.1", 8000, None)


def test_the_environment_sets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATESCOPE_PORT", "9000")
    monkeypatch.setenv("GATESCOPE_ALLOWED_HOSTS", "a.example, b.example")
    monkeypatch.setenv("GATESCOPE_MODEL_FOLDERS", os.pathsep.join(["/a", "/b c"]))
    settings = Settings()
    assert settings.port == 9000
    assert settings.allowed_hosts == ["a.example", "b.example"]
    assert settings.model_folders == [Path("/a"), Path("/b c")]


def test_a_token_is_made_on_request_and_never_printed() -> None:
    first, second = Settings(token="auto").token, Settings(token="auto").token
    assert first
    assert second
    assert first != second
    assert len(first.get_secret_value()) >= 32
    assert first.get_secret_value() not in repr(Settings(token=first))
    assert Settings(token="").token is None


@pytest.mark.parametrize("wrong", [{"port": -1}, {"workers": 0}, {"job_seconds": 0}, {"prot": 1}])
def test_a_wrong_setting_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)


@pytest.mark.parametrize(
    "wrong",
    ["", "none, self", "*", "https://a.example; script-src *", "a.example", "https://a b", "data:"],
)
def test_nothing_but_names_gets_into_the_policy(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Settings(frame_ancestors=wrong)


def test_the_longest_text_fits_into_a_request_however_it_is_written() -> None:
    settings = Settings()
    # Outside of the BMP a character is two escapes of six signs each; a table is of digits.
    assert 12 * settings.max_characters + 1000 <= settings.max_json_bytes
    assert 1.5 * settings.max_table_characters + 1000 <= settings.max_json_bytes


def test_what_may_be_recorded_may_be_kept() -> None:
    settings = Settings()
    largest = 10_000 * 512 * 4 * 2 * 6 * 4
    assert largest < settings.max_recording_bytes < settings.store_bytes
