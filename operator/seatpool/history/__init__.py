"""Records seat intervals, waits, refusals and pool sizes as Parquet files, and reads them with DuckDB.

Writing, in the order of the data:
- `schema`: the four kinds of rows
- `recording`: the queue beside the reconcile loop
- `spool`: what is not in a Parquet file yet, on a local disk
- `writing`, `archive`, `bucket`: Parquet files in a folder or in S3
- `compaction`, `dedup`: small files become one a day

Reading: `store` (the views), `sql` (`seatpool sql`), `copying` (S3 into the cache).

Importing logs, in the order of the data:
- `text_lines`: lines of files of unknown encoding
- `flexnet`, `log_events`: lines to events. `csv_import`: lines to intervals
- `daemons`: restart or reread. `check_outs`: which check-in ends which check-out. `log_waits`: who waited
- `license_log`: the rows of a log
- `importing`, `imported_files`: a whole import, and what it replaces

Which facts become rows is decided in `control.sinks.history`. Figures are in `reports` and plans in `planner`. The
command `seatpool events` shows the SeatLedger and Events, not this history.

Read `schema`, `recording` and `store` first.
"""
