"""Celery, RQ, arq and Dramatiq: real jobs by the real libraries, first with no worker, then with one that drains."""

from __future__ import annotations

import asyncio
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path

import pytest

from tests.real.parts import START_S, Process, require_module
from tests.watch.queues.parts import Eye, Redis

ROOT = Path(__file__).parents[3]


async def test_celery(redis: Redis, tmp_path: Path) -> None:
    require_module("celery", "celery")
    from tests.watch.queues import jobs

    with jobs.app.connection_for_write(redis.url) as connection:
        for i in range(7):
            jobs.order.apply_async((i,), connection=connection, priority=6 if i == 6 else 0)
        jobs.mail.apply_async((1,), connection=connection)
    async with Eye(f"celery+{redis.url}") as eye:
        told = await eye.look()
        assert told.queues == {"celery", "mail"}
        found = told.last("celery")
        in_redis = int(redis.cli("LLEN", "celery")) + int(redis.cli("LLEN", "celery\x06\x166"))
        assert found["depth"] == in_redis == 7
        assert told.last("mail")["depth"] == 1
        assert (found["consumers"], found["unattended"], found["pending"]) == (0, 7, 0)
        assert (await eye.look(30)).last("celery")["age"] == pytest.approx(30)
        assert "age" in told.at_least("celery")
        command = [sys.executable, "-m", "celery", "-A", "tests.watch.queues.jobs", "worker", "-P", "solo"]
        worker = Process([*command, "-Q", "celery"], tmp_path / "celery.log", env={"BROKER": redis.url}, cwd=ROOT)
        with worker:
            await eye.seen("celery", {"depth": 0, "pending": 0, "age": 0})
            assert "consumers" not in eye.told.last("celery")  # there are some, and Redis does not know how many
            assert eye.told.last("mail")["depth"] == 1
            redis.cli("DEL", "mail")
            worker.kill()
        await eye.seen("celery", {"consumers": 0})


async def test_rq(redis: Redis) -> None:
    rq = require_module("rq", "rq")
    from redis import Redis as Client

    from tests.watch.queues.jobs import rq_job

    with Client.from_url(redis.url) as client:
        queue = rq.Queue("mail", connection=client)
        for i in range(5):
            queue.enqueue(rq_job, i)
        async with Eye(f"rq+{redis.url}") as eye:
            oldest = queue.jobs[0]
            oldest.enqueued_at -= timedelta(days=300)
            redis.cli(
                "HSET", f"rq:job:{oldest.id}", "enqueued_at", oldest.enqueued_at.isoformat().replace("+00:00", "Z")
            )
            found = (await eye.look()).last("mail")
            assert found["depth"] == queue.count == 5
            assert found["age"] == pytest.approx(time.time() - oldest.enqueued_at.timestamp(), abs=START_S)
            assert "age" not in eye.told.at_least("mail")
            assert (found["consumers"], found["unattended"], found["pending"]) == (0, 5, 0)
            worker = rq.SimpleWorker([queue], connection=client)
            worker.register_birth()
            assert (await eye.look()).last("mail")["consumers"] == 1
            worker.register_death()
            rq.SimpleWorker([queue], connection=client).work(burst=True)
            found = (await eye.look()).last("mail")
            assert (found["depth"], found["age"], found["out_rate"]) == pytest.approx((0, 0, 5 / 20))
            assert (found["consumers"], found["unattended"], found["time_to_drain"]) == (0, 0, 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of how arq speaks to a newer Redis client
async def test_arq(redis: Redis) -> None:
    arq = require_module("arq", "arq")
    from arq.worker import Worker, func

    from tests.watch.queues.jobs import arq_job

    settings = arq.connections.RedisSettings.from_dsn(redis.url)
    pool = await arq.create_pool(settings)
    for i in range(4):
        await pool.enqueue_job("arq_job", i)
    await pool.enqueue_job("arq_job", 9, _defer_by=3_600)
    async with Eye(f"arq+{redis.url}") as eye:
        before_s = time.time()
        found = (await eye.look()).last("arq:queue")
        assert found["depth"] == 4 == len(await pool.queued_jobs()) - 1  # the fifth is not due yet
        first_ms = float(redis.cli("ZRANGE", "arq:queue", "0", "0", "WITHSCORES").splitlines()[1])
        assert before_s - 1 <= found["age"] + first_ms / 1000 <= time.time() + 1
        assert (found["consumers"], found["unattended"], found["pending"]) == (0, 4, 0)
        first_job = redis.cli("ZRANGE", "arq:queue", "0", "0")
        redis.cli("SET", f"arq:in-progress:{first_job}", "1")
        found = (await eye.look()).last("arq:queue")
        assert (found["depth"], found["pending"]) == (3, 1)
        redis.cli("DEL", f"arq:in-progress:{first_job}")
        worker = Worker([func(arq_job, name="arq_job")], redis_pool=pool, handle_signals=False, poll_delay=0.01)
        running = asyncio.create_task(worker.main())
        await eye.seen("arq:queue", {"depth": 0, "pending": 0, "age": 0, "consumers": 1})
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await worker.close()
        assert (await eye.look()).last("arq:queue")["consumers"] == 0
    await pool.aclose()


async def test_dramatiq(redis: Redis) -> None:
    require_module("dramatiq", "dramatiq")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its optional parts
        import dramatiq
        from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=redis.url, middleware=[])  # type: ignore[no-untyped-call]
    made = dramatiq.actor(broker=broker, actor_name="order", queue_name="orders")
    actor = made(lambda number: number)
    for i in range(6):
        actor.send(i)
    async with Eye(f"dramatiq+{redis.url}") as eye:
        await asyncio.sleep(0.05)
        told = await eye.look()
        assert told.queues == {"orders"}
        found = told.last("orders")
        assert found["depth"] == int(redis.cli("LLEN", "dramatiq:orders")) == broker.do_qsize("orders") == 6
        assert 0 < found["age"] < START_S
        assert "age" not in told.at_least("orders")
        assert found["pending"] == 0
        assert "consumers" not in found  # who sent was heard of just now, and may be a worker
        redis.cli("DEL", "dramatiq:__heartbeats__")
        found = (await eye.look()).last("orders")
        assert (found["consumers"], found["unattended"]) == (0, 6)
        worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=1)
        worker.start()
        try:
            await eye.seen("orders", {"depth": 0, "pending": 0, "age": 0, "time_to_drain": 0})
        finally:
            worker.stop()
    broker.close()
