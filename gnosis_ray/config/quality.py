"""From where on ``gnosis-ray data verify`` calls market data odd."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from gnosis_ray.config.section import Section


class ChainQuality(Section):
    """Thresholds of option chains."""

    min_contracts: PositiveInt
    min_two_sided: float = Field(ge=0, le=1)
    min_open_interest_per_contract: PositiveFloat
    max_implied_vol: PositiveFloat
    intrinsic_tolerance: PositiveFloat
    intrinsic_max_days: PositiveInt
    max_spot_gap: PositiveFloat
    stale_share: float = Field(gt=0, le=1)
    min_kept: float = Field(ge=0, le=1)


class BarQuality(Section):
    """Thresholds of daily bars."""

    min_history: PositiveInt
    max_sessions_behind: PositiveInt
    split_tolerance: PositiveFloat
    outlier_scales: PositiveFloat
    outlier_move: PositiveFloat
    outlier_window: PositiveInt
    adjustment_jump: PositiveFloat


class TapeQuality(Section):
    """Thresholds of trades and quotes."""

    max_spread: PositiveFloat
    max_silence_minutes: PositiveFloat
    outlier_distance: PositiveFloat
    outlier_window: PositiveInt


class NewsQuality(Section):
    """Thresholds of news."""

    late_hours: PositiveFloat


class QualityConfig(Section):
    """All thresholds of ``gnosis-ray data verify``."""

    chains: ChainQuality
    bars: BarQuality
    tape: TapeQuality
    news: NewsQuality
