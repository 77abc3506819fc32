"""The history in a writer's words. Pure: values in, sentences out."""

from __future__ import annotations

from zega_core import providers
from zega_core.analytics import plural, took
from zega_core.history import ENOUGH_PIECES, ENOUGH_SESSIONS, TREND_DAYS, Cards, Recommendation
from zega_core.history_detail import genre_names
from zega_core.store.history_filters import ConversationStatus, Kind, Order
from zega_core.tables import RunStatus

KINDS = {Kind.auto_train: "Auto-Train", Kind.conversation: "Conversation", Kind.fine_tune: "Fine-tune"}
ORDERS = {
    Order.newest: "Newest first",
    Order.oldest: "Oldest first",
    Order.best: "Best first",
    Order.worst: "Weakest first",
    Order.longest: "Longest first",
    Order.most_kept: "Most kept first",
}
STATUS: dict[str, str] = {
    RunStatus.queued: "Waiting",
    RunStatus.running: "Under way",
    RunStatus.stopping: "Stopping",
    RunStatus.stopped: "Stopped",
    RunStatus.done: "Finished",
    RunStatus.failed: "Interrupted",
    ConversationStatus.open: "Open",
    ConversationStatus.paused: "Paused",
}
NOT_ENOUGH = (
    f"Not enough yet: a genre needs {ENOUGH_PIECES} pieces by one teacher in {ENOUGH_SESSIONS} sessions before it says "
    "anything."
)


def status(value: str) -> str:
    return STATUS.get(value, value)


def recommended(found: Recommendation | None) -> str:
    """What has worked best, with the evidence: "Mystery with Groq · llama keeps 91 % at 8.3; 40 sessions."."""
    if found is None:
        return NOT_ENOUGH
    at = "" if found.quality is None else f" at {found.quality:.1f}"
    return (
        f"{genre_names([found.genre])} with {providers.label_of(found.teacher)} keeps {found.share:.0%}{at}; "
        f"{plural(found.sessions, 'session')}."
    )


def evidence(found: Recommendation) -> str:
    """How sure that is."""
    return (
        f"{found.kept:,} of {found.made:,} pieces were kept. With 95 % certainty the share is between {found.low:.0%} "
        f"and {found.high:.0%}."
    )


def trends(found: Cards) -> dict[str, str]:
    """By name of the figure, how the last days compare with as many before; what cannot be compared is not in it."""
    trend, days = found.trends, f"in {TREND_DAYS} days"
    told = {
        "sessions": None if trend.sessions is None else f"{trend.sessions:+,} {days}",
        "kept": None if trend.kept is None else f"{trend.kept:+,} {days}",
        "share": None if trend.share is None else f"{100 * trend.share:+z.0f} points {days}",
        "stories": None if trend.stories is None else f"{trend.stories:+,} {days}",
        "quality": None if trend.quality is None else f"{trend.quality:+z.1f} {days}",
        "seconds": None
        if trend.seconds is None
        else f"{'-' if trend.seconds < 0 else '+'}{took(abs(trend.seconds))} {days}",
    }
    return {name: said for name, said in told.items() if said is not None}
