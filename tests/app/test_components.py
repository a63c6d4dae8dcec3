"""The wired parts find in the synthetic market what was planted there."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from gnosis_ray.app.components import ConfiguredComponents
from gnosis_ray.app.features import feature_specs
from gnosis_ray.app.sources import build_adapter
from gnosis_ray.config import Config
from gnosis_ray.data.synthetic import GroundTruth, SyntheticSource
from gnosis_ray.engines.hedge.hedge_engine_v3 import HedgeEngineV3
from gnosis_ray.ledger.ledger_store import LedgerStore
from gnosis_ray.market.calendar import SessionCalendar
from gnosis_ray.market.keys import keys_at
from tests.support.scans import manifest_of, work

NAMES = [f"PLANT{i:03d}" for i in range(150)]
Found = list[tuple[dict[str, float | str | None], GroundTruth]]


@pytest.fixture(scope="module", params=[0, 45], ids=["at the close", "in a session"])
def found(request: pytest.FixtureRequest, config: Config, market_calendar: SessionCalendar) -> Found:
    """What the hedge engine measures of each symbol, and what was planted; also in the middle of a session."""
    now: datetime = config.data.synthetic.as_of - timedelta(days=request.param, hours=3 if request.param else 0)
    adapter = build_adapter(config, market_calendar)
    source = adapter.source
    assert isinstance(source, SyntheticSource)
    features = HedgeEngineV3(adapter, config.engines.hedge).frames(keys_at(NAMES, now)).features
    return [(row, source.ground_truth(row["symbol"], now)) for row in features.iter_rows(named=True)]


def test_walls_are_where_they_were_planted(found: Found) -> None:
    for row, truth in found:
        assert (row["spot"], row["call_wall"], row["put_wall"]) == (truth.spot, truth.call_wall, truth.put_wall)


def test_net_gamma_has_the_planted_sign(found: Found) -> None:
    """Of a balanced book the net is a small part of the gross."""
    for row, truth in found:
        net, gross = row["gex_usd_per_pct"], row["gex_gross_usd_per_pct"]
        assert isinstance(net, float)
        assert isinstance(gross, float)
        if truth.gamma_sign == 0:
            assert abs(net) < 0.05 * gross, row["symbol"]
        else:
            assert row["gamma_sign"] == truth.gamma_sign, row["symbol"]


def test_implied_volatility_is_that_of_the_planted_surface(found: Found) -> None:
    """Up to what a straight line between the expiries around thirty days leaves of a bent term structure."""
    measured = np.array([row["atm_iv_30d"] for row, _ in found], dtype=np.float64)
    planted = np.array([float(truth.surface.atm(30 / 365)) for _, truth in found])
    np.testing.assert_allclose(measured, planted, rtol=0.012)


def test_planted_squeezes_are_found_and_no_others(found: Found) -> None:
    for row, truth in found:
        assert (row["regime"] == "gamma_squeeze") == (truth.positioning == "squeeze") or (
            truth.positioning == "short_gamma" and row["meta__squeeze_basis"] == "short_gamma"
        ), row["symbol"]
    squeezes = [row for row, truth in found if truth.positioning == "squeeze"]
    assert len(squeezes) > 10
    assert {row["meta__squeeze_basis"] for row in squeezes} == {"customer_long_calls"}


def test_every_positioning_is_among_the_planted(found: Found) -> None:
    counts = {p: sum(t.positioning == p for _, t in found) for p in ("long_gamma", "short_gamma", "balanced")}
    assert min(counts.values()) > 20
    assert all(row["confidence"] == pytest.approx(1.0, abs=0.1) for row, _ in found)


def test_every_feature_of_the_configured_engines_has_a_column(
    config: Config, market_calendar: SessionCalendar, tmp_path: Path
) -> None:
    work(tmp_path, config, market_calendar, manifest_of(config, market_calendar, ["AAPL"], config.data.synthetic.as_of))
    columns = LedgerStore(tmp_path).read("snapshots").columns
    specs = feature_specs(config)
    engines = ConfiguredComponents(config).engines(build_adapter(config, market_calendar))
    assert [engine.kind for engine in engines] == list(specs) == list(config.engines.enabled)
    for engine in engines:
        assert specs[engine.kind] == engine.features
        assert {f"{engine.kind}__{spec.name}" for spec in engine.features} <= set(columns)
