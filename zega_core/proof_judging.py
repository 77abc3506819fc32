"""A judge reads what both wrote, pair by pair; what it said is stored with each pair, and every call in the ledger.

A judge can fail, be limited or run out of budget: the proof stands without it, and a note says so. What it answered is
not asked again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from logging import getLogger
from time import monotonic
from typing import Any

from sqlmodel import Session

from zega_core import db, judge
from zega_core.errors import BadAnswer, BudgetSpent, Cancelled, NobodyLeft, ProviderError
from zega_core.pieces import storable
from zega_core.preparing import HEARTBEAT
from zega_core.proof_tables import Proof, ProofText
from zega_core.providers.base import Call, ChatModel
from zega_core.settings import Settings
from zega_core.store import leases, ledger, proofs
from zega_core.tables import RunStatus

log = getLogger(__name__)

GRACE = 0.5
"""Seconds that answers in flight have left when the writer presses Stop."""
WINNERS = {"first": "before", "second": "after", "tie": "tie"}
NOTE = "The judge "
"""How every sentence about a judge begins: those of an earlier attempt are dropped."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one pair: ``said`` is stored (None: no answer). ``ended`` is set when no other pair can be judged
    either."""

    place: int
    said: dict[str, Any] | None = None
    calls: tuple[Call, ...] = ()
    ended: ProviderError | None = None
    failed: bool = False


def waits(texts: Sequence[ProofText], name: str) -> list[ProofText]:
    """Pairs of which this judge has not said anything."""
    return [text for text in texts if proofs.is_pair(text) and name not in read(text)]


def read(text: ProofText) -> dict[str, Any]:
    """By judge; empty where that cannot be read."""
    return text.judged if isinstance(text.judged, dict) else {}


def spent(texts: Sequence[ProofText], name: str) -> float:
    """Euros that this judge's answers have cost, as far as prices are known."""
    costs = [said.get("cost") for text in texts if isinstance(said := read(text).get(name), dict)]
    return sum(cost for cost in costs if isinstance(cost, int | float) and cost > 0)


class Judging:
    """Of one attempt, by one judge. ``changed`` says whether the writer has chosen otherwise since: then nobody is
    asked any more, and ``left`` is set."""

    def __init__(self, row: Proof, model: ChatModel, changed: Callable[[Session], bool], settings: Settings) -> None:
        self.row, self.model, self.changed, self.settings = row, model, changed, settings
        self.stop, self.left = threading.Event(), False
        self.ended: ProviderError | None = None
        self.failed = self.unusable = 0

    def through(self, texts: Sequence[ProofText]) -> RunStatus | None:
        """Have those judged that wait for it. The run's status then, None when the lease was lost."""
        todo = waits(texts, self.row.judge)
        self._done, self._total = len(texts) - len(todo), len(texts)
        self._began, self._had = monotonic(), self._done
        waiting, pending, deadline = iter(todo), set[Future[Heard]](), 0.0
        status = self._store([])
        pool = ThreadPoolExecutor(self.model.in_flight, thread_name_prefix="judge")
        try:
            while status is not None:
                if status == RunStatus.stopping or self.left:
                    self.stop.set()
                    deadline = deadline or monotonic() + GRACE
                elif self.ended is None:
                    free = self.model.in_flight - len(pending)
                    pending |= {pool.submit(self._ask, text) for text in islice(waiting, free)}
                if not pending or (deadline and monotonic() > deadline):
                    break
                finished, pending = wait(pending, HEARTBEAT, FIRST_COMPLETED)
                status = self._store([future.result() for future in finished])
        finally:
            self.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for late in pending:
                late.add_done_callback(self._bill)
        return status

    def notes(self) -> list[str]:
        """What the writer should know of how it went."""
        found, name = [], self.row.judge
        if self.ended is not None:
            found.append(
                f"{NOTE}{name} was not asked to the end: {self.ended} It has read {self._done} of {self._total} pairs. "
                "It, or another one, can be asked again."
            )
        if self.failed:
            found.append(f"{NOTE}{name} gave no answer on {self.failed} of {self._total} pairs. It can be asked again.")
        if self.unusable:
            found.append(f"{NOTE}{name} said nothing that can be used on {self.unusable} of {self._total} pairs.")
        return found

    def _ask(self, text: ProofText) -> Heard:
        try:
            found = judge.compare(
                self.model, text.before or "", text.after or "", text.prompt, seed=text.seed, stop=self.stop
            )
        except BadAnswer as error:
            said = {"winner": "", "agreed": False, "first": "", "second": "", "reason": str(error)}
            return Heard(text.place, {**said, "cost": _cost(error.calls)}, error.calls)
        except (NobodyLeft, BudgetSpent) as error:
            return Heard(text.place, calls=error.calls, ended=error)
        except Cancelled as error:
            return Heard(text.place, calls=error.calls)
        except ProviderError as error:
            return Heard(text.place, calls=error.calls, failed=True)
        said = {
            "winner": WINNERS[found.winner],
            "agreed": found.agreed,
            "first": WINNERS[found.named[0]],
            "second": WINNERS[found.named[1]],
            "reason": storable(found.reason),
            "cost": _cost(found.calls),
        }
        return Heard(text.place, said, found.calls)

    def _store(self, heard: Collection[Heard]) -> RunStatus | None:
        """One transaction: the calls, proof that the run is still ours, heartbeat, and what was said."""
        for one in heard:
            self.ended = self.ended or one.ended
            self.failed += one.failed
            self.unusable += one.said is not None and not one.said["winner"]
        self._done += sum(one.said is not None for one in heard)
        new, todo = self._done - self._had, self._total - self._done
        left = (monotonic() - self._began) / new * todo if new else None
        with db.session(self.settings) as session:
            for one in heard:  # its calls were made, whoever the run belongs to now
                ledger.add(session, self.row.user_id, one.calls, role="judge")
            status = leases.holds(
                session, self.row, phase="judging", done=self._done, total=self._total, seconds_left=left
            )
            if status is not None:
                for one in heard:
                    if one.said is not None:
                        proofs.add_judgement(session, self.row, one.place, self.row.judge, one.said)
                self.left = self.changed(session)
        return status

    def _bill(self, late: Future[Heard]) -> None:
        """An answer that came too late to be stored: its calls were made, and may have cost something."""
        if late.cancelled() or late.exception() is not None or not late.result().calls:
            return
        try:
            with db.session(self.settings) as session:
                ledger.add(session, self.row.user_id, late.result().calls, role="judge")
        except Exception:  # in a thread that nobody waits for
            log.exception("the calls of a judge that answered late could not be noted")


def _cost(calls: Sequence[Call]) -> float:
    return sum(call.cost or 0.0 for call in calls)
