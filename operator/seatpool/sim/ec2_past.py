"""Makes moto treat instances that are gone as EC2 does.

EC2 forgets terminated instances after about an hour, moto never. A refused request with several unknown ids names all of them
on EC2, and one of them on moto.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html
https://github.com/getmoto/moto/issues/4903
"""

from collections.abc import Collection
from typing import Any

from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import InstanceBackend

from seatpool.sim.refusals import Refusal

__all__ = ["forget_instances", "name_all_unknown_ids"]

_find = InstanceBackend.get_reservations_by_instance_ids


def name_all_unknown_ids() -> None:
    """Patches moto in this process."""
    setattr(InstanceBackend, "get_reservations_by_instance_ids", _find_or_name_all)  # noqa: B010


def _find_or_name_all(backend: InstanceBackend, instance_ids: list[str], filters: Any = None) -> Any:
    known = {instance.id for instance in backend.all_instances()}
    unknown = sorted(set(instance_ids) - known)
    if unknown:
        raise InvalidInstanceIdError(unknown)
    return _find(backend, instance_ids, filters)


def forget_instances(instance_ids: Collection[str]) -> None:
    """Removes these instances from every region. Raises Refusal if one of them is not terminated."""
    for regions in ec2_backends.values():
        for backend in regions.values():
            alive = [one.id for one in backend.all_instances() if one.id in instance_ids and one.state != "terminated"]
            if alive:
                raise Refusal("IncorrectInstanceState", f"{alive[0]} is not terminated")
            for name, reservation in list(backend.reservations.items()):
                reservation.instances = [one for one in reservation.instances if one.id not in instance_ids]
                if not reservation.instances:
                    del backend.reservations[name]
