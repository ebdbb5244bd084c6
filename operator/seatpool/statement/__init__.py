"""Makes the statement for the vendor (`seatpool statement`): who was on a list, when, and by which rule.

In: the statement as data, its self-check, and the Markdown and HTML documents.
Not in: the audit trail that it reads (`trail`), the ledger objects (`api`, `policy`), and the command (`cli/statement`).

Read in this order:

1. `audit_lines`: reads the files of the audit trail.
2. `statement`: puts the lines in order and checks that they fit together.
3. `pages`: writes the result as a document.
"""
