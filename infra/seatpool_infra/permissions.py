"""What each identity may do in AWS, why, and what is missing without it: data, so that policy and table are one.

A test compares the operator's part with the calls that its code makes, in both directions.
"""

from seatpool.api.workbench import SourceKind
from seatpool.aws.regions import dns_suffix
from seatpool_infra.blueprints.permission import Permission
from seatpool_infra.site import HISTORY_PREFIX, Site, WorkbenchAccount

NO_RESOURCES = "AWS knows no resources for this action"
_FIND_QUEUE = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")
_TAKE_MESSAGES = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", *_FIND_QUEUE)
_PUT_MESSAGES = ("sqs:SendMessage", *_FIND_QUEUE)


def operator_permissions(site: Site, *, key_arn: str) -> tuple[Permission, ...]:
    """The operator's own role."""
    return (
        *_queue(site, key_arn=key_arn),
        *server_permissions(site, site.license.account),
        *_roles(site),
        *_notices(site),
        *(_history(site, key_arn=key_arn) if site.license.history else ()),
    )


def reader_permissions(site: Site, account: WorkbenchAccount) -> tuple[Permission, ...]:
    """The role in an account with workbenches."""
    see_tasks = (_see_tasks(account),) if SourceKind.ECS in site.sources else ()
    return (_see_instances(account), *see_tasks, *_seat_tag(site, account))


def _see_instances(account: WorkbenchAccount) -> Permission:
    return Permission(
        name="SeeInstances",
        actions=("ec2:DescribeInstances",),
        resources=("*",),
        conditions={"StringEquals": {"aws:RequestedRegion": account.regions}},
        on="the account's regions that are listed",
        why="the inventory, and whose an unknown instance is",
        without="that account is stale: its people keep their seats, and only custom events tell of it",
        wildcard=f"{NO_RESOURCES}; it shows and changes nothing, in the listed regions only",
    )


def _see_tasks(account: WorkbenchAccount) -> Permission:
    return Permission(
        name="SeeTasks",
        actions=("ecs:ListClusters", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeServices"),
        resources=("*",),
        conditions={"StringEquals": {"aws:RequestedRegion": account.regions}},
        on="the account's regions that are listed",
        why="tasks of ECS that are workbenches, and whose they are; a service's tags where a task has none",
        without="with `ECS` in `sources` that account is stale; else nothing is missing",
        wildcard="clusters and tasks come and go; all four only read, in the listed regions only",
    )


def _seat_tag(site: Site, account: WorkbenchAccount) -> tuple[Permission, ...]:
    """That tag and no other; on workbenches and no other machine. DeleteTags without a tag's name would take all of them."""
    if site.seat_tag is None:
        return ()
    return (
        Permission(
            name="WriteSeatTag",
            actions=("ec2:CreateTags", "ec2:DeleteTags"),
            resources=tuple(
                f"arn:{site.partition}:ec2:{region}:{account.account}:instance/*" for region in account.regions
            ),
            conditions={
                "ForAllValues:StringEquals": {"aws:TagKeys": site.seat_tag},
                "Null": {"aws:TagKeys": "false", f"aws:ResourceTag/{site.tag_owner}": "false"},
            },
            on=f"instances with the tag `{site.tag_owner}`, and only the tag `{site.seat_tag}`",
            why="`mirror.seat_tag`: the instance itself says whether its owner has every seat",
            without="the tag is missing or old; seats are given all the same",
            wildcard="workbenches come and go; the conditions let only workbenches have that tag",
        ),
    )


def forwarder_permissions(site: Site) -> tuple[Permission, ...]:
    """The role of EventBridge in an account with workbenches."""
    return (
        Permission(
            name="PutOnCentralBus",
            actions=("events:PutEvents",),
            resources=(site.bus_arn,),
            on="the central bus",
            why="events reach the operator's queue",
            without="no events of that account; inventories go on",
        ),
    )


def dead_letter_permissions(site: Site, *, key_arn: str) -> tuple[Permission, ...]:
    """People who use `seatpool dlq`."""
    return (
        Permission(
            name="LookAtDeadLetters",
            actions=(
                *_TAKE_MESSAGES,
                "sqs:StartMessageMoveTask",
                "sqs:ListMessageMoveTasks",
                "sqs:PurgeQueue",
            ),
            resources=(site.dead_letter_queue_arn,),
            on="the dead-letter queue",
            why="`seatpool dlq list`, `show`, `redrive` and `purge`",
            without="nobody sees what the operator could not take",
        ),
        Permission(
            name="MoveBack",
            actions=_PUT_MESSAGES,
            resources=(site.queue_arn,),
            on="the queue",
            why="`seatpool dlq redrive`",
            without="dead letters can be looked at and deleted, not handled again",
        ),
        _key(site, key_arn=key_arn, name="ReadEncrypted", service="sqs", on="messages in both queues"),
    )


def history_reader_permissions(site: Site, *, key_arn: str) -> tuple[Permission, ...]:
    """People who use `seatpool report`, `sql` and `plan` with the history in S3."""
    bucket = f"arn:{site.partition}:s3:::{site.history_bucket}"
    return (
        Permission(
            name="ReadHistory",
            actions=("s3:GetObject",),
            resources=(f"{bucket}/{HISTORY_PREFIX}/*",),
            on="files of the history",
            why="`--history s3://...` copies the days that it needs",
            without="no report",
            wildcard="files of the history are named by kind, day and batch",
        ),
        _list_history(bucket, why="which days there are", without="no report"),
        _key(
            site,
            key_arn=key_arn,
            name="ReadEncryptedHistory",
            service="s3",
            on="files of the history",
            actions=("kms:Decrypt",),
        ),
    )


def _list_history(bucket: str, *, why: str, without: str) -> Permission:
    return Permission(
        name="ListHistory",
        actions=("s3:ListBucket",),
        resources=(bucket,),
        conditions={"StringLike": {"s3:prefix": f"{HISTORY_PREFIX}/*"}},
        on="names of those files",
        why=why,
        without=without,
    )


def _queue(site: Site, *, key_arn: str) -> tuple[Permission, ...]:
    return (
        Permission(
            name="TakeEvents",
            actions=_TAKE_MESSAGES,
            resources=(site.queue_arn,),
            on="the queue",
            why="events are read, hidden while they wait for EC2's answer, and deleted once their news is written",
            without="no events; inventories go on",
        ),
        Permission(
            name="ParkDeadLetters",
            actions=_PUT_MESSAGES,
            resources=(site.dead_letter_queue_arn,),
            on="the dead-letter queue",
            why="a bad message goes there with its reason",
            without="SQS moves bad messages by itself, later and without a reason",
        ),
        _key(site, key_arn=key_arn, name="UseQueueKey", service="sqs", on="messages in both queues"),
    )


def server_permissions(site: Site, account: str) -> tuple[Permission, ...]:
    """What is done with the license servers of an account, by the operator's own role or by the role of that account."""
    regions = site.server_regions(account)
    tag, value = site.license.server_tag, site.license.server_tag_value
    return (
        Permission(
            name="SendThisDocument",
            actions=("ssm:SendCommand",),
            resources=tuple(
                f"arn:{site.partition}:ssm:{region}:{account}:document/{site.license.document}" for region in regions
            ),
            on="the one document",
            why="lists are applied and read back",
            without="no list changes; the condition `Reachable` names the action",
        ),
        Permission(
            name="SendToLicenseServers",
            actions=("ssm:SendCommand",),
            resources=tuple(
                f"arn:{site.partition}:{node}"
                for region in regions
                for node in (f"ec2:{region}:{account}:instance/*", f"ssm:{region}:{account}:managed-instance/*")
            ),
            conditions={"StringLike": {f"ssm:resourceTag/{tag}": value}},
            on=f"nodes with the tag `{tag}`",
            why="the same, and to no other machine",
            without="as above",
            wildcard=f"license servers are named by the tag {tag}, which the condition asks for, and not by their ids",
        ),
        Permission(
            name="FollowCommands",
            actions=("ssm:GetCommandInvocation", "ssm:DescribeInstanceInformation"),
            resources=("*",),
            on="all commands and nodes of the account",
            why="the answer of a command; the one node that has the tag of `spec.target`",
            without="lists are not known to have been applied; servers named by a tag are not found",
            wildcard=f"{NO_RESOURCES}; both only read",
        ),
        Permission(
            name="CancelCommands",
            actions=("ssm:CancelCommand",),
            resources=("*",),
            on="all commands of the account",
            why="a command whose end is not waited for any more is stopped",
            without="a command that hangs keeps the license server's lock until its time limit",
            wildcard=NO_RESOURCES,
        ),
    )


def _roles(site: Site) -> tuple[Permission, ...]:
    actions: tuple[str, ...] = ("sts:AssumeRole",)
    if site.license.pod_identity_cluster is not None:
        actions += ("sts:TagSession",)
    readers = Permission(
        name="AssumeReaders",
        actions=actions,
        resources=tuple(site.reader_role_arn(each.account) for each in site.workbenches),
        on="the reader roles of the accounts with workbenches",
        why="EC2 is asked there; EKS Pod Identity hands its session tags on, which is `sts:TagSession`",
        without="that account is stale",
    )
    made_here = tuple(
        site.server_role_arn(each.account) for each in site.license_servers if each.account != site.license.account
    )
    if not made_here + site.license.server_role_arns:
        return (readers,)
    servers = Permission(
        name="AssumeServerRoles",
        actions=actions,
        resources=made_here + site.license.server_role_arns,
        on="roles in other accounts with license servers",
        why="`spec.roleArn` of a LicenseServer",
        without="those servers are not reachable",
    )
    return readers, servers


def _notices(site: Site) -> tuple[Permission, ...]:
    if site.license.notify_bus_arn is None:
        return ()
    return (
        Permission(
            name="PutNotices",
            actions=("events:PutEvents",),
            resources=(site.license.notify_bus_arn,),
            on="the bus for notices",
            why="`notify.bus`: portals hear of seats",
            without="notices wait in memory and the oldest are lost; no seat is held up",
        ),
    )


def _history(site: Site, *, key_arn: str) -> tuple[Permission, ...]:
    bucket = f"arn:{site.partition}:s3:::{site.history_bucket}"
    return (
        Permission(
            name="WriteHistory",
            actions=("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
            resources=(f"{bucket}/{HISTORY_PREFIX}/*",),
            on="files of the history",
            why="what was recorded becomes Parquet files; a day's small ones are made into one, and old days are deleted",
            without="the history stays in the spool on the volume",
            wildcard="files of the history are named by kind, day and batch",
        ),
        _list_history(
            bucket,
            why="which days there are",
            without="files stay small and many, and nothing is deleted after `history.retention_days`",
        ),
        _key(site, key_arn=key_arn, name="UseHistoryKey", service="s3", on="files of the history"),
    )


def _key(
    site: Site,
    *,
    key_arn: str,
    name: str,
    service: str,
    on: str,
    actions: tuple[str, ...] = ("kms:Decrypt", "kms:GenerateDataKey"),
) -> Permission:
    # Which suffix services use in a partition with one of its own is written nowhere, so there either name is taken.
    region = site.license.region
    names = sorted({f"{service}.{region}.{suffix}" for suffix in (dns_suffix(region), "amazonaws.com")})
    return Permission(
        name=name,
        actions=actions,
        resources=(key_arn,),
        conditions={"StringEquals": {"kms:ViaService": names[0] if len(names) == 1 else names}},
        on=f"the key, for {on}",
        why=f"{on} are encrypted",
        without=f"{on} cannot be read{' or written' if 'kms:GenerateDataKey' in actions else ''}",
    )
