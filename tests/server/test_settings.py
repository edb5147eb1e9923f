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
