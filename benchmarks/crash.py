"""Twenty seeded kill -9 of the worker in a run of 2,000 pieces: what is lost, what is double, what is repeated.

python benchmarks/crash.py [--examples 2000] [--kills 20] [--in-flight 8] [--seed 1] [--postgresql]
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pydantic import SecretStr
from sqlalchemy import text

from benchmarks.stub import large_session, stub_worker, until_done
from tests.support.postgresql import Cluster, why_not
from zega_core import db
from zega_core.settings import Settings
from zega_core.store import examples
from zega_core.tables import TrainingSession


def stored(settings: Settings, row: TrainingSession) -> int:
    with db.reading(settings) as session:
        return examples.tally(session, row.id or 0).done


def kill_at_random(settings: Settings, row: TrainingSession, options: argparse.Namespace) -> None:
    draw = random.Random(options.seed)
    for number in range(1, options.kills + 1):
        goal = options.examples * number // (options.kills + 2)
        with stub_worker(settings, in_flight=options.in_flight, latency=0.05) as worker:
            while stored(settings, row) < goal:
                time.sleep(0.01)
            time.sleep(draw.uniform(0.0, 0.2))
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        print(f"kill {number:2}: {stored(settings, row)} of {options.examples} stored", flush=True)


def report(settings: Settings, row: TrainingSession, options: argparse.Namespace) -> bool:
    with db.reading(settings) as session:
        done, distinct = (
            session.connection()
            .execute(text("SELECT count(*), count(DISTINCT idx) FROM example WHERE session_id = :id"), {"id": row.id})
            .one()
        )
        healthy = settings.uses_postgresql or (
            session.connection().execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        )
    seeds = (line.split()[0] for line in (settings.home / "calls.txt").read_text(encoding="utf-8").splitlines())
    repeated = sum(number - 1 for number in Counter(seeds).values())
    bound = options.kills * options.in_flight
    print(f"rows {done} of {options.examples}, distinct {distinct}, database {'sound' if healthy else 'DAMAGED'}")
    print(f"repeated calls {repeated}; bound kills x in flight = {bound}; ratio {repeated / bound:.2f}")
    return done == distinct == options.examples and repeated <= bound and healthy


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--in-flight", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="in a throw-away cluster")
    options = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(home=home)
        if options.postgresql:
            if why_not():
                sys.exit(str(why_not()))
            cluster = stack.enter_context(Cluster.started())
            settings = Settings(home=home, database_url=SecretStr(cluster.new_database()))
        row = large_session(settings, options.examples)
        kill_at_random(settings, row, options)
        with stub_worker(settings, in_flight=options.in_flight, latency=0.05):
            until_done(settings, row)
        good = report(settings, row, options)
        db.forget()
    print("as promised" if good else "NOT as promised")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
