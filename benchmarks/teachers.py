"""What the guards around a teacher cost: calls through the full ensemble against the ideal, a bare loop and a router.

    python benchmarks/teachers.py [--litellm PYTHON] [--rounds 3]       throughput
    python benchmarks/teachers.py --seeds                               the seeds' own scenario: 50 of 50?
    python benchmarks/teachers.py --limited                             30 requests a minute, over three minutes

One stand-in server in a process of its own answers after a fixed time. "Ensemble" is what a run uses: Ollama's place
in the group taken by an OpenAI-compatible server with limits (too large to matter), prices, retries, breaker and a
ledger in SQLite. "Bare" is an asyncio loop over httpx with no error handling at all. "Router" is litellm.Router, run by
the Python named with --litellm (it is no dependency of ours: pip install litellm in an environment of its own).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.services import FakeService
from tests.support.teachers import story
from zega_core import auto_train, db, staffing, teachers
from zega_core.catalog import load_catalog
from zega_core.configs import AutoTrainConfig, TeacherChoice, TeachingConfig
from zega_core.providers.base import Call, GenerationOptions, Message
from zega_core.providers.brakes import Purse
from zega_core.settings import ROOT, Settings
from zega_core.store import ledger, sessions, teaching, writers
from zega_core.tables import TrainingSession

MODEL = "qwen2.5-7b-instruct"
PROMPT = (
    "Write one scene of two or three paragraphs, about 150 words. Genre: Fantasy. Prompt: A lantern that remembers."
)
IN_FLIGHT = 16
BARE = """
import asyncio, sys, time, httpx
url, number, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
async def main():
    limit = asyncio.Semaphore(at_once)
    limits = httpx.Limits(max_connections=at_once)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        async def one(seed):
            async with limit:
                body = {"model": sys.argv[4], "messages": [{"role": "user", "content": sys.argv[5]}], "seed": seed}
                answer = await client.post(url + "/chat/completions", json=body)
                answer.json()["choices"][0]["message"]["content"]
        await one(0)
        started, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(one(seed) for seed in range(number)))
        print(time.perf_counter() - started, time.process_time() - cpu)
asyncio.run(main())
"""
ROUTER = """
import asyncio, sys, time, os
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
import litellm
litellm.suppress_debug_info = True
url, number, at_once = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
params = {"model": "openai/" + sys.argv[4], "api_base": url, "api_key": "none", "rpm": 10**7, "tpm": 10**9}
router = litellm.Router(model_list=[{"model_name": "m", "litellm_params": params}], num_retries=2)
async def main():
    limit = asyncio.Semaphore(at_once)
    async def one(seed):
        async with limit:
            messages = [{"role": "user", "content": sys.argv[5]}]
            answer = await router.acompletion(model="m", messages=messages, seed=seed, max_tokens=400)
            answer.choices[0].message.content
    await one(0)
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(seed) for seed in range(number)))
    print(time.perf_counter() - started, time.process_time() - cpu)
asyncio.run(main())
"""


@contextmanager
def server(delay: float) -> Iterator[str]:
    """A stand-in in a process of its own; its base URL."""
    command = [sys.executable, "-m", "tests.support.services", "--provider", "openai_compatible", "--delay", str(delay)]
    command.append("--keeps-limits")
    text = story(7, sentences=14).replace(",", ";")
    process = subprocess.Popen([*command, "--script", text], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def elsewhere(python: str, code: str, url: str, number: int) -> tuple[float, float]:
    """Seconds and CPU seconds of a client in a process of its own."""
    command = [python, "-c", code, url, str(number), str(IN_FLIGHT), MODEL, PROMPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "NO_PROXY": "*"})
    seconds, cpu = done.stdout.split()[-2:]
    return float(seconds), float(cpu)


def ensemble(url: str, number: int) -> tuple[float, float]:
    """Seconds and CPU seconds of as many calls through the whole group, each in the ledger at the end."""
    limits = {"requests_per_minute": 10**6, "tokens_per_minute": 10**9}
    choice = TeacherChoice.model_validate(
        {
            "provider": "openai_compatible",
            "base_url": url,
            "models": [MODEL],
            "limits": limits,
            "in_flight": IN_FLIGHT,
            "price_in": 0.1,
            "price_out": 0.2,
        }
    )
    config = TeachingConfig(teachers=(choice,), storyteller=True, budget=1000.0)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        with db.session(settings) as session:
            writers.ensure(session, "default")
        group = teachers.group(settings, config, {"openai_compatible": (MODEL,)}, Purse(config.budget))
        one = [Message("user", PROMPT)]

        def ask(seed: int) -> tuple[Call, ...]:
            return group.complete(one, GenerationOptions(seed=seed)).calls

        ask(0)
        started, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            seeds, pending, noted = iter(range(number)), set(), 0
            while True:
                pending |= {pool.submit(ask, seed) for seed in islice(seeds, IN_FLIGHT - len(pending))}
                if not pending:
                    break
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                calls = [call for future in finished for call in future.result()]
                with db.session(settings) as session:
                    ledger.add(session, "default", calls, role="teacher")
                noted += len(calls)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        assert noted == number
        db.forget()
        return seconds, cpu


def throughput(rounds: int, litellm: str | None) -> None:
    for number, delay in ((2000, 0.05), (400, 0.5)):
        ideal = number * delay / IN_FLIGHT
        ratios: dict[str, list[float]] = {"bare": [], "router": [], "ideal": []}
        with server(delay) as url:
            for turn in range(1, rounds + 1):
                bare, bare_cpu = elsewhere(sys.executable, BARE, url, number)
                ours, ours_cpu = ensemble(url, number)
                line = f"bare {bare:.2f} s ({1000 * bare_cpu / number:.1f} ms CPU a call), "
                if litellm:
                    router, router_cpu = elsewhere(litellm, ROUTER, url, number)
                    ratios["router"].append(router / ours)
                    line += f"router {router:.2f} s ({1000 * router_cpu / number:.1f} ms), "
                ratios["bare"].append(bare / ours)
                ratios["ideal"].append(ideal / ours)
                print(
                    f"{number} calls of {1000 * delay:.0f} ms, round {turn}: ideal {ideal:.2f} s, {line}"
                    f"ensemble {ours:.2f} s ({1000 * ours_cpu / number:.1f} ms)"
                )
        middle = {name: statistics.median(values) for name, values in ratios.items() if values}
        print(f"  medians: {middle['ideal']:.2f} of the ideal, {middle['bare']:.2f} of the bare loop", end="")
        print(f", {middle['router']:.2f} times the router" if "router" in middle else "")


@contextmanager
def services(**scripts: dict[str, object]) -> Iterator[dict[str, FakeService]]:
    """Stand-ins, and the environment that leads to them."""
    names = {"ollama": "OLLAMA_HOST", "groq": "GROQ_BASE_URL", "gemini": "GOOGLE_GEMINI_BASE_URL"}
    names |= {"huggingface": "ZEGA_HF_BASE_URL"}
    os.environ |= {"GROQ_API_KEY": "none-none", "GOOGLE_API_KEY": "none-none", "HF_TOKEN": "none-none"}
    with ExitStack() as stack:
        found: dict[str, FakeService] = {}
        for provider, options in scripts.items():
            found[provider] = stack.enter_context(FakeService(provider, **options))  # type: ignore[arg-type]
            os.environ[names[provider]] = found[provider].url
        yield found


def session_of(settings: Settings, number: int, config: TeachingConfig) -> TrainingSession:
    """A session with real services, worked through here as a worker would."""
    with db.session(settings) as session:
        writers.ensure(session, "default")
        teaching.save(session, "default", config)
        asked = AutoTrainConfig(num_examples=number, seed=1)
        row = sessions.create(session, asked, teacher="bench", order_seed=1)
    staff = staffing.staff_of(row.session_id, settings)
    auto_train.run(row.session_id, 1, settings=settings, catalog=load_catalog(), teacher=staff.teacher)
    with db.reading(settings) as session:
        return sessions.by_id(session, row.session_id)


def pieces(number: int) -> str:
    return story(number, sentences=14)


def seeds_scenario() -> None:
    """Gemini 429, Groq 400, Hugging Face 410, Ollama busy every second call; nobody stands in."""
    scripts: dict[str, dict[str, object]] = {
        "gemini": {"script": "rate_limited"},
        "groq": {"script": "bad_request"},
        "huggingface": {"script": "gone"},
        "ollama": {"script": pieces, "busy_every": 2, "delay": 0.5},
    }
    order = ("groq", "gemini", "huggingface", "ollama")
    for title, names in (("in the seeds' order", ("ollama", *order[:3])), ("the broken ones first", order)):
        with services(**scripts) as found, tempfile.TemporaryDirectory() as folder:
            settings = Settings(home=Path(folder))
            chosen = tuple(TeacherChoice.model_validate({"provider": name}) for name in names)
            row = session_of(settings, 50, TeachingConfig(teachers=chosen, storyteller=False))
            with db.reading(settings) as session:
                outcomes = Counter[str]()
                for totals in ledger.by_teacher(session, row.id or 0):
                    outcomes.update({f"{totals.provider} {name}": n for name, n in totals.outcomes.items()})
            written = row.num_examples_successful + row.num_examples_set_aside
            sent = sum(len(service.completions) for service in found.values())
            print(
                f"{title}: {written} of 50 written in {row.total_time_seconds:.1f} s "
                f"(0.5 s a piece), {sent - written} calls wasted: {json.dumps(dict(outcomes))}"
            )
            db.forget()
            teachers.forget()


def limited(minutes: int = 3) -> None:
    """A service that allows 30 requests in any minute, 10 in flight: how much of it is used, how often it says 429."""
    scripts: dict[str, dict[str, object]] = {
        "groq": {"script": pieces, "per_minute": 30, "delay": 0.3, "tells_limits": False}
    }
    limits = {"requests_per_minute": 30, "requests_per_day": None, "tokens_per_minute": None, "tokens_per_day": None}
    with services(**scripts) as found, tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        choice = TeacherChoice.model_validate(
            {"provider": "groq", "models": ["llama-3.1-8b-instant"], "limits": limits, "in_flight": 10}
        )
        started = time.monotonic()
        row = session_of(settings, 30 * minutes, TeachingConfig(teachers=(choice,), storyteller=False))
        with db.reading(settings) as session:
            totals = ledger.by_teacher(session, row.id or 0)
        refused = sum(one.outcomes.get("rate_limited", 0) for one in totals)
        moments = [request.at - started for request in found["groq"].completions]
        used = sum(moment < 60 * minutes for moment in moments)
        print(
            f"{used} of {30 * minutes} allowed requests used in {60 * minutes} s ({used / (30 * minutes):.1%}); "
            f"{refused} times 429; last piece after {max(moments):.0f} s"
        )
        db.forget()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--litellm", help="a Python that has litellm")
    parser.add_argument("--seeds", action="store_true")
    parser.add_argument("--limited", action="store_true")
    options = parser.parse_args()
    if options.seeds:
        seeds_scenario()
    elif options.limited:
        limited()
    else:
        throughput(options.rounds, options.litellm)


if __name__ == "__main__":
    main()
