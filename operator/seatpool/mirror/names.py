"""Names the Workbench object of a machine. Two machines never have one name, whatever their sources are."""

from seatpool.api.workbench import SourceKind, WorkbenchSource


def ec2_instance(instance_id: str) -> WorkbenchSource:
    """Returns the source of an EC2 instance."""
    return WorkbenchSource(kind=SourceKind.EC2, reference=instance_id)


def object_name(source: WorkbenchSource) -> str:
    """Returns the name of the object of an EC2 instance or an ECS task.

    An instance id begins with `i-`, and the name of a task with `ecs-`. Both ids are unique among all accounts.
    """
    if source.kind is SourceKind.ECS:
        return f"ecs-{source.reference.rpartition('/')[2]}"
    return source.reference
