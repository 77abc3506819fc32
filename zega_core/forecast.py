"""What a run will take before it starts: time, cost, who runs dry, and how many examples will be kept. Pure.

A forecast is two runs in fast motion: one in which every call is quick and succeeds, one with slow calls and the
failures seen so far. The truth should lie between them. Rates are constant between two events, and an event is a
teacher that reaches its limit of the day or a budget that is spent; so there are no more steps than teachers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf

NEARLY = 1e-6


@dataclass(frozen=True, slots=True)
class Outlook:
    """One teacher that may be asked. Limits are None where there is none; ``requests_left`` and ``tokens_left`` are
    for today. ``price`` is in euros a call, None when unknown. ``seconds`` are those of one call, low and high, and
    ``tokens`` what it counts for. ``success`` is the share of calls that give a piece; ``kept`` the share of pieces
    that will be kept, low and high. ``resets`` says when the limit of the day ends ("at midnight"). ``last_resort``
    is asked only when nobody else can write."""

    provider: str
    label: str
    model: str
    in_flight: int
    seconds: tuple[float, float]
    tokens: float
    price: float | None = 0.0
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    requests_left: int | None = None
    tokens_left: int | None = None
    success: float = 1.0
    kept: tuple[float, float] = (1.0, 1.0)
    resets: str = ""
    last_resort: bool = False


@dataclass(frozen=True, slots=True)
class RunsDry:
    """A teacher that reaches its limit of the day, after how many examples of the run, and who goes on ("" nobody)."""

    label: str
    after_examples: int
    resets: str
    goes_on: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Ranges in seconds and euros. ``cost_low`` and ``cost_high`` leave out the teachers in ``unknown_prices`` and are
    None when nobody else would be asked. ``covered`` is how many of the ``examples`` can be written with what is left
    today and in the budget; ``by_teacher`` says who writes them. ``budget_after`` is after how many examples the
    budget ends the run, None when it lasts; ``unpriced`` is the teacher of unknown price that a budget does not
    allow, if that is why."""

    examples: int
    seconds_low: float
    seconds_high: float
    cost_low: float | None
    cost_high: float | None
    unknown_prices: tuple[str, ...]
    runs_dry: tuple[RunsDry, ...]
    kept_low: int
    kept_high: int
    covered: int
    by_teacher: dict[str, int]
    budget_after: int | None = None
    unpriced: str = ""


@dataclass(slots=True)
class _Lane:
    """A teacher under way. ``rate`` (a second), ``capacity`` and ``written`` count pieces; ``price`` is that of one.
    ``overflows`` means that its limits of the minute hold calls back for the next teacher."""

    teacher: Outlook
    seconds: float
    rate: float
    overflows: bool
    capacity: float
    price: float
    written: float = 0.0

    @property
    def dry(self) -> bool:
        return self.capacity - self.written <= NEARLY or self.rate <= 0


@dataclass(slots=True)
class _Run:
    """``done`` pieces after ``seconds``. ``dried`` holds who ran dry, at how many pieces, and who went on."""

    lanes: list[_Lane]
    money: float
    seconds: float = 0.0
    done: float = 0.0
    dried: list[tuple[Outlook, float, Outlook | None]] | None = None
    spent_at: float | None = None
    unpriced: str = ""


def forecast(teachers: Sequence[Outlook], examples: int, *, votes: int = 1, budget: float | None = None) -> Forecast:
    """``teachers`` in the order in which they are asked; each example takes ``votes`` pieces. ``budget`` is in euros:
    it ends the run when the next paid call does not fit, and at once where a price is unknown.

    The first teacher gets every call that its limits of the minute let through; only what they hold back goes to the
    next, and so on, all at once.
    """
    examples, votes = max(0, examples), max(1, votes)
    quick = _run([_lane(one, min(one.seconds), 1.0) for one in teachers], examples * votes, budget)
    slow = _run([_lane(one, max(one.seconds), one.success) for one in teachers], examples * votes, budget)
    covered = floor(slow.done / votes + NEARLY)
    used = [lane.teacher for run in (quick, slow) for lane in run.lanes if lane.written > NEARLY]
    costs = sorted(sum(lane.written * lane.price for lane in run.lanes) for run in (quick, slow))
    known = not used or any(one.price is not None for one in used)
    seconds = sorted(map(_duration, (quick, slow)))
    kept_low, kept_high = (sum(lane.written * pick(lane.teacher.kept) for lane in slow.lanes) for pick in (min, max))
    return Forecast(
        examples=examples,
        seconds_low=seconds[0],
        seconds_high=seconds[1],
        cost_low=costs[0] if known else None,
        cost_high=costs[1] if known else None,
        unknown_prices=tuple(dict.fromkeys(one.label for one in used if one.price is None)),
        runs_dry=tuple(_runs_dry(one, at, after, votes) for one, at, after in slow.dried or ()),
        kept_low=min(covered, floor(kept_low / votes + NEARLY)),
        kept_high=min(covered, ceil(kept_high / votes - NEARLY)),
        covered=covered,
        by_teacher=_shares(slow.lanes, covered, votes),
        budget_after=None if slow.spent_at is None else floor(slow.spent_at / votes + NEARLY),
        unpriced=slow.unpriced,
    )


def in_words(forecast: Forecast) -> list[str]:
    """The forecast in sentences for a writer."""
    dry = [_dry_in_words(one) for one in forecast.runs_dry]
    if not forecast.covered:
        said = [] if forecast.budget_after is not None or not forecast.examples else ["No teacher can write now."]
        return [*said, *dry, *_budget_in_words(forecast)]
    words = [f"Takes {_time_in_words(forecast.seconds_low, forecast.seconds_high)}.", _cost_in_words(forecast)]
    if forecast.kept_low < forecast.covered:
        kept = _between(str(forecast.kept_low), str(forecast.kept_high))
        words.append(f"{kept[:1].upper()}{kept[1:]} of {_examples(forecast.covered)} will be kept.")
    words += [*dry, *_budget_in_words(forecast)]
    if forecast.covered < forecast.examples and forecast.budget_after is None:
        words.append(f"Nobody is left after about {forecast.covered} of {_examples(forecast.examples)}.")
    return words


def _lane(teacher: Outlook, seconds: float, success: float) -> _Lane:
    """A teacher writes as fast as its calls at once and the seconds of one, or its limits of the minute, allow."""
    success, tokens, seconds = min(1.0, max(success, 0.01)), max(teacher.tokens, 1.0), max(seconds, 0.001)
    hands = max(1, teacher.in_flight) / seconds
    allowed = min(_or_inf(teacher.requests_per_minute) / 60, _or_inf(teacher.tokens_per_minute) / 60 / tokens)
    calls = min(_or_inf(teacher.requests_left), _or_inf(teacher.tokens_left) / tokens)
    capacity = calls if calls == inf else floor(floor(calls + NEARLY) * success + NEARLY)
    price = (teacher.price or 0.0) / success
    return _Lane(teacher, seconds, min(hands, allowed) * success, allowed < hands, capacity, price)


def _or_inf(amount: int | None) -> float:
    return inf if amount is None else max(0, amount)


def _run(lanes: list[_Lane], wanted: int, budget: float | None) -> _Run:
    """Work off ``wanted`` pieces, from event to event."""
    run = _Run(lanes, inf if budget is None else max(0.0, budget), dried=[])
    _note_dry(run, [lane for lane in lanes if lane.dry], wanted)
    while run.done < wanted - NEARLY and (busy := _busy(lanes)):
        run.unpriced = next((one.teacher.label for one in busy if one.teacher.price is None and budget is not None), "")
        spending = sum(lane.rate * lane.price for lane in busy)
        if run.unpriced or (spending > 0 and run.money <= NEARLY * spending):
            run.spent_at = run.done
            break
        speed = sum(lane.rate for lane in busy)
        step = min((wanted - run.done) / speed, *((lane.capacity - lane.written) / lane.rate for lane in busy))
        step = min(step, run.money / spending) if spending > 0 else step
        for lane in busy:
            lane.written += lane.rate * step
        run.seconds, run.done, run.money = run.seconds + step, run.done + speed * step, run.money - spending * step
        _note_dry(run, [lane for lane in busy if lane.dry], wanted)
    return run


def _busy(lanes: Sequence[_Lane]) -> list[_Lane]:
    """Who writes now: in order, up to the first that takes everything it is offered."""
    able = [lane for lane in lanes if not lane.dry]
    able = [lane for lane in able if not lane.teacher.last_resort] or able
    last = next((number for number, lane in enumerate(able, start=1) if not lane.overflows), len(able))
    return able[:last]


def _note_dry(run: _Run, dry: Sequence[_Lane], wanted: int) -> None:
    if run.dried is not None and run.done < wanted - NEARLY:
        after = next((lane.teacher for lane in _busy(run.lanes)), None)
        run.dried += [(lane.teacher, run.done, after) for lane in dry]


def _duration(run: _Run) -> float:
    """Seconds, but no fewer than one call takes of whoever writes a piece."""
    calls = [lane.seconds for number, lane in enumerate(_used(run)) if number == 0 or lane.written >= 0.5]
    return max([run.seconds, *calls]) if run.done > 0 else 0.0


def _used(run: _Run) -> list[_Lane]:
    return [lane for lane in run.lanes if lane.written > 0]


def _runs_dry(teacher: Outlook, at: float, after: Outlook | None, votes: int) -> RunsDry:
    goes_on = "" if after is None else after.label if after.label != teacher.label else after.model
    return RunsDry(teacher.label, floor(at / votes + NEARLY), teacher.resets, goes_on)


def _shares(lanes: Sequence[_Lane], covered: int, votes: int) -> dict[str, int]:
    """Whole examples by label that add up to ``covered`` (largest remainders)."""
    exact = [lane.written / votes + NEARLY for lane in lanes]
    whole = [floor(one) for one in exact]
    behind = sorted(range(len(lanes)), key=lambda number: whole[number] - exact[number])
    for number in behind[: max(0, covered - sum(whole))]:
        whole[number] += 1
    shares: dict[str, int] = {}
    for lane, number in zip(lanes, whole, strict=True):
        if number:
            shares[lane.teacher.label] = shares.get(lane.teacher.label, 0) + number
    return shares


def _examples(number: int) -> str:
    return f"{number:,} example" if number == 1 else f"{number:,} examples"


def _between(low: str, high: str) -> str:
    return f"about {low}" if low == high else f"{low} to {high}"


def _time_in_words(low: float, high: float) -> str:
    if high < 10:
        return "a few seconds"
    if high < 60:
        return "less than a minute"
    if high < 5400:
        slow = max(1, round(high / 60))
        if low < 60:
            return "about a minute" if slow == 1 else f"up to {slow} minutes"
        return f"{_between(str(round(low / 60)), str(slow))} minutes".replace("about 1 minutes", "about a minute")
    hours = [f"{seconds / 3600:.1f}".removesuffix(".0") for seconds in (low, high)]
    if low < 3600:
        return f"{max(1, round(low / 60))} minutes to {hours[1]} hours"
    return f"{_between(*hours)} hours"


def _cost_in_words(forecast: Forecast) -> str:
    unknown = " and ".join(", ".join(forecast.unknown_prices).rsplit(", ", 1))
    tail = f"{unknown}'s price is" if len(forecast.unknown_prices) == 1 else f"the prices of {unknown} are"
    if forecast.cost_low is None or forecast.cost_high is None:
        return f"What it costs is not known: {tail} not known."
    if forecast.cost_high < 0.01:
        cost = "Costs nothing" if not forecast.cost_high else "Costs less than 0.01 € by list price"
    else:
        cost = f"Costs {_between(f'{forecast.cost_low:.2f}', f'{forecast.cost_high:.2f}')} € by list price"
    return f"{cost}; {tail} not known." if unknown else f"{cost}."


def _dry_in_words(one: RunsDry) -> str:
    if not one.after_examples:
        start = f"{one.label} has reached its limit of the day"
    else:
        start = f"{one.label} will reach its limit of the day after about {_examples(one.after_examples)}"
    resets = f", which ends {one.resets}" if one.resets else ""
    return f"{start}{resets}; {one.goes_on} goes on." if one.goes_on else f"{start}{resets}."


def _budget_in_words(forecast: Forecast) -> list[str]:
    if forecast.budget_after is None:
        return []
    of_all = f"after about {forecast.budget_after} of {_examples(forecast.examples)}"
    ends = of_all if forecast.budget_after else "before the first example"
    if forecast.unpriced:
        return [f"The run ends {ends}: the price of {forecast.unpriced} is not known, so no budget can hold it."]
    return [f"The budget is used up {ends}."]
