"""Anything that speaks S3: whether the bucket in the address lists, or without one, which buckets there are.

Requests are signed here (AWS Signature Version 4): one kind of request needs no library of many megabytes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
from typing import Final
from urllib.parse import quote

from botwatch.clock import SECOND_NS, SystemClock
from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status, amount, figures, volume
from botwatch.watch.probes.web import Fetched, Web, check

_REGION: Final = "us-east-1"
_NOTHING: Final = hashlib.sha256(b"").hexdigest()
_CODE: Final = re.compile(rb"<Code>(\w+)</Code>")
_SIZE: Final = re.compile(rb"<Size>(\d+)</Size>")
_LISTING: Final = b"<ListBucketResult"
_BUCKETS: Final = b"<ListAllMyBucketsResult"
_BUCKET: Final = re.compile(rb"<Bucket>")
_MEANING: Final = {
    "InvalidAccessKeyId": "it answers, and does not know this key",
    "SignatureDoesNotMatch": "it answers, and does not accept the secret of this key",
    "AccessDenied": "it answers, and does not allow this key to list the bucket",
    "NoSuchBucket": "it answers, and has no bucket of this name",
    "RequestTimeTooSkewed": "it answers, and says that the clocks of it and of this machine differ",
    "AuthorizationHeaderMalformed": "it answers, and the region is not the one it expects",
}


class S3:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._web = Web(service, login=False)
        self._bucket = service.target.path.strip("/")

    async def ask(self) -> Finding:
        path, query = (f"/{quote(self._bucket)}", "list-type=2&max-keys=1000") if self._bucket else ("/", "")
        fetched = await self._web.fetch(f"{path}?{query}" if query else path, headers=self._signed(path, query))
        if fetched.status >= 400:
            self._refused(fetched)
        if (_LISTING if self._bucket else _BUCKETS) not in fetched.body:
            raise Trouble(Reason.ANSWER, "expected a listing as S3 gives it, found something else")
        if not self._bucket:
            buckets = float(len(_BUCKET.findall(fetched.body)))
            known = figures(("buckets", buckets, "{bucket}"))
            return Finding(Status.RUNNING, headline=f"{amount(buckets)} buckets", figures=known)
        sizes = [float(size) for size in _SIZE.findall(fetched.body)]
        whole = b"<IsTruncated>true" not in fetched.body  # what is only the first page is no count
        return Finding(
            Status.RUNNING,
            headline=f"{volume(sum(sizes))} stored" if whole else f"more than {len(sizes):,} objects",
            figures=figures(("objects", len(sizes), "{object}"), ("storage", sum(sizes), "By")) if whole else (),
            latency_s=fetched.took_s,
        )

    def _refused(self, fetched: Fetched) -> None:
        found = _CODE.search(fetched.body)
        meaning = _MEANING.get(found[1].decode()) if found else None
        if meaning:
            raise Trouble(Reason.LOGIN, meaning)
        check(fetched)

    def _signed(self, path: str, query: str) -> dict[str, str]:
        login = self._service.target.login
        if login is None:
            return {}
        now = dt.datetime.fromtimestamp(SystemClock().now_ns() // SECOND_NS, dt.UTC)
        return sign(*login, self._service.region or _REGION, self._web.base.partition("://")[2], path, query, now)

    async def close(self) -> None:
        await self._web.close()


def sign(key: str, secret: str, region: str, host: str, path: str, query: str, now: dt.datetime) -> dict[str, str]:
    """The headers of a GET without a body. The parts of `query` stand in the order of their names."""
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    headers = {"host": host, "x-amz-content-sha256": _NOTHING, "x-amz-date": moment}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = "\n".join(("GET", path, query, lines, names, _NOTHING))
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()))
    signing = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        signing = hmac.digest(signing, part.encode(), hashlib.sha256)
    signature = hmac.digest(signing, text.encode(), hashlib.sha256).hex()
    who = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": who}
