"""What components return is validated where the pipeline takes it: they are code of others, or over data of others.

A model that was built without validation, or changed after it, is refused here as one of the wrong type is. Each check
returns what was given, validated and without what later changes to the original could reach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import polars as pl
from pydantic import BaseModel, ValidationError

from gnosis_ray.agents.base import TradeDecision
from gnosis_ray.engines.base import META_PREFIX, EngineFrames, FrameEngine
from gnosis_ray.errors import StageError
from gnosis_ray.market.columns import DETAILS, HEADLINES, KEYS, UTC_TIME
from gnosis_ray.market.frame_faults import column_fault, finite_fault, key_fault, number_fault
from gnosis_ray.schemas.core_schemas import EngineOutput, FrozenModel, Suggestion, TradeIdea, TradeLeg
from gnosis_ray.schemas.expectations import expected, place, was

M = TypeVar("M", bound=FrozenModel)


def checked_output(found: object, symbol: str, now: datetime) -> EngineOutput:
    """An engine's output about this symbol and moment. Raises :class:`StageError` saying what is wrong."""
    output = _validated(EngineOutput, found)
    _require_about(output.symbol, output.timestamp, symbol, now)
    return output


def checked_suggestion(found: object, symbol: str, now: datetime, **stamped: object) -> Suggestion:
    """A stance on this symbol, with its moment filled in where none is stated; ``stamped`` takes the place of fields.

    Raises :class:`StageError` saying what is wrong.
    """
    if getattr(found, "timestamp", None) is None:
        stamped["timestamp"] = now
    suggestion = _validated(Suggestion, found, stamped)
    _require_about(suggestion.symbol, suggestion.timestamp, symbol, now)
    if not suggestion.layer:
        raise StageError("Expected a Suggestion with a layer, was ''")
    return suggestion


def checked_decision(found: object, symbol: str, now: datetime) -> TradeDecision:
    """A trade agent's ideas about this symbol, and its reasons. Raises :class:`StageError` saying what is wrong."""
    if not isinstance(found, TradeDecision):
        raise StageError(f"Expected a TradeDecision, was {was(found)}")
    if not (found.dropped is None or isinstance(found.dropped, str)):
        raise StageError(f"Expected a reason as text in TradeDecision.dropped, was {was(found.dropped)}")
    if not isinstance(found.considered, Mapping) or not _all_text(found.considered):
        raise StageError(f"Expected outcomes by strategy in TradeDecision.considered, was {was(found.considered)}")
    return TradeDecision(checked_ideas(found.ideas, symbol, now), found.dropped, dict(found.considered))


def checked_ideas(found: object, symbol: str, now: datetime) -> list[TradeIdea]:
    """Costed ideas about this symbol. Raises :class:`StageError` saying what is wrong."""
    if not isinstance(found, list | tuple):
        raise StageError(f"Expected a list of TradeIdea, was {was(found)}")
    ideas = [_checked_idea(one, symbol, now) for one in found]
    ids = [idea.id for idea in ideas]
    if len(set(ids)) < len(ids):
        raise StageError(f"Expected an id of its own for each TradeIdea, was {', '.join(ids)}")
    return ideas


def _checked_idea(found: object, symbol: str, now: datetime) -> TradeIdea:
    legs = getattr(found, "legs", None)
    if not isinstance(legs, list) or not legs:
        raise StageError(f"Expected a TradeIdea with a list of legs, was {was(found if legs is None else legs)}")
    idea = _validated(TradeIdea, found, {"legs": [_checked_leg(leg, now) for leg in legs]})
    if idea.symbol != symbol:
        raise StageError(f"Expected a TradeIdea of {symbol}, was one of {idea.symbol}")
    return idea


def _checked_leg(found: object, now: datetime) -> TradeLeg:
    leg = _validated(TradeLeg, found)
    stated = leg.strike is not None and leg.expiry is not None
    if stated != (leg.instrument_type != "STOCK") or (leg.strike is None) != (leg.expiry is None):
        raise StageError(f"Expected strike and expiry for an option, and neither for stock, was {was(leg)}")
    if leg.expiry is not None and _day(leg.expiry) < now.date():
        raise StageError(f"Expected an expiry from {now.date()} on, was {leg.expiry}")
    return leg


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise StageError(f"Expected an expiry such as 2026-08-21, was {text}") from error


def checked_frames(found: object, engine: FrameEngine, keys: pl.DataFrame) -> EngineFrames:
    """An engine's rows, one a key. Raises :class:`StageError` naming the column and the first key at fault."""
    if not isinstance(found, EngineFrames):
        raise StageError(f"Expected EngineFrames, was {was(found)}")
    numbers = [*(spec.name for spec in engine.features), "confidence"]
    fault = (
        column_fault(found.features, pl.Schema({**KEYS, **dict.fromkeys(numbers, pl.Float64())}))
        or _text_fault(found.features)
        or key_fault(found.features, keys)
        or number_fault(found.features, numbers)
        or number_fault(found.features, ["confidence"], 0.0, 1.0)
        or _null_fault(found.features)
        or _part_fault("details", found.details, DETAILS, keys)
        or _part_fault("headlines", found.headlines, HEADLINES, keys)
    )
    if fault is not None:
        raise StageError(fault)
    return found


def _text_fault(features: pl.DataFrame) -> str | None:
    texts = [name for name in features.columns if name == "regime" or name.startswith(META_PREFIX)]
    if "regime" not in texts:
        return "Expected a column regime of text, was none"
    held = [name for name in texts if features.schema[name] != pl.Null()]
    return column_fault(features, pl.Schema(dict.fromkeys(held, pl.String())))


def _null_fault(features: pl.DataFrame) -> str | None:
    odd = features.filter(pl.col("confidence").is_null())
    return f"Expected a confidence for every key, was null for {odd['symbol'][0]}" if odd.height else None


def _part_fault(part: str, frame: object, schema: pl.Schema, keys: pl.DataFrame) -> str | None:
    fault = column_fault(frame, schema)
    if fault is None and isinstance(frame, pl.DataFrame) and frame.height:
        strangers = frame.select(KEYS.names()).unique().join(keys, on=KEYS.names(), how="anti")
        fault = finite_fault(frame)
        if strangers.height:
            fault = f"Expected rows of the keys asked for, was one of {strangers['symbol'].sort()[0]}"
    return None if fault is None else f"{part}: {fault}"


def require_known(data: object, now: datetime) -> None:
    """Raise :class:`StageError` where an engine read a row that became known after ``now``: look-ahead."""
    if not isinstance(data, Mapping):
        raise StageError(f"Expected tables by name of FrameEngine.load, was {was(data)}")
    for name, frame in data.items():
        if not isinstance(frame, pl.DataFrame) or frame.schema.get("known_at") != UTC_TIME:
            continue  # a table of the engine's own
        latest = frame["known_at"].max()
        if isinstance(latest, datetime) and latest > now:
            raise StageError(f"Expected nothing known after {now} in {name}, was known_at {latest}: look-ahead")


def contents(model: BaseModel) -> dict[str, Any]:
    """The fields of a model, with copies of those that can be changed: to be compared with a later state of it."""
    return {name: value.copy() if isinstance(value, dict | list) else value for name, value in vars(model).items()}


def require_unchanged(models: Sequence[BaseModel], before: Sequence[Mapping[str, Any]]) -> None:
    """Raise :class:`StageError` where a component changed what it was given: others read it too."""
    for model, own in zip(models, before, strict=True):
        for name, value in own.items():
            if getattr(model, name) != value:
                raise StageError(f"Expected the {type(model).__name__} to be left as it is, was changed in {name}")


def _validated(model: type[M], found: object, stamped: Mapping[str, object] | None = None) -> M:
    if not isinstance(found, model):
        raise StageError(f"Expected a {model.__name__}, was {was(found)}")
    own = vars(found)
    if type(found) is not model:  # a model of its own kept under ours: what it adds has no place in a ledger
        own = {name: value for name, value in own.items() if name in model.model_fields}
    try:
        return model.model_validate({**own, **stamped} if stamped else own, strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise StageError(
            f"{model.__name__}.{place(fault)}: Expected {expected(fault)}, was {was(fault['input'])}"
        ) from error


def _require_about(symbol: str, moment: datetime | None, wanted: str, now: datetime) -> None:
    if symbol != wanted:
        raise StageError(f"Expected an answer about {wanted}, was one about {symbol}")
    if moment != now:
        raise StageError(f"Expected an answer as of {now}, was one as of {moment}")


def _all_text(values: Mapping[Any, Any]) -> bool:
    return all(isinstance(name, str) and isinstance(value, str) for name, value in values.items())
