"""Services that are asked over HTTP. S3 and the model server are servers of their own here; the others are endpoints
that answer as their published API descriptions say.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest

from botwatch.watch.probes.model import Status
from tests.real.models import NAME as TINY
from tests.real.models import running_models
from tests.watch.probes.answering import Said, http
from tests.watch.probes.looking import figure, look

QDRANT_METRICS = """\
# HELP app_info information about qdrant server
app_info{name="qdrant",version="1.9.2"} 1
app_status_recovery_mode 0
collections_total 3
collections_vector_total 1200000
rest_responses_avg_duration_seconds{method="POST",endpoint="/collections/{name}/points/search",status="200"} 0.02
rest_responses_duration_seconds_sum{method="POST",endpoint="/collections/{name}/points/search",status="200"} 4
rest_responses_duration_seconds_count{method="POST",endpoint="/collections/{name}/points/search",status="200"} 200
rest_responses_duration_seconds_sum{method="PUT",endpoint="/collections/{name}/points",status="200"} 900
rest_responses_duration_seconds_count{method="PUT",endpoint="/collections/{name}/points",status="200"} 3
"""


async def test_qdrant_tells_its_vectors_and_how_long_a_search_takes() -> None:
    answers = {"/readyz": Said(b"all shards are ready"), "/metrics": Said(QDRANT_METRICS.encode())}
    async with http(answers) as endpoint:
        view = await look("qdrant", f"http://127.0.0.1:{endpoint.port}")
        assert (view.status, view.version, view.headline) == (Status.RUNNING, "1.9.2", "1.2M vectors")
        assert (figure(view, "vectors"), figure(view, "collections")) == (1_200_000, 3)
        assert figure(view, "search.latency") == 0.02
        answers["/readyz"] = Said(b"some shards are not ready", 503)
        assert (await look("qdrant", f"http://127.0.0.1:{endpoint.port}")).status is Status.DEGRADED
        answers["/metrics"] = Said(QDRANT_METRICS.encode(), needs={"api-key": "k"})
        shut = await look("qdrant", f"http://127.0.0.1:{endpoint.port}", token="other")
        opened = await look("qdrant", f"http://127.0.0.1:{endpoint.port}", token="k")
    assert (shut.status, "not accepted" in shut.reason) == (Status.UNKNOWN, True)
    assert opened.version == "1.9.2"


MINIO_METRICS = """\
minio_cluster_capacity_usable_total_bytes{server="a:9000"} 100000000000
minio_cluster_capacity_usable_free_bytes{server="a:9000"} 25000000000
minio_cluster_usage_total_bytes{server="a:9000"} 45200000000
minio_cluster_usage_object_total{server="a:9000"} 8123
minio_cluster_drive_offline_total{server="a:9000"} 0
minio_software_version_info{server="a:9000",version="2024-01-16T16:07:38Z"} 1
"""


async def test_minio_tells_its_storage_and_objects() -> None:
    seen: list[str] = []
    answers = {
        "/minio/health/live": Said(),
        "/minio/health/cluster": Said(),
        "/minio/v2/metrics/cluster": Said(MINIO_METRICS.encode()),
    }
    async with http(answers) as endpoint:
        url = f"http://key:a-secret@127.0.0.1:{endpoint.port}"
        view = await look("minio", url)
        assert (view.status, view.headline) == (Status.RUNNING, "45.2 GB stored")
        assert view.version == "2024-01-16T16:07:38Z"
        assert (figure(view, "objects"), figure(view, "storage.max")) == (8_123, 100e9)
        answers["/minio/health/cluster"] = Said(status=503)
        ill = await look("minio", url)
        answers["/minio/health/cluster"] = Said()
        answers["/minio/v2/metrics/cluster"] = Said(MINIO_METRICS.replace("} 0\n", "} 2\n").encode())
        missing = await look("minio", url)
        answers["/minio/v2/metrics/cluster"] = Said(status=403)
        shut = await look("minio", url)
        answers["/minio/health/live"] = Said(status=503)
        down = await look("minio", url)
        seen += endpoint.asked
    assert (ill.status, ill.reason) == (Status.DEGRADED, "too few drives are online to write safely")
    assert (missing.status, missing.reason) == (Status.DEGRADED, "2 drives are offline")
    assert (shut.status, "figures are not open" in shut.reason) == (Status.RUNNING, True)
    assert down.status is Status.STOPPED
    assert all("a-secret" not in request for request in seen)


async def test_minio_is_shown_a_token_signed_with_the_secret() -> None:
    from botwatch.watch.probes.minio import MinIO
    from tests.watch.probes.looking import described

    token = (
        MinIO(described("minio", "http://key:a-secret@127.0.0.1:1"))._pass()["authorization"].removeprefix("Bearer ")
    )
    signed, _, signature = token.rpartition(".")
    header, claims = (orjson.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    assert header == {"alg": "HS512", "typ": "JWT"}
    assert (claims["sub"], claims["iss"]) == ("key", "prometheus")
    expected = hmac.digest(b"a-secret", signed.encode(), hashlib.sha512)
    assert base64.urlsafe_b64decode(signature + "==") == expected


def vault(token: str, **health: Any) -> dict[str, Said]:
    needs = {"x-vault-token": token}
    mounts = {
        "secret/": {"type": "kv", "options": {"version": "2"}},
        "old/": {"type": "kv", "options": None},
        "sys/": {"type": "system", "options": None},
    }
    told = {"initialized": True, "sealed": False, "standby": False, "version": "1.15.0"} | health
    return {
        "/v1/sys/health": Said(told),
        "/v1/sys/policies/acl": Said({"data": {"keys": ["default", "root", "bots"]}}, needs=needs),
        "/v1/sys/mounts": Said({"data": mounts}, needs=needs),
        "/v1/secret/metadata/": Said({"data": {"keys": ["a", "b", "deep/"]}}, needs=needs),
        "/v1/secret/metadata/deep/": Said({"data": {"keys": ["c"]}}, needs=needs),
        "/v1/old/": Said(status=404, needs=needs),
    }


async def test_vault_counts_policies_and_secrets_where_the_token_may() -> None:
    async with http(vault("root")) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}"
        view = await look("vault", url, token="root", times=2)
        assert endpoint.asked.count("GET /v1/sys/mounts HTTP/1.1") == 1
        without = await look("vault", url)
        wrong = await look("vault", url, token="wrong")
    assert (view.status, view.version, view.headline) == (Status.RUNNING, "1.15.0", "3 secrets")
    assert (figure(view, "policies"), figure(view, "secrets"), figure(view, "sealed")) == (3, 3, 0)
    assert (without.status, without.reason, figure(without, "secrets")) == (Status.RUNNING, "", None)
    assert (wrong.status, "token is not accepted" in wrong.reason) == (Status.RUNNING, True)


@pytest.mark.parametrize(
    ("health", "status", "words"),
    [
        ({"sealed": True}, Status.SEALED, "sealed"),
        ({"initialized": False, "sealed": True}, Status.SEALED, "not initialised"),
        ({"standby": True}, Status.RUNNING, ""),
    ],
)
async def test_vault_says_what_it_is(health: dict[str, bool], status: Status, words: str) -> None:
    async with http(vault("t", **health)) as endpoint:
        view = await look("vault", f"http://127.0.0.1:{endpoint.port}")
    assert (view.status, words in view.reason, view.version) == (status, True, "1.15.0")
    assert figure(view, "sealed") == float(health.get("sealed", False))


@pytest.mark.parametrize(
    ("health", "status", "words"),
    [
        ({"status": "green"}, Status.RUNNING, ""),
        ({"status": "yellow", "unassigned_shards": 4}, Status.DEGRADED, "yellow: 4 shards"),
        ({"status": "yellow", "number_of_data_nodes": 1}, Status.RUNNING, ""),
        ({"status": "red", "unassigned_shards": 2}, Status.DEGRADED, "red: data is missing, 2"),
    ],
)
async def test_elasticsearch_tells_the_health_of_its_cluster(
    health: dict[str, Any], status: Status, words: str
) -> None:
    told = {"number_of_nodes": 3, "number_of_data_nodes": 3, "active_shards": 12, "unassigned_shards": 0} | health
    answers = {
        "/_cluster/health": Said(told),
        "/": Said({"version": {"number": "2.11.1", "distribution": "opensearch"}}),
    }
    async with http(answers) as endpoint:
        view = await look("opensearch", f"http://127.0.0.1:{endpoint.port}")
    assert (view.status, words in view.reason, view.version) == (status, True, "2.11.1")
    assert view.headline == f"{health['status']}, 3 nodes"
    assert figure(view, "shards.active") == 12


async def test_a_model_server_is_asked_for_its_models_and_if_allowed_for_a_completion() -> None:
    models = {"object": "list", "data": [{"id": "gpt-4o"}, {"id": "tiny\x1b[31m"}]}
    answers = {
        "/v1/models": Said(models, needs={"authorization": "Bearer k"}),
        "/v1/chat/completions": Said({"choices": [{"message": {"content": "pong"}}]}),
        "/version": Said({"version": "2.1.0"}),
    }
    async with http(answers) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/v1"
        listed = await look("botmodels", url, token="k")
        assert not any("completions" in request for request in endpoint.asked)
        tried = await look("botmodels", url, token="k", complete="gpt-4o")
        assert orjson.loads(endpoint.bodies[-1])["max_tokens"] == 1
        answers["/v1/chat/completions"] = Said({"error": "the secret of somebody"}, 500)
        failing = await look("botmodels", url, token="k", complete="gpt-4o")
        shut = await look("botmodels", url, token="x")
        answers["/v1/models"] = Said({"data": []})
        empty = await look("botmodels", url)
    assert (listed.status, listed.version, listed.headline) == (Status.RUNNING, "2.1.0", "gpt-4o, tiny[31m active")
    assert (tried.headline, figure(tried, "models")) == ("gpt-4o active", 2)
    assert (figure(tried, "completion.latency") or 0) > 0
    assert (failing.status, failing.reason) == (
        Status.DEGRADED,
        "it lists its models, and fails to complete (HTTP 500)",
    )
    assert shut.status is Status.UNKNOWN
    assert (empty.status, empty.reason) == (Status.DEGRADED, "it has no model loaded")


async def test_a_real_model_server_lists_and_completes_and_is_followed_when_it_stops(tmp_path: Path) -> None:
    with running_models(tmp_path, "a-key") as (url, process):
        listed = await look("botmodels", f"{url}/v1", token="a-key")
        tried = await look("botmodels", url, token="a-key", complete=TINY)
        shut = await look("botmodels", url, token="another")
        process.kill()
        gone = await look("botmodels", url, token="a-key")
    assert (listed.status, listed.reason, listed.headline) == (Status.RUNNING, "", f"{TINY} active")
    assert listed.version, "as it calls its build"
    assert (figure(listed, "models"), figure(listed, "completion.latency")) == (1, None)
    assert (tried.status, tried.reason) == (Status.RUNNING, "")
    assert (figure(tried, "completion.latency") or 0) > 0
    assert (shut.status, "was not accepted" in shut.reason) == (Status.UNKNOWN, True)
    assert gone.status is Status.STOPPED


async def test_a_model_server_that_never_tells_its_version_runs() -> None:
    answers = {"/v1/models": Said({"data": [{"id": "gpt-4o"}]}), "/props": Said({"build_info": "b4567-abc"})}
    async with http(answers) as endpoint:
        assert (await look("botmodels", f"http://127.0.0.1:{endpoint.port}")).version == "b4567-abc"
        answers["/version"] = Said(b"<html>")
        assert (await look("botmodels", f"http://127.0.0.1:{endpoint.port}")).version == "b4567-abc"
        del answers["/props"]
        view = await look("botmodels", f"http://127.0.0.1:{endpoint.port}")
    assert (view.status, view.version) == (Status.RUNNING, "")


def put(url: str, body: bytes = b"") -> None:
    request = urllib.request.Request(url, body, {"content-type": "text/plain"}, method="PUT")  # moto asks for no login
    urllib.request.urlopen(request, timeout=30).close()


async def test_s3_counts_what_one_page_holds(moto: int) -> None:
    base = f"http://127.0.0.1:{moto}"
    put(f"{base}/a-bucket")
    put(f"{base}/a-bucket/one.txt", b"x" * 10)
    put(f"{base}/a-bucket/two.txt", b"x" * 20)
    url = base.replace("http://", "http://key:secret@")
    view = await look("s3", f"{url}/a-bucket")
    assert (view.status, figure(view, "objects"), figure(view, "storage")) == (Status.RUNNING, 2, 30)
    assert view.headline == "30 B stored"
    everything = await look("s3", url)
    assert (everything.status, figure(everything, "buckets")) == (Status.RUNNING, 1)
    nowhere = await look("s3", f"{url}/no-such-bucket")
    assert (nowhere.status, nowhere.reason) == (Status.UNKNOWN, "it answers, and has no bucket of this name")


def test_s3_requests_are_signed_as_the_official_library_does() -> None:
    import datetime as dt
    from importlib import import_module

    from botwatch.watch.probes.s3 import sign

    request_of = import_module("botocore.awsrequest").AWSRequest
    signer = import_module("botocore.auth").S3SigV4Auth
    credentials = import_module("botocore.credentials").Credentials("AKIDEXAMPLE", "a/secret+")
    query = "list-type=2&max-keys=1000"
    theirs = request_of("GET", f"http://127.0.0.1:9000/a-bucket?{query}")
    theirs.headers["x-amz-content-sha256"] = hashlib.sha256(b"").hexdigest()
    auth = signer(credentials, "s3", "eu-central-1")
    auth.add_auth(theirs)
    at = dt.datetime.strptime(theirs.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    ours = sign("AKIDEXAMPLE", "a/secret+", "eu-central-1", "127.0.0.1:9000", "/a-bucket", query, at)
    assert ours["authorization"] == theirs.headers["Authorization"]


async def test_s3_that_refuses_the_key_is_unknown() -> None:
    body = b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>key</AWSAccessKeyId></Error>"
    async with http({"/b": Said(body, 403)}) as endpoint:
        view = await look("s3", f"http://key:secret@127.0.0.1:{endpoint.port}/b")
    assert (view.status, view.reason) == (Status.UNKNOWN, "it answers, and does not accept the secret of this key")
