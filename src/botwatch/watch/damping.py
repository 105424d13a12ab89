"""When an answer is believed: one that is out of line is asked again before anybody is told."""

from __future__ import annotations

from collections.abc import Sequence

from botwatch.watch.probes.model import Status


def told(now: Status, answers: Sequence[Status], fails: int) -> Status:
    """What a service is told to be, after these answers, the newest last; `now` is what it is told to be yet.

    It is told not to run when `fails` of them say so, and to run again when as many in a row do: one that flaps is told
    once. Any answer is better than none.
    """
    newest = answers[-1]
    if newest is now or now is Status.UNKNOWN:
        return newest
    if now is Status.RUNNING:
        return newest if sum(answer is not Status.RUNNING for answer in answers) >= fails else now
    in_a_row = len(answers) >= fails and all(answer is newest for answer in answers[-fails:])
    return newest if in_a_row else now
