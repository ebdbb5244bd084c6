"""Keeps lists as groups of an LDAP directory, or of Active Directory.

In:
* `distinguished_names`, `filters`: pure. Names of entries, and filters.
* `session`: one connection: TLS, bind, search, modify. Blocking.
* `client`: the same for the event loop, with time limits and a new connection where one was lost.
* `results`: which error a result code of the server is.
* `members`: which user a member of a group is.
* `target`: the `ListTarget`.
* `factory`: makes a target of a LicenseServer's settings.

Not in: names, order of requests and read-back of any list (`servers.direct`).

The library is ldap3, because it is pure Python: python-ldap and bonsai have no wheels for Linux and need the headers of
OpenLDAP. ldap3 checks the server's name in its certificate by code of its own, so `session` lets Python's ssl do it.

Read `target`, then `client`.
"""
