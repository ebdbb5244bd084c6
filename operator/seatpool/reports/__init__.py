"""Reports from the history how many seats were in use, which users waited how long, and what it cost.

Contents, in the order of the computation:
- `question`: the window, the pools and the prices of a report
- `facts`: two DuckDB tables, `held` and `needs`, that every figure comes from
- `levels`: how many seats were taken at each moment
- `figures`, `pool_seats`, `hours`, `waiting`, `teams`: the rows of a report
- `report`, `build`: a whole report, from the options to its text
- `screen`, `tables`, `page`, `pictures`, `text`, `answers`: the formats

The options are read in `cli.report`. The rows of the history are defined in `history.schema`. What would have been with
other seats is in `planner`. Read `question`, `facts` and `report` first.
"""
