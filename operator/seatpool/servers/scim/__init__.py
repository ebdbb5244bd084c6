"""Keeps lists as groups of a SCIM 2.0 service (RFC 7643, RFC 7644).

In:
* `filters`, `attributes`, `groups`: what requests and answers say. Pure.
* `tokens`: the credentials of a request: a fixed token, or OAuth client credentials.
* `client`: one request, with its limits, and what its failures mean.
* `users`: finds users by name, and the names of members.
* `target`: the `ListTarget`: reads a group, and changes it in a way that the service knows.
* `factory`: makes a target of a LicenseServer's settings and Secrets.

Services differ. None of these is needed: ETags, externalId of groups, PATCH, /ServiceProviderConfig, pages, filters with `or`.

Read `groups`, `target`, then `client`.
"""
