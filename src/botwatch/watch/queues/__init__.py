"""Queues, watched from outside: with no worker alive their depth and age are told all the same.

A broker is one file: it looks at its queues and tells what it saw as `Look`s. `flow` works out from looks, one
after the other, what flows in and out and how long it takes to drain; `runner` asks by the beat and reports.
"""
