"""Makes moto forget terminated instances. EC2 does so after about an hour, moto never.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html
"""

from collections.abc import Collection

from moto.ec2.models import ec2_backends

from seatpool.sim.refusals import Refusal

__all__ = ["forget_instances"]


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
