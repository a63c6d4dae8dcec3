"""What every part of the settings is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]

Sign = Annotated[Literal[-1, 1], BeforeValidator(lambda value: {"-1": -1, "1": 1}.get(value, value))]
"""A direction; the environment says it as text."""


class Section(BaseModel):
    """A frozen part of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
