"""See it work: everything that Seatpool lives between, started on one machine, and a judge who believes only the
license server.

`stage` starts the parts, `story` and `replay` make people come and go, `known` keeps what may be expected from the
events alone, `record` what the license server's own journal says, and `verdict` compares the two.
"""
