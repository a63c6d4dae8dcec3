"""What every part of the settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, NonNegativeFloat

Fraction = NonNegativeFloat


class Section(BaseModel):
    """A frozen part of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
