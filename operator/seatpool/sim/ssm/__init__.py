"""The stand-in for SSM Run Command and for the agent that runs its documents.

`api` answers the requests of boto3, `commands` keeps what was sent, `nodes` knows the machines, `agent` runs a document by
`script` as the real agent was seen to, and `behavior` says how this agent misbehaves.

Not in: the license server itself (`sim/license_host`), and the AWS front that hands requests over (`sim/aws_front`).
"""
