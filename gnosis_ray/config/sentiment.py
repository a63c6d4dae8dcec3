"""Settings of the sentiment engine; explained where set, in ``default.yaml``."""

from __future__ import annotations

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from gnosis_ray.config.section import Fraction, Section


class NewsVoiceConfig(Section):
    """How headlines and posts are weighed."""

    lookback_hours: PositiveInt
    half_life_hours: PositiveFloat
    body_weight: float = Field(ge=0, le=1)
    body_characters: PositiveInt
    max_symbols: PositiveInt
    half_confidence_weight: PositiveFloat
    default_source_weight: Fraction
    source_weights: dict[str, NonNegativeFloat]
    """By lower-case name of the source."""


class FlowVoiceConfig(Section):
    """How the day's option volume is read."""

    moneyness_window: PositiveFloat
    max_dte: PositiveFloat
    call_share: float = Field(gt=0, lt=1)
    delta_call_share: float = Field(gt=0, lt=1)
    unusual_call_share: float = Field(gt=0, lt=1)
    log_odds_scale: PositiveFloat
    prior_contracts: PositiveFloat
    unusual_multiple: PositiveFloat
    unusual_min_volume: PositiveFloat
    min_open_interest_coverage: Fraction
    half_confidence_volume: PositiveFloat
    max_confidence: float = Field(gt=0, le=1)
    stale_session_decay: float = Field(gt=0, le=1)


class TechnicalVoiceConfig(Section):
    """How indicators become a mood."""

    rsi_span: PositiveFloat
    max_confidence: float = Field(gt=0, le=1)
    max_bar_age_days: PositiveFloat
    stale_confidence: float = Field(ge=0, le=1)


class SentimentConfig(Section):
    """The voices, and when the fused mood counts as news, as mixed or as quiet."""

    processors: tuple[str, ...] = Field(min_length=1)
    news: NewsVoiceConfig
    flow: FlowVoiceConfig
    technical: TechnicalVoiceConfig
    news_threshold: PositiveFloat
    quiet_energy: PositiveFloat
