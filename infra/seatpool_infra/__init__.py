"""The AWS side of Seatpool as an AWS CDK app: the account of the license servers, and the accounts with workbenches.

What the operator calls, reads and refuses is not repeated here: patterns of events, the SSM document and the names of
settings come from the operator's own package, so that the two cannot drift apart.
"""

from seatpool_infra import node_from_wheel as node_from_wheel
