"""`python -m tests.demo.replay URL`: every bot plays all it knows, at once, well and badly, and ends."""

from __future__ import annotations

import asyncio
import os
import random
import sys

import botwatch_sdk as sdk
from botwatch.clock import SystemClock
from botwatch.demo.bots import introduce
from botwatch.demo.cast import FLEET
from botwatch.demo.play import Player
from botwatch.demo.world import Bot, Part
from botwatch_sdk._limits import CPU_OVER_S_MIN


class Dice(random.Random):
    """0.5 is a plain day, 0 one on which every call times out."""

    def __init__(self, always: float) -> None:
        super().__init__(1)
        self._always = always

    def random(self) -> float:
        return self._always


async def _no_pause(_: float) -> None:
    await asyncio.sleep(0)


async def _play(bot: Bot) -> None:
    for always in (0.5, 0.0):
        player = Player(bot, Dice(always), SystemClock(), _no_pause)
        for number, script in enumerate(bot.scripts):
            if script.steps[0].part is Part.TICKET:
                await player.ticket(script, number=f"T-{number:05d}")
            else:
                await player.converse(script)
    if bot.queue:
        sdk.queue(bot.queue, depth=1, age_s=1.0)
    # The share of a core is told once there has been time to measure it over.
    await asyncio.sleep(10 * CPU_OVER_S_MIN)


def main(url: str) -> int:
    children = []
    for bot in FLEET:
        pid = os.fork()
        if not pid:
            code = 1
            try:
                introduce(bot, bot.places[0], url)
                asyncio.run(_play(bot))
                code = 0 if sdk.shutdown(100.0) else 2
            finally:
                os._exit(code)
        children.append(pid)
    return max(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
