"""A bot that leaks: so many MiB for each line it is given, and says so, until somebody stops it."""

import sys

held = []
mib = int(sys.argv[1])
for _ in sys.stdin:
    held.append(bytearray(b"x") * (mib << 20))
    print(len(held), flush=True)
