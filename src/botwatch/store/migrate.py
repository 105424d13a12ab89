"""The schema, brought forward: numbered `.sql` files, each applied once, in order.

One copy of the schema serves every engine through two tokens. `{engine}` is empty or 'Replicated',
`{on_cluster}` is empty or the clause. On a cluster a stored table `x` becomes `x_local` on every
node, `x` itself is a Distributed table over it, and the views read and write the local ones: so no
query changes, and an insert ends on the node it was sent to. What was decided for all, as which
labels are held, is read through the Distributed table there too.

Beside the name of a step stands a digest of what it did. A step that was edited since is another
schema under the same name: what is written would be refused table by table, or go into views that
count otherwise. So it is refused at the start, whole.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.resources import files
from importlib.resources.abc import Traversable

from botwatch.errors import StoreError
from botwatch.store.client import Store

log = logging.getLogger(__name__)

VERSIONS = "schema_versions"
_OWN = (
    f"CREATE TABLE {VERSIONS} {{on_cluster}} (name String, applied DateTime('UTC') DEFAULT now(), digest String) "
    "ENGINE = {engine}MergeTree ORDER BY name"
)
# Builds before the first release kept no digest. Empty: nobody knows what the step was.
_OWN_OF_OLD = f"ALTER TABLE {VERSIONS} {{on_cluster}} ADD COLUMN IF NOT EXISTS digest String"
_HAS_DIGEST = (
    f"SELECT 1 FROM system.columns WHERE database = currentDatabase() AND table = '{VERSIONS}' AND name = 'digest'"
)
_CREATE = re.compile(r"^CREATE (TABLE|MATERIALIZED VIEW) (?!IF NOT EXISTS)(\w+)")
_ALTER = re.compile(r"^ALTER TABLE (\w+) ")
_VIEWED = re.compile(r"\b(FROM|TO) (\w+)( AS \w+)?")
_FOR_ALL = frozenset({"crowded_labels", "admitted_names"})
# A Replicated table forgets after an hour what it has inserted; a spool may be replayed after days.
_REMEMBERED = "non_replicated_deduplication_window = 10000"
_REPLICATED = ", replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 2592000"
_STORED = re.compile(r"^CREATE TABLE (?:IF NOT EXISTS )?(\w+)[^;]*?\bENGINE = \{engine\}", re.DOTALL)


def schema_folder() -> Traversable:
    return files("botwatch.store") / "schema"


def steps(folder: Traversable) -> list[tuple[str, str]]:
    """The migrations in order: (name, text)."""
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(f.name.removesuffix(".sql"), f.read_text(encoding="utf-8")) for f in found]


def statements(text: str) -> Iterator[str]:
    """Split a file at the semicolons that end a line; comment lines are left out."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    for statement in re.split(r";[ \t]*(?:\n|$)", code):
        if statement.strip():
            yield statement.strip()


def digest(text: str) -> str:
    """Of what a step does: its comments and how it is laid out are not in it."""
    return hashlib.sha256(" ".join(" ; ".join(statements(text)).split()).encode()).hexdigest()[:16]


def render(statement: str, cluster: str, stored: frozenset[str]) -> list[str]:
    """Fill in the tokens; on a cluster, one statement may become two."""
    name = _STORED.match(statement)
    text = _CREATE.sub(r"CREATE \1 IF NOT EXISTS \2", statement)
    if not cluster:
        return [text.replace("{engine}", "").replace(" {on_cluster}", "")]
    text = text.replace("{engine}", "Replicated").replace("{on_cluster}", f"ON CLUSTER '{cluster}'")
    text = text.replace(_REMEMBERED, _REMEMBERED + _REPLICATED)
    if altered := _ALTER.match(statement):
        local = text.replace(f"TABLE {altered[1]} ", f"TABLE {altered[1]}_local ", 1)
        return [local] if " ADD INDEX " in text else [local, text]  # what only spreads rows has no index
    if name:
        local = text.replace(f"EXISTS {name[1]} ", f"EXISTS {name[1]}_local ", 1)
        spread = (
            f"CREATE TABLE IF NOT EXISTS {name[1]} ON CLUSTER '{cluster}' AS {name[1]}_local "
            f"ENGINE = Distributed('{cluster}', currentDatabase(), '{name[1]}_local', rand())"
        )
        return [local, spread]
    return [_VIEWED.sub(partial(_local, stored - _FOR_ALL), text)]


def _local(stored: frozenset[str], found: re.Match[str]) -> str:
    """A view may call a column by the name of its table."""
    what, table, alias = found.groups("")
    if table not in stored:
        return found[0]
    return f"TO {table}_local{alias}" if what == "TO" else f"FROM {table}_local{alias or f' AS {table}'}"


def stored_tables(folder: Traversable) -> frozenset[str]:
    return frozenset(
        found[1] for _, text in steps(folder) for statement in statements(text) if (found := _STORED.match(statement))
    )


def migrate(store: Store, folder: Traversable | None = None) -> list[str]:
    """Apply what is missing; the names that were applied. A store of another schema is refused."""
    folder = folder or schema_folder()
    known = steps(folder)
    for rendered in render(_OWN, store.cluster, frozenset()):
        store.command(rendered)
    if not store.read(_HAS_DIGEST).rows:
        for rendered in render(_OWN_OF_OLD, store.cluster, frozenset()):
            store.command(rendered)
    done: dict[str, str] = dict(store.read(f"SELECT name, max(digest) FROM {VERSIONS} GROUP BY name").rows)
    _check_the_same(done, {name: digest(text) for name, text in known})
    stored = stored_tables(folder)
    applied = []
    for name, text in known:
        if name in done:
            continue
        for statement in statements(text):
            for rendered in render(statement, store.cluster, stored):
                store.command(rendered)
        store.command(f"INSERT INTO {VERSIONS} (name, digest) VALUES ('{name}', '{digest(text)}')")
        log.info("schema step applied", extra={"step": name})
        applied.append(name)
    return applied


def _check_the_same(done: Mapping[str, str], known: Mapping[str, str]) -> None:
    if newer := sorted(done.keys() - known.keys()):
        raise StoreError(
            f"the telemetry store was written by a newer version (it has {', '.join(newer)}): "
            "start that version, or name another data folder"
        )
    if other := sorted(name for name, was in done.items() if was and was != known[name]):
        raise StoreError(
            f"the telemetry store was written by another build, whose schema differs ({', '.join(other)}): "
            "start that build, or name another data folder"
        )
