"""What the training scripts share: one training loop, one way to write, show and check a model.

A script describes its data and its model as a `Recipe`; `run` turns that into a command.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import math
import os
import pickle
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import safetensors.torch
import torch
from torch import Tensor, nn
from tqdm import tqdm

from lstm_core import catalogue
from lstm_core.catalogue import ZOO
from lstm_core.errors import FileError
from lstm_core.model_spec import ModelSpec
from lstm_core.models import SequenceModel, load_model

#: How far a figure measured again may lie from the card: other machines add in another order.
TOLERANCE = 0.0005

#: What a training that is not finished leaves in its model's folder, to go on from.
UNFINISHED = "training.pt"

#: When on the way a checkpoint is kept, in shares of all steps.
CHECKPOINTS = (0.0, 0.02, 0.1)

#: What `card_text` has a place for; whatever else a card says gets a row of its own.
PLACED = (
    *("summary", "data", "source", "licence", "metric", "value", "goal", "split"),
    *("parameters", "bytes", "command", "measured"),
)


@dataclass(frozen=True)
class Hyperparameters:
    """How to train; the learning rate rises linearly, then falls to zero along a cosine."""

    learning_rate: float
    weight_decay: float
    dropout: float
    clip: float = 1.0
    average: float = 0.0  # how much of the running mean of the weights stays at a step
    warmup: float = 0.05  # share of all steps


class Recipe(Protocol):
    """What a script brings along: a model, its data, and how to measure it."""

    model_id: str
    module: str  # what to run again: python -m MODULE
    placeholder: str  # the data's path and further options, as the card prints them
    spec: ModelSpec  # its card holds what is known before training
    hyperparameters: Hyperparameters
    steps: int  # per epoch

    def prepare(self, model: SequenceModel) -> None:  # noqa: ARG002
        """Change what the weights start from, where it is not PyTorch's own draw."""
        return

    def losses(self, model: SequenceModel, generator: torch.Generator) -> Iterator[Tensor]:
        """One epoch: a loss per step; the model may change between one and the next."""
        ...

    def validate(self, model: SequenceModel) -> float:
        """A figure that chooses the epoch; lower is better. Never from the test data."""
        ...

    def test(self, model: SequenceModel) -> float:
        """The card's figure, from data that nothing was trained on or chosen by."""
        ...

    def remarks(self, model: SequenceModel) -> dict[str, str]:  # noqa: ARG002
        """Whatever else was measured, as further rows of the card."""
        return {}


# --- training -----------------------------------------------------------------------------------


class Training:
    """A training that is under way: all that the next epoch depends on, and the best so far.

    What makes it the same training again is ``origin``; see `origin_of`.
    """

    def __init__(self, recipe: Recipe, *, epochs: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)  # the data's, apart from dropout's
        self.origin = origin_of(recipe, epochs=epochs, seed=seed)
        self.model = SequenceModel(recipe.spec)
        recipe.prepare(self.model)
        self.averaged = copy.deepcopy(self.model).eval()
        self.how = recipe.hyperparameters
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=self.how.learning_rate, weight_decay=self.how.weight_decay
        )
        total = epochs * recipe.steps
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: learning_rate_factor(step, total, self.how.warmup)
        )
        self.steps_of_epoch, self.total = recipe.steps, total
        self.keep_at = {round(share * total) for share in CHECKPOINTS}
        self.steps = 0
        self.epoch = 0
        self.seconds = 0.0
        self.best = math.inf
        self.best_weights = copy.deepcopy(self.averaged.state_dict())

    def step(self, loss: Tensor) -> None:
        """One update of the weights, of their running mean and of the learning rate."""
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), self.how.clip)
        self.optimizer.step()
        self.schedule.step()
        average_weights(self.averaged, self.model, self.how.average)
        self.steps += 1

    def keep(self, recipe: Recipe, folder: Path) -> None:
        """Write the weights of this step as a checkpoint, if it is one of those that are kept.

        They are those of the step itself, as float16, which halves them; the finished model is a
        running mean.
        """
        if self.steps not in self.keep_at:
            return
        if self.steps == 0:  # those of another training, of more steps or fewer
            shutil.rmtree(folder / catalogue.CHECKPOINTS, ignore_errors=True)
        rounded = copy.deepcopy(self.model).half().float().eval()
        assert isinstance(rounded.lstm, nn.LSTM)
        rounded.lstm.dropout = 0.0
        write_checkpoint(
            rounded, folder, self.steps, of=self.total, validation=recipe.validate(rounded)
        )

    def end_epoch(self, figure: float, seconds: float) -> None:
        self.epoch += 1
        self.seconds += seconds
        if figure < self.best:
            self.best, self.best_weights = figure, copy.deepcopy(self.averaged.state_dict())

    def save(self, path: Path) -> None:
        """Write it whole or not at all: whoever is interrupted here keeps the epoch before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")
        with beside.open("wb") as file:
            torch.save(
                {
                    "origin": self.origin,
                    "epoch": self.epoch,
                    "seconds": self.seconds,
                    "best": self.best,
                    "best_weights": self.best_weights,
                    "model": self.model.state_dict(),
                    "averaged": self.averaged.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "schedule": self.schedule.state_dict(),
                    "generator": self.generator.get_state(),
                    "dropout": torch.get_rng_state(),
                },
                file,
            )
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)

    def resume(self, path: Path) -> str:
        """Go on from what `save` wrote, if it is this training; says in words what it does."""
        if not path.exists():
            return ""
        try:
            saved = torch.load(path, weights_only=True)
            found = saved["origin"]
        except (EOFError, KeyError, OSError, RuntimeError, TypeError, pickle.UnpicklingError):
            return f"{path.name} cannot be read: starting anew"
        if found != self.origin:
            other = [name for name, value in self.origin.items() if found.get(name) != value]
            return f"{path.name} is of a training with other {', '.join(other)}: starting anew"
        self.model.load_state_dict(saved["model"])
        self.averaged.load_state_dict(saved["averaged"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        self.generator.set_state(saved["generator"])
        torch.set_rng_state(saved["dropout"])
        self.epoch, self.seconds = saved["epoch"], saved["seconds"]
        self.steps = self.epoch * self.steps_of_epoch
        self.best, self.best_weights = saved["best"], saved["best_weights"]
        return f"going on after epoch {self.epoch}"


def origin_of(recipe: Recipe, *, epochs: int, seed: int) -> dict[str, str | int]:
    """What decides every bit of the weights, by name.

    The texts themselves are not looked at, but their vocabularies and sizes are, in the card.
    """
    model = hashlib.sha256(recipe.spec.to_json().encode()).hexdigest()
    return {
        "model or texts": model,
        "hyperparameters": repr(recipe.hyperparameters),
        "steps": recipe.steps,
        "epochs": epochs,
        "seed": seed,
        "threads": torch.get_num_threads(),
    }


def train(recipe: Recipe, *, epochs: int, seed: int, unfinished: Path) -> Training:
    """A finished training; ``averaged`` is the model of the best epoch on the validation data.

    The same seed gives the same weights, also when it was interrupted: after every epoch all it
    depends on goes to the file ``unfinished``, and the next call goes on from there.
    """
    training = Training(recipe, epochs=epochs, seed=seed)
    if said := training.resume(unfinished):
        print(said)
    training.keep(recipe, unfinished.parent)
    done, total = training.epoch * recipe.steps, epochs * recipe.steps
    with tqdm(initial=done, total=total, unit="step", mininterval=2) as progress:
        while training.epoch < epochs:
            began = time.perf_counter()
            with training_mode(training.model, training.how.dropout):
                for loss in recipe.losses(training.model, training.generator):
                    training.step(loss)
                    training.keep(recipe, unfinished.parent)
                    progress.update()
            figure = recipe.validate(training.averaged)
            training.end_epoch(figure, time.perf_counter() - began)
            training.save(unfinished)
            said = f"loss {loss.item():.4f}, validation {figure:.4f}"
            progress.write(f"epoch {training.epoch}: {said}")
    training.averaged.load_state_dict(training.best_weights)
    return training


@contextmanager
def training_mode(model: SequenceModel, rate: float) -> Iterator[None]:
    """Dropout between the layers while it lasts; what is measured and saved has none."""
    assert isinstance(model.lstm, nn.LSTM)
    model.train()
    model.lstm.dropout = rate
    yield
    model.lstm.dropout = 0.0
    model.eval()


@torch.no_grad()
def average_weights(averaged: SequenceModel, model: SequenceModel, stays: float) -> None:
    """Move the running mean of the weights on by one step; ``stays`` 0 makes it the model itself.

    The mean lies in a flatter place than the last step and does better on unseen text
    (Polyak and Juditsky 1992).
    """
    for mean, weight in zip(averaged.parameters(), model.parameters(), strict=True):
        mean.lerp_(weight, 1 - stays)


def learning_rate_factor(step: int, total: int, warmup: float) -> float:
    """Share of the peak learning rate at a step: up in a line, down along half a cosine."""
    rising = max(1.0, warmup * total)
    return min(1.0, (step + 1) / rising) * 0.5 * (1 + math.cos(math.pi * step / total))


# --- models and their cards ---------------------------------------------------------------------


def write_model(model: SequenceModel, folder: Path, card: dict[str, Any]) -> None:
    """Write the model's folder, its card completed by ``card`` and by what the weights weigh."""
    model.save(folder)
    size = (folder / "weights.safetensors").stat().st_size
    parameters = sum(weight.numel() for weight in model.parameters())
    card = {**model.spec.card, "parameters": parameters, "bytes": size, **card}
    model.spec = replace(model.spec, card=card)
    model.save(folder)
    (folder / "card.md").write_text(card_text(folder.name, model.spec), encoding="utf-8")


def write_checkpoint(
    model: SequenceModel, folder: Path, step: int, *, of: int, validation: float
) -> None:
    """Write the weights of a step of training below the folder of the finished model."""
    into = folder / catalogue.CHECKPOINTS / str(step)
    into.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    (into / "weights.safetensors").write_bytes(safetensors.torch.save(weights))
    about = {"step": step, "of": of, "validation": round(validation, 4)}
    (into / catalogue.CHECKPOINT).write_text(json.dumps(about) + "\n", encoding="utf-8")


def card_text(model_id: str, spec: ModelSpec) -> str:
    """``card.md``: what ``model.json`` says of the model, for people."""
    card, lstm = spec.card, spec.lstm.modules[0]
    direction = "bidirectional" if lstm.bidirectional else "one direction"
    layers = "1 layer" if lstm.num_layers == 1 else f"{lstm.num_layers} layers"
    reads = ", ".join(f"{name} ({spec.vocabulary_size(name):,})" for name in spec.embedding)
    rows = {
        "id": f"`{model_id}`",
        "LSTM": f"{layers} of {lstm.hidden_size} units, {direction}",
        "reads": f"{reads}; {lstm.input_size} numbers per token",
        "predicts": f"one of {len(spec.labels)} labels per token ({spec.task})",
        "parameters": f"{card['parameters']:,}",
        "weights": f"{card['bytes']:,} bytes, float32",
        "data": card["data"],
        "source": card["source"],
        "licence": card["licence"],
        "split": card["split"],
        card["metric"]: f"**{card['value']:.4f}** (goal: {card['goal']})",
    }
    rows |= {name.replace("_", " "): card[name] for name in card if name not in PLACED}
    table = "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    return (
        f"# {spec.title}\n\n{card['summary']}\n\n| | |\n|---|---|\n{table}\n"
        f"Trained with\n\n    {card['command']}\n\n"
        f"and measured with\n\n    {card['measured']}\n"
    )


def evaluate(recipe: Recipe, folder: Path) -> bool:
    """Measure a written model again; whether its card tells the truth.

    Raises FileError when these are not the texts that the model was trained on.
    """
    model = load_model(folder)
    if model.spec.vocabularies != recipe.spec.vocabularies:
        raise FileError(
            "These texts are not the ones this model was trained on.",
            came="other vocabularies",
            expected=f"{model.spec.card['data']}, from {model.spec.card['source']}",
        )
    value, said = recipe.test(model), float(model.spec.card["value"])
    agrees = abs(value - said) <= TOLERANCE
    print(f"{model.spec.card['metric']}: measured {value:.4f}, the card says {said:.4f}")
    return agrees


# --- the command --------------------------------------------------------------------------------


def argument_parser(
    description: str, *, epochs: int, units: int, reads_texts: bool = True
) -> argparse.ArgumentParser:
    """The options every script has; ``data`` is the path to the texts, where it reads some."""
    parser = argparse.ArgumentParser(description=description)
    if reads_texts:
        parser.add_argument("data", type=existing, help="the texts to train on; not in the box")
    parser.add_argument("--epochs", type=positive, default=epochs, help="default: %(default)s")
    parser.add_argument(
        "--units", type=positive, default=units, help="per layer; default: %(default)s"
    )
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--threads", type=positive, default=1, help="default: %(default)s")
    parser.add_argument("--output", type=Path, default=ZOO, help="where model folders lie")
    parser.add_argument("--evaluate", action="store_true", help="only measure a model again")
    return parser


def existing(path: str) -> Path:
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"there is no file or folder {path}")
    return Path(path)


def positive(number: str) -> int:
    if not (number.isdecimal() and int(number) > 0):
        raise argparse.ArgumentTypeError(f"{number} is not a number above 0")
    return int(number)


def changed_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> str:
    """The options that change the weights, where they are not the default: " --seed 2"."""
    names = ("epochs", "units", "seed", "threads")
    changed = {name: getattr(options, name) for name in names}
    return "".join(
        f" --{name} {value}" for name, value in changed.items() if value != parser.get_default(name)
    )


def run(recipe: Recipe, options: argparse.Namespace, changed: str) -> int:
    """Train, measure and write the model, or only measure it; the command's exit status.

    ``changed`` comes from `changed_options`; the card's command repeats it.
    """
    torch.set_num_threads(options.threads)
    folder = options.output / recipe.model_id
    if options.evaluate:
        return 0 if evaluate(recipe, folder) else 1
    unfinished = folder / UNFINISHED
    training = train(recipe, epochs=options.epochs, seed=options.seed, unfinished=unfinished)
    model = training.averaged
    value = round(recipe.test(model), 4)
    command = f"python -m {recipe.module} {recipe.placeholder}".strip()
    card = {
        "value": value,
        "command": command + changed,
        "measured": f"{command} --evaluate",
        **recipe.remarks(model),
        "minutes": math.ceil(training.seconds / 60),
    }
    write_model(model, folder, card)
    unfinished.unlink()
    print(f"{recipe.spec.card['metric']}: {value:.4f}, written to {os.path.relpath(folder)}")
    return 0
