"""What all receivers over HTTP have in common: which answer means taken, later, or never."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from botwatch.notify import backoff
from botwatch.notify.channels.kind import Means, Options, Undelivered, cleaned
from botwatch.notify.targets import TargetRefused
from botwatch.notify.wire import Answer, BadAddress, Unreached

_LATER: Final = frozenset({408, 421, 425, 429})


async def post(
    url: str, body: bytes, headers: Mapping[str, str], options: Options, means: Means, method: str = "POST"
) -> Answer:
    """The answer of whoever took it; `Undelivered` otherwise."""
    try:
        answer = await means.http.send(method, url, headers, body)
    except TargetRefused as error:
        raise Undelivered(str(error), retryable=False) from None
    except TimeoutError:
        raise Undelivered("no answer in time", retryable=True) from None
    except BadAddress as error:
        raise Undelivered(cleaned(str(error), options), retryable=False) from None
    except Unreached as error:
        raise Undelivered(f"could not be reached: {cleaned(str(error), options)}", retryable=True) from None
    if 200 <= answer.status < 300:
        return answer
    raise refused(answer, options, means)


def refused(answer: Answer, options: Options, means: Means) -> Undelivered:
    words = cleaned(answer.text[:2_000], options)
    if 300 <= answer.status < 400:
        return Undelivered(
            f"answered {answer.status}, a redirect, which is not followed: set the address it leads to", retryable=False
        )
    later = answer.status in _LATER or answer.status >= 500
    asked_s = backoff.retry_after_s(answer.headers.get("retry-after"), means.clock.now_ns())
    return Undelivered(f"answered {answer.status}: {words}", retryable=later, retry_after_s=asked_s if later else None)
