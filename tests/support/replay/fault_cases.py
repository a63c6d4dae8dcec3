"""The faults that a vendor's response can have, and the consequence of each: the table of ``docs/faults.md``.

Tries are with the default settings: four a request (``gateway.attempts``).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.replay import faults
from tests.support.replay.faults import ResponseFault

PATIENT_S, IMPATIENT_S = 10.0, 0.4
"""``timeout_s`` of the tests' vendors: how long a silent connection is kept."""

SAME, NONE, OTHER = "the same rows", "no rows", "other rows"


@dataclass(frozen=True)
class FaultCase:
    """``fault`` applies to ``times`` requests for one item (None: all); ``outcome``: the rows, or the failure's error.

    ``tries``: requests for that item. ``message``: part of the failure's message. ``waits_s``: the least time between
    tries. ``vendors``: those that the case is about.
    """

    name: str
    fault: ResponseFault
    times: int | None
    tries: int
    outcome: str
    consequence: str
    message: str = ""
    waits_s: float = 0.0
    vendors: tuple[str, ...] = ("cboe", "tradier")
    timeout_s: float = PATIENT_S

    @property
    def failed(self) -> bool:
        """Whether it ends in a failure."""
        return self.outcome not in (SAME, NONE, OTHER)


AGAIN = "retried with exponential backoff from `gateway.backoff_s`"
CASES = (
    FaultCase(
        "429, `Retry-After: 30`, once",
        faults.too_many(30),
        1,
        2,
        SAME,
        "every thread pauses for 30 s, then it is retried",
        waits_s=30,
    ),
    FaultCase(
        "429, `Retry-After:` a date in 30 s, once",
        faults.too_many(30, as_date=True),
        1,
        2,
        SAME,
        "the same; counted from the answer's own `Date`",
        waits_s=30,
    ),
    FaultCase("429 without `Retry-After`, twice", faults.too_many(), 2, 3, SAME, AGAIN, waits_s=1.5),
    FaultCase("429, always", faults.too_many(), None, 4, "HTTP 429", "fails", "answered 429"),
    FaultCase(
        "429, `Retry-After: 3600`",
        faults.too_many(3600),
        1,
        1,
        "HTTP 429",
        "fails at once: longer than `gateway.max_retry_after_s`",
        "asks to be left alone for 3600 s",
    ),
    FaultCase("500, twice", faults.status(500), 2, 3, SAME, AGAIN, waits_s=1.5),
    FaultCase("500, always", faults.status(500), None, 4, "HTTP 500", "fails", "answered 500"),
    FaultCase("slow, but within `timeout_s`", faults.slow(0.05), None, 1, SAME, "received"),
    FaultCase(
        "slower than `timeout_s`, once",
        faults.slow(IMPATIENT_S * 2),
        1,
        2,
        SAME,
        AGAIN,
        waits_s=0.5,
        timeout_s=IMPATIENT_S,
    ),
    FaultCase(
        "hangs: no byte, once",
        faults.hung(),
        1,
        2,
        SAME,
        f"{AGAIN}, `timeout_s` after it was sent",
        waits_s=0.5,
        timeout_s=IMPATIENT_S,
    ),
    FaultCase(
        "hangs, always",
        faults.hung(),
        None,
        4,
        "ReadTimeout",
        "fails",
        "could not be reached",
        vendors=("cboe",),
        timeout_s=IMPATIENT_S,
    ),
    FaultCase("body cut off, once", faults.cut_off(), 1, 2, SAME, AGAIN, waits_s=0.5),
    FaultCase("body cut off, always", faults.cut_off(), None, 4, "RemoteProtocolError", "fails", "peer closed"),
    FaultCase(
        "empty body, status 200", faults.no_body(), None, 4, "TransientError", "fails", "broke off after 0 bytes"
    ),
    FaultCase(
        "JSON that ends too early, once",
        faults.shortened(),
        1,
        2,
        SAME,
        AGAIN,
        waits_s=0.5,
    ),
    FaultCase("a web page, status 200", faults.web_page(), None, 1, "SchemaError", "not retried", "found text/html"),
    FaultCase(
        "a web page, 403, where no key is needed",
        faults.status(403, faults.HTML, "text/html"),
        None,
        1,
        "HTTP 403",
        "not retried; the error says that the vendor may have blocked this machine",
        "which needs no key: it may have blocked this machine",
        vendors=("cboe",),
    ),
    FaultCase(
        "401, or 403",
        faults.status(401, b"Invalid Access Token"),
        None,
        1,
        "HTTP 401",
        "not retried; the error names the key and where to put it, never its value",
        "refused the key 'tradier'",
        vendors=("tradier",),
    ),
    FaultCase("404", faults.status(404), None, 1, "NoDataError", "not retried: the vendor does not have it", "404"),
    FaultCase(
        "a redirect",
        faults.status(302),
        None,
        1,
        "HTTP 302",
        "not followed: a key is sent to no other host",
        "is not followed",
    ),
    FaultCase("a chain without a contract", faults.no_options(), None, 1, NONE, "accepted", vendors=("cboe",)),
    FaultCase("an expiry without a contract", faults.no_options(), None, 1, OTHER, "accepted", vendors=("tradier",)),
    FaultCase("a new field", faults.new_field(), None, 1, SAME, "ignored"),
    FaultCase(
        "a missing field",
        faults.without("open_interest"),
        None,
        1,
        "SchemaError",
        "not retried; the error names the field",
        "open_interest: Expected a value, was",
    ),
    FaultCase(
        "a number as text",
        faults.each_option(lambda option: option | {"bid": "1.5"}),
        None,
        1,
        "SchemaError",
        "not retried; numbers are not parsed from text",
        "bid: Expected a number, was '1.5'",
    ),
    FaultCase(
        "a halted symbol: no bids and asks",
        faults.halted(),
        None,
        1,
        OTHER,
        "kept; without quotes volatilities come from the vendor or from last prices, or are absent",
    ),
    FaultCase("a contract twice, with two prices", faults.doubled(), None, 1, OTHER, "the last one is used"),
    FaultCase(
        "quotes dated tomorrow",
        faults.of_tomorrow(),
        None,
        1,
        NONE,
        "dropped and counted (`dropped_after_as_of`): they are not known yet",
        vendors=("cboe",),
    ),
)

HEAD = ("fault", "requests", "consequence", "the symbol in the scan")
FAILED = "failure at `fetch.{kind}`, `{error}`; scanned on older data of the store; exit code 3"
SCANNED = {
    SAME: "unaffected",
    NONE: "scanned on older data of the store: `stale_quotes`, or `no_chain`",
    OTHER: "scanned on what was received",
}


def table() -> str:
    """The table as Markdown."""
    rows = [HEAD, *((c.name, str(c.tries), c.consequence, _scanned(c)) for c in CASES)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(HEAD), *lines[1:]])


def _scanned(case: FaultCase) -> str:
    return FAILED.format(kind="chains", error=case.outcome) if case.failed else SCANNED[case.outcome]
