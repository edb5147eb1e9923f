"""Finding models without reading them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core import catalogue
from lstm_core.catalogue import digest, find_checkpoints, find_models, model_folder
from lstm_core.errors import FileError, UnknownModelError
from tests.lstm_core.worlds import steady


def make_model(parent, name, weights=b"weights"):
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "model.json").write_bytes(b"{}")
    (folder / "weights.safetensors").write_bytes(weights)
    return folder


@pytest.fixture
def box(tmp_path, monkeypatch):
    """An empty box of models."""
    monkeypatch.setattr(catalogue, "ZOO", tmp_path / "zoo")
    return tmp_path / "zoo"


def test_models_are_found_in_the_box_and_below_the_given_folders(box, tmp_path):
    inside, mine = make_model(box, "shakespeare"), make_model(tmp_path / "mine", "poems")
    (tmp_path / "mine" / "no model").mkdir()

    assert find_models() == {"shakespeare": inside}
    assert find_models([tmp_path / "mine"]) == {"shakespeare": inside, "poems": mine}
    assert find_models([tmp_path / "missing"]) == {"shakespeare": inside}


def test_of_two_models_with_one_name_the_first_wins(box, tmp_path):
    first = make_model(box, "poems")
    make_model(tmp_path / "mine", "poems")

    assert find_models([tmp_path / "mine"]) == {"poems": first}


def test_models_come_in_the_order_of_their_names(box):
    for name in "cab":
        make_model(box, name)

    assert list(find_models()) == ["a", "b", "c"]


def test_a_model_is_named_by_its_id_or_by_its_folder(box, tmp_path):
    inside, mine = make_model(box, "shakespeare"), make_model(tmp_path / "mine", "poems")

    assert model_folder("shakespeare") == inside
    assert model_folder(mine) == mine
    assert model_folder(str(mine)) == mine


@pytest.mark.parametrize(
    "name", ["other", "", "\0", "\ud800", "x" * 5000, "a/" * 3000, "../..", "shakespeare/"]
)
def test_an_unknown_model_says_which_there_are(box, name, tmp_path, monkeypatch):
    make_model(box, "shakespeare")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UnknownModelError, match="No such model") as error:
        model_folder(name)

    assert error.value.came == repr(name)
    assert error.value.exists == ["shakespeare"]


@steady
@given(st.binary(min_size=1, max_size=30), st.binary(max_size=30), st.data())
def test_the_digest_changes_with_any_byte(tmp_path_factory, description, weights, data):
    folder = tmp_path_factory.mktemp("model")
    files = {"model.json": bytearray(description), "weights.safetensors": bytearray(weights)}

    def written():
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return digest(folder)

    before = written()
    assert written() == before
    assert len(before) == 16
    assert int(before, 16) >= 0
    changed = data.draw(st.sampled_from([name for name in files if files[name]]))
    place = data.draw(st.integers(0, len(files[changed]) - 1))
    files[changed][place] ^= data.draw(st.integers(1, 255))
    assert written() != before


def test_a_byte_that_moves_from_one_file_to_the_other_changes_the_digest(tmp_path):
    a, b = make_model(tmp_path, "a", b"xyz"), make_model(tmp_path, "b", b"yz")
    (b / "model.json").write_bytes(b"{}x")

    assert digest(a) != digest(b)


def test_the_digest_does_not_depend_on_the_folder(tmp_path):
    assert digest(make_model(tmp_path, "a")) == digest(make_model(tmp_path, "b"))


def make_checkpoint(model, step, said=None):
    folder = model / "checkpoints" / str(step)
    folder.mkdir(parents=True)
    text = f'{{"step": {step}, "of": 90, "validation": 1.5}}' if said is None else said
    (folder / "checkpoint.json").write_text(text)
    (folder / "weights.safetensors").write_bytes(f"weights {step}".encode())
    return folder


def test_checkpoints_come_in_the_order_of_their_steps_and_have_ids(box):
    model = make_model(box, "poems")
    for step in (20, 100, 3):
        make_checkpoint(model, step)

    assert [c.step for c in find_checkpoints(model)] == [3, 20, 100]
    assert find_models() == {"poems": model}
    assert model_folder("poems@20") == model / "checkpoints" / "20"
    assert model_folder(model / "checkpoints" / "20") == model / "checkpoints" / "20"


def test_a_checkpoint_that_is_not_there_is_answered_with_those_that_are(box):
    make_checkpoint(make_model(box, "poems"), 20)

    with pytest.raises(UnknownModelError) as caught:
        model_folder("poems@21")
    assert caught.value.exists == ["poems@20"]
    for name in ("prose@20", "poems@", "@20", "poems@020", "poems@20/"):
        with pytest.raises(UnknownModelError):
            model_folder(name)


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"step": "x", "of": 1, "validation": 1}', "\0"])
def test_a_checkpoint_that_is_badly_described_says_so(box, said):
    model = make_model(box, "poems")
    make_checkpoint(model, 20, said)

    with pytest.raises(FileError, match=r"checkpoint\.json"):
        find_checkpoints(model)


def test_the_digest_of_a_checkpoint_is_of_its_weights_and_the_models_description(box):
    model = make_model(box, "poems")
    folder = make_checkpoint(model, 20)
    before = digest(folder)

    assert before != digest(model)
    (model / "model.json").write_bytes(b"{ }")
    assert digest(folder) != before
