"""A bot that leaks: so many MiB at a time, a pause between them, until somebody stops it."""

import sys
import time

held = []
mib, pause_s = int(sys.argv[1]), float(sys.argv[2])
print("ready", flush=True)
while True:
    held.append(bytearray(b"x") * (mib << 20))
    time.sleep(pause_s)
