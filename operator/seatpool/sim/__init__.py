"""Simulates everything around the operator, for tests, the demo and benchmarks.

Contents:
- `controlplane`, `binaries`: a real etcd and kube-apiserver as child processes
- `lifeline`: child processes that end with this process
- `aws`, `aws_front`, `aws_access`, `aws_control`: an AWS stand-in over HTTP, made of moto
- `ssm_*`, `agent_behavior`: SSM Run Command whose scripts really run, with faults on request
- `sqs_turns`, `quick_queues`, `ec2_past`, `refusals`: corrections and faults of the other services
- `site`, `license_host`, `xlc`: the license server with a client that has the command line of the vendor's
- `fleet`, `posting`, `envelopes`: workbenches that start and stop, and their events
- `demo`: `seatpool demo`

Nothing here is imported by the operator. Needs the extra `sim`. Read `site`, `fleet` and `controlplane` first.
"""
