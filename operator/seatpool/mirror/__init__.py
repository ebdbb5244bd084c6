"""Mirrors machines as Workbench objects: events from SQS, inventories of their sources, writes to the Kubernetes API.

In:
* `queue`: receives events and acknowledges them. `messages`: parses them.
* `ec2`: describes instances, runs inventories, writes the seat tag.
* `workbenches`: writes the objects. `event_order`: decides which of two facts is newer.
* `regions`, `config`, `health`, `metrics`, `aws_clients`: what all of these share.
* `mirror`: builds and runs the parts. The rest of the operator needs only `Mirror` and `MirrorHealth`.
* `pipeline_table`: compares with the published pipeline, for one command.

Not in: who gets a seat (`domain`), and what a LicenseServer's status says about the mirror (`control.status.mirror`).

Read `mirror`, `event_order`, `workbenches.writer`, `queue.consumer`, `source`,
`inventory.inventory`.
"""
