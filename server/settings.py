"""Every setting once: its name, its default and what it is for. Read once, by ``create_app``."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _split(separator: str) -> Callable[[object], object]:
    """Lists come from the environment as one string, the way PATH does."""

    def split(value: object) -> object:
        if not isinstance(value, str):
            return value
        return [item.strip() for item in value.split(separator) if item.strip()]

    return split


#: A word of the policy's own, a scheme, or a scheme and a host, perhaps with a port.
_ANCESTOR = re.compile(
    r"self|none|file:|https?:|https?://(\*\.)?([a-z0-9-]+\.)*[a-z0-9-]+(:(\d{1,5}|\*))?"
)


def _check_ancestors(names: list[str]) -> list[str]:
    """They become a part of the Content-Security-Policy, so nothing else may be in them."""
    names = [name.strip("'") for name in names]
    for name in names:
        if not _ANCESTOR.fullmatch(name):
            raise ValueError(f"{name!r} is neither self nor none nor like https://school.example")
    if not names or ("none" in names and len(names) > 1):
        raise ValueError("none stands alone, and means that nobody may")
    return names


def _make_token(value: object) -> object:
    return secrets.token_urlsafe(24) if value == "auto" else value or None


class Settings(BaseSettings):
    """Each one can be set as an environment variable: ``GATESCOPE_PORT=9000``."""

    model_config = SettingsConfigDict(env_prefix="GATESCOPE_", extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    token: Annotated[SecretStr | None, BeforeValidator(_make_token)] = Field(
        default=None, description="Secret that every request must carry; 'auto' makes one."
    )
    insecure: bool = Field(
        default=False, description="Allow another address than this machine's own without a token."
    )
    allowed_hosts: Annotated[list[str], NoDecode, BeforeValidator(_split(","))] = Field(
        default_factory=list,
        description="Further names the server may be called by, separated by commas.",
    )
    frame_ancestors: Annotated[
        list[str], NoDecode, BeforeValidator(_split(",")), AfterValidator(_check_ancestors)
    ] = Field(
        default_factory=lambda: ["self"],
        description="Who may show the page inside of theirs: self (this server), none, or sites "
        "like https://school.example, separated by commas.",
    )
    model_folders: Annotated[list[Path], NoDecode, BeforeValidator(_split(os.pathsep))] = Field(
        default_factory=list,
        description="Folders holding model folders, beside the models in the box, as in PATH.",
    )
    data_folder: Path = Field(
        default_factory=lambda: user_data_path("gatescope"),
        description="Folder where opened and fresh models are kept, and recordings while it runs.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Processes that compute.")
    readers: int = Field(
        default=1, ge=1, le=64, description="Processes that look at what was recorded."
    )
    queue_limit: int = Field(
        default=16,
        ge=0,
        description="Requests that may wait for a worker, and for a reader four times as many; "
        "one more is refused (429).",
    )
    job_seconds: float = Field(
        default=300, gt=0, description="Longest time one computation may take."
    )
    max_characters: int = Field(
        default=200_000, ge=1, description="Longest text to record, in characters."
    )
    max_table_characters: int = Field(
        default=2_000_000, ge=1, description="Longest table of numbers to record, in characters."
    )
    max_tokens: int = Field(default=20_000, ge=1, description="Longest text to record, in tokens.")
    max_recording_bytes: int = Field(
        default=1_200_000_000,
        ge=1,
        description="Largest recording, in bytes, estimated before it is made.",
    )
    store_bytes: int = Field(
        default=2_000_000_000,
        ge=0,
        description="Recordings kept on the disk, in bytes altogether; the latest always is.",
    )
    max_export_bytes: int = Field(
        default=500_000_000,
        ge=1,
        description="Largest export, in bytes, estimated before it is written.",
    )
    max_tab_bytes: int = Field(
        default=256_000_000, ge=1, description="Arrays that one tab of a browser keeps, in bytes."
    )
    max_json_bytes: int = Field(default=4_000_000, ge=1, description="Largest JSON body, in bytes.")
    max_file_bytes: int = Field(default=1_000_000, ge=1, description="Largest text file, in bytes.")
    max_sentences: int = Field(default=2_000, ge=1, description="Most sentences in one text file.")
    max_checkpoint_bytes: int = Field(
        default=400_000_000, ge=1, description="Largest file of weights to open, in bytes."
    )
    max_vocabulary_bytes: int = Field(
        default=20_000_000,
        ge=1,
        description="Largest vocabulary, or table of numbers as CSV or NPY, in bytes.",
    )
    max_parameters: int = Field(
        default=100_000_000, ge=1, description="Most weights in an opened or fresh model."
    )
    max_kept_models: int = Field(
        default=200, ge=0, description="Opened and fresh models kept, at most."
    )
    max_kept_bytes: int = Field(
        default=5_000_000_000, ge=0, description="All of them together, in bytes."
    )
    parse_seconds: float = Field(
        default=30, gt=0, description="Longest time reading a file somebody brings may take."
    )
    parse_memory_bytes: int | None = Field(
        default=None,
        ge=1,
        description="Address space to read it in; none: 3 GB and twice the file's size.",
    )
    upload_minutes: float = Field(
        default=60, gt=0, description="How long a file that was brought waits to be opened."
    )
