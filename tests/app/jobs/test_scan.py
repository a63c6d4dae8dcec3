"""Whole scans over a market with one kind of bad data a symbol: each is named, and the healthy are left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gnosis_ray.cli.main import run
from gnosis_ray.config import Config
from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.data.synthetic import SyntheticSource
from gnosis_ray.fanout import InlineFanout
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.schemas.core_schemas import LedgerRecord
from gnosis_ray.schemas.run_schemas import RunReceipt
from tests.support.markets import bars_of, chains_of, over_store, stored
from tests.support.scans import assert_same, manifest_of, of_symbols, tables, unbatched, work

Bend = Callable[[pl.DataFrame], pl.DataFrame]
NAN, INF = float("nan"), float("inf")
QUOTES = ("bid", "ask", "last", "vendor_iv")


def figures(value: float | None, *names: str) -> Bend:
    """Every row of a symbol has this value there."""
    return lambda rows: rows.with_columns(pl.lit(value, dtype=pl.Float64).alias(name) for name in names)


def some(bend: Bend, every: int = 5) -> Bend:
    """Bends one row in ``every`` only."""

    def bent(rows: pl.DataFrame) -> pl.DataFrame:
        numbered = rows.with_row_index("n")
        hit = bend(numbered.filter(pl.col("n") % every == 0))
        return pl.concat([hit, numbered.filter(pl.col("n") % every != 0)]).sort("n").drop("n")

    return bent


def crossed(rows: pl.DataFrame) -> pl.DataFrame:
    """Bid above ask, and no vendor volatility to fall back on."""
    return rows.with_columns(bid=pl.col("ask") + 1, vendor_iv=pl.lit(None, pl.Float64))


def expired(rows: pl.DataFrame) -> pl.DataFrame:
    """Contracts that ended before the snapshot."""
    return rows.with_columns(pl.col("expiry") - timedelta(days=3650))


def nothing(rows: pl.DataFrame) -> pl.DataFrame:
    """No row at all."""
    return rows.clear()


def twice(rows: pl.DataFrame) -> pl.DataFrame:
    """Every row again."""
    return pl.concat([rows, rows])


def alone(rows: pl.DataFrame) -> pl.DataFrame:
    """As it is."""
    return rows


IMPORTED: dict[str, tuple[Bend, Bend, str]] = {
    "NANQUOTE": (figures(NAN, *QUOTES), alone, "hedge:no_implied_vol"),
    "INFQUOTE": (figures(INF, *QUOTES), alone, "hedge:no_implied_vol"),
    "ZEROQUOTE": (figures(0.0, *QUOTES), alone, "hedge:no_implied_vol"),
    "CROSSED": (crossed, alone, "hedge:no_implied_vol"),
    "NANSPOT": (figures(NAN, "underlying_price"), alone, "hedge:no_chain"),
    "NEGSPOT": (figures(-5.0, "underlying_price"), alone, "hedge:no_chain"),
    "ZEROSTRIKE": (figures(0.0, "strike"), alone, "hedge:no_chain"),
    "EXPIRED": (expired, alone, "hedge:no_chain"),
    "NOCHAIN": (nothing, alone, "hedge:no_chain"),
    "NOINTEREST": (figures(None, "open_interest"), alone, "hedge:open_interest_unavailable"),
    "NANINTEREST": (figures(NAN, "open_interest"), alone, "hedge:open_interest_unavailable"),
    "NANCLOSE": (alone, figures(NAN, "close"), "hedge:no_bars"),
    "NEGCLOSE": (alone, figures(-1.0, "close"), "hedge:no_bars"),
}
"""Symbol -> how its chain and its bars come from the vendor, and what the scan must say of it."""

HARMLESS: dict[str, tuple[Bend, Bend]] = {
    "HEALTHY": (alone, alone),
    "DOUBLED": (twice, twice),
    "NAIVE": (alone, alone),
}
"""Symbols whose ledger must be as if nothing were wrong; the file's times of NAIVE name no zone."""


@pytest.fixture(scope="module")
def now(config: Config) -> datetime:
    return config.data.synthetic.as_of


@pytest.fixture(scope="module")
def source(config: Config, market_calendar: SessionCalendar) -> SyntheticSource:
    return SyntheticSource(market_calendar, config.data.synthetic, config.market)


def vendor_chains(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the store as the mapping ``us_2026_07`` finds them in a file; times as text."""
    text = pl.col("event_time").dt.strftime("%Y-%m-%dT%H:%M:%S")
    code = pl.format(
        "{}{}{}{}",
        "symbol",
        pl.col("expiry").dt.strftime("%y%m%d"),
        "type",
        (pl.col("strike") * 1000).round().cast(pl.Int64).cast(pl.String).str.zfill(8),
    )
    return rows.select(
        underlying="symbol",
        snapshot_ts=pl.when(pl.col("symbol") == "NAIVE").then(text).otherwise(text + "Z"),
        spot="underlying_price",
        contract=code,
        expiration=pl.col("expiry").cast(pl.String),
        side=pl.when(pl.col("type") == "C").then(pl.lit("call")).otherwise(pl.lit("put")),
        strike="strike",
        bid="bid",
        ask="ask",
        last="last",
        volume="volume",
        open_interest="open_interest",
        iv="vendor_iv",
        **dict.fromkeys(("delta", "gamma", "theta", "vega"), pl.lit(None, pl.Float64)),
    )


def vendor_bars(rows: pl.DataFrame) -> pl.DataFrame:
    """The same for bars: a date each."""
    dated = rows.with_columns(date=pl.col("timestamp").dt.date().cast(pl.String))
    return dated.select("symbol", "date", "open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def imported(
    source: SyntheticSource,
    market_calendar: SessionCalendar,
    now: datetime,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, ImportReport]:
    """A store imported from one file with every kind of bad data, a symbol each."""
    folder = tmp_path_factory.mktemp("vendor")
    bends = {**{name: bend[:2] for name, bend in IMPORTED.items()}, **HARMLESS}
    chains = [bend(chains_of(source, [name], [now])) for name, (bend, _) in bends.items()]
    bars = [bend(bars_of(source, [name], now)) for name, (_, bend) in bends.items()]
    vendor_chains(pl.concat(chains)).write_parquet(folder / "chains.parquet")
    vendor_bars(pl.concat(bars)).write_parquet(folder / "ohlcv.parquet")
    report = import_dataset(folder, load_mapping("us_2026_07"), StoreWriter(folder / "market"), market_calendar)
    return folder / "market", report


@pytest.fixture(scope="module")
def scanned(
    imported: tuple[Path, ImportReport],
    config: Config,
    market_calendar: SessionCalendar,
    now: datetime,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, RunReceipt]:
    """A scan of that store, of all its symbols and one that nobody knows, in one batch."""
    used, root = over_store(config, imported[0]), tmp_path_factory.mktemp("ledger")
    manifest = manifest_of(used, market_calendar, [*IMPORTED, *HARMLESS, "NOBODY"], now)
    return root, work(root, used, market_calendar, manifest)


def of_hedge(receipt: RunReceipt) -> dict[str, tuple[str, ...]]:
    """What the chain engine found; these stores hold no tape, which the other engines say too."""
    return {reason: symbols for reason, symbols in receipt.degraded.items() if reason.startswith("hedge:")}


def test_each_kind_of_bad_data_is_named(scanned: tuple[Path, RunReceipt]) -> None:
    _, receipt = scanned
    reasons = of_hedge(receipt)
    named = {s: {r for r, symbols in reasons.items() if s in symbols} for s in [*IMPORTED, *HARMLESS]}
    assert named == {symbol: {reason} for symbol, (_, _, reason) in IMPORTED.items()} | {s: set() for s in HARMLESS}
    assert [(f.symbol, f.error) for f in receipt.failures] == [("NOBODY", "NoDataError")]
    assert (receipt.status, receipt.snapshots) == ("done_with_failures", len(IMPORTED) + len(HARMLESS))


def test_a_book_that_cannot_be_trusted_has_no_confidence_and_no_trade(scanned: tuple[Path, RunReceipt]) -> None:
    records = {record.symbol: record for record in LedgerStore(scanned[0]).stream()}
    for symbol, (_, _, reason) in IMPORTED.items():
        if reason != "hedge:no_bars":
            assert records[symbol].snapshot.engines["hedge"].confidence == 0.0, symbol
        assert records[symbol].trade_ideas == [], symbol
        assert "hedge_regime_energy" not in records[symbol].snapshot.hedge, symbol


def test_the_import_says_what_it_refused_repaired_and_noted(imported: tuple[Path, ImportReport]) -> None:
    report = imported[1]
    both = pl.concat([report.refused, report.notes])
    found = {symbol: set(rows["reason"]) for (symbol,), rows in both.group_by("symbol")}
    assert found == {
        "NANQUOTE": {"not a number"},
        "INFQUOTE": {"not a number"},
        "NANSPOT": {"not a number"},
        "NEGSPOT": {"not positive"},
        "ZEROSTRIKE": {"not positive"},
        "CROSSED": {"crossed: ask below bid"},
        "EXPIRED": {"expired before the snapshot"},
        "NANINTEREST": {"not a number"},
        "NANCLOSE": {"not a number"},
        "NEGCLOSE": {"not positive"},
        "DOUBLED": {"duplicate of another row"},
        "NAIVE": {"naive time read as UTC"},
    }


def test_healthy_symbols_beside_them_are_as_if_alone(
    scanned: tuple[Path, RunReceipt],
    source: SyntheticSource,
    config: Config,
    market_calendar: SessionCalendar,
    now: datetime,
    tmp_path: Path,
) -> None:
    names = sorted(HARMLESS)
    clean = stored(tmp_path / "clean", chains_of(source, names, [now]), bars_of(source, names, now))
    used = over_store(config, clean)
    receipt = work(tmp_path / "ledger", used, market_calendar, manifest_of(used, market_calendar, names, now))
    assert (receipt.status, of_hedge(receipt)) == ("done", {})
    beside = of_symbols(unbatched(tables(scanned[0])), *names)
    assert_same(beside, unbatched(tables(tmp_path / "ledger")))


STORED: dict[str, tuple[Bend, str | None]] = {
    "SOMESPOT": (some(figures(-5.0, "underlying_price")), "bad_rows"),
    "SOMESTRIKE": (some(lambda rows: rows.with_columns(strike=-pl.col("strike"))), "bad_rows"),
    "SOMETYPE": (some(lambda rows: rows.with_columns(type=pl.lit("X"))), "bad_rows"),
    "NEGBID": (some(figures(-1.0, "bid")), "bad_rows"),
    "NEGBOTH": (some(figures(-1.0, "bid", "ask")), "bad_rows"),
    "SOMECROSS": (some(crossed), None),
    "NOBIDS": (some(figures(0.0, "bid")), None),
    "ALLSPOT": (figures(-5.0, "underlying_price"), "no_chain"),
    "WHOLE": (alone, None),
}
"""Rows that the store takes and that the chain loader has to deal with; one in five where not all."""


@pytest.fixture(scope="module")
def bent(
    source: SyntheticSource,
    config: Config,
    market_calendar: SessionCalendar,
    now: datetime,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, LedgerRecord]:
    """What a scan says of each of them."""
    chains = pl.concat([bend(chains_of(source, [name], [now])) for name, (bend, _) in STORED.items()])
    folder = tmp_path_factory.mktemp("bent")
    used = over_store(config, stored(folder / "market", chains, bars_of(source, list(STORED), now)))
    manifest = manifest_of(used, market_calendar, list(STORED), now)
    work(folder / "ledger", used, market_calendar, manifest, InlineFanout(1))
    return {record.symbol: record for record in LedgerStore(folder / "ledger").stream()}


@pytest.mark.parametrize("symbol", STORED)
def test_impossible_rows_are_named(symbol: str, bent: dict[str, LedgerRecord]) -> None:
    snapshot = bent[symbol].snapshot
    assert (",".join(snapshot.engines["hedge"].degraded) or None) == STORED[symbol][1]
    assert ("hedge.bad_rows" in snapshot.metadata) == (STORED[symbol][1] == "bad_rows")


def test_market_noise_is_counted_and_no_degradation(
    bent: dict[str, LedgerRecord], source: SyntheticSource, now: datetime
) -> None:
    """Also where it is natural: nobody bids for what is far out of the money."""
    chains = {name: STORED[name][0](chains_of(source, [name], [now])) for name in ("SOMECROSS", "NOBIDS", "WHOLE")}
    for name, chain in chains.items():
        metadata = bent[name].snapshot.metadata
        crossings = chain.filter((pl.col("bid") > pl.col("ask")) & (pl.col("ask") > 0)).height
        one_sided = chain.filter((pl.col("bid") == 0) & (pl.col("ask") > 0)).height
        assert int(metadata.get("hedge.crossed_quotes", 0)) == crossings
        assert int(metadata.get("hedge.one_sided_quotes", 0)) == one_sided
        assert (crossings > 0) == (name == "SOMECROSS")
        assert one_sided > 0


@pytest.mark.parametrize("symbol", ["SOMESPOT", "SOMESTRIKE", "SOMETYPE", "NEGBID", "NEGBOTH"])
def test_impossible_rows_lower_confidence_by_their_share(
    symbol: str, bent: dict[str, LedgerRecord], source: SyntheticSource, now: datetime
) -> None:
    came = chains_of(source, [symbol], [now]).height
    bad = int(bent[symbol].snapshot.metadata["hedge.bad_rows"])
    assert bad == -(-came // 5)
    confidence = bent[symbol].snapshot.engines["hedge"].confidence
    assert 0.0 < confidence <= 1 - bad / (came + bad)
    assert bent["WHOLE"].snapshot.engines["hedge"].confidence == pytest.approx(1.0, abs=0.1)


def test_the_command_line_ends_in_the_true_exit_code(
    imported: tuple[Path, ImportReport],
    market_calendar: SessionCalendar,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("gnosis_ray.api.run_flow.build_calendar", lambda *_: market_calendar)
    monkeypatch.chdir(tmp_path)
    store = ["--provider", "store", "--data-dir", str(imported[0]), "--as-of", now.isoformat()]
    scan = ["scan", "--granularity", "inline", "--format", "json", *store, "--symbols"]
    codes = {"HEALTHY": 0, "NANQUOTE,NOCHAIN": 0, "HEALTHY,NOBODY": 3, "NOBODY": 4}
    for symbols, code in codes.items():
        assert run([*scan, symbols]) == code, symbols
        said = capsys.readouterr()
        json.loads(said.out)
        assert "SYNTHETIC" not in said.err
        assert ("1 failed (NOBODY at load: " in said.err) == ("NOBODY" in symbols)
