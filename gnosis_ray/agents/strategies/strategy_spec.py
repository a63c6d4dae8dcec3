"""The declaration of a strategy. Everything else is the same for all of them.

A plug-in adds a strategy by declaring one; no code is written for it.

Examples
--------
>>> import gnosis_ray as gr
>>> rules = gr.strategies
>>> rules.LegRule("C", "sell", rules.AtDelta(target=0.25, low=0.15, high=0.35)).ratio
1
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from gnosis_ray.schemas.core_schemas import Action

VolatilityState = Literal["cheap", "fair", "rich"]
Side = Literal["long", "short", "neutral"]
Basis = Literal["max_profit", "max_loss", "premium", "expected_move"]
Instrument = Literal["C", "P", "STOCK"]
Direction = Literal["buy", "sell"]
ExpiryWindow = Literal["near", "far"]

EVERY_STATE: frozenset[VolatilityState] = frozenset({"cheap", "fair", "rich"})


def _require_number(value: object, what: str, low: float = -math.inf) -> None:
    """Raises ValueError for what is no finite number from ``low``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < math.inf:
        wanted = "a finite number" if low == -math.inf else f"a finite number from {low:g}"
        raise ValueError(f"Expected {wanted} as {what}, was {value!r}")


@dataclass(frozen=True)
class AtDelta:
    """The strike whose |delta| is nearest to ``target`` and within ``low`` and ``high``.

    Raises ValueError where these are no numbers, or in another order.
    """

    target: float
    low: float
    high: float

    def __post_init__(self) -> None:
        for name in ("low", "target", "high"):
            _require_number(getattr(self, name), f"{name} of a delta", 0.0)
        if not self.low <= self.target <= self.high:
            raise ValueError(f"Expected low, target and high of a delta in this order, was {self}")


@dataclass(frozen=True)
class AtForward:
    """The strike nearest to the forward, at most ``moves`` expected moves from it."""

    moves: float = 0.3

    def __post_init__(self) -> None:
        _require_number(self.moves, "moves from the forward", 0.0)


@dataclass(frozen=True)
class Beyond:
    """The strike nearest to ``moves`` expected moves up to expiry above (negative: below) that of another leg.

    Never that leg's own strike, never on its other side, never beyond ``most`` times the distance.
    """

    leg: int
    moves: float
    most: float = 2.0

    def __post_init__(self) -> None:
        _require_number(self.moves, "moves beyond a leg")
        _require_number(self.most, "most of the distance", 0.0)


@dataclass(frozen=True)
class SameStrike:
    """The strike of another leg."""

    leg: int


@dataclass(frozen=True)
class Mirror:
    """The strike as far beyond leg ``around`` as ``leg`` is before it."""

    leg: int
    around: int


@dataclass(frozen=True)
class SameWidth:
    """The strike as far above another leg's as two earlier legs are apart, nearly: within half of that width."""

    leg: int
    low: int
    high: int


def _require(value: object, allowed: object, what: str) -> None:
    """Raises ValueError for a word that is not of the literal type ``allowed``: plug-ins are not type-checked here."""
    if value not in get_args(allowed):
        raise ValueError(f"Expected {what} among {', '.join(get_args(allowed))}, was {value!r}")


StrikeRule = AtDelta | AtForward | Beyond | SameStrike | Mirror | SameWidth


@dataclass(frozen=True)
class LegRule:
    """One leg; ``ratio`` contracts a unit, or shares of stock. Rules name other legs by their place, earlier ones only.

    Raises ValueError where an option has no strike rule or stock has one, for a ratio below 1 and for unknown words.
    """

    instrument_type: Instrument
    direction: Direction
    strike: StrikeRule | None = None
    ratio: int = 1
    expiry: ExpiryWindow = "near"

    def __post_init__(self) -> None:
        _require(self.instrument_type, Instrument, "an instrument")
        _require(self.direction, Direction, "a direction")
        _require(self.expiry, ExpiryWindow, "an expiry")
        if (self.instrument_type == "STOCK") != (self.strike is None):
            raise ValueError(f"Expected a strike rule for an option only, was {self.strike} for {self.instrument_type}")
        _require_number(self.ratio, "a ratio")
        if self.ratio < 1 or self.ratio != int(self.ratio):
            raise ValueError(f"Expected a whole ratio of at least 1, was {self.ratio}")

    @property
    def refers_to(self) -> tuple[int, ...]:
        """Places of the legs that the strike depends on."""
        match self.strike:
            case Beyond(leg, _, _) | SameStrike(leg):
                return (leg,)
            case Mirror(leg, around):
                return (leg, around)
            case SameWidth(leg, low, high):
                return (leg, low, high)
            case _:
                return ()


@dataclass(frozen=True)
class Share:
    """A share of one figure of the trade, USD a unit.

    ``premium`` is |cost|; ``expected_move`` the dollars that all shares of the unit make of one expected move (of stock
    alone: over the stance's horizon; else up to the near expiry). Raises ValueError where the share is not positive.
    """

    of: Basis
    share: float

    def __post_init__(self) -> None:
        _require(self.of, Basis, "a figure")
        _require_number(self.share, "a share", 0.0)
        if not self.share > 0:
            raise ValueError(f"Expected a share above 0, was {self.share}")


@dataclass(frozen=True)
class Exits:
    """When to leave: at a profit of ``target``, at a loss of ``stop``, or ``days`` before the near expiry.

    Stock alone is left at the configured multiples of its expected move instead.
    """

    target: Share
    stop: Share
    days: int

    def __post_init__(self) -> None:
        for name in ("target", "stop"):
            if not isinstance(getattr(self, name), Share):
                raise ValueError(f"Expected a Share as {name}, was {getattr(self, name)!r}")  # noqa: TRY004
        _require_number(self.days, "days before the expiry", 0.0)


@dataclass(frozen=True)
class StrategySpec:
    """A strategy, declared: gnosis-ray picks the contracts, prices, sizes and describes the trade.

    Parameters
    ----------
    name
        The plug-in's; the setting ``trade.strategies`` names it.
    side
        The side of its ideas: ``long``, ``short`` or ``neutral``.
    legs
        In an order in which each rule finds the legs that it refers to.
    stances, volatility
        The stances and the states of volatility that it needs; an unknown state counts as ``fair``.
    prefers, likes, avoids
        States and tags (such as regimes) that add one point to the fit each, and those that take one off.
    forbids
        Tags under which it is never used.
    short_premium
        Whether it sells premium: it is then not used where an event is priced into the near expiries.
    min_reward
        The least maximum profit as a share of the maximum loss, where both are bounded.
    exits
        When to leave; of options only.
    last_resort
        Whether it is used only where no other strategy is left.
    because
        Why it suits, for the rationale of its ideas.

    Raises
    ------
    ValueError
        Where there is no leg, a strike depends on a leg that is not an earlier option, no option expires near, exits
        are missing for options or given for stock alone, or a word is unknown.

    Examples
    --------
    >>> import gnosis_ray as gr
    >>> rules = gr.strategies
    >>> spread = gr.StrategySpec(
    ...     name="wide_put_spread",
    ...     side="long",
    ...     legs=(
    ...         rules.LegRule("P", "sell", rules.AtDelta(0.3, 0.2, 0.4)),
    ...         rules.LegRule("P", "buy", rules.Beyond(0, -1.0)),
    ...     ),
    ...     stances=frozenset({"long"}),
    ...     short_premium=True,
    ...     exits=rules.Exits(rules.Share("max_profit", 0.5), rules.Share("premium", 1.5), days=7),
    ... )
    >>> spread.has_options, len(spread.legs)
    (True, 2)
    """

    name: str
    side: Side
    legs: tuple[LegRule, ...]
    stances: frozenset[Action]
    volatility: frozenset[VolatilityState] = EVERY_STATE
    prefers: frozenset[VolatilityState] = frozenset()
    likes: frozenset[str] = frozenset()
    avoids: frozenset[str] = frozenset()
    forbids: frozenset[str] = frozenset()
    short_premium: bool = False
    min_reward: float = 0.0
    exits: Exits | None = None
    last_resort: bool = False
    because: str = ""

    def __post_init__(self) -> None:
        _require(self.side, Side, "a side")
        for stance in self.stances:
            _require(stance, Action, "a stance")
        for state in self.volatility | self.prefers:
            _require(state, VolatilityState, "a state of volatility")
        _require_number(self.min_reward, f"min_reward of {self.name}", 0.0)
        self._require_legs()
        if self.has_options != (self.exits is not None):
            raise ValueError(f"Expected exits of {self.name} for options only, was {self.exits}")

    def require_usable(self) -> None:
        """Raises ValueError as making it does: for one that was changed since, or whose rules were."""
        for leg in self.legs:
            if leg.strike is not None and hasattr(leg.strike, "__post_init__"):
                leg.strike.__post_init__()
            leg.__post_init__()
        if self.exits is not None:
            for part in (self.exits, self.exits.target, self.exits.stop):
                part.__post_init__()
        self.__post_init__()

    def _require_legs(self) -> None:
        """Legs that can be found in their order, one of them in the near expiry."""
        if not self.legs:
            raise ValueError(f"Expected a leg of {self.name} at least, was none")
        for place, leg in enumerate(self.legs):
            for other in leg.refers_to:
                if not 0 <= other < place or self.legs[other].strike is None:
                    raise ValueError(f"Expected leg {place} of {self.name} to name earlier options, was leg {other}")
        options = [leg for leg in self.legs if leg.strike is not None]
        if options and all(leg.expiry == "far" for leg in options):
            raise ValueError(f"Expected an option of {self.name} in the near expiry, was none")

    @property
    def has_options(self) -> bool:
        """Whether any leg is an option."""
        return any(leg.instrument_type != "STOCK" for leg in self.legs)

    @property
    def needs_far(self) -> bool:
        """Whether any leg is of the far expiry."""
        return any(leg.expiry == "far" for leg in self.legs)

    def fit(self, state: VolatilityState | None, tags: frozenset[str]) -> int:
        """How many of the declared preferences are met, a hint by name included."""
        met = (state in self.prefers, bool(self.likes & tags), self.hinted(tags))
        return sum(met) - int(bool(self.avoids & tags))

    def hinted(self, tags: frozenset[str]) -> bool:
        """Whether the composer names it."""
        return f"use_{self.name}" in tags
