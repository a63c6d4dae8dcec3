"""The ideas of a run, ranked and filtered: as a table for people, as columns that keep their names for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click
import polars as pl

from gnosis_ray.charts.number_formats import plural
from gnosis_ray.cli.console import emit, stderr
from gnosis_ray.cli.options import CountParam, Format, NumberParam
from gnosis_ray.errors import ConfigError, nearest_hint
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.plugins import BUILT_IN, installed_plugins
from gnosis_ray.report.ranking import ideas_frame
from gnosis_ray.schemas.run_schemas import RunReceipt

FC = TypeVar("FC", bound=Callable[..., Any])

FIGURES = frozenset({"confidence", "probability_of_profit", "score", "cost_usd", "max_loss_usd", "expected_usd"})
"""Text columns of the table that hold figures."""

SPARE = ("probability_of_profit", "cost_usd", "strategy_type", "expected_usd", "confidence", "side")
"""Columns that a narrow terminal does without, the first first; symbol, score, maximum loss and trade stay."""

MOST_SHOWN = 1_000_000


@dataclass(frozen=True)
class IdeaFilter:
    """Which ideas of a run to show. ``top`` 0 keeps all; no strategy or side keeps every one."""

    top: int = 0
    strategies: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    min_confidence: float = 0.0

    def applied_to(self, ideas: pl.DataFrame) -> pl.DataFrame:
        """The ideas that pass, in their order."""
        wanted = pl.col("confidence") >= self.min_confidence
        if self.strategies:
            wanted &= pl.col("strategy_type").is_in(self.strategies)
        if self.sides:
            wanted &= pl.col("side").is_in(self.sides)
        passed = ideas.filter(wanted)
        return passed.head(self.top) if self.top else passed


def require_strategies(wanted: Sequence[str], of_run: Iterable[str] = ()) -> None:
    """Refuse to filter by what is no strategy: not built in, not installed, not among ``of_run``.

    Raises :class:`ConfigError` naming the nearest one.
    """
    added = [plugin.name for plugin in installed_plugins() if plugin.kind == "strategies"]
    known = list(dict.fromkeys([*BUILT_IN["strategies"], *added, *of_run]))
    for name in wanted:
        if name not in known:
            raise ConfigError(f"--strategy: unknown strategy '{name}'. {nearest_hint(name, known)}")


def filter_options(command: FC) -> FC:
    """``--top``, ``--strategy``, ``--side``, ``--min-confidence``."""
    options = (
        click.option(
            "--top",
            type=CountParam(0, MOST_SHOWN),
            default=20,
            show_default=True,
            help="How many ideas to show (0: all).",
        ),
        click.option(
            "--strategy", "strategies", multiple=True, metavar="NAME", help="Only this strategy; may be repeated."
        ),
        click.option(
            "--side",
            "sides",
            multiple=True,
            type=click.Choice(["long", "short", "neutral"]),
            help="Only this side; may be repeated.",
        ),
        click.option("--min-confidence", type=NumberParam(0, 1), default=0.0, help="Least confidence of an idea."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def emit_ideas(store: LedgerStore, receipt: RunReceipt, wanted: IdeaFilter, format_: Format, title: str) -> None:
    """Write the ideas of a run to stdout; without any, no table is printed and the summary has the reasons."""
    ranked = ideas_frame(store.read("trade_ideas", receipt.run_id), receipt)
    shown = wanted.applied_to(ranked)
    if format_ != "table":
        emit(shown, format_, title)
    elif not shown.is_empty():
        emit(_readable(shown), format_, title, FIGURES, SPARE)
    if shown.is_empty() and not ranked.is_empty():
        count = plural(len(ranked), "idea")
        stderr.print(f"None of {count} passes the filters; strategies there are: {_strategies(ranked)}")


def _readable(ideas: pl.DataFrame) -> pl.DataFrame:
    expected = pl.col("expected_value_usd") + pl.col("expected_edge_usd")
    loss = pl.col("max_loss_usd")
    return ideas.select(
        "symbol",
        "side",
        _percent("confidence"),
        _fixed(pl.col("score"), 3).alias("score"),
        _percent("probability_of_profit"),
        expected_usd=_dollars(expected),
        cost_usd=_dollars(pl.col("cost_usd")),
        max_loss_usd=pl.when(loss.is_infinite()).then(pl.lit("unbounded")).otherwise(_dollars(loss)),
        strategy_type=pl.col("strategy_type"),
        trade=pl.col("trade"),
    )


def _percent(name: str) -> pl.Expr:
    """A share as text in percent, as reports write it; machines get the fraction."""
    return pl.col(name).map_elements(lambda share: f"{share:.0%}", return_dtype=pl.String)


def _dollars(amount: pl.Expr) -> pl.Expr:
    return _fixed(amount, 0)


def _fixed(figure: pl.Expr, digits: int) -> pl.Expr:
    """As text of so many decimals; what rounds to zero has no sign (the ``z`` of PEP 682)."""
    return figure.map_elements(lambda value: f"{value:z,.{digits}f}", return_dtype=pl.String)


def _strategies(ideas: pl.DataFrame) -> str:
    counted = ideas["strategy_type"].value_counts().sort(["count", "strategy_type"], descending=[True, False])
    return ", ".join(f"{name} {count}" for name, count in counted.iter_rows())
