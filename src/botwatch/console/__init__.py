"""A server seen from a terminal. Everything here knows only its HTTP API."""
