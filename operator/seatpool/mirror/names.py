"""Names the Workbench object of a machine. Two machines never have one name, whatever their sources are."""

import hashlib

from seatpool.api.workbench import SourceKind, WorkbenchSource

LONGEST_PART = 40
HASH = 16


def ec2_instance(instance_id: str) -> WorkbenchSource:
    """Returns the source of an EC2 instance."""
    return WorkbenchSource(kind=SourceKind.EC2, reference=instance_id)


def object_name(source: WorkbenchSource) -> str:
    """Returns the name of the object of a machine.

    An instance id begins with `i-`, and the name of a task with `ecs-`. Both ids are unique among all accounts. The name of
    an object of the cluster begins with `k8s-` and ends with a hash of its reference, because names of rules, namespaces
    and objects may all have hyphens.
    """
    if source.kind is SourceKind.KUBERNETES:
        name = source.reference.rpartition("/")[2][:LONGEST_PART].rstrip(".-")
        return f"k8s-{name}-{hashlib.sha256(source.reference.encode()).hexdigest()[:HASH]}"
    if source.kind is SourceKind.ECS:
        return f"ecs-{source.reference.rpartition('/')[2]}"
    return source.reference
