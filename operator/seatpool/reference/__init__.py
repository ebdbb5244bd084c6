"""Makes the pages in docs/reference from the code, so that they cannot differ from it.

In: the pages of conditions, reasons, Events, messages of `why`, exit codes, metrics, settings and resources.
Not in: the tables that the pages are made from (`api/reasons`, `explain/messages`, the metrics classes) and the CRDs
(`api/crd`).

Read in this order:

1. `pages`: the list of pages, and the texts between the tables.
2. `metrics_page`: the page of metrics, and the Markdown tables.
3. `settings_page`, `api_page`: all settings, and all fields of the resources.
"""
