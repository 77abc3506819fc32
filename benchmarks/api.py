"""Fifty clients ask the REST API while a training runs: how long they wait, what fails, and what memory it takes.

    python benchmarks/api.py [--clients 50] [--seconds 60] [--pause 0.5]

The server is `zega api` as a process; a worker beside it writes a session that is longer than the measurement, with a
stub teacher. Each client has its own key's allowance and connection, and asks in turn for what a program that follows a
training asks for, with a pause after each answer. Every twentieth request begins a session in the background, with an
Idempotency-Key, and sends it twice. The alternative asks a bare FastAPI with one route that returns a constant, in the
same way on the same machine: what is left is ZEGA's. Memory is the server's own (PSS) after each
eighth of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import httpx

from benchmarks.stub import large_session, stub_worker
from zega_core import db
from zega_core.configs import DEFAULT_WRITER
from zega_core.settings import ROOT, Settings
from zega_core.store import api_keys

BARE = """
from fastapi import FastAPI
import uvicorn
app = FastAPI()
@app.get("/{path:path}")
def constant(path: str): return {"status": "healthy"}
uvicorn.run(app, host="127.0.0.1", port=%d, access_log=False, log_level="error")
"""
BEGINS = 20
"""Every so many requests a session is begun."""


@dataclass
class Found:
    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    doubled: int = 0
    memory: list[float] = field(default_factory=list)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


@contextmanager
def server(command: list[str], port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)
                break
            except httpx.TransportError:
                if process.poll() is not None:
                    raise SystemExit("the server has ended") from None
                time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        process.wait()


async def client(number: int, base: str, key: str, paths: list[str], options: argparse.Namespace, found: Found) -> None:
    rng, until = random.Random(number), time.monotonic() + options.seconds
    async with httpx.AsyncClient(base_url=base, headers={"X-API-Key": key} if key else {}, timeout=60) as http:
        await asyncio.sleep(rng.random() * options.pause)
        turn = number
        while time.monotonic() < until:
            turn += 1
            if key and turn % BEGINS == 0:
                await begin(http, f"{number}-{turn}", found)
            else:
                await ask(http, "GET", paths[turn % len(paths)], found)
            await asyncio.sleep(options.pause)


async def ask(http: httpx.AsyncClient, method: str, path: str, found: Found, **more: object) -> httpx.Response | None:
    began = time.perf_counter()
    try:
        answer = await http.request(method, path, **more)  # type: ignore[arg-type]
    except httpx.HTTPError as error:
        found.statuses[type(error).__name__] += 1
        return None
    found.seconds.append(time.perf_counter() - began)
    found.statuses[str(answer.status_code)] += 1
    return answer


async def begin(http: httpx.AsyncClient, key: str, found: Found) -> None:
    body, headers = {"num_examples": 1, "background": True}, {"Idempotency-Key": key}
    both = [await ask(http, "POST", "/auto-train", found, json=body, headers=headers) for _ in range(2)]
    answers = {answer.text for answer in both if answer is not None}
    found.doubled += len(answers) > 1


async def crowd(base: str, pid: int, keys: list[str], paths: list[str], options: argparse.Namespace) -> Found:
    found = Found()
    clients = [
        asyncio.create_task(client(number, base, keys[number % len(keys)] if keys else "", paths, options, found))
        for number in range(options.clients)
    ]
    for _ in range(8):
        await asyncio.sleep(options.seconds / 8)
        found.memory.append(megabytes(pid))
    await asyncio.gather(*clients)
    return found


def measure_zega(options: argparse.Namespace) -> tuple[Found, str]:
    with tempfile.TemporaryDirectory() as folder:
        settings, port = Settings(home=Path(folder)), free_port()
        with stub_worker(settings, in_flight=4, latency=0.2):
            row = large_session(settings, 100_000)
            with db.session(settings) as session:
                keys = [api_keys.create(session, DEFAULT_WRITER, f"client {number}")[1] for number in range(10)]
            command = [sys.executable, "-m", "zega_core", "api", "--port", str(port)]
            environment = {"ZEGA_HOME": folder, "ZEGA_API_PER_MINUTE": "1000000"}
            paths = [
                "/health",
                "/training/genres",
                f"/user/{DEFAULT_WRITER}/training-stats",
                f"/auto-train/{row.session_id}",
            ]
            with server(command, port, environment) as process:
                found = asyncio.run(crowd(f"http://127.0.0.1:{port}", process.pid, keys, paths, options))
                state = httpx.get(
                    f"http://127.0.0.1:{port}/auto-train/{row.session_id}", headers={"X-API-Key": keys[0]}
                ).json()
    return found, f"{state['successful'] + state['set_aside']} pieces were written meanwhile"


def measure_bare(options: argparse.Namespace) -> Found:
    port = free_port()
    with server([sys.executable, "-c", BARE % port], port, {}) as process:
        return asyncio.run(crowd(f"http://127.0.0.1:{port}", process.pid, [], ["/a", "/b"], options))


def report(name: str, found: Found, options: argparse.Namespace) -> None:
    milliseconds = sorted(1000 * one for one in found.seconds)
    at = statistics.quantiles(milliseconds, n=100)
    wrong = {status: number for status, number in found.statuses.items() if not status.startswith("2")}
    print(
        f"{name}: {len(milliseconds)} requests, {len(milliseconds) / options.seconds:.0f} a second; "
        f"p50 {at[49]:.1f} ms, p95 {at[94]:.1f} ms, p99 {at[98]:.1f} ms; errors {wrong or 'none'}; "
        f"done twice {found.doubled}; memory in MB {', '.join(f'{one:.0f}' for one in found.memory)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=0.5)
    options = parser.parse_args()
    report("bare FastAPI", measure_bare(options), options)
    found, beside = measure_zega(options)
    report("ZEGA", found, options)
    print(beside)


if __name__ == "__main__":
    main()
