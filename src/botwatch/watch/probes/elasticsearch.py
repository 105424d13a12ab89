"""Elasticsearch and OpenSearch: the health of the cluster."""

from __future__ import annotations

from typing import Any

from botwatch.watch.asking import Reason, Trouble
from botwatch.watch.probes.model import Finding, Service, Status, clean_version, figures, number
from botwatch.watch.probes.web import Web, record


class Elasticsearch:
    def __init__(self, service: Service) -> None:
        token = service.token.get_secret_value()
        self._web = Web(service, headers={"authorization": f"ApiKey {token}"} if token else None, login=not token)
        self._version = ""

    async def ask(self) -> Finding:
        body, fetched = await self._web.json("/_cluster/health")
        health = record(body)
        if health.get("status") not in ("green", "yellow", "red"):
            raise Trouble(Reason.ANSWER, "expected the health of a cluster, found something else")
        if not self._version:
            about, _ = await self._web.json("/")
            self._version = clean_version(record(record(about).get("version")).get("number"))
        reason = _wrong(health)
        nodes = number(health.get("number_of_nodes"))
        return Finding(
            Status.DEGRADED if reason else Status.RUNNING,
            reason,
            version=self._version,
            headline=f"{health['status']}, {nodes:.0f} nodes" if nodes is not None else str(health["status"]),
            figures=figures(
                ("nodes", nodes, "{node}"),
                ("shards.active", number(health.get("active_shards")), "{shard}"),
                ("shards.unassigned", number(health.get("unassigned_shards")), "{shard}"),
                ("tasks.pending", number(health.get("number_of_pending_tasks")), "{task}"),
            ),
            latency_s=fetched.took_s,
        )

    async def close(self) -> None:
        await self._web.close()


def _wrong(health: dict[str, Any]) -> str:
    missing = number(health.get("unassigned_shards")) or 0
    if health["status"] == "red":
        return f"red: data is missing, {missing:.0f} shards are not assigned"
    # A single node has nowhere to put its replicas: that is how it was set up.
    if health["status"] == "yellow" and health.get("number_of_data_nodes") != 1:
        return f"yellow: {missing:.0f} shards have no place for their copies"
    return ""
