"""Own reports: charts that somebody put together, read on the page, shared by link, and sent by the clock.

report ─▶ answer (measures) ─▶ pdf, csv ─▶ the outbox of notify
"""
