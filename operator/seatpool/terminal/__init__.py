"""Writes answers to a terminal or a pipe.

In: the output formats (table, wide, JSON, YAML), the console that escapes foreign text, and the one table style.
Not in: what an answer holds (`explain`, `planner`, `reports`), the screens of each command (`cli`), and the format of single
values such as times and names (`text`).

Contents:
- `output`: answers
- `say`: plain lines and JSON
- `streams`: standard output and standard error for every encoding
- `progress`: that a command is still at work
"""
