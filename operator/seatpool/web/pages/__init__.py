"""Serves pages for a browser beside the API: for users, admins, those who buy seats, and developers.

In: what each page shows, its HTML, its charts, signing in, and keeping an open page live.
Not in: any right or answer of its own. A page shows what the API answers its reader (`web/answers`, `web/visible_users`).

Read in this order:
- `routes`: the pages. `sign_in`: signing in and out. `reader`: for whom a page is made.
- `contents`: what each page collects. `views`: what it shows, as pure functions of answers. `templates`: its HTML.
- `fragments`, `live`: what is replaced while a page is open.
- `charts`, `svg`: the charts. `rendering`: templates, escaping, and the policy of what may run.
"""
