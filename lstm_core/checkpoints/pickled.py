"""What a pickle would do, found out without doing any of it. No torch here.

A pickle is a program for a small stack machine. ``look`` walks through the program with a stack of
descriptions, so that it knows which names the pickle asks for and what becomes of the objects made
with them; nothing is imported, called or built. ``as_protocol_2`` writes a newer pickle in the
opcodes that ``torch.load(weights_only=True)`` knows.
"""

from __future__ import annotations

import pickletools
import struct
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from lstm_core.errors import CheckpointError

#: How weights are saved so that they can be opened anywhere.
SAVE = 'torch.save(model.state_dict(), "weights.pt")'


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


#: How many instructions a pickle may have; the vocabulary of a million words needs four million.
INSTRUCTIONS = 20_000_000

#: Modules nobody needs in order to describe weights, and from which a pickle is made to act.
ACTING = words(
    """
    asyncio atexit bdb code codeop cProfile commands ctypes distutils doctest ensurepip ftplib gc
    http imp importlib io _io linecache marshal mmap multiprocessing nt ntpath operator
    _operator os pdb pickle _pickle cPickle pip pkgutil platform popen2 poplib posix posixpath
    profile pty pydoc requests resource runpy shelve shlex shutil signal site smtplib socket _socket
    socketserver sqlite3 ssl subprocess sys tempfile thread _thread threading timeit trace urllib
    urllib2 venv webbrowser xmlrpc zipfile zipimport dill cloudpickle
    """
)
#: Those of them that are single files, and names people give to folders of their own classes.
FOLDERS = words("code commands platform profile resource shelve site test trace")
#: Single functions that act, in modules that also hold harmless names.
ACTING_NAMES = (
    "numpy.load",
    "numpy.loadtxt",
    "numpy.fromfile",
    "numpy.testing",
    "pandas.eval",
    "pandas.read_pickle",
    "torch.compile",
    "torch.hub",
    "torch.jit",
    "torch.load",
    "torch.ops",
    "torch.package",
    "torch.save",
    "torch.serialization.load",
    "torch.utils.cpp_extension",
    "types.CodeType",
    "types.FunctionType",
    "types.LambdaType",
)
#: What of builtins only describes values.
HARMLESS_BUILTINS = words(
    """
    bool bytearray bytes complex dict float frozenset int list object range set slice str tuple
    type Ellipsis NotImplemented NoneType None long unicode basestring xrange
    """
)


class Readable(Protocol):
    """What pickletools reads from."""

    def read(self, size: int = ..., /) -> bytes: ...

    def readline(self) -> bytes: ...

    def tell(self) -> int: ...


@dataclass(frozen=True)
class Name:
    """A name that the pickle asks for, as ``module.name``."""

    text: str


@dataclass(frozen=True)
class Made:
    """An object made by calling a name."""

    by: str


@dataclass
class Look:
    """What was found in a pickle, or in several that follow each other."""

    names: dict[str, None] = field(default_factory=dict)  # a set that keeps its order
    called: set[str] = field(default_factory=set)
    mappings: set[str] = field(default_factory=set)  # what they make is given items
    lists: set[str] = field(default_factory=set)  # what they make is appended to
    persistent: set[str] = field(default_factory=set)  # "storage", or "module" in old files
    newer: bool = False  # has opcodes that weights_only does not know
    first: Any = None  # what the first pickle consists of, if it is a number or a string

    def acting(self) -> str | None:
        """The first name that makes something happen."""
        return next((name for name in self.names if acts(name)), None)

    def refuse_code(self) -> None:
        """Raise CheckpointError, with the name of what would happen."""
        acting = self.acting()
        if acting is not None:
            raise CheckpointError(
                "This file has code in it, which would run if it were opened the usual way; "
                "it was not run.",
                came=f"the name {acting[:100]}",
                expected=f"a file that holds tensors only: {SAVE}, or a safetensors file",
            )


def acts(name: str) -> bool:
    """Whether calling this does something rather than describe a value."""
    root, _, rest = name.partition(".")
    if root in ("builtins", "__builtin__"):
        return rest.partition(".")[0] not in HARMLESS_BUILTINS | exceptions()
    if root in FOLDERS and "." in rest:
        return False
    return root in ACTING or any(name == one or name.startswith(one + ".") for one in ACTING_NAMES)


def exceptions() -> frozenset[str]:
    """The names of the built-in exceptions, which are values too."""
    import builtins

    return frozenset(
        name
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    )


# The opcodes of torch/_weights_only_unpickler.py.
KNOWN_TO_TORCH = words(
    """
    APPEND APPENDS BINFLOAT BINGET BININT BININT1 BININT2 BINPERSID BINPUT BINUNICODE BUILD
    EMPTY_DICT EMPTY_LIST EMPTY_SET EMPTY_TUPLE GLOBAL LONG1 LONG_BINGET LONG_BINPUT MARK NEWFALSE
    NEWOBJ NEWTRUE NONE PROTO REDUCE SETITEM SETITEMS SHORT_BINSTRING STOP TUPLE TUPLE1 TUPLE2
    TUPLE3
    """
)

_MARK = object()
_OTHER = object()  # a value about which nothing needs to be known


def look(stream: Readable, pickles: int = 1) -> Look:
    """Follow the pickles at the beginning of a stream; raises CheckpointError if they are none."""
    found = Look()
    for number in range(pickles):
        result = _Follower(found).follow(stream)
        if number == 0 and isinstance(result, int | str):
            found.first = result
    return found


def instructions(stream: Readable) -> Iterator[tuple[pickletools.OpcodeInfo, Any, int]]:
    """The instructions of one pickle, as far as they can be read."""
    try:
        for number, (opcode, argument, position) in enumerate(
            pickletools.genops(stream)  # type: ignore[arg-type]
        ):
            if number >= INSTRUCTIONS:
                raise CheckpointError(
                    "This file's list of contents is longer than any list of weights.",
                    came=f"more than {INSTRUCTIONS:,} entries",
                    expected="a file that holds a model's weights",
                )
            yield opcode, argument, position or 0
    except (ValueError, EOFError, OverflowError, IndexError, struct.error) as error:
        raise damaged() from error


def damaged() -> CheckpointError:
    """The error for a pickle that cannot be followed."""
    return CheckpointError(
        "This file's list of contents is damaged.",
        came="a pickle that ends too early or makes no sense",
        expected="a whole file: copy or download it again",
    )


class _Follower:
    """The stack machine, with descriptions in the place of values."""

    def __init__(self, found: Look) -> None:
        self.found = found
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def follow(self, stream: Readable) -> Any:
        for opcode, argument, _ in instructions(stream):
            if opcode.name not in KNOWN_TO_TORCH:
                self.found.newer = True
            try:
                step = getattr(self, "do_" + opcode.name.lower(), None)
                if step is not None:
                    step(argument)
                else:
                    self.anything_else(opcode, argument)
            except (IndexError, KeyError) as error:
                raise damaged() from error
        return self.stack[-1] if self.stack else None

    def anything_else(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """Take and leave as many values as the opcode does."""
        if pickletools.stackslice in opcode.stack_before:
            self.to_mark()
        else:
            for _ in opcode.stack_before:
                self.stack.pop()
        for _ in opcode.stack_after:
            self.stack.append(argument if isinstance(argument, str | int) else _OTHER)

    def to_mark(self) -> list[Any]:
        """Take everything above the last mark, and the mark."""
        taken = []
        while (value := self.stack.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]

    def name(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise CheckpointError(
                "This file hides the names of what it asks for; it was not run.",
                came="a name that is put together while the file is read",
                expected="a file that holds tensors only: torch.save(model.state_dict(), ...)",
            )
        written = f"{module}.{name}"
        self.found.names[written] = None
        # Files of Python 2 have its names for what has moved since.
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        self.found.names[f"{module}.{name}"] = None
        self.stack.append(Name(f"{module}.{name}"))

    def made(self, by: Any) -> None:
        text = by.text if isinstance(by, Name) else ""
        self.found.called.add(text)
        self.stack.append(Made(text))

    def used(self, uses: set[str]) -> None:
        """Note what is done to the object on top."""
        if isinstance(self.stack[-1], Made):
            uses.add(self.stack[-1].by)

    def do_mark(self, _: Any) -> None:
        self.stack.append(_MARK)

    def do_dup(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def do_pop(self, _: Any) -> None:
        self.stack.pop()

    def do_pop_mark(self, _: Any) -> None:
        self.to_mark()

    def do_global(self, argument: str) -> None:
        self.name(*argument.split(" ", 1))

    def do_stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.name(module, name)

    def do_inst(self, argument: str) -> None:
        self.to_mark()
        self.name(*argument.split(" ", 1))
        self.made(self.stack.pop())

    def do_obj(self, _: Any) -> None:
        self.made(self.to_mark()[0])

    def do_reduce(self, _: Any) -> None:
        self.stack.pop()
        self.made(self.stack.pop())

    def do_newobj(self, _: Any) -> None:
        self.do_reduce(_)

    def do_newobj_ex(self, _: Any) -> None:
        self.stack.pop()
        self.do_reduce(_)

    def do_build(self, _: Any) -> None:
        self.stack.pop()

    def do_setitem(self, _: Any) -> None:
        del self.stack[-2:]
        self.used(self.found.mappings)

    def do_setitems(self, _: Any) -> None:
        self.to_mark()
        self.used(self.found.mappings)

    def do_append(self, _: Any) -> None:
        self.stack.pop()
        self.used(self.found.lists)

    def do_appends(self, _: Any) -> None:
        self.to_mark()
        self.used(self.found.lists)

    def do_additems(self, _: Any) -> None:
        self.to_mark()

    def do_tuple(self, _: Any) -> None:
        self.stack.append(tuple(self.to_mark()))

    def do_tuple1(self, _: Any) -> None:
        self.stack[-1:] = [(self.stack[-1],)]

    def do_tuple2(self, _: Any) -> None:
        self.stack[-2:] = [(self.stack[-2], self.stack[-1])]

    def do_tuple3(self, _: Any) -> None:
        self.stack[-3:] = [(self.stack[-3], self.stack[-2], self.stack[-1])]

    def do_binpersid(self, _: Any) -> None:
        identity = self.stack.pop()
        if isinstance(identity, tuple) and identity and isinstance(identity[0], str):
            self.found.persistent.add(identity[0])
        self.stack.append(_OTHER)

    def do_put(self, argument: int) -> None:
        self.memo[argument] = self.stack[-1]

    do_binput = do_long_binput = do_put

    def do_memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def do_get(self, argument: int) -> None:
        self.stack.append(self.memo[argument])

    do_binget = do_long_binget = do_get

    def do_stop(self, _: Any) -> None:
        """The result stays on the stack."""


def as_protocol_2(stream: BinaryIO) -> bytes:
    """One pickle of protocol 3 to 5 with the opcodes of protocol 2; a set becomes a list.

    Strings are written out again wherever the original fetches them from its memo, so that the two
    before a STACK_GLOBAL can always be taken back and written as a GLOBAL.
    """
    start = stream.tell()
    listed = list(instructions(stream))
    end = stream.tell()
    stream.seek(start)
    raw = stream.read(end - start)
    positions = [position - start for _, _, position in listed] + [len(raw)]
    writer = _Writer()
    for (opcode, argument, _), here, after in zip(listed, positions, positions[1:], strict=False):
        writer.write(opcode.name, argument, raw[here:after])
    return b"".join(writer.out)


class _Writer:
    """Instruction after instruction of ``as_protocol_2``."""

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.strings: dict[int, str] = {}  # those in the memo
        self.recent: list[str] = []  # the strings just written, with nothing after them
        self.memoized = 0

    def write(self, name: str, argument: Any, raw: bytes) -> None:
        if name in ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"):
            self.string(argument)
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
            self.remember(self.memoized if argument is None else argument)
        elif name in ("BINGET", "LONG_BINGET", "GET") and argument in self.strings:
            self.string(self.strings[argument])
        elif name == "STACK_GLOBAL":
            self.stack_global()
        else:
            self.recent.clear()
            self.out.append(self.other(name, argument, raw))

    def string(self, text: str) -> None:
        encoded = text.encode("utf-8", "surrogatepass")
        self.out.append(b"X" + struct.pack("<I", len(encoded)) + encoded)
        self.recent.append(text)

    def remember(self, index: int) -> None:
        self.memoized += 1
        if self.recent:
            self.strings[index] = self.recent[-1]
        else:
            self.strings.pop(index, None)
            self.out.append(b"r" + struct.pack("<I", index))

    def stack_global(self) -> None:
        if len(self.recent) < 2 or any("\n" in text for text in self.recent[-2:]):
            raise damaged()
        del self.out[-2:]
        module, name = self.recent[-2:]
        self.recent.clear()
        self.out.append(f"c{module}\n{name}\n".encode())

    def other(self, name: str, argument: Any, raw: bytes) -> bytes:
        if name in KNOWN_TO_TORCH:
            replaced = {"PROTO": b"\x80\x02", "EMPTY_SET": b"]"}
            return replaced.get(name, raw)
        if name in ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"):
            text: bytes = argument.decode("latin1").encode()
            word = b"X" + struct.pack("<I", len(text)) + text
            return b"c_codecs\nencode\n" + word + b"X\x06\x00\x00\x00latin1" + b"\x86R"
        plain = {"FRAME": b"", "ADDITEMS": b"e", "FROZENSET": b"t"}
        if name not in plain:
            raise CheckpointError(
                "This file was written in a form of pickle that is not read here.",
                came=f"the instruction {name}",
                expected='torch.save(model.state_dict(), "weights.pt") with a current PyTorch',
            )
        return plain[name]
