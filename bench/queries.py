"""How well, and how fast, what users ask is grouped by its meaning.

    uv run python bench/queries.py [--messages 100000] [--days 7]

How well: over questions in four languages that are labelled by hand, of all pairs in one group the share that mean the
same (precision), and of all pairs that mean the same the share that is in one group (recall). `known` was looked at while the
grouping was made, `unseen` is of other trades and was not. How fast: the question `/api/insights/queries` asks, over generated
messages of a week, a tenth of them of phrases that come once.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from shared import print_machine

sys.path.insert(0, str(Path(__file__).parents[1]))

from botwatch.api.asking import Window
from botwatch.api.meaning.grouping import grouped
from botwatch.api.reads.questions import common_queries
from botwatch.store.client import Store
from botwatch.store.migrate import migrate
from tests.api.meaning.questions import KNOWN, UNSEEN, Questions
from tests.api.meaning.scoring import Score, score

NOW_S = 1_760_000_000
RUNS = 5


def quality(name: str, questions: Questions) -> None:
    found = {language: score(meant) for language, meant in questions.items()}
    found["all"] = sum(found.values(), Score())
    for language, of in found.items():
        texts = sum(map(len, questions.get(language, {}).values()))
        print(f"{name:8}  {language:4}  {texts or '':>4}  precision {of.precision:.2f}  recall {of.recall:.2f}")


def fill(store: Store, messages: int, days: int) -> None:
    """Nine of ten messages are one of the labelled questions, each with a figure of its own; the others are unlike."""
    texts = [
        text for set_ in (KNOWN, UNSEEN) for meant in set_.values() for several in meant.values() for text in several
    ]
    store.command(
        "INSERT INTO messages (bot, channel, session_id, user_id, at, direction, author, text, source) "
        "SELECT 'shop', 'web', concat('s', toString(intDiv(number, 5))), 'u', "
        f"fromUnixTimestamp64Micro(({NOW_S} - {days * 86_400}) * 1000000 + number * {days * 86_400_000_000 // messages}, 'UTC'), "
        "'in', 'user', if(number % 10 = 0, concat('order about ', lower(hex(cityHash64(number)))), "
        "concat({texts:Array(String)}[1 + cityHash64(number) % length({texts:Array(String)})], ' ', toString(number % 97))), 'event' "
        f"FROM numbers({messages})",
        {"texts": texts},
    )


async def speed(messages: int, days: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open("", data=Path(folder))
        store.create()
        migrate(store)
        fill(store, messages, days)
        window, took = Window((NOW_S - days * 86_400) * 10**9, NOW_S * 10**9), []
        for _ in range(RUNS):
            began = time.perf_counter()
            told = await common_queries(store, window, None, 50)
            took.append(time.perf_counter() - began)
        print(f"\n{messages:,} messages of {days} days: median {statistics.median(took):.2f} s, first {took[0]:.2f} s")
        print(
            f"groups shown {len(told.items)}, in them {sum(i.count for i in told.items):,}, left out {told.left_out:,}"
        )
        store.close()
    texts = [f"question {n} of {n * 7919 % 3_000}x" for n in range(3_000)]
    began = time.perf_counter()
    grouped(texts)
    print(f"3,000 phrases alone: {time.perf_counter() - began:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=7)
    args = parser.parse_args()
    print_machine()
    quality("known", KNOWN)
    quality("unseen", UNSEEN)
    asyncio.run(speed(args.messages, args.days))


if __name__ == "__main__":
    main()
