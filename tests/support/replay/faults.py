"""What goes wrong on a wire: each fault bends the answer that would have been."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.support.replay.http_messages import Reply

Bend = Callable[[Reply], Reply]

HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>"
QUOTED = ("bid", "ask")
STAMP = "%Y-%m-%d %H:%M:%S"


@dataclass
class Fault:
    """Bends answers to targets that ``pattern`` is found in; ``times`` of them, None: all."""

    pattern: str
    bend: Bend
    times: int | None = None
    struck: int = field(default=0)


def too_many(retry_after_s: float | None = None, *, as_date: bool = False) -> Bend:
    """429; with Retry-After in seconds, or as the moment after so many."""

    def bend(_reply: Reply) -> Reply:
        headers = {}
        if retry_after_s is not None:
            moment = datetime.now(UTC) + timedelta(seconds=retry_after_s)
            headers["Retry-After"] = format_datetime(moment, usegmt=True) if as_date else f"{retry_after_s:g}"
        return Reply(429, b"Too Many Requests", "text/plain", headers)

    return bend


def status(code: int, body: bytes = b"Error", content_type: str = "text/plain") -> Bend:
    """An answer that is none: 500, 503, 401, 404."""
    return lambda _reply: Reply(code, body, content_type)


def slow(seconds: float) -> Bend:
    """The true answer, late."""
    return lambda reply: replace(reply, wait_s=seconds)


def hung() -> Bend:
    """No byte, while the connection stays open."""
    return lambda reply: replace(reply, hangs=True)


def cut_off() -> Bend:
    """Half of the true body, then the end of the connection."""
    return lambda reply: replace(reply, sent=len(reply.body) // 2)


def web_page() -> Bend:
    """A page for people, with status 200."""
    return lambda _reply: Reply(200, HTML, "text/html; charset=UTF-8")


def no_body() -> Bend:
    """Nothing at all, with status 200."""
    return lambda reply: replace(reply, body=b"")


def edited(change: Callable[[Any], Any]) -> Bend:
    """The true answer with its JSON changed: ``change`` gets what was parsed, and gives back what is sent."""

    def bend(reply: Reply) -> Reply:
        return replace(reply, body=json.dumps(change(json.loads(reply.body)), separators=(",", ":")).encode())

    return bend


def each_option(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Bend:
    """The true answer with every option changed, in CBOE's shape or Tradier's; other answers stay as they are."""

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


def no_options() -> Bend:
    """A chain without a contract."""

    def edit(answer: Any) -> Any:
        if "data" in answer:
            answer["data"]["options"] = []
            return answer
        return dict.fromkeys(answer)

    return edited(edit)


def new_field() -> Bend:
    """A field that nobody has heard of, in every option."""
    return each_option(lambda option: option | {"implied_borrow": 0.0125})


def without(name: str) -> Bend:
    """A field gone from every option."""
    return each_option(lambda option: {key: value for key, value in option.items() if key != name})


def halted() -> Bend:
    """Nobody quotes: every bid and ask is 0, last prices stay."""
    return each_option(lambda option: option | dict.fromkeys(QUOTED, 0.0))


def shortened() -> Bend:
    """Half of the true body as if it were the whole."""
    return lambda reply: replace(reply, body=reply.body[: len(reply.body) // 2])


def doubled() -> Bend:
    """The first contract again, at another price."""

    def edit(answer: Any) -> Any:
        options = answer["data"]["options"] if "data" in answer else answer["options"]["option"]
        options.append(options[0] | {"bid": options[0]["bid"] + 0.05})
        return answer

    return edited(edit)


def of_tomorrow() -> Bend:
    """An answer of CBOE that says it was made a day later."""

    def edit(answer: Any) -> Any:
        made = datetime.strptime(answer["timestamp"], STAMP).replace(tzinfo=UTC)
        return answer | {"timestamp": (made + timedelta(days=1)).strftime(STAMP)}

    return edited(edit)
