"""Rows for the command line: every option with values of the wrong kind, contradictions, and misspelt words."""

from __future__ import annotations

from collections.abc import Iterator

from gnosis_ray.exit_codes import ExitCode
from tests.hostile_inputs.harness import HostileInput, command

SCAN = ("scan", "--granularity", "inline", "--out", "new")
AAPL = (*SCAN, "--symbols", "AAPL")
BACKFILL = ("data", "backfill", "--granularity", "inline", "--out", "new", "--symbols", "AAPL")
LEDGER = ("--out", "ledger")

NUMBERS = ("", "x", "nan", "inf", "-0.1", "1.5", "5%", "1e999")
COUNTS = ("", "x", "-1", "1.5", "nan", "9" * 19, "9" * 5000, "1e3")
MOMENTS = ("", "yesterday", "1900-01-01", "2026-02-30", "9999-12-31", "2026-07-10T25:00", "10/07/2026", "20260710T")
DAYS = ("", "today", "1900-01-01", "2026-02-30", "9999-12-31", "2026-07", "2026-07-10T12:00")
FORMATS = ("", "xml", "TABLE ", "table,json")
FOLDERS = ("", " ", "ftp://host/x", "s3://", "http://x/y")

VALUES: dict[tuple[str, ...], dict[str, tuple[str, ...]]] = {
    AAPL: {
        "--top": COUNTS,
        "--min-confidence": NUMBERS,
        "--as-of": MOMENTS,
        "--format": FORMATS,
        "--side": ("", "up", "LONG?"),
        "--strategy": ("", "iron_condr", "'; drop"),
        "--provider": ("", "stroe", "\x1b[31mred"),
        "--data-dir": FOLDERS,
    },
    ("scan", "--symbols", "AAPL", "--granularity", "inline"): {"--out": FOLDERS},
    ("scan", "--symbols", "AAPL"): {"--granularity": ("", "node", "Inline?")},
    BACKFILL: {
        "--hours-after-close": (*NUMBERS[:4], "18", "-1"),
        "--start": MOMENTS[:5],
        "--end": MOMENTS[:5],
        "--format": FORMATS[:2],
    },
    ("runs", "show", *LEDGER): {"--what": ("", "trades"), "--top": COUNTS[:3], "--format": FORMATS[:2]},
    ("runs", "list"): {"--out": FOLDERS[2:], "--format": FORMATS[:2]},
    ("explain", "AAPL", *LEDGER): {"--html": ("", " "), "--format": ("csv", "parquet"), "--run": ("nothing", "2099")},
    ("data", "verify", "--data-dir", "market"): {"--from": DAYS, "--to": DAYS[:4], "--kind": ("chainz", ",", "bars,x")},
    ("data", "list"): {"--data-dir": FOLDERS, "--format": FORMATS[:2]},
    ("data", "fetch", "--symbols", "AAPL", "--provider", "cboe"): {"--kinds": ("chainz", ",", "bars,bars")},
    ("data", "fetch", "--symbols", "AAPL"): {"--provider": ("", "store", "yahooo")},
    ("universe", "show", "sp500"): {"--as-of": DAYS, "--format": FORMATS[:2]},
    ("config", "show"): {"--format": FORMATS[:2]},
}


def _values() -> Iterator[HostileInput]:
    for words, options in VALUES.items():
        for option, values in options.items():
            for value in values:
                said = _said(words, option)
                verb = " ".join(word for word in words[:2] if not word.startswith("-"))
                yield HostileInput(f"option: {verb} {option}: {value[:20]!r}", command(*words, option, value), said)


SETTING_OF = {"--provider": "data.provider"}
"""Options that are refused as the setting that they set."""


def _said(words: tuple[str, ...], option: str) -> tuple[str, ...]:
    if option == "--run":
        return ()
    if option == "--kinds":
        return ("data.fetch",)
    return (SETTING_OF.get(option, option),)


CONTRADICTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "a universe and symbols": ((*AAPL, "--universe", "dow30"), ("--universe", "--symbols")),
    "a cluster and inline": ((*AAPL, "--address", "10.0.0.1:6379"), ("--address", "inline")),
    "a backfill on a cluster and inline": (
        (*BACKFILL, "--start", "2026-07-01", "--end", "2026-07-02", "--address", "10.0.0.1:6379"),
        ("--address", "inline"),
    ),
    "Ray's board and inline": ((*AAPL, "--ray-dashboard"), ("--ray-dashboard", "inline")),
    "a store and the made-up market": ((*AAPL, "--data-dir", "market"), ("--data-dir", "--provider store")),
    "a resumed run with symbols": ((*AAPL, "--resume", "latest"), ("--symbols",)),
    "an end before the start": (
        (*BACKFILL, "--start", "2026-07-09", "--end", "2026-07-01"),
        ("2026-07-09", "2026-07-01"),
    ),
    "no days": (BACKFILL, ("--start", "--end")),
    "a weekend": ((*BACKFILL, "--start", "2026-07-11", "--end", "2026-07-12"), ("2026-07-11", "2026-07-12")),
    "a vendor's past": (
        (*BACKFILL, "--start", "2026-07-01", "--end", "2026-07-02", "--universe", "dow30"),
        ("--universe", "--symbols"),
    ),
    "a run and all": (("runs", "upgrade", "latest", "--all", "--to", "new", *LEDGER), ("RUN", "--all")),
    "no place to copy to": (("runs", "upgrade", "--all", *LEDGER), ("--to",)),
    "a fetch from nowhere": (("data", "fetch", "--symbols", "AAPL", "--provider", "synthetic"), ("data.provider",)),
}

WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "scan": (("scna",), ("'scna'", "Nearest: 'scan'")),
    "universe": (("univers", "list"), ("'univers'", "Nearest: 'universe'")),
    "nothing": (("",), ()),
    "a long word": (("x" * 3000,), ("characters",)),
    "an escape": (("\x1b[31mscan",), ("\\x1b[31mscan",)),
    "data import": (("data", "imprt"), ("'imprt'", "'import'")),
    "runs show": (("runs", "shwo"), ("'shwo'", "'show'")),
    "config show": (("config", "list"), ("'list'",)),
    "scan --symbols": ((*SCAN, "--symbls", "AAPL"), ("--symbls", "--symbols")),
    "scan AAPL": ((*SCAN, "AAPL"), ("AAPL",)),
    "an option without a value": (("scan", "--top"), ("--top",)),
    "a flag with a value": (("scan", "--dry-run=yes"), ("--dry-run",)),
    "explain nobody": (("explain", *LEDGER), ("SYMBOL",)),
    "import nothing": (("data", "import"), ("FOLDER",)),
    "show no universe": (("universe", "show"), ("NAME",)),
}

MEMBERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no symbols": ((*SCAN, "--symbols", ","), ("symbol",)),
    "blank symbols": ((*SCAN, "--symbols", " , ,"), ("symbol",)),
    "a sentence": ((*SCAN, "--symbols", "buy low, sell high"), ("'buy low'",)),
    "a symbol too long": ((*SCAN, "--symbols", "A" * 300), ("AAAA",)),
    "an escape": ((*SCAN, "--symbols", "A\x1b[31m"), ("symbol",)),
    "a misspelt universe": ((*SCAN, "--universe", "sp5000"), ("'sp5000'", "Nearest: 'sp500'")),
    "an empty universe": ((*SCAN, "--universe", ""), ("universe",)),
    "a misspelt sector": ((*SCAN, "--universe", "sp500:energie"), ("sp500:energie", "Nearest: 'sp500:energy'")),
    "a folder as a universe": ((*SCAN, "--universe", "/"), ("'/'",)),
    "a misspelt universe to show": (("universe", "show", "dwo30"), ("'dwo30'", "Nearest: 'dow30'")),
}

RUNS: dict[str, tuple[tuple[str, ...], tuple[str, ...], int]] = {
    "an unknown run": (("runs", "show", "20990101", *LEDGER), ("20990101",), ExitCode.USAGE),
    "a run of no ledger": (("runs", "show", "--out", "given"), ("given",), ExitCode.USAGE),
    "a symbol of no run": (("explain", "NOPE", *LEDGER), ("NOPE",), ExitCode.NO_DATA),
    "no store": (("data", "list", "--data-dir", "given/none"), ("given/none",), ExitCode.NO_DATA),
    "a scan of no store": (
        (*AAPL, "--provider", "store", "--data-dir", "given/none"),
        ("given/none",),
        ExitCode.NO_DATA,
    ),
    "a resumed run that is none": (
        ("scan", "--granularity", "inline", "--resume", "nothing", *LEDGER),
        ("nothing",),
        ExitCode.USAGE,
    ),
}

ROWS = [
    *_values(),
    *(
        HostileInput(f"option: contradiction: {name}", command(*words), says)
        for name, (words, says) in CONTRADICTIONS.items()
    ),
    *(HostileInput(f"option: word: {name}", command(*words), says) for name, (words, says) in WORDS.items()),
    *(HostileInput(f"option: members: {name}", command(*words), says) for name, (words, says) in MEMBERS.items()),
    *(HostileInput(f"option: run: {name}", command(*words), says, code) for name, (words, says, code) in RUNS.items()),
]
