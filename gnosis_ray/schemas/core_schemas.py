"""The frozen contracts that engines, agents and ledgers exchange."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat

from gnosis_ray.plain_text import PlainText

EngineKind = Literal["hedge", "liquidity", "sentiment", "elasticity"]
"""The four engines, in the order in which snapshots and reports show them."""

ENGINE_KINDS: tuple[EngineKind, ...] = get_args(EngineKind)

DataKind = Literal["chains", "bars", "trades", "quotes", "news"]
"""What market data is made of."""

DATA_KINDS: tuple[DataKind, ...] = get_args(DataKind)

StoreKind = Literal["chains", "bars", "trades", "quotes", "news", "features"]
"""What the market store keeps: market data, and the features that were measured on it."""

Action = Literal["long", "short", "flat", "spread", "complex"]

DIRECTION: Mapping[Action, int] = {"long": 1, "short": -1, "flat": 0, "spread": 0, "complex": 0}
"""Sign of the direction that each action takes."""


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC; a naive one is read as UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def full_second(moment: datetime) -> datetime:
    """The first full second at or after ``moment``: one that can be written down and asked for again."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + timedelta(seconds=1)


UtcDatetime = Annotated[datetime, AfterValidator(to_utc)]
Confidence = Annotated[float, Field(ge=0.0, le=1.0)]


class FrozenModel(BaseModel):
    """Frozen, refuses unknown fields; infinity survives a trip through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class EngineOutput(FrozenModel):
    """What one engine measured for one symbol at one time. What could not be computed is absent.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 7, 10, 20, tzinfo=UTC)
    >>> gr.EngineOutput(kind="hedge", symbol="AAPL", timestamp=now, features={"spot": 211.5}, confidence=0.9).features
    {'spot': 211.5}
    """

    kind: EngineKind
    symbol: str
    timestamp: UtcDatetime
    features: dict[str, FiniteFloat]
    confidence: Confidence
    regime: PlainText | None = None
    metadata: dict[str, PlainText] = Field(default_factory=dict)


class EngineSummary(FrozenModel):
    """How far an engine's features can be trusted, and what its market is like."""

    confidence: Confidence
    regime: PlainText | None = None
    degraded: tuple[PlainText, ...] = ()
    """Faults of the data, by name."""
    absent: tuple[PlainText, ...] = ()
    """Missing input that is no fault, by name."""


def reason_names(text: str | None) -> tuple[str, ...]:
    """The reasons that a comma-separated metadata entry names, each once, in their order."""
    names = (name.strip() for name in (text or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


class StandardSnapshot(FrozenModel):
    """The fused measurement: the only thing that primary agents see.

    ``engines`` summarises each engine that ran; ``metadata`` says the same, and each engine's other entries, as text
    under ``{kind}.{key}``.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 7, 10, 20, tzinfo=UTC)
    >>> snapshot = gr.StandardSnapshot(symbol="AAPL", timestamp=now, hedge={"spot": 211.5})
    >>> snapshot.hedge["spot"], snapshot.liquidity
    (211.5, {})
    """

    symbol: str
    timestamp: UtcDatetime
    hedge: dict[str, FiniteFloat] = Field(default_factory=dict)
    liquidity: dict[str, FiniteFloat] = Field(default_factory=dict)
    sentiment: dict[str, FiniteFloat] = Field(default_factory=dict)
    elasticity: dict[str, FiniteFloat] = Field(default_factory=dict)
    regime: PlainText | None = None
    metadata: dict[str, PlainText] = Field(default_factory=dict)
    engines: dict[EngineKind, EngineSummary] = Field(default_factory=dict)


class Suggestion(FrozenModel):
    """A stance of an agent; the runner fills ``timestamp`` where the agent left it out.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> stance = gr.Suggestion(
    ...     id="mine:AAPL", layer="mine", symbol="AAPL", action="long", confidence=0.4, reasoning="cheap options"
    ... )
    >>> stance.action, stance.timestamp is None
    ('long', True)
    """

    id: PlainText
    layer: PlainText
    symbol: str
    timestamp: UtcDatetime | None = None
    action: Action
    confidence: Confidence
    forecast: dict[str, FiniteFloat] = Field(default_factory=dict)
    reasoning: PlainText
    tags: list[PlainText] = Field(default_factory=list)


class TradeLeg(FrozenModel):
    """One leg: ``qty`` shares, or contracts of 100 shares; ``expiry`` as ``YYYY-MM-DD``.

    ``price`` is the fill that the idea's cost counts on, USD per share.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> call = gr.TradeLeg(instrument_type="C", direction="buy", qty=1, strike=320.0, expiry="2026-08-21", price=9.5)
    >>> call.qty * 100 * call.price
    950.0
    """

    instrument_type: Literal["C", "P", "STOCK"]
    direction: Literal["buy", "sell"]
    qty: Annotated[int, Field(gt=0)]
    strike: Annotated[FiniteFloat, Field(gt=0)] | None = None
    expiry: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    price: Annotated[FiniteFloat, Field(ge=0)] | None = None


class TradeIdea(FrozenModel):
    """A costed trade. Figures are USD per unit (a share, or one structure of 100-share contracts).

    ``max_loss`` is ``inf`` and ``max_profit`` None where unbounded; a credit is a negative cost. The probability of
    profit and the expected value are the option market's own, under the smile, costs counted: an expected value is
    then what the trade costs on average. ``expected_edge`` is what the stance adds to it, by the configured view.
    ``target_exit_price`` and ``stop_loss_price``: of stock alone the price of a share, else what one unit is worth, USD
    with the sign of its cost (a credit spread sold for -150 is left at -75 with half of its profit). Ideas beside each
    other are alternatives: each is sized as if alone.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> call = gr.TradeLeg(instrument_type="C", direction="buy", qty=1, strike=320.0, expiry="2026-08-21", price=9.95)
    >>> idea = gr.TradeIdea(
    ...     id="1",
    ...     symbol="AAPL",
    ...     strategy_type="long_call",
    ...     side="long",
    ...     legs=[call],
    ...     cost_per_unit=995.65,
    ...     max_loss=995.65,
    ...     recommended_units=2,
    ...     confidence=0.4,
    ...     rationale="",
    ... )
    >>> idea.max_loss * idea.recommended_units, idea.max_profit is None
    (1991.3, True)
    """

    id: str
    symbol: str
    strategy_type: PlainText
    side: Literal["long", "short", "neutral"]
    legs: list[TradeLeg]
    cost_per_unit: FiniteFloat
    max_loss: Annotated[float, Field(ge=0.0)]
    max_profit: FiniteFloat | None = None
    breakeven_levels: list[FiniteFloat] = Field(default_factory=list)
    probability_of_profit: Confidence | None = None
    expected_value: FiniteFloat | None = None
    expected_edge: FiniteFloat | None = None
    target_exit_price: FiniteFloat | None = None
    stop_loss_price: FiniteFloat | None = None
    recommended_units: Annotated[int, Field(ge=0)]
    confidence: Confidence
    rationale: PlainText
    tags: list[PlainText] = Field(default_factory=list)


class LedgerRecord(FrozenModel):
    """Everything that one pass saw and decided for one symbol.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> _ = gr.scan(symbols="AAPL", granularity="inline", out="ledger")
    >>> record = next(gr.open_ledger("ledger").stream("latest"))
    >>> record.symbol, [suggestion.layer for suggestion in record.primary_suggestions]
    ('AAPL', ['primary_hedge', 'primary_liquidity', 'primary_sentiment'])
    """

    timestamp: UtcDatetime
    symbol: str
    snapshot: StandardSnapshot
    primary_suggestions: list[Suggestion]
    composite_suggestion: Suggestion
    trade_ideas: list[TradeIdea]
    realized_pnl: FiniteFloat | None = None
