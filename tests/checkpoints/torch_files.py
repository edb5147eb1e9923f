"""Makes the files that people have, with PyTorch itself: what training loops and libraries save.

Each function returns the object to save and the tensors that must come out, by name.
"""

from __future__ import annotations

import argparse
import collections
import io
import pathlib
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

Tensors = dict[str, torch.Tensor]
Made = tuple[Any, Tensors]
TOKENS = ["<pad>", "<unk>", "the", "cat", "sat"]


class Tagger(nn.Module):
    """An embedding, an LSTM and a head, as in every tutorial."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.lstm = nn.LSTM(4, 3, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(6, 2)


def weights(model: nn.Module | None = None, seed: int = 0) -> Tensors:
    torch.manual_seed(seed)
    return dict((model or Tagger()).state_dict())


def prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {prefix + name: tensor for name, tensor in tensors.items()}


def trained() -> tuple[Tagger, torch.optim.Optimizer]:
    """A model and an optimizer that has taken a step."""
    torch.manual_seed(0)
    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters())
    sum(parameter.sum() for parameter in model.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    return model, optimizer


def plain() -> Made:
    model = Tagger()
    return model.state_dict(), dict(model.state_dict())


def whole_training_loop() -> Made:
    model, optimizer = trained()
    saved = {
        "epoch": 7,
        "loss": 0.25,
        "best": torch.tensor(0.5),
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "rng_state": torch.get_rng_state(),
        "args": argparse.Namespace(hidden=3, path=pathlib.Path("data") / "train.txt"),
    }
    return saved, dict(model.state_dict())


def lightning() -> Made:
    model, optimizer = trained()
    saved = {
        "epoch": 3,
        "global_step": 120,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": collections.OrderedDict(prefixed("model.", dict(model.state_dict()))),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 4}}}},
        "callbacks": {
            "ModelCheckpoint{'monitor': 'val_loss'}": {
                "best_model_score": torch.tensor(0.1),
                "dirpath": "checkpoints",
            }
        },
        "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": foreign(
            "pytorch_lightning.utilities.parsing", "AttributeDict", dict, {"hidden": 3}
        ),
    }
    return saved, prefixed("model.", dict(model.state_dict()))


def data_parallel() -> Made:
    tensors = weights()
    return prefixed("module.", tensors), tensors


def distributed_and_compiled() -> Made:
    tensors = weights()
    return {"model": prefixed("module._orig_mod.", tensors), "step": 5}, tensors


def fastai() -> Made:
    tensors = weights()
    opt = {"state": [{"grad_avg": torch.ones(3, 4)}], "hypers": [{"lr": 0.1}]}
    return {"model": tensors, "opt": opt}, tensors


def awd_lstm() -> Made:
    lstm = weights(nn.LSTM(4, 3))
    raw = torch.randn(12, 3)
    saved = {
        "encoder.weight": torch.randn(5, 4),
        "rnns.0.weight_hh_l0_raw": raw,
        **prefixed("rnns.0.module.", lstm),
    }
    clean = prefixed("rnns.0.", lstm | {"weight_hh_l0": raw})
    return saved, {"encoder.weight": saved["encoder.weight"], **clean}


def awd_lstm_without_the_dropped() -> Made:
    lstm = weights(nn.LSTM(4, 3))
    raw = lstm.pop("weight_hh_l0")
    saved = {"module.weight_hh_l0_raw": raw, **prefixed("module.", lstm)}
    return saved, lstm | {"weight_hh_l0": raw}


def weight_norm_of_old() -> Made:
    lstm = nn.LSTM(4, 3)
    with ignoring_warnings():
        nn.utils.weight_norm(lstm, "weight_hh_l0")
    expected = dict(lstm.state_dict())
    v, g = expected.pop("weight_hh_l0_v"), expected.pop("weight_hh_l0_g")
    expected["weight_hh_l0"] = torch._weight_norm(v, g, 0)
    return lstm.state_dict(), expected


def weight_norm_of_now() -> Made:
    model = nn.Sequential(nn.LSTM(4, 3), nn.Linear(3, 2))
    nn.utils.parametrizations.weight_norm(model[0], "weight_ih_l0")
    nn.utils.parametrizations.weight_norm(model[1])
    expected = {
        name: tensor for name, tensor in model.state_dict().items() if "original" not in name
    }
    expected["0.weight_ih_l0"] = model[0].weight_ih_l0.detach()  # type: ignore[union-attr]
    expected["1.weight"] = model[1].weight.detach()  # type: ignore[union-attr]
    return model.state_dict(), expected


def sequence_to_sequence() -> Made:
    encoder, decoder = weights(nn.LSTM(4, 3)), weights(nn.LSTM(4, 3), seed=1)
    saved = {"encoder": encoder, "decoder": decoder, "epoch": 3}
    return saved, prefixed("encoder.", encoder) | prefixed("decoder.", decoder)


def tuple_of_both() -> Made:
    tensors = weights()
    return (12, tensors), tensors


def averaged_copies() -> Made:
    now, average = weights(), weights(seed=1)
    return {"model": now, "ema": average}, prefixed("model.", now) | prefixed("ema.", average)


def the_same_dict_twice() -> Made:
    tensors = weights()
    return {"last": tensors, "best": tensors}, tensors


def half() -> Made:
    tensors = {name: tensor.half() for name, tensor in weights().items()}
    return tensors, {name: tensor.float() for name, tensor in tensors.items()}


def brain_float() -> Made:
    tensors = {name: tensor.bfloat16() for name, tensor in weights().items()}
    return tensors, {name: tensor.float() for name, tensor in tensors.items()}


def double() -> Made:
    tensors = {name: tensor.double() for name, tensor in weights().items()}
    return tensors, tensors


def tied() -> Made:
    shared = torch.randn(5, 4)
    tensors = {"embedding.weight": shared, "decoder.weight": shared, **weights(nn.LSTM(4, 3))}
    return tensors, tensors


def views() -> Made:
    storage = torch.arange(1000, dtype=torch.float32)
    tensors = {
        "columns": storage[10:130].view(10, 12).T,
        "part": storage.view(20, 50)[3:7, 5:11],
        "every_other": storage[::2][:40],
    }
    return tensors, tensors


def parameters_and_counts() -> Made:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    saved = {name: nn.Parameter(value) if value.is_floating_point() else value
             for name, value in model.state_dict().items()}  # fmt: skip
    expected = {name: value.detach() for name, value in saved.items() if value.is_floating_point()}
    return saved, expected


def numpy_scalars() -> Made:
    tensors = weights()
    return {"state_dict": tensors, "loss": np.float64(0.25), "mean": np.zeros(3)}, tensors


def collections_of_all_kinds() -> Made:
    tensors = weights()
    saved = {
        "net": tensors,
        "counts": collections.Counter("abca"),
        "word2idx": collections.defaultdict(int, {w: n for n, w in enumerate(TOKENS)}),
        "recent": collections.deque([1.0, 2.0]),
        "kinds": {"a", "b"},
        "where": pathlib.PurePosixPath("a/b"),
        "blob": b"\x00\xff",
        "dtype": torch.float32,
        "device": torch.device("cuda:0"),
        "size": torch.Size([2, 3]),
    }
    return saved, tensors


def own_vocabulary() -> Made:
    tensors = weights()
    vocabulary = foreign(
        "my_project.data", "Vocab", object, itos=TOKENS, stoi={w: n for n, w in enumerate(TOKENS)}
    )
    return {"model": tensors, "vocab": vocabulary}, tensors


def tensors_in_an_object() -> Made:
    tensors = weights()
    config = foreign("my_project.config", "Config", object, mean=torch.ones(3), hidden=5)
    return {"model": tensors, "config": config}, tensors


def module_beside_the_weights() -> Made:
    model = Tagger()
    return {"state_dict": model.state_dict(), "model": nn.Linear(2, 2)}, dict(model.state_dict())


KINDS: dict[str, Callable[[], Made]] = {
    make.__name__: make
    for make in (
        plain,
        whole_training_loop,
        lightning,
        data_parallel,
        distributed_and_compiled,
        fastai,
        awd_lstm,
        awd_lstm_without_the_dropped,
        weight_norm_of_old,
        weight_norm_of_now,
        sequence_to_sequence,
        tuple_of_both,
        averaged_copies,
        half,
        brain_float,
        double,
        tied,
        views,
        parameters_and_counts,
        numpy_scalars,
        collections_of_all_kinds,
        own_vocabulary,
        tensors_in_an_object,
    )
}


# ------------------------------------------------------------------------------------- tools


def foreign(module: str, name: str, base: type, *args: Any, **attributes: Any) -> Any:
    """An object of a class that exists only where the file was saved: see ``saved``."""
    made = type(name, (base,), {"__module__": module})
    FOREIGN[module, name] = made
    value = made(*args)
    vars(value).update(attributes)
    return value


FOREIGN: dict[tuple[str, str], type] = {}


@contextmanager
def where_they_exist() -> Iterator[None]:
    """With the foreign classes importable, which pickle insists on when it writes."""
    before = dict(sys.modules)
    for (module, name), made in FOREIGN.items():
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            sys.modules.setdefault(".".join(parts[:end]), types.ModuleType(parts[end - 1]))
        setattr(sys.modules[module], name, made)
    try:
        yield
    finally:
        for module in set(sys.modules) - set(before):
            del sys.modules[module]
        FOREIGN.clear()


def saved(value: Any, *, legacy: bool = False, protocol: int = 2) -> bytes:
    """The bytes that torch.save writes."""
    out = io.BytesIO()
    with where_they_exist():
        torch.save(value, out, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def from_cuda(data: bytes) -> bytes:
    """A zip file as if it had been saved on a graphics card."""
    out = io.BytesIO()
    old_tag, new_tag = (b"X" + len(tag).to_bytes(4, "little") + tag for tag in (b"cpu", b"cuda:0"))
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("data.pkl"):
                assert old_tag in content
                content = content.replace(old_tag, new_tag)
            new.writestr(name, content)
    return out.getvalue()


@contextmanager
def ignoring_warnings() -> Iterator[None]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
