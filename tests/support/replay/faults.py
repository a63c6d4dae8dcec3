"""Faults of a network and its vendors: each changes the response that would have been sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.support.replay.http_messages import ReplayResponse

ResponseFault = Callable[[ReplayResponse], ReplayResponse]

HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
QUOTED = ("bid", "ask")
STAMP = "%Y-%m-%d %H:%M:%S"


@dataclass
class InjectedFault:
    """A fault of the responses to requests whose target matches ``pattern``: of ``times`` of them, None: all."""

    pattern: str
    apply: ResponseFault
    times: int | None = None
    applied: int = field(default=0)


def too_many(retry_after_s: float | None = None, *, as_date: bool = False) -> ResponseFault:
    """429; with Retry-After in seconds, or as the moment after so many."""

    def fault(_reply: ReplayResponse) -> ReplayResponse:
        headers = {}
        if retry_after_s is not None:
            moment = datetime.now(UTC) + timedelta(seconds=retry_after_s)
            headers["Retry-After"] = format_datetime(moment, usegmt=True) if as_date else f"{retry_after_s:g}"
        return ReplayResponse(429, b"Too Many Requests", "text/plain", headers)

    return fault


def status(code: int, body: bytes = b"Error", content_type: str = "text/plain") -> ResponseFault:
    """An error response: 500, 503, 401, 404."""
    return lambda _reply: ReplayResponse(code, body, content_type)


def slow(seconds: float) -> ResponseFault:
    """The true response, late."""
    return lambda reply: replace(reply, wait_s=seconds)


def hung() -> ResponseFault:
    """No byte, while the connection stays open."""
    return lambda reply: replace(reply, hangs=True)


def cut_off() -> ResponseFault:
    """Half of the true body, then the end of the connection."""
    return lambda reply: replace(reply, sent=len(reply.body) // 2)


def web_page() -> ResponseFault:
    """A web page, with status 200."""
    return lambda _reply: ReplayResponse(200, HTML, "text/html; charset=UTF-8")


def no_body() -> ResponseFault:
    """An empty body, with status 200."""
    return lambda reply: replace(reply, body=b"")


def edited(change: Callable[[Any], Any]) -> ResponseFault:
    """The true response with its JSON changed: ``change`` maps the parsed body to the body that is sent."""

    def fault(reply: ReplayResponse) -> ReplayResponse:
        return replace(reply, body=json.dumps(change(json.loads(reply.body)), separators=(",", ":")).encode())

    return fault


def each_option(change: Callable[[dict[str, Any]], dict[str, Any]]) -> ResponseFault:
    """The true response with every option changed, in CBOE's shape or Tradier's; other responses stay as they are."""

    def edit(answer: Any) -> Any:
        if "data" in answer:
            answer["data"]["options"] = [change(option) for option in answer["data"]["options"]]
        elif isinstance(answer.get("options"), dict):
            found = answer["options"]["option"]
            answer["options"]["option"] = (
                [change(option) for option in found] if isinstance(found, list) else change(found)
            )
        return answer

    return edited(edit)


def no_options() -> ResponseFault:
    """A chain without a contract."""

    def edit(answer: Any) -> Any:
        if "data" in answer:
            answer["data"]["options"] = []
            return answer
        return dict.fromkeys(answer)

    return edited(edit)


def new_field() -> ResponseFault:
    """An undocumented field in every option."""
    return each_option(lambda option: option | {"implied_borrow": 0.0125})


def without(name: str) -> ResponseFault:
    """A field gone from every option."""
    return each_option(lambda option: {key: value for key, value in option.items() if key != name})


def halted() -> ResponseFault:
    """Nobody quotes: every bid and ask is 0, last prices stay."""
    return each_option(lambda option: option | dict.fromkeys(QUOTED, 0.0))


def shortened() -> ResponseFault:
    """Half of the true body, declared as the whole."""
    return lambda reply: replace(reply, body=reply.body[: len(reply.body) // 2])


def doubled() -> ResponseFault:
    """The first contract again, at another price."""

    def edit(answer: Any) -> Any:
        options = answer["data"]["options"] if "data" in answer else answer["options"]["option"]
        options.append(options[0] | {"bid": options[0]["bid"] + 0.05})
        return answer

    return edited(edit)


def of_tomorrow() -> ResponseFault:
    """A response of CBOE whose timestamp is a day later."""

    def edit(answer: Any) -> Any:
        made = datetime.strptime(answer["timestamp"], STAMP).replace(tzinfo=UTC)
        return answer | {"timestamp": (made + timedelta(days=1)).strftime(STAMP)}

    return edited(edit)
