"""Makes a source of a reader that blocks: its calls of boto3 run in threads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from seatpool.api.workbench import SourceKind
from seatpool.aws.errors import AWS_ERRORS
from seatpool.mirror.aws_clients import AwsClients
from seatpool.mirror.regions import ServedRegion
from seatpool.mirror.source import REFERENCES_IN_A_CALL, ById, Machine, SourceFailed, Survey

WRONG_ACCOUNT = "WrongAccount"


class AwsReader(Protocol):
    """Reads the machines of one AWS service. Its methods block, and raise AWS errors."""

    @property
    def kind(self) -> SourceKind:
        """The kind of its machines."""

    def list_workbenches(self, served: ServedRegion) -> Sequence[Machine]:
        """Returns every workbench of a region. A page that fails fails the whole call."""

    def describe_many(self, served: ServedRegion, references: Iterable[str]) -> Mapping[str, Machine]:
        """Returns those of up to 100 machines that AWS shows, by reference."""

    def describe_by_id(self, served: ServedRegion, references: Iterable[str]) -> ById:
        """Asks for machines that may be gone."""

    def survey(self, served: ServedRegion) -> Survey | None:
        """Looks at what there is. None: it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSource:
    """The machines of one service in one region. See MachineSource."""

    reader: AwsReader
    served: ServedRegion
    clients: AwsClients
    lag: timedelta
    trusts_empty: bool = False

    @property
    def kind(self) -> SourceKind:
        return self.reader.kind

    async def check_access(self) -> None:
        actual = await self.clients.run_in_thread(lambda: self.clients.account_number(self.served))
        expected = self.served.key.account
        if actual != expected:
            raise SourceFailed(
                WRONG_ACCOUNT, f"the credentials for account {expected} belong to {actual}; check role_arn"
            )

    async def list_workbenches(self) -> Sequence[Machine]:
        return await self.clients.run_in_thread(lambda: self.reader.list_workbenches(self.served))

    async def describe(self, references: Sequence[str]) -> Mapping[str, Machine]:
        found: dict[str, Machine] = {}
        for start in range(0, len(references), REFERENCES_IN_A_CALL):
            part = references[start : start + REFERENCES_IN_A_CALL]
            found |= await self.clients.run_in_thread(
                lambda part=part: self.reader.describe_many(self.served, part)  # type: ignore[misc]
            )
        return found

    async def describe_by_id(self, references: Sequence[str]) -> ById:
        return await self.clients.run_in_thread(lambda: self.reader.describe_by_id(self.served, references))

    async def survey(self) -> Survey | None:
        try:
            return await self.clients.run_in_thread(lambda: self.reader.survey(self.served))
        except AWS_ERRORS:
            return None
