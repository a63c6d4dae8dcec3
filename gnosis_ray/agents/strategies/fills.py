"""What a leg is assumed to fill at: between the mid and the side we have to pay, rounded against us to the cent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from gnosis_ray.agents.strategies.contracts import ExpiryContracts
from gnosis_ray.agents.strategies.legs import OptionContract
from gnosis_ray.agents.strategies.strategy_spec import LegRule
from gnosis_ray.config import TradeConfig
from gnosis_ray.options.payoff import PayoffLeg
from gnosis_ray.options.position import PositionLeg
from gnosis_ray.schemas.conventions import SHARES_PER_CONTRACT
from gnosis_ray.schemas.core_schemas import TradeLeg


@dataclass(frozen=True)
class StockQuote:
    """What a share costs now, USD, and one standard deviation of its move over the stance's horizon, USD."""

    price: float
    move: float


@dataclass(frozen=True, eq=False)
class FilledLeg:
    """One leg of one unit: the ``shares`` that it stands for; its fill ``price``, commission and mid, USD a share."""

    rule: LegRule
    contract: OptionContract | None
    shares: float
    price: float
    commission: float
    mid: float

    @property
    def sign(self) -> Literal[-1, 1]:
        """+1 bought, -1 sold."""
        return 1 if self.rule.direction == "buy" else -1

    @property
    def kind(self) -> Literal["C", "P", "STOCK"]:
        """The instrument."""
        return self.rule.instrument_type

    @property
    def paid(self) -> float:
        """What trading the leg costs against its mid, USD a unit, commission included; never negative."""
        return self.shares * (self.sign * (self.price - self.mid) + self.commission)

    def payoff_leg(self) -> PayoffLeg:
        """For the payoff at expiry; the premium counts the commission."""
        strike = None if self.contract is None else self.contract.strike
        return PayoffLeg(self.kind, self.sign, self.shares, strike, self.price + self.sign * self.commission)

    def position_leg(self) -> PositionLeg:
        """For values before expiry, from the moment of the quotes; the price counts the commission."""
        price = self.price + self.sign * self.commission
        if self.contract is None:
            return PositionLeg("STOCK", self.sign, self.shares, price)
        expiry = self.contract.expiry
        return PositionLeg(
            instrument_type=self.kind,
            sign=self.sign,
            shares=self.shares,
            price=price,
            strike=self.contract.strike,
            tau=expiry.smile.tau,
            implied_vol=float(expiry.smile.vol(self.contract.strike)),
            rate=expiry.rate,
            carry=expiry.carry,
        )

    def trade_leg(self) -> TradeLeg:
        """As the idea shows it."""
        contract = self.contract
        return TradeLeg(
            instrument_type=self.kind,
            direction=self.rule.direction,
            qty=self.rule.ratio,
            strike=None if contract is None else contract.strike,
            expiry=None if contract is None else contract.expiry.day.isoformat(),
            price=self.price,
        )


def fill_legs(
    rules: tuple[LegRule, ...],
    contracts: tuple[OptionContract | None, ...],
    stock: StockQuote | None,
    config: TradeConfig,
) -> tuple[FilledLeg, ...]:
    """Every leg at its assumed fill. Raises ValueError where a stock leg has no stock quote."""
    return tuple(_fill(rule, contract, stock, config) for rule, contract in zip(rules, contracts, strict=True))


def option_fill(bid: float, ask: float, direction: Literal["buy", "sell"], share: float) -> float:
    """The mid and ``share`` of half the spread against us, in whole cents against us; USD a share."""
    half = 0.5 * share * (ask - bid)
    mid = 0.5 * (bid + ask)
    return _against_us(mid + half, "buy") if direction == "buy" else _against_us(mid - half, "sell")


def stock_fill(price: float, direction: Literal["buy", "sell"], half_spread_bps: float) -> float:
    """The price and half the spread against us, in whole cents against us; USD a share."""
    half = price * half_spread_bps / 1e4
    return _against_us(price + half if direction == "buy" else price - half, direction)


def _fill(rule: LegRule, contract: OptionContract | None, stock: StockQuote | None, config: TradeConfig) -> FilledLeg:
    if contract is not None:
        price = option_fill(contract.bid, contract.ask, rule.direction, config.fill_share)
        shares, mid = float(rule.ratio * SHARES_PER_CONTRACT), 0.5 * (contract.bid + contract.ask)
        return FilledLeg(rule, contract, shares, price, config.commission_per_contract / SHARES_PER_CONTRACT, mid)
    if stock is None:
        raise ValueError("Expected a stock quote for a stock leg, was None")
    price = stock_fill(stock.price, rule.direction, config.half_spread_bps)
    return FilledLeg(rule, None, float(rule.ratio), price, config.commission_per_share, stock.price)


def _against_us(price: float, direction: Literal["buy", "sell"]) -> float:
    """Whole cents; quotes carry the noise of single precision, which is no reason to pay a cent more."""
    cents = round(price * 100.0, 2)
    return (math.ceil(cents) if direction == "buy" else math.floor(cents)) / 100.0


def expiries_of(legs: tuple[FilledLeg, ...]) -> list[ExpiryContracts]:
    """The expiries of the option legs, the nearest first."""
    found = {id(leg.contract.expiry): leg.contract.expiry for leg in legs if leg.contract is not None}
    return sorted(found.values(), key=lambda expiry: expiry.tau)
