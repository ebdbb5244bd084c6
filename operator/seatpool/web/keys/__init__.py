"""Issues and accepts keys: for users and services that have no token of Kubernetes at hand.

In: the text of a key, what an APIKey becomes, what a key opens, and the routes below /api/v1/keys.
Not in: who asked for an APIKey by kubectl. Its admission policy (in the chart) keeps users to keys of their own.

Read in this order:
- `text`: what a key looks like. The secret is stored nowhere; its SHA-256 is in the status of the APIKey.
- `lifecycle`: what an APIKey is now. Pure, and the only place that decides whether a key is accepted.
- `rights`: what a key opens. The only place that decides it.
- `index`: the APIKeys as the watch brings them. `keyring`: whose key a text is.
- `issuing`: requests, issues and revocations. `statuses`: writes what became of each APIKey, and when it was used.
- `requests`, `lines`, `routes`: bodies, answers and routes.
"""
