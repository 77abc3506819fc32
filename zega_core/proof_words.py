"""Proofs in a writer's words. Pure: rows in, sentences out. A row may hold anything: what cannot be read is left
out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from zega_core import providers
from zega_core.analytics import euros, in_words, plural
from zega_core.figure_words import after, model
from zega_core.fine_tune.data import bare
from zega_core.proof.figures import Figures, Judged
from zega_core.proof.guards import found as tripped
from zega_core.proof.plainly import plainly
from zega_core.proof.rule import CHOICES
from zega_core.proof_tables import Proof, ProofText
from zega_core.quality.validation import number
from zega_core.tables import LONG_AGO, RunStatus

HUGE = 1e12
ORDERS, LETTERS_A_TOKEN, RUBRIC_TOKENS, ANSWER_TOKENS = 2, 4, 350, 120
"""What asking a judge for a pair takes, for an estimate."""
HELPS = (
    "What helps most: more examples, above all of your own words, and of the kind that you want it to write. "
    "Then fine-tune again."
)


@dataclass(frozen=True, slots=True)
class Badge:
    """``icon`` is a Material name, ``color`` one of Streamlit's."""

    label: str
    icon: str
    color: str


VERDICTS: Mapping[str, Badge] = {
    "better": Badge("Better", "trending_up", "green"),
    "not_shown": Badge("Not shown to be better", "balance", "gray"),
    "worse": Badge("Worse", "trending_down", "red"),
}
UNDER_WAY: Mapping[str, Badge] = {
    RunStatus.queued: Badge("Proof waits", "hourglass_empty", "blue"),
    RunStatus.running: Badge("Being proved", "hourglass_top", "blue"),
    RunStatus.stopping: Badge("Proof stops", "hourglass_top", "blue"),
    RunStatus.stopped: Badge("Proof stopped", "pause", "gray"),
    RunStatus.failed: Badge("Proof failed", "error", "red"),
}


def badge(row: Proof | None) -> Badge:
    """How a version stands. One that has a verdict keeps it while a judge is asked."""
    if row is None:
        return Badge("Not proved", "help", "gray")
    return VERDICTS.get(row.verdict) or UNDER_WAY.get(row.status) or Badge("No verdict", "help", "gray")


def progress(row: Proof) -> tuple[float, str]:
    """The share of the phase that is done, 0 to 1, and where the proof is."""
    if row.status == RunStatus.queued:
        return 0.0, "Waiting to ask the judge" if row.verdict else "Waiting to be proved"
    if row.status == RunStatus.stopping:
        return _share(row), "Stopping. What is written stays."
    done, total, left = (number(value, 0, HUGE) for value in (row.done, row.total, row.seconds_left))
    if row.phase in ("writing", "judging") and total and done is not None:
        what = "texts written" if row.phase == "writing" else "pairs judged"
        said = [f"{'Proving it' if row.phase == 'writing' else 'Asking the judge'}: "]
        said[0] += f"{min(done, total):,.0f} of {total:,.0f} {what}"
        if left is not None:
            said.append(f"{left:.0f} s left" if left < 60 else f"{in_words(left)} left")
        return _share(row), " · ".join(said)
    if row.phase == "measuring":
        return 1.0, "Proving it: measuring both on texts that they never saw"
    return 0.0, "Asking the judge" if row.verdict else "Proving it: choosing the prompts"


def meanwhile(row: Proof) -> str:
    """What to know while a proof goes on."""
    then = " If it is better, it is put in use by itself." if row.promote else ""
    return f"Both write on the same prompts, with the same random draws.{then} You can close this page; it goes on."


def _share(row: Proof) -> float:
    done, total = number(row.done, 0, HUGE), number(row.total, 1, HUGE)
    return 0.0 if done is None or total is None else min(1.0, done / total)


def compared(row: Proof, found: Figures | None) -> str:
    """Who against whom, and on what."""
    said = f"{after(row)} against {model(row.against)}"
    if found is None:
        return f"{said}."
    own = f", {found.held_out_prompts:,} of them yours" if found.held_out_prompts else ""
    return f"{said}, each on the same {plural(found.prompts, 'prompt')}{own}."


def verdict(row: Proof, found: Figures | None) -> str:
    """The verdict in a sentence without figures; empty without one."""
    return plainly(row.verdict, found, f"Version {row.version_number}", _version(row.against))


def _version(number: int | None) -> str:
    return "the base model" if number is None else f"version {number}"


def why(row: Proof) -> list[str]:
    """The reasons of the verdict, the first one first."""
    return _sentences(row.reasons)


def guards(found: Figures, told: Collection[str]) -> list[str]:
    """Which guards tripped, but for what is ``told`` already."""
    if number(found.echo_after, 0, 1) is None or found.prompts < 0:  # no proof stores that
        return []
    return [one.text for one in tripped(found) if one.text not in told]


def notes(row: Proof) -> list[str]:
    return _sentences(row.notes)


def _sentences(found: object) -> list[str]:
    return [str(one) for one in found if str(one).strip()] if isinstance(found, list) else []


def use(row: Proof, in_use: int | None, found: Figures | None) -> str:
    """What the verdict did to what writes. One that rests on blind choices may have been changed by them later, which
    puts nothing in use."""
    mine = in_use == row.version_number
    if row.verdict == "better":
        if mine:
            alone = row.promote and (found is None or found.blind is None)
            return f"So v{row.version_number} was put in use by itself." if alone else ""
        return f"It is not in use: {model(in_use)} writes. You can choose it yourself."
    if row.verdict in VERDICTS:
        return "It is in use all the same." if mine else f"So {model(in_use)} goes on writing."
    return ""


def helps(row: Proof, found: Figures | None) -> str:
    """What to do about a version that is not better; empty for one that is."""
    if row.verdict not in ("not_shown", "worse"):
        return ""
    if row.verdict == "not_shown" and found is not None and found.missing:
        return HELPS
    if row.verdict == "not_shown":
        return (
            f"{after(row)} may be as good, or a little better than can be shown. Read both below, and choose blind. "
            f"{HELPS}"
        )
    return f"This training did not help. {HELPS}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt with what both wrote. ``remark`` says why it is shown."""

    text: ProofText
    remark: str = ""


def pairs(texts: Iterable[ProofText]) -> list[Pair]:
    """Those that are whole, to be read: where the score rose most, where it fell most, one from the middle, the rest as
    they were written."""
    whole = [text for text in texts if is_whole(text)]
    scored = sorted(
        (text for text in whole if gain(text) is not None), key=lambda text: (gain(text) or 0.0, text.place)
    )
    first: dict[int, Pair] = {}
    if scored:
        middle = median([gain(text) or 0.0 for text in scored])
        typical = min(scored[1:-1] or scored, key=lambda text: (abs((gain(text) or 0.0) - middle), text.place))
        for text, remark in (
            (scored[-1], _best(scored[-1])),
            (scored[0], _worst(scored[0])),
            (typical, "From the middle"),
        ):
            first.setdefault(text.place, Pair(text, remark))
    return [*first.values(), *(Pair(text) for text in whole if text.place not in first)]


def _best(text: ProofText) -> str:
    return "Where its score rose most" if (gain(text) or 0.0) > 0 else "Where its score did best"


def _worst(text: ProofText) -> str:
    return "Where its score fell most" if (gain(text) or 0.0) < 0 else "Where its score did worst"


def is_whole(text: ProofText) -> bool:
    return isinstance(text.before, str) and isinstance(text.after, str)


def gain(text: ProofText) -> float | None:
    """Points that the new text scored more."""
    one, other = number(text.score_before, 0, 10), number(text.score_after, 0, 10)
    return None if one is None or other is None else other - one


def asked(text: ProofText) -> str:
    """The prompt itself, without what is said to every model around it."""
    return bare(text.prompt) or text.prompt


def change(text: ProofText) -> str:
    """How the score of a pair changed."""
    found = gain(text)
    if found is None:
        return "Not scored"
    moved = f"{abs(found):.1f}"
    return "Its score stayed the same" if moved == "0.0" else f"Its score {'rose' if found > 0 else 'fell'} by {moved}"


def points(value: float | None) -> str:
    found = number(value, 0, 10)
    return "no score" if found is None else f"{found:.1f} of 10"


def waiting(texts: Iterable[ProofText], read: Collection[int], skipped: Collection[int]) -> list[ProofText]:
    """Pairs to choose from without knowing which is which, in their order: whole ones without a choice, whose names
    have not been ``read``."""
    return [text for text in texts if is_whole(text) and not text.choice and text.place not in {*read, *skipped}]


def tally(texts: Iterable[ProofText], row: Proof) -> str:
    """What the writer's blind choices came to; empty without any."""
    choices = [text.choice for text in texts if text.choice]
    if not choices:
        return ""
    new, old, alike = (choices.count(one) for one in ("after", "before", "tie"))
    rest = f" and {model(row.against)} {old}" + (f"; {alike} seemed alike" if alike else "")
    return f"You chose {after(row)} {new} of {len(choices)} times{rest}."


def last_chosen(texts: Iterable[ProofText]) -> ProofText | None:
    """The pair of the writer's last choice."""
    made = [text for text in texts if text.choice and text.chosen_at is not None]
    return max(made, key=lambda text: (text.chosen_at or LONG_AGO, text.place), default=None)


def last_choice(text: ProofText, row: Proof) -> str:
    """Whose it was that the writer chose last."""
    if text.choice == "tie":
        return "Last time: both alike."
    whose_it_was = after(row) if text.choice == "after" else model(row.against)
    return f"Last time you chose {whose_it_was}."


def counts_for(made: int) -> str:
    """What blind choices are for."""
    if made < CHOICES:
        more = CHOICES - made
        return f"From {CHOICES} choices on they count in the verdict, and more than any figure: {more} to go."
    return "They count in the verdict, and more than any figure. What is in use you change yourself, under Versions."


def judge(found: Judged, row: Proof) -> str:
    """What a judge said of both, and how far it can be relied on."""
    duel, who = found.duel, providers.label_of(found.judge)
    pairs_judged = duel.wins + duel.losses + duel.ties
    said = [
        f"{who} chose {after(row)} in {duel.wins:,} of {plural(pairs_judged, 'pair')} and {model(row.against)} in "
        f"{duel.losses:,}."
    ]
    if found.disagreed:
        said.append(f"In {found.disagreed:,} it named another text when the two were swapped: these count as alike.")
    if found.answers:
        said.append(f"It named the text that came first in {found.named_first:,} of {plural(found.answers, 'answer')}.")
    if found.unusable:
        said.append(f"Of {plural(found.unusable, 'pair')} it made no judgement that can be used.")
    return " ".join(said)


def judging(texts: Iterable[ProofText], price: Callable[[int, int], float | None]) -> str:
    """What asking a judge takes. ``price`` is euros for tokens of questions and answers, None where it is not known."""
    whole = [text for text in texts if is_whole(text)]
    read = sum(len(text.prompt) + len(text.before or "") + len(text.after or "") for text in whole)
    asked = ORDERS * (read // LETTERS_A_TOKEN + RUBRIC_TOKENS * len(whole))
    cost = price(asked, ORDERS * ANSWER_TOKENS * len(whole))
    said = f"It reads {plural(len(whole), 'pair')} twice, in both orders: about {_round(asked)} tokens"
    if cost is None:
        return f"{said}. What that costs is not known."
    return f"{said}, which cost nothing." if not cost else f"{said}, for about {euros(cost)}."


def _round(tokens: int) -> str:
    return f"{round(tokens, -3):,}" if tokens >= 1000 else f"{tokens:,}"
