"""Every file of the folder is opened with what is guessed of it, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_core.checkpoints import tasks
from lstm_core.checkpoints.inspection import Inspection
from lstm_core.checkpoints.proposal import propose
from lstm_core.errors import CheckpointError
from lstm_core.model_spec import ModelSpec
from lstm_core.models import model_of
from tests.checkpoints.folder import MARKER, write

safetensors_torch = pytest.importorskip("safetensors.torch")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("checkpoints")
    write(made)
    return made


def test_every_file_that_opens_is_recorded_as_pytorch_computes_it(folder):
    files = [p for p in sorted((folder / "opened").iterdir()) if not is_beside(p)]
    assert len(files) > 30
    for path in files:
        reply, _ = tasks.inspect({"path": str(path)})
        proposal = propose(Inspection.from_dict(reply))
        assert proposal.problem is None, path.name
        request = {"path": str(path), "choices": proposal.choices, "title": path.name}
        reply, weights = tasks.build(request)
        spec = ModelSpec.from_json(reply["description"])
        model = model_of(spec, safetensors_torch.load(weights), precision="float64")
        recording = model.record(text_for(spec))
        assert recording.parity <= 1e-10, path.name


def is_beside(path: Path) -> bool:
    """A vocabulary or a table."""
    return path.suffix in (".json", ".txt", ".csv", ".npy")


def text_for(spec: ModelSpec) -> str:
    if spec.reads_numbers:
        row = ",".join(["0.5"] * spec.lstm.input_size)
        return "\n".join([row] * 4)
    return "1 2 3 1" if any(isinstance(v, int) for v in spec.vocabularies.values()) else "the cat"


def test_the_vocabularies_and_tables_beside_them_are_read(folder):
    for name in ("words.json", "words.txt"):
        reply, _ = tasks.vocabulary({"path": str(folder / "opened" / name)})
        assert [table["entries"] for table in reply["tables"]] == [5]
    for name in ("series.csv", "series.npy"):
        reply, _ = tasks.table({"path": str(folder / "opened" / name)})
        assert len(reply["text"].splitlines()) in (40, 41)


def test_every_other_file_is_refused_in_words_and_none_has_run(folder):
    # What takes memory or time out of all proportion is tried elsewhere, in a bounded process.
    files = [p for p in sorted((folder / "refused").iterdir()) if not p.name.startswith("bomb-")]
    assert len(files) > 40
    for path in files:
        try:
            reply, _ = tasks.inspect({"path": str(path)})
            inspection = Inspection.from_dict(reply)
            with pytest.raises(CheckpointError) as error:
                inspection.check()
            refusal = error.value
        except CheckpointError as error:
            refusal = error
        assert refusal.expected, path.name
        assert str(folder) not in str(refusal), path.name
    assert not (folder / MARKER).exists()
