"""Defines the resources of Seatpool and the words that they use.

In: the pydantic models of all kinds, the CRDs made from them, conditions, annotations, and every reason with its texts.
Not in: anything that reads or writes objects (`kube`), and any decision (`policy`, `domain`).

Read in this order:

1. `base`: names, durations and times on the wire, and the class of every kind.
2. `licensepool`, `licenseserver`, `workbench`, `seatledger`: the kinds.
3. `conditions` and `reasons`: conditions, and the catalogue of reasons with their texts.
4. `rule_fields` and `annotations`: the names of the rules and of the annotations.
5. `crd` and `descriptions`: the CRDs, with the fields' docstrings as descriptions.
"""
