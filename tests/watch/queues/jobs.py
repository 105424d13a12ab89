"""Jobs for real libraries to put into a real Redis, and Celery's application, whose worker is a process."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

app = Celery("jobs", broker=os.environ.get("BROKER", "redis://127.0.0.1:1/0"))
app.conf.update(
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    task_routes={"tests.watch.queues.jobs.mail": {"queue": "mail"}},
)


@app.task  # type: ignore[untyped-decorator]
def order(number: int) -> int:
    return number


@app.task  # type: ignore[untyped-decorator]
def mail(number: int) -> int:
    return number


def rq_job(number: int) -> int:
    return number


async def arq_job(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> Any:
    del ctx, kwargs
    return args
