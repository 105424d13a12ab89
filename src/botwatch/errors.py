"""What can go wrong, as one tree. Each error knows its HTTP status and says what to do.

    BotwatchError
    ├── SettingError           a setting is missing or has a bad value
    ├── PortTaken              another process listens where we should
    ├── Refused                a request we do not take
    │   ├── InvalidBody        400
    │   ├── Unauthorised       401
    │   ├── Forbidden          403
    │   ├── NotFound           404
    │   ├── WrongMethod        405
    │   ├── TooSlow            408
    │   ├── Conflict           409
    │   ├── TooLarge           413
    │   ├── UnsupportedMedia   415
    │   └── BadRequest         422   a parameter does not fit
    ├── CannotJudge            422   a rule that cannot be answered
    ├── TryAgain               503, retryable, with `retry_after_s`
    │   ├── SpoolFull          429 or 503
    │   └── Throttled          429, asked too often
    ├── SpoolError             the spool cannot be used as it is
    ├── StateError             the state database cannot be used as it is
    │   ├── StateAway          503, retryable
    │   └── LeaseLost          another node does this now
    └── StoreError             the engine refused or is away; never shown to a client as it is
        ├── StoreAway          retryable
        └── StoreRefused       not retryable

`message` may be shown to whoever made the request: it never holds text of the engine, a
secret, or what a bot or a user wrote.
"""

from __future__ import annotations

from typing import ClassVar


class BotwatchError(Exception):
    """The root. `code` is stable and meant for programs, `message` for people."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingError(BotwatchError):
    code = "setting"


class PortTaken(BotwatchError):
    code = "port_taken"


class Refused(BotwatchError):
    status = 400
    code = "refused"


class InvalidBody(Refused):
    code = "invalid_body"


class Unauthorised(Refused):
    status = 401
    code = "unauthorised"


class Forbidden(Refused):
    status = 403
    code = "forbidden"


class NotFound(Refused):
    status = 404
    code = "not_found"


class WrongMethod(Refused):
    status = 405
    code = "wrong_method"


class TooSlow(Refused):
    status = 408
    code = "too_slow"


class Conflict(Refused):
    status = 409
    code = "conflict"


class TooLarge(Refused):
    status = 413
    code = "too_large"


class UnsupportedMedia(Refused):
    status = 415
    code = "unsupported_media_type"


class BadRequest(Refused):
    status = 422
    code = "bad_request"


class CannotJudge(BotwatchError):
    """Told on the rule; the others go on."""

    status = 422
    code = "cannot_judge"


class TryAgain(BotwatchError):
    status = 503
    code = "try_again"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class SpoolFull(TryAgain):
    status = 429
    code = "spool_full"


class Throttled(TryAgain):
    status = 429
    code = "throttled"


class SpoolError(BotwatchError):
    code = "spool"


class StateError(BotwatchError):
    code = "state"


class StateAway(StateError):
    status = 503
    code = "state_away"
    retryable = True


class LeaseLost(StateError):
    """What this node was about to write is not written."""

    code = "lease_lost"


class StoreError(BotwatchError):
    code = "store"

    def __init__(self, message: str, *, hint: str | None = None, engine_code: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.engine_code = engine_code


class StoreAway(StoreError):
    status = 503
    code = "store_away"
    retryable = True


class StoreRefused(StoreError):
    code = "store_refused"
