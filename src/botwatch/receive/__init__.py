"""Bytes in: every protocol bots speak, checked at the door and handed on as parcels.

A receiver answers 200 only when the parcel is durable behind the door. What it cannot keep it
counts, by reason, and tells the client. One file per protocol; `door.py` says what must stand
behind it.
"""
