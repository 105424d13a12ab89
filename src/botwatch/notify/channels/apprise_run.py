"""Run by itself, not imported: reads one order, lets apprise send it, prints what became of it as one line of JSON."""

from __future__ import annotations

import ipaddress
import json
import socket
import sys
from typing import Any


def main() -> None:
    import apprise  # noqa: PLC0415 — only in this process

    from botwatch.notify.targets import TargetRefused, Targets  # noqa: PLC0415

    order = json.load(sys.stdin)
    targets = Targets(tuple(map(ipaddress.ip_network, order["networks"])))
    refusals: list[str] = []

    def guard(event: str, given: tuple[Any, ...]) -> None:
        """Python calls this before it connects, with the very address that it connects to."""
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
            raise PermissionError("a channel starts no programs")
        if event not in ("socket.connect", "socket.sendto") or given[0].family not in (socket.AF_INET, socket.AF_INET6):
            return
        try:
            targets.check("the URL", str(given[1][0]))
        except TargetRefused as error:
            refusals.append(str(error))
            raise OSError(str(error)) from None
        except ValueError:
            refusals.append("it connects by a name, which cannot be checked")
            raise OSError(refusals[-1]) from None

    sys.addaudithook(guard)
    sender = apprise.Apprise()
    if not sender.add(order["url"]):
        tell("never", "apprise does not know this URL")
        return
    kinds = {
        "critical": apprise.NotifyType.FAILURE,
        "warning": apprise.NotifyType.WARNING,
        "success": apprise.NotifyType.SUCCESS,
    }
    with apprise.LogCapture(level=30) as log:  # type: ignore[no-untyped-call]
        taken = sender.notify(
            title=order["title"],
            body=order["body"],
            notify_type=kinds.get(order["kind"], apprise.NotifyType.INFO),
            body_format=apprise.NotifyFormat.TEXT,
        )
        words = log.getvalue()
    if taken:
        tell("sent", "")
    elif refusals:
        tell("never", refusals[0])
    else:
        tell("later", words[-500:])


def tell(outcome: str, words: str) -> None:
    sys.stdout.write("\n" + json.dumps({"outcome": outcome, "words": words}) + "\n")


if __name__ == "__main__":
    main()
