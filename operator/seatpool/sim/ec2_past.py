"""EC2 knows a terminated instance for about an hour and then no more; moto knows it for ever.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html
"""

from collections.abc import Collection

from moto.ec2.models import ec2_backends

from seatpool.sim.refusals import Refusal

__all__ = ["forget"]


def forget(instance_ids: Collection[str]) -> None:
    """Let every region forget these. Refusal when one of them has not been terminated."""
    for regions in ec2_backends.values():
        for backend in regions.values():
            alive = [one.id for one in backend.all_instances() if one.id in instance_ids and one.state != "terminated"]
            if alive:
                raise Refusal("IncorrectInstanceState", f"{alive[0]} is not terminated")
            for name, reservation in list(backend.reservations.items()):
                reservation.instances = [one for one in reservation.instances if one.id not in instance_ids]
                if not reservation.instances:
                    del backend.reservations[name]
