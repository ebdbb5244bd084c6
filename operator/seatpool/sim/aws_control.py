"""Controls an AWS stand-in from a test or the demo, in this process or another one: plain HTTP beside the API."""

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
    """The stand-in refused an order. The message is its own."""


class AwsControl:
    """Sends orders to the stand-in at `endpoint`."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def register_node(self, instance_id: str, home: Path) -> None:
        """Gives a started instance an SSM agent. Its scripts have `home` as home and `home`/bin on PATH."""
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
        """Answers the next `times` requests of `operation`, of any service, with this error.

        With `after_work` each request is carried out first. boto3 repeats requests that fail with status 500 or more or
        with a throttling code. Each repetition counts as one of the `times`.
        """
        plan = PlannedRefusal(
            operation=operation, code=code, times=times, message=message, status=status, after_work=after_work
        )
        self._order("/seatpool/refusals", asdict(plan))

    def forget_instances(self, *instance_ids: str) -> None:
        """Makes EC2 forget these terminated instances, as it does after about an hour."""
        self._order("/seatpool/forgotten", {"instance_ids": instance_ids})

    def keep_tasks(self) -> None:
        """Lets tasks of ECS run until they are stopped. Otherwise each look at a task brings it nearer to its end."""
        self._order(
            "/moto-api/state-manager/set-transition",
            {"model_name": "ecs::task", "transition": {"progression": "manual", "times": 10**9}},
        )

    def calls(self) -> dict[str, int]:
        """Returns the number of requests of each operation since the last reset."""
        return {str(name): int(count) for name, count in self._order("/seatpool/calls", None).items()}

    def reset(self) -> None:
        """Empties the AWS: instances, queues, documents, nodes, commands and planned errors."""
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
    """A running stand-in, in any process."""

    endpoint: str
    directory: Path
    """Folder with the homes of the nodes."""
    control: AwsControl
