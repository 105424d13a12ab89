"""Every kind of broker, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from botwatch.watch.queues.amqp import AmqpQueues
from botwatch.watch.queues.arq import ArqQueues
from botwatch.watch.queues.celery import CeleryQueues
from botwatch.watch.queues.configured import Watched
from botwatch.watch.queues.dramatiq import DramatiqQueues
from botwatch.watch.queues.kafka import KafkaQueues
from botwatch.watch.queues.look import Broker
from botwatch.watch.queues.nats import NatsQueues
from botwatch.watch.queues.rabbitmq import RabbitQueues
from botwatch.watch.queues.redis_lists import RedisQueues
from botwatch.watch.queues.rq import RqQueues
from botwatch.watch.queues.sqs import SqsQueues

MAKERS: Final[Mapping[str, Callable[[Watched], Broker]]] = {
    "amqp": lambda w: AmqpQueues(w.target, w.choice, w.timeout_s),
    "arq": lambda w: ArqQueues(w.target, w.choice, w.timeout_s),
    "celery": lambda w: CeleryQueues(w.target, w.choice, w.timeout_s, prefix=w.prefix),
    "dramatiq": lambda w: DramatiqQueues(w.target, w.choice, w.timeout_s, namespace=w.prefix or "dramatiq"),
    "kafka": lambda w: KafkaQueues(w.target, w.choice, w.timeout_s, groups=w.groups),
    "nats": lambda w: NatsQueues(w.target, w.choice, w.timeout_s),
    "rabbitmq": lambda w: RabbitQueues(w.target, w.choice, w.timeout_s),
    "redis": lambda w: RedisQueues(w.target, w.choice, w.timeout_s, oldest=w.oldest, time_field=w.time_field),
    "rq": lambda w: RqQueues(w.target, w.choice, w.timeout_s),
    "sqs": lambda w: SqsQueues(w.target, w.choice, w.timeout_s),
}


def broker(watched: Watched) -> Broker:
    return MAKERS[watched.kind](watched)
