"""`python -m botwatch` is `botwatch`."""

from botwatch.cli import main

main()
