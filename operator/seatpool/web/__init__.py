"""Serves the HTTP API: seats, waiting lines and servers for callers without a kubeconfig.

In: the watch-fed cache of this process, who a caller is and what it may see, the routes, and their OpenAPI document.
Not in: how answers are computed (`explain`), the cache's objects (`cache`), the watches (`control/watch`), and any write but
those of keys.

It has no right to change an object of Seatpool but APIKeys. It asks AWS for nothing, unless the history is in a bucket.

Read in this order:
- `server`: starts and stops everything. `watching` fills `cluster`, the live counterpart of `explain/snapshot`.
- `authentication`, `authorization`, `limits`: which requests are answered. `keys`: keys beside tokens.
- `visible_users`: what a caller may see of other users. The only place that decides it.
- `answers`: the content of each answer. `routing`, `routes`: the routes. `stream`: the events.
- `usage`, `history`, `history_work`: usage and plans from the recorded history, computed in a process of their own.
- `problems`, `replies`, `paging`: errors, bodies with their tags, pages of a list.
- `document`, `schemas`: the OpenAPI document.
- `session`, `sign_in_codes`, `identity_proxy`: who a reader of the pages is. `pages`: the pages for a browser.
"""
