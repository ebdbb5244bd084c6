"""Calls to AWS: identities, clients, and the meaning of errors. Knows no service of Seatpool.

In:
* `sessions`: boto3 sessions of the pod's identity and of assumed roles.
* `clients`: the cache of boto3 clients, and the threads in which calls run.
* `errors`: the one table from an AWS error to a reason and an advice.

Not in: which call is made when. That is in `mirror` (SQS, EC2), `servers` (SSM), `notify` (EventBridge) and
`history` (S3).

Read `sessions`, then `clients`, then `errors`.
"""
