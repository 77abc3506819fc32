"""What a failed call means, told from what came over the wire, so that all services fail alike.

A client library wraps errors in classes of its own; here only the status, the headers and the body count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from zega_core.errors import BadAnswer, ProviderError, ProviderUnavailable, RateLimited, TeacherRefused
from zega_core.providers.error_body import Told, cleaned, is_json, read_error, retry_after, retry_header
from zega_core.providers.exchange import Exchange
from zega_core.tables import CallOutcome

UNREACHABLE = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")
NO_MODEL_CODES = {"model_decommissioned", "model_not_found", "model_not_supported"}
NO_MODEL = re.compile(
    r"\bmodels?(\s+(you|requested|specified|with|named|name|id))*"
    r"([\s:/]+([\"'`][^\"'`\n]{1,200}[\"'`]"
    r"|(?P<name>(?!(?:is|was|are|were|has|have|does|do|did|could)\b)[^\s\"'`,;]{1,200})))?"
    r"\s+((is|was|are|were|has been|have been|does|do|did|could)\s+)?"
    r"(not (be )?found|not exist|decommissioned|no longer (available|supported)|not supported)\b"
    r"|\bnot a valid model\b|\bno models? loaded\b|\bno such model\b|\bunknown model\b",
    re.IGNORECASE,
)
"""Words about the model itself, which may be named in between."""
NO_KEY = re.compile(r"API_KEY_INVALID|api key (not valid|not found|expired)|location is not supported", re.IGNORECASE)
NO_CREDIT = re.compile(r"\binsufficient_quota\b|billing_hard_limit_reached|\blimit: 0\b(?!\.\d)", re.IGNORECASE)
BLOCKED = re.compile(r"\bcontent_(filter|policy_violation)\b|input was flagged", re.IGNORECASE)
NO_JSON = re.compile(r"\bjson_validate_failed\b")
BUSY = re.compile(
    r"server busy|overloaded|high demand|pending requests|no slots available|loading model|model\b.{0,200}\bloading"
    r"|at capacity",
    re.IGNORECASE | re.DOTALL,
)
ABOUT_KEY = re.compile(
    r"(?<![a-z])keys?(?![a-z])|permission(?!_denied\b)|permitted|authenti|authoriz|authoris|credential|account"
    r"|\b(access|api|auth|bearer|user|your|this|invalid|expired)[ _-]tokens?\b|\b(log|sign)[ -]?in\b",
    re.IGNORECASE,
)
"""Words about who asks. Gemini's PERMISSION_DENIED stands in whatever it answers with 403."""
DAILY = re.compile(r"per[ -]?day|\((RPD|TPD)\)|\bdaily\b", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """Whom a call was for; the model is empty when the models were listed."""

    provider: str
    label: str
    model: str


def explain(exchange: Exchange, asked: Asked, error: Exception) -> ProviderError:
    """The error to raise for one that came out of a client library."""
    if exchange.verdict is not None:
        return exchange.verdict
    if exchange.status is None:
        return _not_answered(exchange, asked, error)
    told = read_error(exchange)
    if exchange.status >= 300:
        return _refused(exchange, asked, told, exchange.status)
    if exchange.cause is not None:
        return _broken_off(exchange, asked)
    if told is not None:
        return _refused(exchange, asked, told, told.number or 500)
    if not is_json(exchange):
        return unreadable(exchange)
    return BadAnswer(f"{asked.label} answered in a form that is not understood.", CallOutcome.garbled)


def unreadable(exchange: Exchange) -> ProviderUnavailable:
    return ProviderUnavailable(
        f"{exchange.label} sent something that cannot be read. Trying again may help; if it does not, check the "
        "address in Settings.",
        status=exchange.status,
    )


def broken_off(exchange: Exchange) -> ProviderUnavailable:
    return ProviderUnavailable(
        f"{exchange.label} broke off in the middle of its answer. Trying again may help.", status=exchange.status
    )


def _not_answered(exchange: Exchange, asked: Asked, error: Exception) -> ProviderError:
    cause = type(exchange.cause).__name__
    if cause in UNREACHABLE:
        step = {
            "ollama": "Start it with the command ollama serve.",
            "openai_compatible": "Start the server, or correct its address in Settings.",
        }.get(asked.provider, "Check the network connection.")
        return ProviderUnavailable(
            f"{asked.label} cannot be reached at {exchange.access.base_url.rpartition('@')[2]}. {step}",
            unreachable=True,
        )
    if exchange.cause is not None:
        return _broken_off(exchange, asked)
    return ProviderUnavailable(f"{asked.label} could not be asked ({type(error).__name__}).")


def _broken_off(exchange: Exchange, asked: Asked) -> ProviderError:
    if "Timeout" not in type(exchange.cause).__name__:
        return broken_off(exchange)
    waited = exchange.streamed and exchange.first_byte is None
    limit = min(exchange.access.first_token, exchange.access.total) if waited else exchange.access.total
    what = "did not begin to answer" if waited else "did not finish its answer"
    return ProviderUnavailable(
        f"{asked.label} {what} within {limit:g} seconds. Trying again may help; a smaller model is faster.",
        status=exchange.status,
    )


def _refused(exchange: Exchange, asked: Asked, told: Told | None, status: int) -> ProviderError:
    """By what the service says first, then by the status."""
    told = told or Told()
    words = cleaned(told.message, exchange.access.key)
    said = f" It says: {words}" if words else ""
    if BLOCKED.search(told.text):
        return BadAnswer(f"{asked.label} does not want to write about this.{said}", CallOutcome.safety)
    if NO_JSON.search(told.text):
        return BadAnswer(f"{asked.label} could not keep to the form it was asked for.", CallOutcome.garbled)
    if status in (429, 498) or (status >= 500 and _is_busy(exchange, told)):
        return _limited(exchange, asked, told, status, said)
    if status in (402, 429):
        return _no_credit(asked, status, said)
    if status in (404, 410) or (status in (400, 403, 422) and _means_model(told, asked)):
        return _no_model(asked, status, said)
    if status == 403 and not ABOUT_KEY.search(told.text):
        return TeacherRefused(f"{asked.label} refused this request (HTTP 403).{said}", status=status)
    if status in (401, 403) or (status == 400 and NO_KEY.search(told.text)):
        return _no_key(exchange, asked, status, said)
    if 300 <= status < 400:
        return TeacherRefused(
            f"{asked.label} is not at this address any more: it sends requests elsewhere, where the key is not sent. "
            "Correct the address in Settings.",
            status=status,
        )
    if status >= 500 or status in (408, 425):
        what = f" (HTTP {exchange.status})" if exchange.status and exchange.status >= 300 else ""
        text = f"{asked.label} has trouble{what}. Trying again may help.{said}"
        return ProviderUnavailable(text, status=exchange.status)
    return ProviderError(f"{asked.label} refused this request (HTTP {status}).{said}", status=status)


def _is_busy(exchange: Exchange, told: Told) -> bool:
    """Who says when to come back does not fail, whatever else it says."""
    return BUSY.search(told.text) is not None or retry_header(exchange, told) is not None


def _means_model(told: Told, asked: Asked) -> bool:
    found = (match["name"] for match in NO_MODEL.finditer(told.message))
    return bool(NO_MODEL_CODES & set(told.text.split())) or any(_is_model(name, asked) for name in found)


def _is_model(name: str | None, asked: Asked) -> bool:
    """Whether a word after "model" names one, and not one of its settings ("model temperature is not supported")."""
    name = (name or "").rstrip(":.")
    return not name or name.lower() == asked.model.lower() or re.search(r"[\d/:]", name) is not None


def _no_model(asked: Asked, status: int, said: str) -> TeacherRefused:
    if not asked.model:
        return TeacherRefused(
            f"{asked.label} has no list of models at this address. Correct it in Settings.", status=status
        )
    step = f"Fetch it with: ollama pull {asked.model}" if asked.provider == "ollama" else "Choose another in Settings."
    return TeacherRefused(f"{asked.label} does not have the model {asked.model[:80]}.{said} {step}", status=status)


def _no_key(exchange: Exchange, asked: Asked, status: int, said: str) -> TeacherRefused:
    if exchange.access.key is None and asked.provider == "ollama":
        return TeacherRefused(f"Ollama asks you to sign in.{said} Do it with: ollama signin", status=status)
    if exchange.access.key is None:
        return TeacherRefused(f"{asked.label} asks for a key. Enter one in Settings.{said}", status=status)
    return TeacherRefused(f"{asked.label} refused the key. Check it in Settings.{said}", status=status)


def _no_credit(asked: Asked, status: int, said: str) -> TeacherRefused:
    return TeacherRefused(
        f"{asked.label} says that the account's credit is used up. Add credit there, or turn this teacher off.{said}",
        status=status,
    )


def _limited(exchange: Exchange, asked: Asked, told: Told, status: int, said: str) -> ProviderError:
    if NO_CREDIT.search(told.text):
        return _no_credit(asked, status, said)
    wait = retry_after(exchange, told)
    if status != 429:
        return RateLimited(f"{asked.label} is busy.{said}", status=status, retry_after=wait, busy=True)
    daily = DAILY.search(told.text) is not None
    what = "has reached its limit of the day" if daily else "has been asked too often"
    rest = "" if wait is None else f" It asks to wait {wait:.0f} seconds."
    return RateLimited(f"{asked.label} {what}.{rest}", status=status, retry_after=wait, daily=daily)
