"""What a test or the demo orders of an AWS stand-in, in this process or in another one: plain HTTP beside the API."""

import json
import urllib.error
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from seatpool.domain.errors import SeatpoolError
from seatpool.sim.refusals import PlannedRefusal

__all__ = ["Aws", "AwsControl", "AwsControlError"]


class AwsControlError(SeatpoolError):
    """The stand-in did not do as ordered; the message is its own."""


class AwsControl:
    """Orders to the stand-in at `endpoint`."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def register_node(self, instance_id: str, home: Path) -> None:
        """Give a started instance an SSM agent; its scripts run with `home` as home and `home`/bin on PATH."""
        self._order("/seatpool/nodes", {"instance_id": instance_id, "home": str(home.absolute())})

    def refuse(
        self,
        operation: str,
        code: str,
        *,
        times: int = 1,
        message: str = "refused on request",
        status: int = 400,
        after_work: bool = False,
    ) -> None:
        """Answer the next `times` requests of `operation`, of whatever service, with this error.

        With `after_work` each request is carried out first. boto3 repeats by itself what fails with a status of 500
        or more or with a throttling code, so each repetition takes one of the `times`.
        """
        plan = PlannedRefusal(
            operation=operation, code=code, times=times, message=message, status=status, after_work=after_work
        )
        self._order("/seatpool/refusals", asdict(plan))

    def forget(self, *instance_ids: str) -> None:
        """Let EC2 know these terminated instances no more, as it does after about an hour."""
        self._order("/seatpool/forgotten", {"instance_ids": instance_ids})

    def calls(self) -> dict[str, int]:
        """How many requests of each operation have come since the last reset."""
        return {str(name): int(count) for name, count in self._order("/seatpool/calls", None).items()}

    def reset(self) -> None:
        """An empty AWS, without instances, queues, documents, nodes, commands and planned errors."""
        self._order("/moto-api/reset", None)

    def _order(self, path: str, order: object) -> Any:
        request = urllib.request.Request(  # noqa: S310
            self._endpoint + path,
            data=json.dumps(order).encode() if order is not None else b"",
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AwsControlError(f"{path} {order}: {error.read().decode(errors='replace')}") from error


class Aws(Protocol):
    """A running stand-in, wherever it runs."""

    endpoint: str
    directory: Path
    """Where nodes' homes are kept."""
    control: AwsControl
