"""Judging: pure functions of a rule, what was measured, and the time."""
