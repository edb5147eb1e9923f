"""What the training scripts share: one training loop, one way to write, show and check a model.

A script describes its data and its model as a `Recipe`; `run` turns that into a command.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from lstm_core.catalogue import ZOO
from lstm_core.errors import FileError
from lstm_core.models import ModelSpec, SequenceModel, load_model

#: How far a figure measured again may lie from the card: other machines add in another order.
TOLERANCE = 0.0005


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

    def losses(self, model: SequenceModel, generator: torch.Generator) -> Iterator[Tensor]:
        """One epoch: a loss per step; the model may change between one and the next."""
        ...

    def validate(self, model: SequenceModel) -> float:
        """A figure that chooses the epoch; lower is better. Never from the test data."""
        ...

    def test(self, model: SequenceModel) -> float:
        """The card's figure, from data that nothing was trained on or chosen by."""
        ...


# --- training -----------------------------------------------------------------------------------


def train(recipe: Recipe, *, epochs: int, seed: int) -> SequenceModel:
    """The model of the best epoch on the validation data; the same seed gives the same weights."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)  # the data's own, apart from dropout's
    model = SequenceModel(recipe.spec)
    averaged = copy.deepcopy(model).eval()
    how = recipe.hyperparameters
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay
    )
    total = epochs * recipe.steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, total, how.warmup)
    )
    best, best_weights = math.inf, model.state_dict()
    with tqdm(total=total, unit="step", mininterval=2) as progress:
        for epoch in range(1, epochs + 1):
            with training_mode(model, how.dropout):
                for loss in recipe.losses(model, generator):
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    nn.utils.clip_grad_norm_(model.parameters(), how.clip)
                    optimizer.step()
                    schedule.step()
                    average_weights(averaged, model, how.average)
                    progress.update()
            figure = recipe.validate(averaged)
            progress.write(f"epoch {epoch}: loss {loss.item():.4f}, validation {figure:.4f}")
            if figure < best:
                best, best_weights = figure, copy.deepcopy(averaged.state_dict())
    averaged.load_state_dict(best_weights)
    return averaged


@contextmanager
def training_mode(model: SequenceModel, rate: float) -> Iterator[None]:
    """Dropout between the layers while it lasts; what is measured and saved has none."""
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


def card_text(model_id: str, spec: ModelSpec) -> str:
    """``card.md``: what ``model.json`` says of the model, for people."""
    card, lstm = spec.card, spec.lstm
    direction = "bidirectional" if lstm.bidirectional else "one direction"
    reads = ", ".join(f"{name} ({len(spec.vocabularies[name]):,})" for name in spec.embedding)
    rows = {
        "id": f"`{model_id}`",
        "LSTM": f"{lstm.num_layers} layers of {lstm.hidden_size} units, {direction}",
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


def argument_parser(description: str, *, epochs: int, units: int) -> argparse.ArgumentParser:
    """The options every script has; ``data`` is the path to the texts."""
    parser = argparse.ArgumentParser(description=description)
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
    model = train(recipe, epochs=options.epochs, seed=options.seed)
    value = round(recipe.test(model), 4)
    command = f"python -m {recipe.module} {recipe.placeholder}"
    card = {"value": value, "command": command + changed, "measured": f"{command} --evaluate"}
    write_model(model, folder, card)
    print(f"{recipe.spec.card['metric']}: {value:.4f}, written to {os.path.relpath(folder)}")
    return 0
