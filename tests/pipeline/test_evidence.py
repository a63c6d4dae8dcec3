"""The evidence behind records is the same however a batch is cut and wherever its components are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config
from gnosis_ray.ledger.evidence import EVIDENCE
from gnosis_ray.ledger.tables import BATCH_TABLES
from gnosis_ray.market.adapters import MarketAdapter
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at, panel_keys
from gnosis_ray.pipeline.batch_pass import BatchOutcome, BatchPass, PipelineComponents
from gnosis_ray.pipeline.component_proxies import COMPOSER, TRADE_AGENT, ProxyComponents, agent_role
from gnosis_ray.schemas.core_schemas import LedgerRecord
from tests.pipeline.test_batch_pass import FaultyComponents

SYMBOLS = [f"SYN{i:02d}" for i in range(12)]


@pytest.fixture(scope="module")
def adapter(config: Config, market_calendar: SessionCalendar) -> MarketAdapter:
    return build_adapter(config, market_calendar)


@pytest.fixture(scope="module")
def whole(adapter: MarketAdapter, config: Config) -> BatchOutcome:
    return passed(ConfiguredComponents(config), adapter, config)


def passed(
    components: PipelineComponents, adapter: MarketAdapter, config: Config, symbols: list[str] = SYMBOLS
) -> BatchOutcome:
    return BatchPass(components, adapter, config).run(keys_at(symbols, config.data.synthetic.as_of))


def assert_same_evidence(left: BatchOutcome, right: BatchOutcome, *, check_exact: bool = True) -> None:
    assert left.evidence.keys() == right.evidence.keys() == EVIDENCE.keys()
    for name in EVIDENCE:
        one, other = (outcome.evidence[name].sort(BATCH_TABLES[name].sort_key) for outcome in (left, right))
        assert_frame_equal(one, other, check_exact=check_exact, rel_tol=1e-9, abs_tol=1e-9)


def test_every_table_has_its_columns_and_rows(whole: BatchOutcome) -> None:
    for name, schema in EVIDENCE.items():
        assert whole.evidence[name].schema == schema
        assert not whole.evidence[name].is_empty(), name


def test_symbols_one_by_one_have_the_evidence_of_the_batch(
    whole: BatchOutcome, adapter: MarketAdapter, config: Config
) -> None:
    singles = [passed(ConfiguredComponents(config), adapter, config, [symbol]) for symbol in SYMBOLS]
    assert_same_evidence(BatchOutcome.merged(singles), whole)


def test_components_in_other_processes_give_the_same_evidence(
    whole: BatchOutcome, adapter: MarketAdapter, config: Config
) -> None:
    components = ConfiguredComponents(config)

    def of(component: Any) -> Callable[..., Any]:
        return lambda method, *arguments: getattr(component, method)(*arguments)

    agents = zip(config.agents.enabled, components.primary_agents(), strict=True)
    callers: Mapping[str, Callable[..., Any]] = {
        **{engine.kind: of(engine) for engine in components.engines(adapter)},
        **{agent_role(name): of(agent) for name, agent in agents},
        COMPOSER: of(components.composer()),
        TRADE_AGENT: of(components.trade_agent(adapter)),
    }
    proxies = ProxyComponents(components, tuple(config.agents.enabled), callers)
    assert_same_evidence(passed(proxies, adapter, config), whole)


def test_a_panel_has_the_evidence_of_its_moments(adapter: MarketAdapter, config: Config) -> None:
    now = config.data.synthetic.as_of
    moments = [now - timedelta(days=1), now]
    run = BatchPass(ConfiguredComponents(config), adapter, config).run
    each = BatchOutcome.merged([run(panel_keys(SYMBOLS[:3], [moment])) for moment in moments])
    assert_same_evidence(run(panel_keys(SYMBOLS[:3], moments)), each, check_exact=False)


def test_a_symbol_that_failed_leaves_no_evidence(adapter: MarketAdapter, config: Config) -> None:
    faulty = FaultyComponents(config, engine=frozenset({"SYN02"}), agent=frozenset({"SYN05"}))
    outcome = passed(faulty, adapter, config)
    assert {failure.symbol for failure in outcome.failures} == {"SYN02", "SYN05"}
    for name, frame in outcome.evidence.items():
        assert frame.filter(pl.col("symbol").is_in(["SYN02", "SYN05"])).is_empty(), name


def test_legs_and_payoffs_are_those_of_the_ideas(whole: BatchOutcome) -> None:
    legs = {(idea.id, i) for idea in ideas(whole.records) for i, leg in enumerate(idea.legs) if leg.strike is not None}
    assert set(whole.evidence["leg_quotes"].select("idea_id", "leg").rows()) == legs
    for idea in ideas(whole.records):
        points = whole.evidence["payoffs"].filter(idea_id=idea.id)
        last = points.filter(pl.col("line") == pl.col("line").max())
        assert last["value"].max() == pytest.approx(idea.max_profit)
        assert -last["value"].to_numpy().min() == pytest.approx(idea.max_loss)


def ideas(records: list[LedgerRecord]) -> list[Any]:
    return [idea for record in records for idea in record.trade_ideas]
