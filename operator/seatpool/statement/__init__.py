"""Makes the statement for the vendor (`seatpool ledger`): who was on a list, when, and by which rule.

In: the statement as data, its self-check, and the Markdown and HTML documents.
Not in: the audit trail that it reads (`trail`), the ledger objects (`api`, `policy`), and the command (`cli/statement`).

Read in this order:

1. `statement`: reads the audit lines and checks that they fit together.
2. `pages`: writes the result as a document.
"""
