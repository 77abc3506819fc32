"""What ratings have shown, in a writer's words. Pure: values in, sentences out."""

from __future__ import annotations

from zega_core.analytics import plural
from zega_core.quality import agreement, judged, personal
from zega_core.quality.agreement import Decided, Proposal, Rating
from zega_core.quality.personal import Correction
from zega_core.quality.validation import Gain
from zega_core.taste import Agreed, Overview, Taste

SCALE = "1.00 means the same order, 0 none, -1.00 the opposite one."
"""What the numbers of agreement say."""
KAPPA = "(Kappa {:.2f}: 0 is as good as chance, 1 always as you decide.)"
NOTABLE = 0.1
"""Points that a side must be worth to be told."""


def stars(number: int) -> str:
    return plural(number, "star")


def rating(one: Rating) -> str:
    """'4 stars', 'keep', '2 stars, keep'."""
    return ", ".join(filter(None, (stars(one.stars) if one.stars is not None else "", one.decision or "")))


def so_far(total: int) -> str:
    """How many there are, and what comes next."""
    said = f"{plural(total, 'piece')} rated."
    if total < agreement.ENOUGH:
        return f"{said} From {agreement.ENOUGH} on, ZEGA shows how far the score agrees with you."
    if total < personal.ENOUGH:
        return f"{said} From {personal.ENOUGH} on, the score can learn a little of your taste."
    return said


def not_counted(found: Overview) -> str:
    """Ratings that cannot be compared; empty when there are none."""
    left_out = found.total - len(found.pieces)
    if left_out <= 0:
        return ""
    which = "is of a piece" if left_out == 1 else "are of pieces"
    return f"{plural(left_out, 'rating')} {which} that today's score has not measured; not counted here."


def to_go(pieces: int, enough: int) -> str:
    return f"{pieces} of {enough} ratings. {plural(enough - pieces, 'more rating')} to go."


def agreed(found: Agreed, who: str, whom: str) -> str:
    """The rank correlation and what it may really be."""
    if found.pieces < agreement.ENOUGH:
        return f"To be seen from {agreement.ENOUGH} pieces on that both have rated; so far {found.pieces or 'none'}."
    if found.correlation is None:
        return f"{who} or {whom} gave all {found.pieces} the same: there is no order to compare."
    value, how = f"{found.correlation:.2f}", _how_closely(found.correlation)
    if found.likely is None:
        return (
            f"{who} and {whom} {how} on which pieces are better ({value}), so far: how sure that is can be told from "
            f"{agreement.FEWEST_GROUPS} different prompts on."
        )
    low, high = found.likely
    value += f"; with {found.pieces} pieces it may really be anything from {low:.2f} to {high:.2f}"
    if low <= 0 <= high:
        return (
            f"It is not shown yet that {who[0].lower()}{who[1:]} and {whom} agree on which pieces are better ({value})."
        )
    return f"{who} and {whom} {how} on which pieces are better ({value})."


def _how_closely(value: float) -> str:
    if value < -0.1:
        return "disagree"
    words = ((0.1, "do not agree"), (0.3, "agree a little"), (0.5, "agree fairly well"), (0.7, "agree well"))
    return next((word for below, word in words if value < below), "agree closely")


def decisions(found: Decided) -> str:
    """How keep or discard compares; empty where nothing says either."""
    if not found.of:
        return ""
    said = (
        f"Of {plural(found.of, 'piece')} that you would clearly keep or discard, a threshold of {found.threshold:.1f} "
        f"decides {found.right} as you do."
    )
    if found.kappa is None:
        return f"{said} You would do the same with all of them, so chance alone could do that."
    return f"{said} Chance alone would get about {found.by_chance:.0f}. {KAPPA.format(found.kappa)}"


def proposal(found: Proposal | None) -> str:
    if found is None:
        return (
            f"A threshold can be proposed from {agreement.ENOUGH} pieces on that you would clearly keep or discard, "
            "some of each. Three stars leave it open."
        )
    best, present = found.best, found.present
    if best.threshold == present.threshold:
        return f"No other threshold would decide more like you than {present.threshold:.1f}."
    said = (
        f"With {best.threshold:.1f} instead of {present.threshold:.1f}, {best.right} of these {best.of} would be "
        f"decided as you do, now {present.right} are."
    )
    if best.right <= present.right:
        said += (
            f" That is no more, but further from chance: a guess would get about {best.by_chance:.0f}, not "
            f"{present.by_chance:.0f}."
        )
    return f"{said} It was chosen to fit these very pieces: expect a little less from new ones."


def correction(found: Taste) -> str:
    """Whether the correction acts, and why."""
    mine = found.correction
    if mine is None:
        return "Your ratings are too much alike, or too few of them can be used, to learn from."
    if mine.gain is None:
        return "Your ratings are of too few different prompts to tell whether a correction would help."
    if not mine.acts:
        return (
            f"No correction acts. On ratings that it had not seen it would not surely have been closer to you: "
            f"{_measured(mine.gain)}"
        )
    verb = "acts" if found.config.personal else "would act, but you have turned it off"
    return f"Your correction {verb}. On ratings that it had not seen, it was closer to you: {_measured(mine.gain)}"


def _measured(gain: Gain) -> str:
    return (
        f"agreement {gain.after:.2f} instead of {gain.before:.2f} (a gain from {gain.low:+.2f} to {gain.high:+.2f} is "
        "likely)."
    )


def leanings(mine: Correction) -> list[str]:
    """What it does, strongest first, at most four sentences."""
    told = sorted(mine.sides, key=lambda side: -abs(side.points))
    return [
        f"You value “{side.label}” {'more' if side.points > 0 else 'less'} than the score does: "
        f"a piece that is strong in it {'gains' if side.points > 0 else 'loses'} about {abs(side.points):.1f}."
        for side in told[:4]
        if abs(side.points) >= NOTABLE
    ]


def judge(found: Overview) -> str:
    """The judge's weight, and why it is that."""
    part, enough = found.taste.judge_part, agreement.ENOUGH
    heard = found.judge_and_writer.pieces
    if heard < enough or part is None or part.gain is None:
        return (
            f"The judge's score counts nothing yet. It can earn a part of the score from {enough} pieces on that both "
            f"you and the judge have rated, of {agreement.FEWEST_GROUPS} prompts or more; so far "
            f"{heard or 'there are none'}."
        )
    if part.weight == 0:
        return (
            "The judge's score counts nothing: on ratings that were held back it did not surely bring the score closer "
            f"to you. {_measured(part.gain).capitalize()}"
        )
    verb = "makes up" if found.taste.config.judge else "would make up, if you turned it on,"
    return (
        f"The judge's score {verb} {part.weight:.0%} of the score, at most {judged.WEIGHTS[-1]:.0%} is possible. On "
        f"ratings that were held back: {_measured(part.gain)}"
    )
