"""The base class and common types of the settings. Every number has bounds: beyond them is a slip, or a wrong unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from gnosis_ray.config.refusals import described_faults, unknown_setting
from gnosis_ray.errors import ConfigError
from gnosis_ray.schemas.expectations import was

T = TypeVar("T")

Fraction = Annotated[float, Field(ge=0, le=1)]
PositiveFraction = Annotated[float, Field(gt=0, le=1)]
InnerFraction = Annotated[float, Field(gt=0, lt=1)]
Ratio = Annotated[float, Field(gt=0, le=10_000)]
"""A scale, a multiple or a threshold without a unit of its own."""
NonNegativeRatio = Annotated[float, Field(ge=0, le=10_000)]
Window = Annotated[float, Field(gt=0, le=5)]
"""A distance as a share of a price, or as a difference of logarithms."""
Quantity = Annotated[float, Field(gt=0, le=1e12)]
"""Contracts, shares, or dollars traded."""
NonNegativeQuantity = Annotated[float, Field(ge=0, le=1e12)]
Dollars = Annotated[float, Field(gt=0, le=1e12)]
NonNegativeDollars = Annotated[float, Field(ge=0, le=1e12)]
Rate = Annotated[float, Field(ge=-0.1, le=0.5)]
"""A rate of interest a year: 0.04 is 4%."""
Days = Annotated[float, Field(gt=0, le=3_650)]
NonNegativeDays = Annotated[float, Field(ge=0, le=36_500)]
Hours = Annotated[float, Field(gt=0, le=8_760)]
Minutes = Annotated[float, Field(gt=0, le=10_080)]
NonNegativeMinutes = Annotated[float, Field(ge=0, le=10_080)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
NonNegativeSeconds = Annotated[float, Field(ge=0, le=86_400)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
SmallCount = Annotated[int, Field(ge=1, le=1_000)]
Megabytes = Annotated[int, Field(ge=1, le=10_000_000)]

Sign = Annotated[Literal[-1, 1], BeforeValidator(lambda value: int(value) if value in ("-1", "1") else value)]
"""-1 or 1; environment variables give it as text."""


def _printable(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("a text of printable characters")
    return text


def each_once(names: tuple[T, ...]) -> tuple[T, ...]:
    """The same names. Raises ValueError where one comes twice."""
    if len(set(names)) < len(names):
        raise ValueError("each name once")
    return names


Text = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Names = Annotated[tuple[Text, ...], Field(min_length=1, max_length=1_000), AfterValidator(each_once)]


class Section(BaseModel):
    """A frozen part of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_word_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """``true`` would be taken for 1."""
        if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation in (int, float):
            raise ValueError("a number")
        return value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, never with an ``update``: Pydantic would not validate it. :meth:`replaced` does."""
        if update is not None:
            raise TypeError(f"Expected {type(self).__name__}.replaced(...), was model_copy(update=...)")
        return super().model_copy(deep=deep)

    def replaced(self, **changes: Any) -> Self:
        """The same settings with some values changed; the only way to change settings in code.

        ``config.replaced(data={"provider": "store"}, run={"batch_size": 8})``: of a section, a mapping names what
        changes in it. Everything is validated as if it had been read from a file. Raises :class:`ConfigError` naming
        the setting, what was expected and what was found.
        """
        return self._replaced(changes, "")

    def _replaced(self, changes: Mapping[Any, Any], prefix: str) -> Self:
        """``prefix``: the dotted place of this section within the one that was asked, for errors."""
        known = type(self).model_fields
        values = {name: getattr(self, name) for name in known}
        for name, change in changes.items():
            if name not in known:
                raise ConfigError(unknown_setting(f"{prefix}{name}", "change", [f"{prefix}{one}" for one in known]))
            current = values[name]
            if isinstance(current, Section) and isinstance(change, Mapping):
                values[name] = current._replaced(change, f"{prefix}{name}.")
            elif isinstance(current, Section) and not isinstance(change, type(current)):
                raise ConfigError(f"{prefix}{name}: Expected settings by name, as {{name: value}}, was {was(change)}")
            else:
                values[name] = change
        try:
            return type(self).model_validate(values)
        except ValidationError as error:
            faults = described_faults(error, type(self), prefix)
            raise ConfigError(f"Unusable setting of {type(self).__name__}. {faults}") from error
