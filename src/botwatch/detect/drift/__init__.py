"""Drift: what documents of a source look like, and when they stop looking like that. No rule is written for it."""
