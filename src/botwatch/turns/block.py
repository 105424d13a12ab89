"""What the engine answered in its own format, ready to be put into an inbox as it is."""

from __future__ import annotations

from typing import Final

from botwatch.errors import StoreRefused

_LAST_COLUMN: Final = b"\x04sign\x04Int8"


def counted(body: bytes) -> tuple[int, int]:
    """The rows of a block in the engine's Native format, and how many of them take something back.

    The last column is a byte for each row; the block's head says how many there are.
    """
    signs = body[body.rfind(_LAST_COLUMN) + len(_LAST_COLUMN) :]
    rows = shift = 0
    for byte in body[1:6]:  # after the number of columns, seven bits a byte
        rows |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    if rows != len(signs):
        raise StoreRefused(f"expected one block from the engine, found {rows} rows and {len(signs)} signs")
    return rows, signs.count(b"\xff")
