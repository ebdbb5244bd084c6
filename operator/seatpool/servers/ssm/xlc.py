"""Adapter for the vendor's license client (xLC). It takes a product's whole list from a file, and prints it on request."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seatpool.api.list_backends import ListFormatType, XlcSettings
from seatpool.domain.list_hash import list_hash
from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.command_result import CommandResult, ProductResult, Result
from seatpool.servers.commands import Action, ListChange, ListCommand
from seatpool.servers.names import PLAIN, NameRendering
from seatpool.servers.ssm.list_parser import Listing, UnreadableList, parse_listing
from seatpool.servers.ssm.output_parser import Entry, Listed, NotWhole, chunks, read_summary, whole_text
from seatpool.servers.ssm.payload import (
    MAX_PRODUCTS,
    SEND_LIMIT,
    Header,
    block,
    fetch,
    list_lines,
    named,
    pack,
    stages,
    words,
)


@dataclass(frozen=True, slots=True)
class XlcAdapter:
    """Turns commands into parameters and outputs into results, by the settings of one license server."""

    settings: XlcSettings
    names: NameRendering = PLAIN

    def split(self, command: ListCommand) -> tuple[ListCommand, ...]:
        """Puts as many products into one send as fit. A list that does not fit is alone."""
        parts: list[ListCommand] = []
        left: tuple[Any, ...] = command.changes or command.products
        while left:
            count = self._how_many_fit(command, left[:MAX_PRODUCTS])
            parts.append(part_of(command, left[:count]))
            left = left[count:]
        return tuple(parts)

    @property
    def capabilities(self) -> Capabilities:
        """Whole lists, which the script on the node fences."""
        return Capabilities(fence=Fence.SCRIPT)

    def reading(self, command: ListCommand) -> None:
        """Returns None: a list is written whatever was there before."""

    def parameters(self, command: ListCommand, read: Sequence[str] = ()) -> tuple[dict[str, list[str]], ...]:  # noqa: ARG002
        """Returns one send. For a list that does not fit, returns its parts and then the send that joins them."""
        whole = self._pack(command, parts={})
        if len(whole) <= SEND_LIMIT:
            return (named(whole),)
        parts: dict[str, int] = {}
        ahead: list[str] = []
        for change in command.changes:
            sends = stages(self._header(command), change.product, self._file(change))
            parts[change.product] = len(sends)
            ahead += sends
        return tuple(named(payload) for payload in (*ahead, self._pack(command, parts=parts)))

    def more(self, unread: Mapping[str, int]) -> dict[str, list[str]]:
        """Returns a send that fetches what follows the given offsets."""
        return named(fetch(self.settings.state_dir, unread))

    def parse(self, outputs: Sequence[str], command: ListCommand | None = None) -> CommandResult:
        """Reads outputs into a result. What `unread` names must be fetched and added to the outputs.

        If the command is given, a list equal to it need not be fetched.
        """
        summary = read_summary(outputs[0])
        pieces: dict[str, list[tuple[int, str]]] = {}
        for output in outputs:
            for product, offset, piece in chunks(output):
                pieces.setdefault(product, []).append((offset, piece))
        commanded = {} if command is None else {change.product: self._file(change) for change in command.changes}
        products = {
            entry.product: self._product(entry, pieces.get(entry.product, ()), commanded.get(entry.product))
            for entry in summary.entries()
        }
        return CommandResult(revision=summary.revision, products=products)

    def _how_many_fit(self, command: ListCommand, items: tuple[Any, ...]) -> int:
        """Returns how many of the first items fit into one send, at least 1.

        Nearly always all of them fit, so that is tried first. Otherwise it is a binary search.
        """
        fitting, too_many = 1, len(items) + 1
        tried = len(items)
        while too_many - fitting > 1:
            if self._fits(part_of(command, items[:tried])):
                fitting = tried
            else:
                too_many = tried
            tried = (fitting + too_many) // 2
        return fitting

    def _fits(self, command: ListCommand) -> bool:
        return len(self._pack(command, parts={})) <= SEND_LIMIT

    def _header(self, command: ListCommand) -> Header:
        return Header(
            revision=command.revision,
            owner=command.owner,
            takeover=command.takeover,
            state_dir=self.settings.state_dir,
        )

    def _pack(self, command: ListCommand, *, parts: Mapping[str, int]) -> str:
        lines = list(self._header(command).lines(command.action))
        for change in command.changes:
            lines += self._change(change, parts=parts.get(change.product, 0))
        for product in command.products:
            lines += block(product, f"list {self._arguments(self.settings.list, product)}")
        return pack(lines)

    def _change(self, change: ListChange, *, parts: int) -> list[str]:
        users = self._file(change)
        lines = [
            f"apply {self._arguments(self.settings.apply, change.product)}",
            f"list {self._arguments(self.settings.list, change.product)}",
            *list_lines(users),
        ]
        if change.seats is not None:
            lines.append(f"limit {max(change.seats, len(users))}")
        if parts:
            lines.append(f"parts {parts}")
        return block(change.product, *lines, users=() if parts else users)

    def _file(self, change: ListChange) -> Sequence[str]:
        if not change.users and change.keep_placeholder:
            return (self.settings.placeholder_user,)
        return sorted(map(self.names.name, change.users))

    def _arguments(self, template: Sequence[str], product: str) -> str:
        values = {"{product}": product, "{file}": f"{self.settings.state_dir}/{product}.list"}
        return words(re.sub(r"\{(?:product|file)\}", lambda found: values[found[0]], part) for part in template)

    def _product(
        self, entry: Entry, pieces: Sequence[tuple[int, str]], commanded: Sequence[str] | None
    ) -> ProductResult:
        result = ProductResult(
            result=entry.result, fence=entry.fence, owner=entry.owner, exit_code=entry.code, detail=entry.detail,
            late=entry.late,
        )  # fmt: skip
        if entry.listed is None:
            return result
        try:
            text = whole_text(pieces, entry.listed)
            if not isinstance(text, NotWhole):
                return self._with_listing(result, parse_listing(text, self.settings.list_format))
        except UnreadableList as error:
            return unreadable(result, str(error))
        if commanded is not None and self._is_known(entry.listed, commanded):
            return self._with_listing(result, Listing(users=tuple(commanded)))
        return replace(result, unread=text.missing_from)

    def _is_known(self, listed: Listed, users: Sequence[str]) -> bool:
        form = self.settings.list_format
        return form.type is ListFormatType.LINES and form.ignore is None and listed.sorted == list_hash(users)

    def _with_listing(self, result: ProductResult, listing: Listing) -> ProductResult:
        placeholder = listing.users == (self.settings.placeholder_user,) and not listing.odd
        if placeholder:
            return replace(result, users=(), passed_over=listing.passed_over, placeholder=True)
        users, strangers = self.names.users(listing.users)
        return replace(
            result, users=users, odd=(*listing.odd, *strangers), passed_over=listing.passed_over, placeholder=False
        )


def unreadable(result: ProductResult, why: str) -> ProductResult:
    detail = "; ".join(part for part in (result.detail, why) if part)
    worked = result.result in (Result.APPLIED, Result.LISTED)
    return replace(result, result=Result.FAILED if worked else result.result, detail=detail)


def part_of(command: ListCommand, items: tuple[Any, ...]) -> ListCommand:
    named = {"changes": items} if command.action is Action.APPLY else {"products": items}
    return ListCommand(revision=command.revision, owner=command.owner, takeover=command.takeover, **named)
