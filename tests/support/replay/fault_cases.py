"""The faults that a vendor's answer to one request can have, and what comes of each: the table of ``docs/faults.md``.

Tries are with the default settings: four a request (``gateway.attempts``).
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.replay import faults
from tests.support.replay.faults import Bend

PATIENT_S, IMPATIENT_S = 10.0, 0.4
"""``timeout_s`` of the tests' vendors: so long a silence is taken for a dead connection."""

SAME, NONE, OTHER = "the same rows", "no rows", "other rows"


@dataclass(frozen=True)
class Case:
    """``bend`` strikes ``times`` requests for one thing (None: all); then comes ``ends``: rows, or a failure's error.

    ``tries``: requests for that thing. ``told``: part of the failure's message. ``waits_s``: at least so long between
    tries. ``vendors``: where it differs by vendor, those that are meant.
    """

    fault: str
    bend: Bend
    times: int | None
    tries: int
    ends: str
    comes: str
    told: str = ""
    waits_s: float = 0.0
    vendors: tuple[str, ...] = ("cboe", "tradier")
    timeout_s: float = PATIENT_S

    @property
    def failed(self) -> bool:
        """Whether it ends in a failure."""
        return self.ends not in (SAME, NONE, OTHER)


AGAIN = "asked again, after a wait of up to `gateway.backoff_s` that doubles"
CASES = (
    Case(
        "429, `Retry-After: 30`, once",
        faults.too_many(30),
        1,
        2,
        SAME,
        "the vendor is left alone for 30 s, by every thread, then asked again",
        waits_s=30,
    ),
    Case(
        "429, `Retry-After:` a date in 30 s, once",
        faults.too_many(30, as_date=True),
        1,
        2,
        SAME,
        "the same; counted from the answer's own `Date`",
        waits_s=30,
    ),
    Case("429 without a wish, twice", faults.too_many(), 2, 3, SAME, AGAIN, waits_s=1.5),
    Case("429 without end", faults.too_many(), None, 4, "HTTP 429", "given up", "answered 429"),
    Case(
        "429, `Retry-After: 3600`",
        faults.too_many(3600),
        1,
        1,
        "HTTP 429",
        "given up at once: longer than `gateway.max_retry_after_s`",
        "asks to be left alone for 3600 s",
    ),
    Case("500, twice", faults.status(500), 2, 3, SAME, AGAIN, waits_s=1.5),
    Case("500 without end", faults.status(500), None, 4, "HTTP 500", "given up", "answered 500"),
    Case("slow, but within `timeout_s`", faults.slow(0.05), None, 1, SAME, "waited for"),
    Case(
        "slower than `timeout_s`, once",
        faults.slow(IMPATIENT_S * 2),
        1,
        2,
        SAME,
        AGAIN,
        waits_s=0.5,
        timeout_s=IMPATIENT_S,
    ),
    Case(
        "hung: no byte, once",
        faults.hung(),
        1,
        2,
        SAME,
        f"{AGAIN}, `timeout_s` after it was asked",
        waits_s=0.5,
        timeout_s=IMPATIENT_S,
    ),
    Case(
        "hung without end",
        faults.hung(),
        None,
        4,
        "ReadTimeout",
        "given up",
        "could not be reached",
        vendors=("cboe",),
        timeout_s=IMPATIENT_S,
    ),
    Case("body cut off, once", faults.cut_off(), 1, 2, SAME, AGAIN, waits_s=0.5),
    Case("body cut off without end", faults.cut_off(), None, 4, "RemoteProtocolError", "given up", "peer closed"),
    Case(
        "no body at all, status 200", faults.no_body(), None, 4, "TransientError", "given up", "broke off after 0 bytes"
    ),
    Case(
        "JSON that ends too early, once",
        faults.shortened(),
        1,
        2,
        SAME,
        AGAIN,
        waits_s=0.5,
    ),
    Case("a web page, status 200", faults.web_page(), None, 1, "SchemaError", "not asked again", "found text/html"),
    Case(
        "a page for people, 403, where no key is needed",
        faults.status(403, faults.HTML, "text/html"),
        None,
        1,
        "HTTP 403",
        "not asked again; the error says that the vendor may have blocked this machine",
        "which needs no key: it may have blocked this machine",
        vendors=("cboe",),
    ),
    Case(
        "401, or 403",
        faults.status(401, b"Invalid Access Token"),
        None,
        1,
        "HTTP 401",
        "not asked again; the error names the key and where to put it, never its value",
        "refused the key 'tradier'",
        vendors=("tradier",),
    ),
    Case("404", faults.status(404), None, 1, "NoDataError", "not asked again: the vendor knows no such thing", "404"),
    Case(
        "a redirect",
        faults.status(302),
        None,
        1,
        "HTTP 302",
        "not followed: a key is sent to no other host",
        "is not followed",
    ),
    Case("a chain without a contract", faults.no_options(), None, 1, NONE, "taken at its word", vendors=("cboe",)),
    Case(
        "an expiry without a contract", faults.no_options(), None, 1, OTHER, "taken at its word", vendors=("tradier",)
    ),
    Case("a new field", faults.new_field(), None, 1, SAME, "ignored"),
    Case(
        "a missing field",
        faults.without("open_interest"),
        None,
        1,
        "SchemaError",
        "not asked again; the error names the field",
        "open_interest: Field required",
    ),
    Case(
        "a number as text",
        faults.each_option(lambda option: option | {"bid": "1.5"}),
        None,
        1,
        "SchemaError",
        "not asked again; no number is read from text",
        "bid: Input should be a valid number, found '1.5'",
    ),
    Case(
        "a halted symbol: nobody bids or asks",
        faults.halted(),
        None,
        1,
        OTHER,
        "kept as it is; without quotes volatilities come from the vendor or from last prices, or not at all",
    ),
    Case("a contract twice, with two prices", faults.doubled(), None, 1, OTHER, "the last one counts"),
    Case(
        "quotes of tomorrow",
        faults.of_tomorrow(),
        None,
        1,
        NONE,
        "dropped and counted (`dropped_after_as_of`): nobody knows them yet",
        vendors=("cboe",),
    ),
)

HEAD = ("fault", "requests", "what comes of it", "the symbol in the scan")
FAILED = "failure at `fetch.{kind}`, `{error}`; scanned on what the store knew before; exit code 3"
SCANNED = {
    SAME: "as if nothing had been",
    NONE: "scanned on what the store knew before: `stale_quotes`, or `no_chain`",
    OTHER: "scanned on what came",
}


def table() -> str:
    """The table as Markdown."""
    rows = [HEAD, *((c.fault, str(c.tries), c.comes, _scanned(c)) for c in CASES)]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(HEAD), *lines[1:]])


def _scanned(case: Case) -> str:
    return FAILED.format(kind="chains", error=case.ends) if case.failed else SCANNED[case.ends]
