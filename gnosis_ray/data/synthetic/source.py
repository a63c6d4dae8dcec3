"""The synthetic source: serves batches from the planted market."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from gnosis_ray.config import MarketConfig, SyntheticConfig, as_of_text
from gnosis_ray.data.synthetic.chains import SyntheticChain, build_chain
from gnosis_ray.data.synthetic.frames import bar_frame, chain_frame, news_frame, quote_frame, trade_frame
from gnosis_ray.data.synthetic.ground_truth import GroundTruth
from gnosis_ray.data.synthetic.headlines import SyntheticHeadline, headlines, week_tone
from gnosis_ray.data.synthetic.params import SymbolParams, symbol_params
from gnosis_ray.data.synthetic.paths import PricePath, market_path, symbol_path
from gnosis_ray.data.synthetic.positioning import GAMMA_SIGN
from gnosis_ray.data.synthetic.surface import surface_at
from gnosis_ray.data.synthetic.tape import Tape, impact_of, session_tape
from gnosis_ray.data.synthetic.timeline import Expiries, Snapshot, Timeline
from gnosis_ray.errors import NoDataError
from gnosis_ray.market.calendar import Moments, SessionCalendar, moments_of
from gnosis_ray.market.keys import one_key
from gnosis_ray.schemas.core_schemas import to_utc

TRUTH_NEWS_HOURS = 72


class SyntheticSource:
    """A :class:`~gnosis_ray.market.source.MarketSource` in which every symbol string exists.

    Prices start at :data:`timeline.ANCHOR`; the calendar must cover it (else :class:`ConfigError`). Keys before the
    next session's open or after the calendar's last close have no rows. Expiries are listed as far as the calendar
    goes: let it end at least seven months after the latest key. What a row holds depends on the seed, its symbol and
    its own time only.
    """

    name = "synthetic"
    synthetic = True

    def __init__(self, calendar: SessionCalendar, config: SyntheticConfig, market: MarketConfig) -> None:
        self._timeline = Timeline(calendar)
        self._config = config
        self._curve = market.risk_free_curve
        self._market = market_path(config.seed, self._timeline.sessions)

    def default_as_of(self, now: datetime) -> datetime:  # noqa: ARG002 - this market's present is a setting
        """The configured moment, whatever the time is."""
        return self._config.as_of

    def raw_chains(self, keys: pl.DataFrame) -> pl.DataFrame:
        """See :class:`MarketSource`: one snapshot at each close, and one at each half hour of an open session."""
        listed: dict[Snapshot, Expiries] = {}
        rows: list[tuple[str, np.datetime64, Snapshot, SyntheticChain]] = []
        for symbol, moments in self._by_symbol(keys):
            params, path = self._symbol(symbol, moments[-1])
            built: dict[Snapshot, SyntheticChain] = {}
            for moment in moments:
                snapshot = self._timeline.snapshot(moment)
                if snapshot not in listed:
                    listed[snapshot] = self._timeline.expiries(snapshot)
                if listed[snapshot].days.size == 0:
                    continue
                if snapshot not in built:
                    built[snapshot] = self._chain(params, path, snapshot, listed[snapshot])
                rows.append((symbol, moment, snapshot, built[snapshot]))
        return chain_frame(rows)

    def bars(self, keys: pl.DataFrame, lookback: int) -> pl.DataFrame:
        """See :class:`MarketSource`; a session has a bar from its close on."""
        rows = []
        for symbol, moments in self._by_symbol(keys):
            earliest, latest = (self._timeline.last_closed(moment) for moment in (moments[0], moments[-1]))
            first = max(1, earliest - lookback + 1)
            if first <= latest:
                path = self._symbol(symbol, moments[-1])[1]
                closes = self._timeline.closes[first : latest + 1]
                rows.append((symbol, closes, path.ohlc(first, latest), path.volume[first : latest + 1]))
        return bar_frame(rows)

    def trades(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """See :class:`MarketSource`; each trade once, however many keys look at it."""
        return trade_frame(self._tapes(keys, lookback_minutes))

    def quotes(self, keys: pl.DataFrame, lookback_minutes: int) -> pl.DataFrame:
        """See :class:`MarketSource`; the quote before each trade."""
        return quote_frame(self._tapes(keys, lookback_minutes))

    def news(self, keys: pl.DataFrame, lookback_hours: int) -> pl.DataFrame:
        """See :class:`MarketSource`; each item once, however many keys look at it."""
        rows: list[tuple[str, SyntheticHeadline]] = []
        for symbol, moments in self._by_symbol(keys):
            found: set[SyntheticHeadline] = set()
            for moment in moments:
                found.update(self._headlines(symbol, _python_time(moment), lookback_hours))
            rows += [(symbol, item) for item in sorted(found, key=lambda i: (i.published, i.source, i.text))]
        return news_frame(rows)

    def ground_truth(self, symbol: str, now: datetime) -> GroundTruth:
        """What is planted for a symbol at ``now``; :class:`NoDataError` where this market has no rows."""
        known = next(self._by_symbol(one_key(symbol, now)), None)
        if known is None:
            raise NoDataError(f"The synthetic market knows nothing at {as_of_text(now)}", symbol=symbol)
        moment = known[1][0]
        snapshot = self._timeline.snapshot(moment)
        params, path = self._symbol(symbol, moment)
        expiries = self._timeline.expiries(snapshot)
        book = self._chain(params, path, snapshot, expiries).book if expiries.days.size else None
        items = self._headlines(symbol, _python_time(moment), TRUTH_NEWS_HOURS)
        return GroundTruth(
            symbol=symbol,
            snapshot=_python_time(snapshot.moment),
            spot=path.spot(snapshot.session, snapshot.mark),
            beta=params.beta,
            regime="stressed" if path.stressed[snapshot.session] else "calm",
            volatility=float(path.volatility[snapshot.session]),
            kyle_lambda=impact_of(params, path, snapshot.session).kyle_lambda,
            spread_bps=params.spread_bps,
            carry=params.carry,
            surface=surface_at(params, path, snapshot.session),
            positioning=params.positioning,
            call_wall=book.call_wall if book else None,
            put_wall=book.put_wall if book else None,
            gamma_sign=GAMMA_SIGN[params.positioning],
            gross_energy=params.gross_energy,
            news_tone=week_tone(self._config.seed, symbol, to_utc(now).date()),
            headline_tones={item.text: item.tone for item in items},
        )

    def _by_symbol(self, keys: pl.DataFrame) -> Iterator[tuple[str, Moments]]:
        """Each symbol, sorted, with its usable moments: unique, sorted, never none."""
        ordered = keys.select("symbol", "timestamp").unique().sort("symbol", "timestamp")
        moments = moments_of(ordered["timestamp"])
        usable = self._timeline.usable(moments)
        symbols = ordered["symbol"].filter(pl.Series(usable))
        moments = moments[usable]
        if moments.size == 0:
            return
        starts = np.flatnonzero(symbols.rle_id().diff().fill_null(1).to_numpy())
        yield from zip(symbols.gather(starts), np.split(moments, starts[1:]), strict=True)

    def _symbol(self, symbol: str, until: np.datetime64) -> tuple[SymbolParams, PricePath]:
        """Parameters and path, as far as a usable moment needs it."""
        params = symbol_params(self._config.seed, symbol)
        market = self._market.first(self._timeline.snapshot(until).session + 1)
        return params, symbol_path(self._config.seed, params, market)

    def _chain(self, params: SymbolParams, path: PricePath, snapshot: Snapshot, expiries: Expiries) -> SyntheticChain:
        return build_chain(self._config.seed, params, path, snapshot, expiries, self._curve)

    def _tapes(self, keys: pl.DataFrame, minutes: int) -> Iterator[tuple[str, Tape, Moments, Moments]]:
        """Each session's tape that a key looks at, with the windows (start, end] of all keys of its symbol."""
        window = np.timedelta64(minutes, "m")
        for symbol, ends in self._by_symbol(keys):
            starts = ends - window
            sessions = self._timeline.sessions_in(starts, ends)
            if sessions:
                params, path = self._symbol(symbol, ends[-1])
                for session in sessions:
                    yield symbol, session_tape(self._config.seed, params, path, self._timeline, session), starts, ends

    def _headlines(self, symbol: str, now: datetime, hours: int) -> list[SyntheticHeadline]:
        start = max(now - timedelta(hours=hours), _python_time(self._timeline.opens[1]))
        return headlines(self._config.seed, symbol, start, now)


def _python_time(moment: np.datetime64) -> datetime:
    python: datetime = moment.astype("datetime64[us]").item()
    return python.replace(tzinfo=UTC)
