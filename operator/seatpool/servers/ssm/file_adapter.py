"""Adapters for lists that are a part of a file: the options file of a FlexNet vendor daemon, and list files.

Before a list is written, its file is read. The new content is computed here, and what differs is sent with the SHA-256 of
the content that was read. The script replaces the file only if it still has this hash. A file that changed in between is
no failure: the result is CHANGED, and the next command reads the file anew.
"""

import re
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from seatpool.api.list_backends import FlexnetSettings, ListFileSettings
from seatpool.domain.list_hash import list_hash
from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.command_result import CommandResult, ProductResult, Result
from seatpool.servers.commands import Action, ListChange, ListCommand
from seatpool.servers.names import PLAIN, NameRendering
from seatpool.servers.ssm import list_file, lmstat, options_file
from seatpool.servers.ssm.file_text import FileList, UnreadableFile
from seatpool.servers.ssm.list_parser import UnreadableList
from seatpool.servers.ssm.output_parser import Entry, NotWhole, chunks, read_summary, whole_bytes
from seatpool.servers.ssm.payload import (
    MAX_PRODUCTS,
    SEND_LIMIT,
    Header,
    Splice,
    block,
    byte_lines,
    byte_stages,
    fetch,
    named,
    pack,
    sha256,
    words,
)
from seatpool.servers.ssm.xlc import part_of, unreadable
from seatpool.text import escape_unprintable

LONGEST_PATH = 255
SHOWN_OF_A_PATH = 150
LONGEST_PROBLEM = 350
KNOWN_FILES = 64
"""Contents of files that are remembered, so that a file that is as it was need not be fetched."""
UNDONE = "another program changed the file right after it was written"
MOST_KNOWN = 8 * 1024 * 1024
"""Bytes of all such contents together."""


@dataclass(slots=True)
class _KnownFiles:
    """Contents of files by their hash, the last ones."""

    _contents: OrderedDict[str, bytes] = field(default_factory=OrderedDict)

    def add(self, content: bytes) -> None:
        self._contents[sha256(content)] = content
        self._contents.move_to_end(sha256(content))
        while len(self._contents) > KNOWN_FILES or sum(map(len, self._contents.values())) > MOST_KNOWN:
            self._contents.popitem(last=False)

    def find(self, content_hash: str | None) -> bytes | None:
        return None if content_hash is None else self._contents.get(content_hash)


@dataclass(frozen=True, slots=True)
class _Printed:
    """What a command printed of one product."""

    content: bytes
    status: str | None = None
    """What the status command printed. None: not fetched, or there is none."""


@dataclass(frozen=True, slots=True)
class _Write:
    """One list to write: the change of the file, or why there is none."""

    change: ListChange
    names: tuple[str, ...]
    path: str
    old: bytes = b""
    new: bytes = b""
    problem: str = ""

    @property
    def splice(self) -> Splice:
        return Splice.between(self.old, self.new)


@dataclass(frozen=True, slots=True)
class FileAdapter(ABC):
    """Turns commands into parameters and outputs into results."""

    names: NameRendering = PLAIN
    settings: FlexnetSettings | ListFileSettings = field(kw_only=True)
    _known: _KnownFiles = field(default_factory=_KnownFiles, init=False, repr=False, compare=False)

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What the server can do."""

    @abstractmethod
    def _path(self, product: str) -> str: ...

    @abstractmethod
    def _reload(self, product: str) -> Sequence[str]: ...

    @abstractmethod
    def _status(self, product: str) -> Sequence[str]: ...

    @abstractmethod
    def _read(self, content: bytes, product: str) -> FileList: ...

    @abstractmethod
    def _write(self, content: bytes, product: str, names: Sequence[str]) -> bytes: ...

    @abstractmethod
    def _feature(self, product: str) -> str: ...

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """Splits a command so that no piece writes a file twice: the second list is written to what the first made."""
        if command.action is Action.LIST:
            cuts = range(0, len(command.products), MAX_PRODUCTS)
            return tuple(part_of(command, command.products[start : start + MAX_PRODUCTS]) for start in cuts)
        pieces: list[list[ListChange]] = []
        for change in command.changes:
            path = self._path(change.product)
            piece = next((one for one in pieces if self._has_room(one, path)), None)
            if piece is None:
                pieces.append([change])
            else:
                piece.append(change)
        return tuple(part_of(command, tuple(piece)) for piece in pieces)

    def _has_room(self, piece: Sequence[ListChange], path: str) -> bool:
        return len(piece) < MAX_PRODUCTS and all(self._path(change.product) != path for change in piece)

    def reading(self, command: ListCommand) -> dict[str, list[str]] | None:
        """Returns a send that reads the files that a command will change. None: it changes none."""
        if command.action is Action.LIST:
            return None
        return named(self._pack_reading(command, is_with_status=False))

    def parameters(self, command: ListCommand, read: Sequence[str] = ()) -> tuple[dict[str, list[str]], ...]:
        """Returns one send. For a change that does not fit, returns its parts and then the send that joins them.

        `read`: the outputs of `reading`, whole.
        """
        if command.action is Action.LIST:
            return (named(self._pack_reading(command, is_with_status=True)),)
        writes = list(self._writes(command, read))
        parts: dict[str, list[str]] = {}
        whole = self._pack_writes(command, writes, parts)
        by_size = sorted(writes, key=lambda write: len(write.splice.middle))
        while len(whole) > SEND_LIMIT and by_size:
            largest = by_size.pop()
            product = largest.change.product
            parts[product] = byte_stages(self._header(command), product, largest.path, largest.splice.middle)
            whole = self._pack_writes(command, writes, parts)
        ahead = (part for product_parts in parts.values() for part in product_parts)
        return tuple(named(payload) for payload in (*ahead, whole))

    def more(self, unread: Mapping[str, int]) -> dict[str, list[str]]:
        """Returns a send that fetches what follows the given offsets."""
        return named(fetch(self.settings.state_dir, unread))

    def parse(self, outputs: Sequence[str], command: ListCommand | None = None) -> CommandResult:
        """Reads outputs into a result. What `unread` names must be fetched and added to the outputs.

        A file whose content was read or sent before need not be fetched, unless its list has a status.
        """
        summary = read_summary(outputs[0])
        pieces = _pieces(outputs)
        products = {entry.product: self._product(entry, pieces.get(entry.product, ())) for entry in summary.entries()}
        for change in () if command is None else command.changes:
            result = products.get(change.product)
            if result is not None and _is_undone(result, change):
                products[change.product] = replace(result, detail=_joined(result.detail, UNDONE))
        return CommandResult(revision=summary.revision, products=products)

    def _header(self, command: ListCommand) -> Header:
        return Header(
            revision=command.revision, owner=command.owner, takeover=command.takeover, state_dir=self.settings.state_dir
        )

    def _pack_reading(self, command: ListCommand, *, is_with_status: bool) -> str:
        lines = list(self._header(command).lines(Action.LIST))
        for product in command.names:
            path = self._path(product)
            status = self._filled(self._status(product), product) if is_with_status else ()
            lines += block(
                product,
                f"file {path}",
                f"list {words(('cat', path))}",
                *((f"status {words(status)}",) if status else ()),
            )
        return pack(lines)

    def _pack_writes(self, command: ListCommand, writes: Iterable[_Write], parts: Mapping[str, Sequence[str]]) -> str:
        lines = list(self._header(command).lines(Action.APPLY))
        for write in writes:
            lines += block(write.change.product, *self._write_lines(write, parts.get(write.change.product, ())))
        return pack(lines)

    def _write_lines(self, write: _Write, parts: Sequence[str]) -> Iterator[str]:
        product = write.change.product
        yield f"file {write.path}"
        yield f"list {words(('cat', write.path))}"
        yield f"hash {list_hash(write.names)}"
        yield f"count {len(write.names)}"
        if write.change.seats is not None:
            yield f"limit {max(write.change.seats, len(write.names))}"
        if write.problem:
            yield f"problem {write.problem}"
            return
        if reload := self._filled(self._reload(product), product):
            yield f"apply {words(reload)}"
        splice = write.splice
        yield f"was {sha256(write.old)}"
        yield f"becomes {sha256(write.new)}"
        yield f"keep {splice.keep}"
        yield f"resume {splice.resume}"
        if parts:
            yield f"parts {len(parts)}"
        else:
            yield from byte_lines(splice.middle)

    def _writes(self, command: ListCommand, read: Sequence[str]) -> Iterator[_Write]:
        summary = read_summary(read[0])
        entries = {entry.product: entry for entry in summary.entries()}
        pieces = _pieces(read)
        for change in command.changes:
            product, path = change.product, self._path(change.product)
            names = tuple(self._rendered(change))
            write = _Write(change, names, path)
            try:
                old = self._old(entries.get(product), pieces.get(product, ()), path)
                new = self._write(old, product, names)
            except (UnreadableFile, UnreadableList) as error:
                problem = f"{path[-SHOWN_OF_A_PATH:]}: {error}" if isinstance(error, UnreadableFile) else str(error)
                yield replace(write, problem=escape_unprintable(problem)[:LONGEST_PROBLEM])
                continue
            self._known.add(new)
            yield replace(write, old=old, new=new)

    def _old(self, entry: Entry | None, pieces: Sequence[tuple[int, str]], path: str) -> bytes:
        if len(path) > LONGEST_PATH:
            raise UnreadableFile(f"the path is longer than {LONGEST_PATH} characters")
        if entry is None or entry.listed is None:
            why = "the answer does not mention it" if entry is None else entry.detail
            raise UnreadableFile(f"it could not be read before it was to be written: {why}")
        printed = self._printed(entry, pieces)
        if isinstance(printed, NotWhole):
            raise UnreadableFile("it changed while it was read")
        return printed.content

    def _rendered(self, change: ListChange) -> Sequence[str]:
        is_placeholder = change.keep_placeholder or self.capabilities.empty_is_placeholder
        if not change.users and is_placeholder:
            return (self.settings.placeholder_user,)
        return sorted(map(self.names.name, change.users))

    def _filled(self, template: Sequence[str], product: str) -> tuple[str, ...]:
        values = {"{product}": product, "{file}": self._path(product)}
        return tuple(re.sub(r"\{(?:product|file)\}", lambda found: values[found[0]], part) for part in template)

    def _product(self, entry: Entry, pieces: Sequence[tuple[int, str]]) -> ProductResult:
        result = ProductResult(
            result=entry.result, fence=entry.fence, owner=entry.owner, exit_code=entry.code, detail=entry.detail,
            late=entry.late,
        )  # fmt: skip
        if entry.listed is None:
            return result
        try:
            printed = self._printed(entry, pieces)
            if isinstance(printed, NotWhole):
                return replace(result, unread=printed.missing_from)
            listed = self._read(printed.content, entry.product)
        except UnreadableList as error:
            return unreadable(result, str(error))
        except UnreadableFile as error:
            return unreadable(result, f"{self._path(entry.product)}: {error}")
        return self._with_list(result, entry.product, listed, printed.status)

    def _printed(self, entry: Entry, pieces: Sequence[tuple[int, str]]) -> _Printed | NotWhole:
        listed = entry.listed
        assert listed is not None  # noqa: S101
        if listed.size is None or listed.content is None:
            raise UnreadableList("the license server told no hash of the file; is the SSM document the present one?")
        data = whole_bytes(pieces, listed)
        if isinstance(data, NotWhole):
            content = self._known.find(listed.content)
            return data if content is None or listed.status else _Printed(content)
        content = data[: listed.size]
        if sha256(content) != listed.content:
            raise UnreadableList("the file arrived damaged; read it again")
        self._known.add(content)
        return _Printed(content, data[listed.size : -1].decode(errors="replace") if listed.status else None)

    def _with_list(self, result: ProductResult, product: str, listed: FileList, status: str | None) -> ProductResult:
        placeholder = self.settings.placeholder_user
        is_placeholder = bool(listed.names) and set(listed.names) == {placeholder}
        entries = [name for name in listed.names if name != placeholder]
        users, strangers = self.names.users(entries)
        extra = sorted((Counter(listed.names) - Counter(set(listed.names))).elements())
        if placeholder in listed.names and not is_placeholder:
            extra.append(placeholder)
        return replace(
            result,
            users=users,
            odd=(*listed.odd, *(escape_unprintable(name) for name in strangers)),
            surplus=(*map(escape_unprintable, extra), *listed.gaps),
            notes=listed.notes,
            placeholder=None if self.capabilities.empty_is_placeholder else is_placeholder,
            still_in_use=None if status is None else self._still_in_use(product, listed, status),
        )

    def _still_in_use(self, product: str, listed: FileList, status: str) -> tuple[str, ...]:
        fold = str.casefold if listed.ignores_case else str
        on_list = {fold(name) for name in listed.names}
        found = lmstat.users_of(status, self._feature(product))
        return tuple(escape_unprintable(user) for user in found if fold(user) not in on_list)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexnetAdapter(FileAdapter):
    """The lists are blocks of an options file."""

    settings: FlexnetSettings

    @property
    def capabilities(self) -> Capabilities:
        """Whole lists, which the script on the node fences. An empty one lets everybody in, so there is none."""
        return Capabilities(fence=Fence.SCRIPT, empty_is_placeholder=True)

    def _path(self, product: str) -> str:
        return self.settings.options_file.replace("{product}", product)

    def _reload(self, product: str) -> Sequence[str]:  # noqa: ARG002
        return self.settings.reread

    def _status(self, product: str) -> Sequence[str]:  # noqa: ARG002
        return self.settings.status

    def _feature(self, product: str) -> str:
        return self.settings.feature.replace("{product}", product)

    def _read(self, content: bytes, product: str) -> FileList:
        return options_file.read_list(content, self._block(product))

    def _write(self, content: bytes, product: str, names: Sequence[str]) -> bytes:
        return options_file.write_list(content, self._block(product), names)

    def _block(self, product: str) -> options_file.Block:
        return options_file.Block(
            product=product, feature=self._feature(product), group=self.settings.group.replace("{product}", product)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFileAdapter(FileAdapter):
    """The lists are parts of files of a common format."""

    settings: ListFileSettings

    @property
    def capabilities(self) -> Capabilities:
        """Whole lists, which the script on the node fences."""
        return Capabilities(fence=Fence.SCRIPT)

    def _path(self, product: str) -> str:
        return self.settings.path.replace("{product}", product)

    def _reload(self, product: str) -> Sequence[str]:  # noqa: ARG002
        return self.settings.reload

    def _status(self, product: str) -> Sequence[str]:  # noqa: ARG002
        return ()

    def _feature(self, product: str) -> str:
        return product

    def _read(self, content: bytes, product: str) -> FileList:
        return list_file.read_list(content, self._place(product))

    def _write(self, content: bytes, product: str, names: Sequence[str]) -> bytes:
        return list_file.write_list(content, self._place(product), names)

    def _place(self, product: str) -> list_file.ListPlace:
        form = self.settings
        return list_file.ListPlace(
            format=form.format,
            section=(form.section or "").replace("{product}", product),
            keys=tuple(key.replace("{product}", product) for key in form.keys),
            column=(form.column or "").replace("{product}", product),
        )


def _is_undone(result: ProductResult, change: ListChange) -> bool:
    return result.result is Result.APPLIED and result.users is not None and result.users != tuple(sorted(change.users))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _pieces(outputs: Iterable[str]) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for output in outputs:
        for product, offset, piece in chunks(output):
            found.setdefault(product, []).append((offset, piece))
    return found
