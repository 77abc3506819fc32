"""How much of a run's time is ours: a session in the worker against a bare asyncio loop that stores the same rows.

    python benchmarks/pipeline.py [--examples 2000] [--in-flight 16] [--latency 0.05] [--rounds 3]

Both call the same stub teacher (which only waits), score the same texts, look for near duplicates and write
the same rows to SQLite, one after the other in each round. The ideal is examples x latency / in flight.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.stub import large_session, stub_worker, until_done
from tests.support.teachers import catalog, story
from zega_core import db
from zega_core.auto_train import plan
from zega_core.dataset import NearDuplicates, text_hash
from zega_core.quality import score
from zega_core.settings import Settings
from zega_core.store import examples
from zega_core.tables import Example, ExampleStatus

CATALOG = catalog()


def ours(home: Path, number: int, in_flight: int, latency: float) -> float:
    """Seconds from the first call of the teacher to the end of the run, as the worker itself measured."""
    settings = Settings(home=home)
    with stub_worker(settings, in_flight=in_flight, latency=latency):
        return until_done(settings, large_session(settings, number)).active_seconds


def bare(home: Path, number: int, in_flight: int, latency: float) -> float:
    """The same work in one asyncio loop: no queue, no lease, no heartbeat, no resuming."""
    settings = Settings(home=home)
    row = large_session(settings, number, enqueue=False)
    known = NearDuplicates(settings.near_duplicate_share)

    async def one(draw, limit: asyncio.Semaphore) -> None:
        async with limit:
            await asyncio.sleep(latency)
        brief = draw.brief
        text = story(row.seed + draw.idx, brief.prompt)
        report = score(text, brief.prompt, brief.genre, brief.element)
        keep = report.score >= settings.keep_score and known.find(text) is None
        example = Example(
            user_id=row.user_id,
            session_id=row.id,
            idx=draw.idx,
            genre=brief.genre,
            element=brief.element.key,
            prompt=brief.prompt,
            modifier=brief.modifier.key if brief.modifier else None,
            completion=text,
            status=ExampleStatus.kept if keep else ExampleStatus.set_aside,
            quality=report.score,
            quality_report=report.as_dict(),
            text_hash=text_hash(text),
            model="stub",
        )
        with db.session(settings) as session:
            examples.insert_once(session, example)
        if keep:
            known.add(example.id or 0, text)

    async def everything() -> None:
        limit = asyncio.Semaphore(in_flight)
        draws = plan(CATALOG, row.genres_selected, number, row.order_seed, row.draw_from)
        await asyncio.gather(*(one(draw, limit) for draw in draws))

    started = time.monotonic()
    asyncio.run(everything())
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ideal = options.examples * options.latency / options.in_flight
    ratios: list[float] = []
    for number in range(1, options.rounds + 1):
        seconds: list[float] = []
        for way in (ours, bare):
            with tempfile.TemporaryDirectory() as folder:
                seconds.append(way(Path(folder), options.examples, options.in_flight, options.latency))
        ratios.append(seconds[1] / seconds[0])
        print(
            f"round {number}: ideal {ideal:.2f} s, bare loop {seconds[1]:.2f} s, worker {seconds[0]:.2f} s; "
            f"worker reaches {ratios[-1]:.2f} of the bare loop, {ideal / seconds[0]:.2f} of the ideal"
        )
    print(f"median over {options.rounds} rounds: {statistics.median(ratios):.2f} of the bare loop")


if __name__ == "__main__":
    main()
