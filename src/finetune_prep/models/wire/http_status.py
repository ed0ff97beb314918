"""What an endpoint means by its HTTP status and error body: an answer, a final refusal, a passing fault, or a pause.

Pure; shared by HTTP and batch files.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from finetune_prep.core.request import Reply, Usage
from finetune_prep.errors import Paused
from finetune_prep.models.pace.rates import Resource
from finetune_prep.models.providers.provider import Fault, Unreadable, whole
from finetune_prep.models.wire import openai_wire
from finetune_prep.models.wire.envelopes import NotACompletion
from finetune_prep.models.wire.usage import usage_of

CONGESTED = {429, 503, 529}
PASSING = {408, 409, 425, 429}
DETAIL_LIMIT = 500  # characters of a provider's own words that are kept

# 429, 400 or 403 with one of these is about money, and waiting does not help.
CREDIT = "the provider's credit or quota is used up"
OUT_OF_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"}
CREDIT_WORDS = re.compile(r"credit balance is too low|insufficient (?:balance|credits?)", re.IGNORECASE)
KEY_WORDS = re.compile(
    r"\b(?:invalid|incorrect|wrong|missing|no) api[ -]?key\b"
    r"|\bapi[ -]?key (?:is )?(?:not valid|invalid|incorrect|missing|expired|not found)",
    re.IGNORECASE,
)
# what a 429 says that there was too much of
TOKEN_WORDS = re.compile(r"\btokens? (?:per|/) ?(?:min|minute|second|day)|\bTP[MD]\b", re.IGNORECASE)
REQUEST_WORDS = re.compile(r"\brequests? (?:per|/) ?(?:min|minute|second|day)|\bRP[MSD]\b", re.IGNORECASE)
# how servers built on FastAPI name the field of the body that they refuse, where they only tell it in a message
REFUSED_FIELD = re.compile(r"'loc': \('body', '(\w+)'")
FILTER_CODES = {"content_filter", "content_policy_violation", "data_inspection_failed"}
# A complaint about one of these settings would meet every request alike: the settings are at fault, not the request. Servers
# that check the form of a body say 422 instead of 400; llama-cpp-python says 500.
SETTING_REFUSED = {400, 422, 500}
SETTINGS = {"model", "temperature", "top_p", "max_tokens", "max_completion_tokens", "reasoning_effort", "response_format"}


class _Complaint(msgspec.Struct, frozen=True):
    """An error body, whatever its shape."""

    message: str
    codes: frozenset[str]
    param: str = ""
    status: int = 0
    moderated: bool = False
    """The provider says that its moderation refused the prompt."""
    said: bool = False
    """The body calls it an error; else there is no more than a message, which may be anything."""


def interpret(status: int, data: bytes, *, retry_after: float | None = None) -> Reply:
    """The reply that an answer of this status holds. Raises Fault (Unreadable, if it says that all is well and holds no answer),
    or Paused for what a person must fix.

    A request that is refused for good (400, 413, 422) is a Reply with problem "rejected" or "filtered".
    """
    if 200 <= status < 300:
        try:
            return whole(openai_wire.reply(data))
        except NotACompletion as error:
            complaint = _complaint(data)
            if complaint is None or not (complaint.said or complaint.status >= 400):
                raise _nothing_in(status, error, data) from error
            # some routers wrap an error of the provider behind them into a 200
            status = complaint.status if complaint.status >= 400 else 502
    complaint = _complaint(data) or _Complaint(
        openai_wire.UNPRINTABLE.sub("\ufffd", data[:DETAIL_LIMIT].decode(errors="replace")), frozenset()
    )
    said = f"HTTP {status}: {complaint.message.strip()[:DETAIL_LIMIT] or 'without a word'}"
    if (pause := _pause(status, complaint)) is not None:
        raise Paused(f"{pause[0]} ({said})", next=pause[1])
    if status in PASSING or status >= 500:
        raise Fault(
            said,
            retry_after=retry_after,
            congested=status in CONGESTED,
            resource=_resource(complaint.message) if status == 429 else None,
            maybe_billed=status == 504,
        )
    filtered = complaint.moderated or bool(complaint.codes & FILTER_CODES)
    return Reply(text="", finish="error", problem="filtered" if filtered else "rejected", detail=said)


def _nothing_in(status: int, error: NotACompletion, data: bytes) -> Fault:
    """What an answer of success is in which none can be found."""
    reason = f"HTTP {status} with {error}"
    if not data.strip():
        return Fault(reason, maybe_billed=True, reply=Reply(text="", finish="", problem="empty", detail=str(error)))
    body = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig", errors="replace")
    return Unreadable(reason, _printable(body.replace("\0", "")), size=len(data), usage=_counted(data))


def _counted(data: bytes) -> Usage | None:
    try:
        value: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return usage_of(value.get("usage")) if isinstance(value, dict) else None


def out_of_credit(words: str) -> bool:
    """Whether a pause is about money: the same request may be sent again, just as it is, once there is some."""
    return words.startswith(CREDIT)


def _pause(status: int, complaint: _Complaint) -> tuple[str, str] | None:
    """What is wrong and what to do, if a person must act before any request can succeed."""
    rerun = "then run the same command again; nothing is lost"
    if status == 402 or complaint.codes & OUT_OF_CREDIT or CREDIT_WORDS.search(complaint.message):
        return CREDIT, f"add credit or raise the limit at the provider, {rerun}"
    if status == 401 or (status == 400 and KEY_WORDS.search(complaint.message)):
        return "the provider does not accept the API key", f"check the key, and `key_env` in finetune-prep.toml, {rerun}"
    if status == 403 and not complaint.moderated:
        return "the provider denies access", f"check what the key may do and which models it may use, {rerun}"
    if status in (404, 405):
        return (
            "the endpoint does not know this model or address",
            "check `model` and `base_url` in finetune-prep.toml",
        )
    if 300 <= status < 400:
        return "the endpoint redirects, which is not followed", "set `base_url` in finetune-prep.toml to the final address"
    if status in SETTING_REFUSED and complaint.param in SETTINGS:
        fix = (
            "structured = false under the provider"
            if complaint.param == "response_format"
            else f"`{complaint.param}` of the role"
        )
        return f"the endpoint does not accept `{complaint.param}`", f"change {fix} in finetune-prep.toml"
    return None


def _resource(message: str) -> Resource | None:
    if TOKEN_WORDS.search(message):
        return "tokens"
    return "requests" if REQUEST_WORDS.search(message) else None


def _complaint(data: bytes) -> _Complaint | None:
    """The error in a body; None if it holds none. Endpoints differ: an object, a string, a list of one, top level."""
    try:
        value: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    error = value.get("error", value.get("detail", value if value.get("object") == "error" or "message" in value else None))
    if isinstance(error, str):
        return _Complaint(_printable(error), frozenset(), said=True)
    if isinstance(error, list):
        return _invalid(error)
    if not isinstance(error, dict):
        return None
    code, metadata = error.get("code"), error.get("metadata")
    return _Complaint(
        message=(message := _printable(str(error.get("message") or ""))),
        codes=frozenset(str(error[name]).casefold() for name in ("code", "type", "status") if error.get(name)),
        param=str(error.get("param") or "") or _refused_field(message),
        status=code if isinstance(code, int) else 0,
        moderated=isinstance(metadata, dict) and "flagged_input" in metadata,
        said=error is not value or value.get("object") == "error",
    )


def _invalid(problems: list[Any]) -> _Complaint | None:
    """A list of what is invalid in a body, as FastAPI gives it: each with its place and a sentence."""
    found = [problem for problem in problems if isinstance(problem, dict) and "msg" in problem]
    if not found:
        return None
    place = found[0].get("loc")
    field = str(place[1]) if isinstance(place, list) and len(place) > 1 and place[0] == "body" else ""
    message = "; ".join(str(problem["msg"]) for problem in found)
    return _Complaint(_printable(f"{field}: {message}" if field else message), frozenset(), param=field, said=True)


def _refused_field(message: str) -> str:
    found = REFUSED_FIELD.search(message)
    return found[1] if found else ""


def _printable(text: str) -> str:
    return openai_wire.UNPRINTABLE.sub("\ufffd", text)
