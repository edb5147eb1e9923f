from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from lstm_core.quantities import QUANTITIES
from server.app import create_app
from server.settings import Settings
from tests.server import files, worlds

OPERATIONS = {
    "get_health",
    "get_about",
    "list_quantities",
    "list_models",
    "get_model",
    "get_unit_weights",
    "get_cell_weights",
    "get_offline_page",
    "create_recording",
    "get_recording",
    "get_arrays",
    "get_tiles",
    "get_order",
    "get_unit_summaries",
    "get_matching_units",
    "export_slice",
    "download_recording",
    "read_sentences",
    "get_similarity",
    "get_comparison",
    "get_best_matches",
    "get_paths",
    "get_comparison_tiles",
    "get_predictions",
    "get_lens",
    "create_continuation",
    "create_session",
    "create_checkpoint",
    "create_proposal",
    "delete_checkpoint",
    "create_vocabulary",
    "read_table",
    "create_model",
    "create_fresh_model",
    "update_model",
    "delete_model",
}


def test_health_tells_whether_the_workers_are_there(client: TestClient) -> None:
    told = client.get("/api/health").json()
    assert told["status"] == "ok"
    assert told["workers"] in ("starting", "ready")
    worlds.record(client, "a")
    assert client.get("/api/health").json()["workers"] == "ready"


def test_the_vocabulary_is_the_librarys_table(client: TestClient) -> None:
    rows = client.get("/api/quantities").json()
    assert rows == [
        {**asdict(quantity), "order": n} for n, quantity in enumerate(QUANTITIES.values())
    ]


def test_the_limits_are_those_of_the_settings(models: Path) -> None:
    with worlds.client_with(models, max_tokens=7, token="t") as client:
        about = client.get("/api/about", headers={"Authorization": "Bearer t"}).json()
    assert about["limits"]["max_tokens"] == 7
    assert about["limits"]["max_file_bytes"] == 1_000_000
    assert about["token_needed"]


def test_the_description_is_valid_and_complete(client: TestClient) -> None:
    description = client.get("/api/openapi.json").json()
    validate(description)
    operations = [
        operation for path in description["paths"].values() for operation in path.values()
    ]
    assert {operation["operationId"] for operation in operations} == OPERATIONS
    for operation in operations:
        assert operation["summary"]
        assert operation["tags"]
        problems = operation["responses"]["4XX"]["content"]
        assert list(problems) == ["application/problem+json"]


def test_every_schema_ends_in_its_role(client: TestClient) -> None:
    schemas = client.get("/api/openapi.json").json()["components"]["schemas"]
    # FastAPI describes its own validation error beside ours, though it is never sent.
    ours = set(schemas) - {"HTTPValidationError", "ValidationError"}
    assert {name for name in ours if not name.endswith(("Public", "Create", "Update"))} == set()


def test_no_page_of_the_framework_is_served(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_making_an_app_starts_nothing() -> None:
    before = {thread.name for thread in threading.enumerate()}
    create_app(Settings())
    assert {thread.name for thread in threading.enumerate()} == before


def test_the_web_process_never_imports_torch(models: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "lstm.safetensors"
    checkpoint.write_bytes(files.numbers())
    script = f"""
import json, sys
from pathlib import Path
from starlette.testclient import TestClient
from server.app import create_app
from server.settings import Settings

early = "numpy" in sys.modules

if __name__ == "__main__":
    settings = Settings(model_folders=[Path({str(models)!r})], data_folder={str(tmp_path)!r})
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        made = client.post("/api/recordings", json={{"model": "chars", "text": "abc"}}).json()
        url = f"/api/recordings/{{made['id']}}"
        for path in ("arrays?dtype=float16", "tiles?name=x&sort=mean", "export?name=x&format=csv"):
            assert client.get(f"{{url}}/{{path}}").status_code == 200, path
        client.get("/api/models/chars/weights?layer=0&unit=0")
        client.get("/vendor/plotly.min.js")
        client.get("/api/openapi.json")
        brought = client.post("/api/checkpoints", content=Path({str(checkpoint)!r}).read_bytes(),
                              headers={{"Content-Type": "application/octet-stream"}}).json()
        opened = client.post("/api/models", json={{"checkpoint": brought["id"]}})
        client.post("/api/models/fresh", json={{"input_size": 2, "hidden_size": 2}})
        assert opened.status_code == 201, opened.text
    heavy = ("torch", "safetensors", "plotly", "pyarrow", "server.jobs", "server.reading")
    print(json.dumps([made["timesteps"], early, [name for name in heavy if name in sys.modules]]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [3, False, []]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_says_what_it_is_for(name: str) -> None:
    assert Settings.model_fields[name].description
