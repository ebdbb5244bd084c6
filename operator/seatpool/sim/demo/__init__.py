"""Runs the demo: everything around Seatpool on one machine, and a judge that trusts only the license server's own record.

Contents:
- `show`, `options`: one demo from begin to end, and its options
- `stage`, `operator_process`: start the parts
- `story`, `people`: the story of half a minute
- `replay`, `event_file`, `pacing`: replay a file of events
- `monitor`, `view`, `summary`: read and show what happens
- `expected_needs`: what the events alone say; `record`: what the license server's journal says
- `verdict`, `latency`: compare the two

The judge (`expected_needs`, `record`, `verdict`) shares no code with the operator. Read `show` and `verdict` first.
"""
