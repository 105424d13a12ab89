"""How secrets are made and how they are kept: never as they are.

A token or key is 256 random bits, so its SHA-256 cannot be turned back and may be looked up in a
dict: who can choose the token cannot choose its digest, and the time of the look-up tells nothing.
A password is short and chosen by a person, so it costs memory and time to try (scrypt).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import b64decode, b64encode
from enum import StrEnum

from botwatch import limits
from botwatch.errors import BadRequest

_SCRYPT_LOG2_N, _SCRYPT_R, _SCRYPT_P = 15, 8, 3  # 32 MiB, a third of a second of one core
_SALT_BYTES = 16
_SHOWN_CHARS = 6


class Prefix(StrEnum):
    """How a secret begins, so that people, and scanners of leaked secrets, know what they found."""

    API = "bw_api_"
    BROWSER = "bw_ses_"
    INGEST = "bw_in_"
    SHARE = "bw_shr_"


def new_secret(prefix: Prefix) -> str:
    return prefix + secrets.token_urlsafe(32)


def shown(secret: str) -> str:
    """How an ingest key begins, enough to tell it from the others; empty for what is none."""
    return secret[: len(Prefix.INGEST) + _SHOWN_CHARS] if secret.startswith(Prefix.INGEST) else ""


def digest_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def same(given: bytes, wanted: bytes) -> bool:
    return hmac.compare_digest(given, wanted)


def check_password(password: str) -> None:
    """Refuse what is too short to withstand guessing, or long enough to keep us busy."""
    if not limits.PASSWORD_CHARS_MIN <= len(password) <= limits.PASSWORD_CHARS_MAX:
        raise BadRequest(
            f"A password has {limits.PASSWORD_CHARS_MIN} to {limits.PASSWORD_CHARS_MAX} characters; "
            f"this one has {len(password)}."
        )


def hash_password(password: str) -> str:
    salt = os.urandom(_SALT_BYTES)
    return _kept(salt, _scrypt(password, salt, _SCRYPT_LOG2_N, _SCRYPT_R, _SCRYPT_P))


def password_fits(password: str, kept: str) -> bool:
    """Takes the same time whether it fits or not."""
    _, parameters, salt, key = kept.split("$")
    log2_n, r, p = map(int, parameters.split("."))
    return same(_scrypt(password, b64decode(salt), log2_n, r, p), b64decode(key))


def _kept(salt: bytes, key: bytes) -> str:
    parameters = f"{_SCRYPT_LOG2_N}.{_SCRYPT_R}.{_SCRYPT_P}"
    return "$".join(("scrypt", parameters, b64encode(salt).decode(), b64encode(key).decode()))


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << log2_n,
        r=r,
        p=p,
        maxmem=2 * 128 * r * (1 << log2_n),
        dklen=32,
    )


# What an unknown name is tried against, so that it takes as long as a known one.
NOBODYS_PASSWORD = _kept(bytes(_SALT_BYTES), bytes(32))
