"""From what is in a file to what could be made of it: the choices, the guess, and what to ask.

Every choice is a field with named options. What the shapes and names decide is decided; what they
do not is guessed and asked. No torch here, and no numbers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lstm_core.checkpoints.contents import TensorInfo
from lstm_core.checkpoints.discovery import (
    FoundLSTM,
    Matrix,
    Tensors,
    belongs,
    embeddings,
    heads,
    looks_like_attention,
    looks_like_embedding,
)
from lstm_core.checkpoints.inspection import Inspection, TableInfo
from lstm_core.errors import CheckpointError
from lstm_core.shape import StackShape

#: Joins the names of several modules or layers in one option, from the bottom up.
JOIN = " + "

#: An uploaded table's option; the file's own have their names.
BROUGHT = "file:"

#: Every field there can be, in the order in which they narrow each other.
CHOICES = (
    *("lstm", "embedding", "vocabulary", "first_row", "tokenizer", "lowercase"),
    *("head", "activation", "task", "reads", "labels", "initial"),
)

IDS = "ids"
BYTES = "bytes"
ONE_HOT = "one-hot"
NUMBERS = "numbers"
NONE = "none"

MAX_ONE_HOT = 4096
#: Rows of an embedding that a vocabulary may leave without a string: padding, special entries.
SPARE_ROWS = 64
#: By how many a head may miss the vocabulary and still be a language model's.
SPECIAL_ENTRIES = 16

TOKENIZERS = {
    "characters": ("characters", "every character is a token, spaces too"),
    "bytes": ("bytes", "every byte of the UTF-8 text is a token"),
    "whitespace": ("white space", "what stands between white space is a token"),
    "simple": ("words", "runs of letters and digits, and signs; Chinese by character"),
    "words": ("words as in treebanks", "like words, but don't is do n't and it's is it 's"),
}
TASKS = {
    "next_token": ("the next token", "a language model"),
    "tag": ("a label for each token", "a tagger"),
    "classify": ("one class for the whole sequence", "a classifier, shown after every token"),
    "value": ("numbers", "a regression; no probabilities"),
}
READS = {
    "each": ("h at every timestep", "output[t]"),
    "last": ("the last h", "h_n of the top layer, both directions side by side"),
    "mean": ("the mean of h", "over all timesteps so far"),
    "max": ("the maximum of h", "over all timesteps so far"),
}
ACTIVATIONS = {"relu": ("ReLU", ""), "tanh": ("tanh", ""), "none": ("none", "")}


@dataclass(frozen=True)
class Option:
    """One answer: what to send, what to call it, and what speaks for it."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class Field:
    """One choice. ``asked`` where the guess ``value`` might as well be another."""

    name: str
    question: str
    value: str
    options: list[Option]
    asked: bool
    why: str = ""


@dataclass(frozen=True)
class Proposal:
    """All choices; ``problem`` says why a model cannot be made of them, if it cannot."""

    fields: list[Field]
    shape: StackShape
    unused: list[str]
    notes: list[str] = field(default_factory=list)
    problem: str | None = None

    @property
    def choices(self) -> dict[str, str]:
        return {field.name: field.value for field in self.fields}

    @property
    def asked(self) -> list[Field]:
        return [field for field in self.fields if field.asked]

    def refuse_questions(self) -> None:
        """Raises CheckpointError for a problem, or for the first thing that is not decided."""
        if self.problem:
            raise CheckpointError("No model can be made of this.", came=self.problem)
        for question in self.asked[:1]:
            raise CheckpointError(
                f"{question.question} The file does not decide it. {question.why}".strip(),
                expected=f"{question.name}=… with one of those below; the guess is "
                f"{question.value!r}",
                exists=[repr(option.value) for option in question.options],
            )


def propose(
    inspection: Inspection,
    given: Mapping[str, str] | None = None,
    brought: Sequence[TableInfo] = (),
) -> Proposal:
    """What to make of a file, with some choices already made and vocabularies brought along.

    Raises CheckpointError when there is no LSTM, or for a choice that there is not.
    """
    inspection.check()
    return _Proposing(inspection, dict(given or {}), list(brought)).propose()


class _Proposing:
    """Goes from the LSTM outwards; each choice narrows the next one."""

    def __init__(
        self, inspection: Inspection, given: dict[str, str], brought: list[TableInfo]
    ) -> None:
        self.found = inspection.discovery
        self.inspection = inspection
        self.given = given
        self.chosen: list[str] = []  # the LSTMs' names
        self.states: list[tuple[str, str]] = []  # what may be their h_0 and c_0
        self.fields: list[Field] = []
        self.notes: list[str] = []
        self.problem: str | None = None
        self.tables = {BROUGHT + table.name: table for table in brought} | {
            table.name: table for table in inspection.tables
        }

    def propose(self) -> Proposal:
        lstms = self.lstm()
        shape = stack_of(lstms)
        width = lstms[0].shape.input_size
        embedding, source = self.input(width)
        rows = embedding.rows if embedding else width
        table = None if source == NUMBERS else self.vocabulary(rows, source)
        chain = self.head(lstms[-1].output_size, embedding)
        if chain:
            self.predictions(chain, source, rows, lstms[-1], table)
        self.initial()
        if source != NUMBERS:
            self.complain_of_others(rows)
        self.refuse_what_is_left()
        used = {name for lstm in lstms for name in (*lstm.weights.values(), *lstm.initial.values())}
        used |= (
            set(self.fields[-1].value.split(JOIN)) if self.fields[-1].name == "initial" else set()
        )
        used |= {m.name for m in [*([embedding] if embedding else []), *chain]}
        used |= {m.bias for m in chain if m.bias}
        unused = [name for name in self.inspection.tensors if name not in used]
        return Proposal(self.fields, shape, unused, self.notes, self.problem)

    def choose(
        self,
        name: str,
        question: str,
        options: Sequence[Option],
        guess: str,
        *,
        asked: bool = False,
        why: str = "",
    ) -> str:
        """The given value, or the guess. Raises CheckpointError for a value there is not."""
        value = self.given.pop(name, None)
        if value is not None and value not in [option.value for option in options]:
            raise CheckpointError(
                f"There is no such {name} in this file.",
                came=repr(value),
                exists=[option.value for option in options],
            )
        asked = asked and value is None
        chosen = guess if value is None else value
        self.fields.append(Field(name, question, chosen, list(options), asked, why))
        return chosen

    def is_own(self, matrix: Matrix) -> bool:
        """Whether a matrix belongs to the chosen LSTMs rather than to others in the file."""
        others = [lstm.name for lstm in self.found.lstms if lstm.name not in self.chosen]
        return belongs(matrix.name, self.chosen, others)

    def refuse_what_is_left(self) -> None:
        """A choice that led nowhere: a head's activation where there is no head, say."""
        if unknown := [name for name in self.given if name not in CHOICES]:
            raise CheckpointError("There is no such choice.", came=unknown[0], exists=CHOICES)

    # --- LSTMs ---

    def lstm(self) -> list[FoundLSTM]:
        lstms = self.found.lstms
        chains = {chain_name([lstm]): [lstm] for lstm in lstms}
        siblings = sibling_chains(lstms)
        whole = [lstms] if stand_on_each_other(lstms) else []
        for chain in [*whole, *siblings, *pairs(lstms)]:
            chains.setdefault(chain_name(chain), chain)
        longest = max([*whole, *siblings], key=len, default=None)
        guess = longest or lstms[0]
        first = chain_name(longest) if longest else chain_name([lstms[0]])
        options = [
            Option(name, name or "(the only one)", " → ".join(str(lstm.shape) for lstm in chain))
            for name, chain in chains.items()
        ]
        covered = len(longest) if longest else 1
        name = self.choose(
            "lstm",
            "Which LSTM?",
            options,
            first,
            asked=len(lstms) > covered,
            why=f"There are {len(lstms)} in this file."
            if len(lstms) > covered
            else "Their sizes fit on each other."
            if guess is longest and longest
            else "",
        )
        self.chosen = [lstm.name for lstm in chains[name]]
        if len(chains[name]) == 1 and not chains[name][0].initial:
            self.states = states_beside(self.inspection.tensors, chains[name][0])
        return chains[name]

    # --- what goes in ---

    def input(self, width: int) -> tuple[Matrix | None, str]:
        """The embedding, and "embedding", "one-hot" or "numbers"."""
        candidates = embeddings(self.found.matrices, width)
        options = [Option(m.name, m.name, f"{m.rows:,} rows × {m.width}") for m in candidates]
        if width <= MAX_ONE_HOT:
            options.append(
                Option(ONE_HOT, "one-hot", f"each of {width} tokens is a row of zeros with a 1")
            )
        options.append(Option(NUMBERS, "numbers", f"a table with {width} columns"))
        own = [m for m in candidates if self.is_own(m)]
        likely = [m for m in own if looks_like_embedding(m)] or [m for m in own if m.rows > m.width]
        asked, why = False, ""
        if likely:
            guess = likely[0].name
            if len(likely) > 1:
                asked, why = True, f"{len(likely)} matrices are {width} wide, as the LSTM's input."
        elif any(table.size == width for table in self.tables.values()) and width <= MAX_ONE_HOT:
            guess, why = ONE_HOT, f"A vocabulary has {width} entries, the LSTM's input_size."
        elif candidates:
            guess, asked = candidates[0].name, True
            why = "Its width fits, its name does not say what it is."
        else:
            guess, why = NUMBERS, f"No matrix is {width} wide, so nothing turns tokens into x."
            asked = bool(self.tables)
        name = self.choose("embedding", "What does it read?", options, guess, asked=asked, why=why)
        found = next((m for m in candidates if m.name == name), None)
        return found, "embedding" if found else name

    def vocabulary(self, rows: int, source: str) -> TableInfo | None:
        fitting = {name: table for name, table in self.tables.items() if fits(table, rows, source)}
        options = [
            Option(name, table_label(name), f"{table.entries:,} entries: {sample(table)}")
            for name, table in fitting.items()
        ]
        options.append(Option(IDS, "none: type ids", f"numbers from 0 to {rows - 1:,}"))
        if rows >= 256:
            options.append(Option(BYTES, "bytes", "row n is byte n"))
        ranked = sorted(
            fitting, key=lambda name: (not name.startswith(BROUGHT), fitting[name].size != rows)
        )
        guess = ranked[0] if ranked else BYTES if rows == 256 else IDS
        why = ""
        if not ranked:
            why = f"No vocabulary of {rows:,} entries was in the file or brought along with it."
        name = self.choose(
            "vocabulary", "Which token is which row?", options, guess, asked=not ranked, why=why
        )
        table = fitting.get(name)
        if table is None:
            return None
        if table.size < rows:
            self.first_row(table, rows - table.size)
        if table.size > rows:
            self.notes.append(
                f"The vocabulary has ids up to {table.size - 1:,}, the embedding {rows:,} rows. "
                "Tokens beyond them are unknown."
            )
        self.tokenizer(table)
        return table

    def first_row(self, table: TableInfo, spare: int) -> None:
        """Padding and special entries are left out of many files, and stand on either side."""
        self.choose(
            "first_row",
            "Which row is the first entry's?",
            [
                Option("0", "row 0", f"the last {spare} rows have no entry"),
                Option(str(spare), f"row {spare}", f"the first {spare} rows have no entry"),
            ],
            "0" if table.unknown else str(spare),
            asked=True,
            why=f"The vocabulary has {spare} entries fewer than the embedding has rows.",
        )

    def complain_of_others(self, rows: int) -> None:
        """A vocabulary that somebody took the trouble to bring, and that nothing here can use."""
        brought = [t for name, t in self.tables.items() if name.startswith(BROUGHT)]
        options = [option.value for field in self.fields for option in field.options]
        if brought and not any(value.startswith(BROUGHT) for value in options):
            largest = max(brought, key=lambda table: table.size)
            self.problem = (
                f"The vocabulary you brought has {largest.size:,} entries, the embedding {rows:,} "
                "rows. They do not belong together, or another embedding was meant."
            )

    def tokenizer(self, table: TableInfo) -> None:
        options = [Option(name, *words) for name, words in TOKENIZERS.items() if name != "bytes"]
        why = ""
        if table.single > 0.9 and not (table.unspaced and table.entries > 500):
            guess = "characters"
        elif table.pieces:
            guess = "whitespace"
            why = (
                "Its vocabulary has pieces of words, and how words are cut into pieces is not in "
                "it: type the pieces, with spaces between them."
            )
        elif table.clitics:
            guess = "words"
        else:
            guess = "simple"
        self.choose("tokenizer", "How is text cut?", options, guess, asked=table.pieces, why=why)
        lower = "yes" if table.letters and not table.capitals else "no"
        self.choose(
            "lowercase",
            "Capitals",
            [Option("yes", "made small", ""), Option("no", "kept", "")],
            lower,
            why="The vocabulary has no capitals." if lower == "yes" else "",
        )

    def initial(self) -> None:
        """Initial states that were learned have no name everybody uses; their shapes tell."""
        if self.states:
            self.choose(
                "initial",
                "Where does it begin?",
                [*(Option(f"{h}{JOIN}{c}", f"{h}, {c}", "h_0 and c_0") for h, c in self.states),
                 Option(NONE, "zeros", "as nn.LSTM does by itself")],
                JOIN.join(self.states[0]),
                asked=True,
                why="These two have the shapes of h_0 and c_0.",
            )  # fmt: skip

    # --- what comes out ---

    def head(self, width: int, embedding: Matrix | None) -> list[Matrix]:
        states = {name for pair in self.states for name in pair}
        free = [m for m in self.found.matrices if m is not embedding and m.name not in states]
        chains = heads(free, width)
        tied = embedding is not None and embedding.width == width
        options: dict[str, list[Matrix]] = {}
        for chain in chains:
            for length in range(len(chain), 0, -1):
                options.setdefault(JOIN.join(m.name for m in chain[:length]), chain[:length])
        if tied and embedding is not None:
            options.setdefault(embedding.name, [embedding])
        likely = [
            chain
            for chain in chains
            if self.is_own(chain[0])
            and not looks_like_embedding(chain[0])
            and "transition" not in chain[0].name
        ]
        # Attention reads h, too; it is the head only where nothing else can be.
        likely = [chain for chain in likely if not looks_like_attention(chain[0])] or likely
        guess = JOIN.join(m.name for m in likely[0]) if likely else NONE
        why = ""
        if len(likely) > 1:
            why = f"{len(likely)} matrices read {width} numbers, as wide as the output."
        elif not likely:
            why = f"No matrix reads {width} numbers, as wide as the output."
            if tied:
                why = "The embedding may serve as the head, too, if its weights are tied."
        name = self.choose(
            "head",
            "What reads h?",
            [
                *(
                    Option(value, value, f"{width} → " + " → ".join(f"{m.rows:,}" for m in chain))
                    for value, chain in options.items()
                ),
                Option(NONE, "nothing", "states only, no predictions"),
            ],
            guess,
            asked=len(likely) > 1 or (tied and not likely),
            why=why,
        )
        return options.get(name, [])

    def predictions(
        self,
        chain: list[Matrix],
        source: str,
        rows: int,
        top: FoundLSTM,
        table: TableInfo | None,
    ) -> None:
        outputs = chain[-1].rows
        if len(chain) > 1:
            self.choose(
                "activation",
                "Between the head's layers",
                [Option(value, *words) for value, words in ACTIVATIONS.items()],
                "relu",
                asked=True,
                why="The file holds the layers, not what stands between them.",
            )
        task, sure = guess_task(chain, outputs, source, rows, top, [*self.tables.values()])
        tasks = [value for value in TASKS if value != "next_token" or outputs >= 2]
        if outputs == 1:
            tasks = ["classify", "value"]
        task = self.choose(
            "task",
            "What does it predict?",
            [Option(value, *TASKS[value]) for value in tasks],
            task,
            asked=not sure,
            why="" if sure else f"{outputs:,} numbers come out of the head.",
        )
        reads = ["last", "mean", "max", "each"] if task in ("classify", "value") else ["each"]
        self.choose(
            "reads",
            "What is the head given?",
            [Option(value, *READS[value]) for value in reads],
            reads[0],
            asked=task == "classify" and len(top.shape.directions) > 1,
            why="A classifier may read the last h of each direction, or all of them."
            if task == "classify"
            else "",
        )
        self.labels(outputs, task, rows, table)
        if any(re.search("crf|transition", name.lower()) for name in self.inspection.tensors):
            self.notes.append("The CRF's transitions are not used: each label is taken by itself.")

    def labels(self, outputs: int, task: str, rows: int, table: TableInfo | None) -> None:
        count = 2 if task == "classify" and outputs == 1 else outputs
        fitting = {name: t for name, t in self.tables.items() if t.size == count and t is not table}
        options = [Option(name, table_label(name), sample(t)) for name, t in fitting.items()]
        if outputs <= rows and table is not None and task == "next_token":
            options.insert(0, Option("vocabulary", "the vocabulary", f"{outputs:,} entries"))
        options.append(Option(NUMBERS, "numbers", f"0 to {count - 1:,}"))
        self.choose("labels", "What are the labels?", options, options[0].value)


# --- LSTMs that stand on each other -------------------------------------------------------------


def chain_name(chain: Sequence[FoundLSTM]) -> str:
    return JOIN.join(lstm.name for lstm in chain)


def stack_of(chain: Sequence[FoundLSTM]) -> StackShape:
    if len(chain) == 1 and not chain[0].shape.is_cell:
        return StackShape((chain[0].shape,))
    return StackShape(tuple(lstm.shape for lstm in chain), listed=True)


def sibling_chains(lstms: Sequence[FoundLSTM]) -> list[list[FoundLSTM]]:
    """LSTMs whose names differ only by a number, in its order, each as wide as the next reads."""
    families: dict[str, list[tuple[int, FoundLSTM]]] = {}
    for lstm in lstms:
        for family, number in _families(lstm.name):
            families.setdefault(family, []).append((number, lstm))
    chains = []
    for members in families.values():
        ordered = [lstm for _, lstm in sorted(members, key=lambda member: member[0])]
        numbers = {number for number, _ in members}
        if len(ordered) > 1 and len(numbers) == len(ordered) and _fit(ordered):
            chains.append(ordered)
    return chains


def _families(name: str) -> Iterator[tuple[str, int]]:
    """What a name is without one of its numbers, and the number: lstm_2 is number 2 of lstm."""
    for match in re.finditer(r"\d+", name):
        stem = name[: match.start()].rstrip("_")
        yield f"{stem}#{name[match.end() :]}", int(match[0])
    if not re.search(r"\d$", name):
        yield f"{name}#", 0  # Keras calls them lstm, lstm_1, lstm_2


def stand_on_each_other(lstms: Sequence[FoundLSTM]) -> bool:
    """Whether all LSTMs of a file, in its order, can only be meant as one network.

    Two that read the same number of features may as well stand side by side, as the encoder and
    the decoder of a translator do.
    """
    widths = {lstm.shape.input_size for lstm in lstms}
    return len(lstms) > 1 and len(widths) == len(lstms) and _fit(lstms)


def pairs(lstms: Sequence[FoundLSTM]) -> list[list[FoundLSTM]]:
    """Any two that fit on each other, the file's order first; not too many."""
    found = [[a, b] for a in lstms for b in lstms if a is not b and _fit([a, b])]
    return found[:20]


def _fit(chain: Sequence[FoundLSTM]) -> bool:
    return all(
        below.output_size == above.shape.input_size for below, above in itertools.pairwise(chain)
    )


def states_beside(tensors: Tensors, lstm: FoundLSTM) -> list[tuple[str, str]]:
    """Pairs of tensors called h… and c… that hold a state for every cell of an LSTM."""
    cells = len(lstm.shape.cells)
    sizes = {"h": cells * lstm.shape.output_width, "c": cells * lstm.shape.hidden_size}
    pairs = []
    for name, info in tensors.items():
        path, _, last = name.rpartition(".")
        for h, c in (("h", "c"), ("hidden", "cell")):
            other = re.sub(rf"(?<![a-z]){h}(?![a-z])", c, last)
            partner = tensors.get(f"{path}.{other}" if path else other)
            if (
                other != last
                and partner is not None
                and _is_state(info, cells, sizes["h"])
                and _is_state(partner, cells, sizes["c"])
            ):
                pairs.append((name, f"{path}.{other}" if path else other))
    return pairs


def _is_state(info: TensorInfo, cells: int, size: int) -> bool:
    """(cells, width), with an axis of 1 for the batch or without, and without that of one cell."""
    return info.size == size and (cells == 1 or info.shape[:1] == (cells,))


# --- vocabularies and tasks ---------------------------------------------------------------------


def fits(table: TableInfo, rows: int, source: str) -> bool:
    """Whether a list of strings can name the rows of an embedding."""
    if source == ONE_HOT:
        return table.size == rows
    if rows - min(SPARE_ROWS, rows // 4) <= table.size <= rows:
        return True
    # Ids beyond the rows happen where a vocabulary was cut for the model: Keras' num_words.
    return table.size > rows > 64 and table.size <= 50 * rows and table.entries >= rows - SPARE_ROWS


def table_label(name: str) -> str:
    if name.startswith(BROUGHT):
        inside = name.removeprefix(BROUGHT)
        return f"the file you brought{f': {inside}' if inside else ''}"
    return f"in this file: {name}"


def sample(table: TableInfo) -> str:
    return " ".join(repr(token) for token in table.sample[:6])


def guess_task(
    chain: list[Matrix],
    outputs: int,
    source: str,
    rows: int,
    top: FoundLSTM,
    tables: list[TableInfo],
) -> tuple[str, bool]:
    """The likeliest task, and whether it is beyond doubt."""
    names = " ".join(m.name for m in chain)
    if source == NUMBERS:
        return ("value", outputs == 1) if outputs <= 3 else ("classify", False)
    if outputs == 1:
        return "classify", False
    forward_only = len(top.shape.directions) == 1
    if outputs == rows or (abs(outputs - rows) <= SPECIAL_ENTRIES < rows / 2):
        return "next_token", forward_only
    if re.search(r"tag|pos\b|ner\b|slot|crf|emission", names, re.IGNORECASE):
        return "tag", True
    if re.search(r"sentiment|classif|cls|polarity", names, re.IGNORECASE):
        return "classify", True
    if any(table.size == outputs and "tag" in table.name.lower() for table in tables):
        return "tag", True
    if outputs > 100:
        return "next_token", False
    return ("classify" if forward_only or outputs <= 3 else "tag"), False
