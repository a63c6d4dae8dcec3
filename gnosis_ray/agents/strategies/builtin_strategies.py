"""The built-in strategies. Deltas and widths are desk customs, stated here once; none is fitted.

Short strikes of credit spreads stand near .25 to .30 delta, those of condors near .20; long options near .35.
"""

from __future__ import annotations

from gnosis_ray.agents.strategies.strategy_spec import (
    AtDelta,
    AtForward,
    Beyond,
    Exits,
    LegRule,
    Mirror,
    SameStrike,
    SameWidth,
    Share,
    StrategySpec,
)

LONG_OPTION = AtDelta(0.35, 0.25, 0.42)
DEBIT_LONG = AtDelta(0.45, 0.33, 0.58)
CREDIT_SHORT = AtDelta(0.28, 0.18, 0.38)
CONDOR_SHORT = AtDelta(0.20, 0.12, 0.28)
STRANGLE_LONG = AtDelta(0.25, 0.18, 0.35)

EASY_UP = frozenset({"low_resistance", "asymmetric_up", "gamma_squeeze", "one_sided_flow"})
EASY_DOWN = frozenset({"low_resistance", "asymmetric_down", "one_sided_flow"})
HARD = frozenset({"high_resistance", "pin", "high_liquidity"})
WILD = frozenset({"low_resistance", "thin_liquidity", "news_shock"})
SQUEEZE = frozenset({"gamma_squeeze"})

OPTION_EXITS = Exits(Share("premium", 1.0), Share("premium", 0.5), days=7)
DEBIT_EXITS = Exits(Share("max_profit", 0.7), Share("premium", 0.5), days=5)
CREDIT_EXITS = Exits(Share("max_profit", 0.5), Share("premium", 1.5), days=7)
STRADDLE_EXITS = Exits(Share("premium", 0.5), Share("premium", 0.4), days=10)

BUILTIN_STRATEGIES: tuple[StrategySpec, ...] = (
    StrategySpec(
        name="long_call",
        side="long",
        legs=(LegRule("C", "buy", LONG_OPTION),),
        stances=frozenset({"long"}),
        volatility=frozenset({"cheap", "fair"}),
        prefers=frozenset({"cheap"}),
        likes=EASY_UP,
        exits=OPTION_EXITS,
        because="a rise is bought outright while volatility is not dear",
    ),
    StrategySpec(
        name="long_put",
        side="short",
        legs=(LegRule("P", "buy", LONG_OPTION),),
        stances=frozenset({"short"}),
        volatility=frozenset({"cheap", "fair"}),
        prefers=frozenset({"cheap"}),
        likes=EASY_DOWN,
        exits=OPTION_EXITS,
        because="a fall is bought outright while volatility is not dear",
    ),
    StrategySpec(
        name="call_debit_spread",
        side="long",
        legs=(LegRule("C", "buy", DEBIT_LONG), LegRule("C", "sell", Beyond(0, 0.75))),
        stances=frozenset({"long"}),
        prefers=frozenset({"fair"}),
        likes=HARD,
        min_reward=0.6,
        exits=DEBIT_EXITS,
        because="a rise at a price that the sold call helps to pay",
    ),
    StrategySpec(
        name="put_debit_spread",
        side="short",
        legs=(LegRule("P", "buy", DEBIT_LONG), LegRule("P", "sell", Beyond(0, -0.75))),
        stances=frozenset({"short"}),
        prefers=frozenset({"fair"}),
        likes=HARD,
        min_reward=0.6,
        exits=DEBIT_EXITS,
        because="a fall at a price that the sold put helps to pay",
    ),
    StrategySpec(
        name="bull_put_spread",
        side="long",
        legs=(LegRule("P", "sell", CREDIT_SHORT), LegRule("P", "buy", Beyond(0, -0.6))),
        stances=frozenset({"long"}),
        volatility=frozenset({"fair", "rich"}),
        prefers=frozenset({"rich"}),
        likes=HARD,
        short_premium=True,
        min_reward=0.2,
        exits=CREDIT_EXITS,
        because="dear puts are sold below a price that is meant to hold",
    ),
    StrategySpec(
        name="bear_call_spread",
        side="short",
        legs=(LegRule("C", "sell", CREDIT_SHORT), LegRule("C", "buy", Beyond(0, 0.6))),
        stances=frozenset({"short"}),
        volatility=frozenset({"fair", "rich"}),
        prefers=frozenset({"rich"}),
        likes=HARD,
        forbids=SQUEEZE,
        short_premium=True,
        min_reward=0.2,
        exits=CREDIT_EXITS,
        because="dear calls are sold above a price that is meant to hold",
    ),
    StrategySpec(
        name="covered_call",
        side="long",
        legs=(LegRule("STOCK", "buy", ratio=100), LegRule("C", "sell", CREDIT_SHORT)),
        stances=frozenset({"long"}),
        volatility=frozenset({"rich"}),
        likes=frozenset({"high_resistance"}),
        avoids=EASY_UP,
        short_premium=True,
        exits=Exits(Share("max_profit", 0.8), Share("expected_move", 1.5), days=5),
        because="shares are held and the dear upside is sold",
    ),
    StrategySpec(
        name="iron_condor",
        side="neutral",
        legs=(
            LegRule("P", "sell", CONDOR_SHORT),
            LegRule("P", "buy", Beyond(0, -0.6)),
            LegRule("C", "sell", CONDOR_SHORT),
            LegRule("C", "buy", SameWidth(2, low=1, high=0)),
        ),
        stances=frozenset({"spread", "flat"}),
        volatility=frozenset({"rich"}),
        prefers=frozenset({"rich"}),
        likes=HARD,
        avoids=WILD,
        forbids=SQUEEZE,
        short_premium=True,
        min_reward=0.25,
        exits=Exits(Share("max_profit", 0.5), Share("premium", 1.0), days=7),
        because="dear volatility is sold on both sides of a price that dealers hold",
    ),
    StrategySpec(
        name="butterfly",
        side="neutral",
        legs=(
            LegRule("C", "sell", AtForward(), ratio=2),
            LegRule("C", "buy", Beyond(0, -0.9)),
            LegRule("C", "buy", Mirror(1, 0)),
        ),
        stances=frozenset({"spread", "flat"}),
        volatility=frozenset({"fair", "rich"}),
        likes=frozenset({"pin"}),
        avoids=WILD,
        forbids=SQUEEZE,
        short_premium=True,
        min_reward=1.0,
        exits=Exits(Share("max_profit", 0.4), Share("premium", 0.5), days=5),
        because="the price is meant to end where it is",
    ),
    StrategySpec(
        name="calendar_spread",
        side="neutral",
        legs=(LegRule("C", "sell", AtForward()), LegRule("C", "buy", SameStrike(0), expiry="far")),
        stances=frozenset({"spread", "complex", "flat"}),
        volatility=frozenset({"cheap", "fair"}),
        prefers=frozenset({"fair"}),
        likes=HARD,
        avoids=WILD,
        forbids=SQUEEZE,
        short_premium=True,
        min_reward=0.3,
        exits=Exits(Share("premium", 0.3), Share("premium", 0.4), days=3),
        because="time is sold where it runs fastest and bought where volatility is not dear",
    ),
    StrategySpec(
        name="long_straddle",
        side="neutral",
        legs=(LegRule("C", "buy", AtForward()), LegRule("P", "buy", SameStrike(0))),
        stances=frozenset({"complex", "flat"}),
        volatility=frozenset({"cheap", "fair"}),
        prefers=frozenset({"cheap"}),
        likes=frozenset({"low_resistance", "news_shock"}),
        avoids=HARD,
        exits=STRADDLE_EXITS,
        because="a move either way is bought while volatility is not dear",
    ),
    StrategySpec(
        name="long_strangle",
        side="neutral",
        legs=(LegRule("P", "buy", STRANGLE_LONG), LegRule("C", "buy", STRANGLE_LONG)),
        stances=frozenset({"complex", "flat"}),
        volatility=frozenset({"cheap", "fair"}),
        prefers=frozenset({"cheap"}),
        likes=frozenset({"gamma_squeeze", "thin_liquidity", "one_sided_flow"}),
        avoids=HARD,
        exits=STRADDLE_EXITS,
        because="a large move either way is bought while volatility is not dear",
    ),
    StrategySpec(
        name="long_stock",
        side="long",
        legs=(LegRule("STOCK", "buy"),),
        stances=frozenset({"long"}),
        last_resort=True,
        because="no option trade was left",
    ),
    StrategySpec(
        name="short_stock",
        side="short",
        legs=(LegRule("STOCK", "sell"),),
        stances=frozenset({"short"}),
        last_resort=True,
        because="no option trade was left",
    ),
)
"""In the order of the default setting."""
