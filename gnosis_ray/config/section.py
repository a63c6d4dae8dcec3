"""The base class and common types of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gnosis_ray.errors import ConfigError

Fraction = Annotated[float, Field(ge=0, le=1)]

Sign = Annotated[Literal[-1, 1], BeforeValidator(lambda value: {"-1": -1, "1": 1}.get(value, value))]
"""-1 or 1; environment variables give it as text."""


class Section(BaseModel):
    """A frozen part of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
        values = {name: getattr(self, name) for name in type(self).model_fields}
        for name, change in changes.items():
            current = values.get(name)
            if isinstance(current, Section) and isinstance(change, Mapping):
                values[name] = current.replaced(**change)
            else:
                values[name] = change
        try:
            return type(self).model_validate(values)
        except ValidationError as error:
            faults = [f"{'.'.join(map(str, f['loc']))}: {f['msg']}; found {f['input']!r}" for f in error.errors()]
            raise ConfigError(f"Unusable setting of {type(self).__name__}. {' | '.join(faults)}") from error
