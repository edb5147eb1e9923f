"""What goes over the wire as JSON. Every schema ends in its role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from lstm_core.model_spec import Reads, Task
from lstm_core.quantities import Direction, Quantity, Scale
from lstm_core.shape import StackShape

if TYPE_CHECKING:  # they import numpy, for which the start does not wait
    from lstm_core.checkpoints.inspection import TableInfo
    from lstm_core.checkpoints.proposal import Proposal
    from server.uploads import Upload

Precision = Literal["float32", "float64"]
WorkerStatus = Literal["starting", "ready"]
ModelSource = Literal["box", "folder", "opened", "fresh"]

_UNWANTED = re.compile("[\ud800-\udfff\0]")


def _refuse_what_is_not_text(value: object) -> object:
    """Lone surrogates have no encoding, and NUL ends strings elsewhere; say where they are."""
    if isinstance(value, str) and (found := _UNWANTED.search(value)):
        kind = "a NUL character" if found[0] == "\0" else "half of a surrogate pair"
        raise PydanticCustomError(
            "not_text",
            "Character {position} is {kind} (U+{code}), which is no text. Remove it.",
            {"position": found.start(), "kind": kind, "code": f"{ord(found[0]):04X}"},
        )
    return value


Text = Annotated[
    str,
    BeforeValidator(_refuse_what_is_not_text),
    WithJsonSchema({"type": "string"}),
]


def _without_surrogates(value: object) -> object:
    return re.sub("[\ud800-\udfff]", "\ufffd", value) if isinstance(value, str) else value


#: What a file says, as it may be sent: a strange file may hold halves of surrogate pairs.
FileText = Annotated[str, BeforeValidator(_without_surrogates)]


class Schema(BaseModel):
    # A field may be called model_…; nothing is ever written to a reply once it is made.
    model_config = ConfigDict(protected_namespaces=(), frozen=True)


class RequestSchema(Schema):
    model_config = ConfigDict(extra="forbid")


# --- the server itself --------------------------------------------------------------------------


class HealthPublic(Schema):
    status: Literal["ok"] = "ok"
    version: str
    workers: WorkerStatus = Field(description="Requests made while starting wait for the workers.")


class LimitsPublic(Schema):
    max_characters: int
    max_table_characters: int
    max_tokens: int
    max_recording_bytes: int
    max_export_bytes: int
    max_tab_bytes: int
    max_json_bytes: int
    max_file_bytes: int
    max_sentences: int
    max_checkpoint_bytes: int
    max_vocabulary_bytes: int
    max_parameters: int
    upload_minutes: float


class AboutPublic(Schema):
    version: str
    plotly: str = Field(description="Version of plotly.js's Python package.")
    plotly_url: str = Field(description="Where plotly.js is served; may be cached for ever.")
    token_needed: bool
    limits: LimitsPublic


class SessionCreate(RequestSchema):
    token: Text = Field(max_length=1000)


class FieldProblemPublic(Schema):
    where: str = Field(description="Path of the wrong field, e.g. body.text.")
    message: str
    type: str


class ProblemPublic(Schema):
    """An error, as RFC 9457 describes it."""

    type: str = Field(examples=["urn:gatescope:problem:unknown-model"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="A sentence for people.", examples=["No such model."])
    instance: str = Field(description="The path that was asked for.")
    came: str | None = None
    expected: str | None = None
    exists: list[str] | None = None
    errors: list[FieldProblemPublic] | None = None
    request_id: str | None = Field(None, description="Find the cause in the server's log by it.")


# --- what can be recorded -----------------------------------------------------------------------


class QuantityPublic(Schema):
    """One recorded value of an LSTM cell."""

    name: str
    label: str
    formula: str
    sentence: str
    scale: Scale
    low: float | None
    high: float | None
    shown_low: float
    shown_high: float
    order: int

    @classmethod
    def of(cls, quantity: Quantity, order: int) -> QuantityPublic:
        return cls(**vars(quantity), order=order)


class ModulePublic(Schema):
    """One module of the stack; its options are named as in PyTorch."""

    kind: Literal["LSTM", "BackwardLSTM", "LSTMCell"]
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    bidirectional: bool
    proj_size: int


class LayerPublic(Schema):
    """One layer, numbered through the whole stack from the bottom."""

    module: int = Field(description="Which module it belongs to.")
    directions: list[Direction]
    input_size: int = Field(description="What it reads: x, or all h of the layer below.")
    hidden_size: int = Field(description="Width of the gates and of c.")
    output_size: int = Field(description="Width of h of one direction: the projection's, if any.")


class StackPublic(Schema):
    """The LSTMs that are recorded, from the bottom up."""

    modules: list[ModulePublic]
    listed: bool = Field(description="Whether it is a list: then h_n is a tuple, one per module.")
    layers: list[LayerPublic]

    @classmethod
    def of(cls, shape: StackShape) -> StackPublic:
        layers, input_size = [], shape.input_size
        modules = [n for n, module in enumerate(shape.modules) for _ in range(module.num_layers)]
        for n, module in enumerate(modules):
            layers.append(
                LayerPublic(
                    module=module,
                    directions=list(shape.directions(n)),
                    input_size=input_size,
                    hidden_size=shape.width("c", n),
                    output_size=shape.width("h", n),
                )
            )
            input_size = shape.output_width(n)
        return cls(
            modules=[ModulePublic(**vars(module)) for module in shape.modules],
            listed=shape.listed,
            layers=layers,
        )


class TrainingCheckpointPublic(Schema):
    """A model as it was on the way; its id names a model like any other."""

    id: str = Field(examples=["shakespeare@80"])
    digest: str
    step: int
    of: int = Field(description="Steps of the whole training.")
    validation: float = Field(
        description="The figure that chose the finished model, measured there; lower is better."
    )


class ModelPublic(Schema):
    id: str
    digest: str = Field(description="Names exactly these weights.")
    title: str
    source: ModelSource = Field(
        description="In the box, in one of the server's folders, or kept by somebody here; the "
        "last two can be renamed and removed."
    )
    task: Task | None = Field(description="What the head predicts; null without a head.")
    reads: Reads = Field(description="What the head is given at a timestep.")
    split: str = Field(
        description="How text is cut: characters, bytes, words, …; 'table' reads rows of numbers."
    )
    columns: list[str] = Field(description="Names of the numbers in a row, where they are known.")
    lstm: StackPublic
    embedding: dict[str, int] = Field(description="Width of each feature's table.")
    vocabulary: dict[str, int] = Field(description="Size of each feature's vocabulary.")
    parameters: int
    examples: list[str]
    checkpoints: list[TrainingCheckpointPublic] = Field(
        description="Weights from along its training, the earliest first."
    )
    card: dict[str, Any]


class ModelDetailPublic(ModelPublic):
    labels: list[str] = Field(description="What the head predicts, in the order of its rows.")


# --- files that are opened ----------------------------------------------------------------------


class TensorPublic(Schema):
    name: FileText
    shape: list[int]
    dtype: str


class StringsPublic(Schema):
    """A vocabulary, or labels: strings in the order of their ids."""

    name: FileText = Field(description="Where in the file; empty for the only one.")
    entries: int
    sample: list[FileText] = Field(description="The first few, cut.")

    @classmethod
    def of(cls, table: TableInfo) -> StringsPublic:
        return cls(name=table.name, entries=table.entries, sample=table.sample)


class OptionPublic(Schema):
    value: FileText = Field(description="What to send as the choice.")
    label: FileText
    detail: FileText


class ChoicePublic(Schema):
    """One thing to decide about a file."""

    name: str = Field(examples=["tokenizer"])
    question: str = Field(examples=["How is text cut?"])
    value: FileText = Field(description="What was chosen, or else the guess.")
    options: list[OptionPublic]
    asked: bool = Field(description="Whether the file leaves it open, so that it is a guess.")
    why: FileText


class ProposalPublic(Schema):
    """The model that would be made of a file."""

    fields: list[ChoicePublic]
    lstm: StackPublic
    unused: list[FileText] = Field(description="Tensors that would not be part of it.")
    notes: list[FileText]
    problem: FileText | None = Field(description="Why no model can be made so; null if it can.")

    @classmethod
    def of(cls, proposal: Proposal) -> ProposalPublic:
        return cls(
            fields=[
                ChoicePublic(
                    **{**vars(field), "options": [OptionPublic(**vars(o)) for o in field.options]}
                )
                for field in proposal.fields
            ],
            lstm=StackPublic.of(proposal.shape),
            unused=proposal.unused,
            notes=proposal.notes,
            problem=proposal.problem,
        )


class CheckpointPublic(Schema):
    """A file of weights that waits to be opened."""

    id: str
    name: str
    nbytes: int
    format: FileText
    notes: list[FileText]
    tensors: list[TensorPublic]
    tables: list[StringsPublic] = Field(description="Lists of strings beside the weights.")
    proposal: ProposalPublic

    @classmethod
    def of(cls, upload: Upload, proposal: Proposal) -> CheckpointPublic:
        found = upload.inspection
        assert found is not None
        return cls(
            id=upload.id,
            name=upload.name,
            nbytes=upload.nbytes,
            format=found.format,
            notes=found.notes,
            tensors=[
                TensorPublic(name=name, shape=list(info.shape), dtype=info.dtype)
                for name, info in found.tensors.items()
            ],
            tables=[StringsPublic.of(table) for table in found.tables],
            proposal=ProposalPublic.of(proposal),
        )


class VocabularyPublic(Schema):
    """A file of strings that waits for a checkpoint."""

    id: str
    name: str
    nbytes: int
    tables: list[StringsPublic]

    @classmethod
    def of(cls, upload: Upload) -> VocabularyPublic:
        return cls(
            id=upload.id,
            name=upload.name,
            nbytes=upload.nbytes,
            tables=[StringsPublic.of(table) for table in upload.tables],
        )


class TablePublic(Schema):
    """A file of numbers, as the text to record."""

    text: str
    timesteps: int
    columns: list[str]


UploadId = Annotated[Text, Field(max_length=100)]
Choices = Annotated[dict[Text, Text], Field(max_length=50)]
Title = Annotated[Text, Field(min_length=1, max_length=200)]


class ProposalCreate(RequestSchema):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"choices": {"tokenizer": "characters"}}]}
    )

    choices: Choices = Field(
        default_factory=dict, description="What has been chosen; the rest is guessed."
    )
    vocabulary: UploadId | None = Field(None, description="Id of a vocabulary brought along.")


class ModelCreate(RequestSchema):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "checkpoint": "0f3c5b2e9d8a47161f0e2d3c4b5a6978",
                    "choices": {"tokenizer": "characters"},
                    "title": "My first LSTM",
                }
            ]
        }
    )

    checkpoint: UploadId = Field(description="Id of a file of weights.")
    vocabulary: UploadId | None = None
    choices: Choices = Field(default_factory=dict)
    title: Title | None = Field(None, description="The file's name, if none is given.")


class FreshModelCreate(RequestSchema):
    """The options of an ``nn.LSTM``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"input_size": 8, "hidden_size": 16, "num_layers": 2}]}
    )

    input_size: int = Field(ge=1, le=10_000_000)
    hidden_size: int = Field(ge=1, le=10_000_000)
    num_layers: int = Field(1, ge=1, le=1_000)
    bias: bool = True
    bidirectional: bool = False
    proj_size: int = Field(0, ge=0, le=10_000_000)
    seed: int = Field(0, ge=0, le=2**53 - 1)
    reads: Literal["words", "numbers"] = "words"
    title: Title | None = None


class ModelUpdate(RequestSchema):
    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "My first LSTM"}]})

    title: Title


# --- recordings ---------------------------------------------------------------------------------


class RecordingCreate(RequestSchema):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"model": "shakespeare", "text": "To be, or not to be"}]}
    )

    model: Text = Field(max_length=200, description="Id of a model.")
    text: Text = Field(description="The sentence to record.")
    precision: Precision = "float32"


class ContinuationCreate(RequestSchema):
    """What a language model is to write, and how its tokens are chosen."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"model": "shakespeare", "text": "My lord, I", "method": "sample", "seed": 3}
            ]
        }
    )

    model: Text = Field(max_length=200, description="Id of a model.")
    text: Text = Field(description="The text to go on from.")
    precision: Precision = "float32"
    tokens: int = Field(100, ge=1, le=1000, description="How many to write.")
    method: Literal["greedy", "sample"] = "greedy"
    temperature: float = Field(
        1.0, gt=0, le=1e6, description="Below 1 sharper, above 1 flatter: p to the power 1/T."
    )
    top_k: int | None = Field(None, ge=1, description="Only the k most probable.")
    top_p: float | None = Field(
        None, gt=0, le=1, description="Only the fewest that together have this much."
    )
    seed: int = Field(0, ge=0, le=2**53 - 1, description="Equal seeds draw equal tokens.")
    first: int | None = Field(None, ge=0, description="Id of the label that comes first.")


class FeaturePublic(Schema):
    name: str
    value: str
    known: bool


class TokenPublic(Schema):
    """``text[start:end]`` of the sentence, exactly; positions count code points."""

    text: str
    start: int
    end: int
    known: bool = Field(description="Whether the model has its leading feature.")
    features: list[FeaturePublic]


class ParityPublic(Schema):
    """How close the recording is to PyTorch's own forward."""

    difference: float | None = Field(
        description="Largest absolute difference; null where a number stands against none."
    )
    tolerance: float
    where: str | None = Field(description="The first place outside the tolerance.")
    ok: bool


class PredictionsPublic(Schema):
    """Names the columns of the array ``scores``: probabilities, or for "value" plain numbers."""

    task: Task
    labels: list[str]
    targets: list[int | None] | None = Field(
        description="The label that really came, per timestep, where it is known."
    )


class ArrayPublic(Schema):
    name: str = Field(examples=["0.forward.i"])
    shape: list[int]
    dtype: str = Field(examples=["F32"])
    low: float | None = Field(description="Lowest finite value; null where there is none.")
    high: float | None = Field(description="Highest finite value; null where there is none.")
    finite: bool = Field(description="Whether all values are.")


class RecordingPublic(Schema):
    id: str = Field(description="Equal for equal model, text and precision.")
    model: str
    model_digest: str
    text: str
    precision: Precision
    timesteps: int
    tokens: list[TokenPublic]
    lstm: StackPublic
    parity: ParityPublic
    not_finite: str | None = Field(
        description="Where NaN or infinity first appeared, in words; null where all is finite.",
        examples=["c of layer 1 backward at timestep 2"],
    )
    predictions: PredictionsPublic | None
    arrays: list[ArrayPublic]
    nbytes: int = Field(description="Size of the whole file.")


class OrderPublic(Schema):
    order: list[int] = Field(description="Every unit once.")


class UnitsPublic(Schema):
    units: list[int]


class SimilarityPublic(Schema):
    names: list[str]
    other_names: list[str]
    timesteps: int = Field(description="How many were looked at, of all recordings together.")
    cka: list[list[float | None]] = Field(description="A row for each name; from 0 to 1.")


class MovedPublic(Schema):
    """What two heads say at each pair of timesteps."""

    top: list[list[str | None]] = Field(description="The most probable label of both.")
    moved: list[float | None] = Field(description="½ Σ |p - q|, where both have the same labels.")


class ComparisonPublic(Schema):
    """Two arrays at pairs of timesteps; null where there is nothing to compare."""

    names: list[str]
    widths: list[int]
    pairs: list[list[int | None]] = Field(description="Timesteps of both; null without a partner.")
    same: list[bool] = Field(description="Whether the tokens are equal.")
    cosine: list[float | None]
    distance: list[float | None] = Field(description="‖a - b‖")
    relative: list[float | None] = Field(description="‖a - b‖ / ½(‖a‖ + ‖b‖), from 0 to 2.")
    norm: list[float | None]
    other_norm: list[float | None]
    cka: float | None
    mean_cosine: float | None
    parts_at: int | None = Field(description="Which of the pairs is the first that differs.")
    threshold: float
    predictions: MovedPublic | None


class MatchPublic(Schema):
    """Who does what this unit does; null where nobody does, because it never moves."""

    unit: int
    other_unit: int | None
    correlation: float | None = Field(description="Pearson's r, with its sign.")
    one_to_one_unit: int | None
    one_to_one_correlation: float | None


class BestMatchesPublic(Schema):
    matches: list[MatchPublic]


class SentencesPublic(Schema):
    encoding: str
    sentences: list[str]
