"""Keeps lists on servers that take requests themselves, such as directories and SCIM services.

In:
* `target`: the interface that one kind of server implements: read a list, find users, change a list by one request.
* `marks`: the text that says who wrote a list, for servers that keep one. Pure.
* `difference`: which requests make a list what it should be. Pure.
* `backend`: the `ListBackend` that uses a target: names, fence, order of requests, read-back.
* `opened`, `custom`: opening a target by its Secrets, and finding that of a site's own package.

Not in: any protocol of a server (`servers.ldap`, `servers.scim`).

Read `target`, then `backend`.
"""
