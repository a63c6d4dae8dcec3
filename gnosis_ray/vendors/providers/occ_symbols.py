"""Option symbols of the Options Clearing Corporation: one code per contract, ``AAPL260717C00150000``.

Source: OCC, "Options Symbology Initiative" (2010): a root of up to six characters, ``yymmdd``, ``C`` or ``P``, and the
strike in thousandths of a USD as eight digits. The standard pads the root to six characters, vendors do not.
"""

from __future__ import annotations

import polars as pl

from gnosis_ray.market.symbols import INDICES, option_root

_CODE = r"^(?:O:)?(?<root>[A-Z0-9]{1,6}?) *(?<yymmdd>\d{6})(?<type>[CP])(?<units>\d{5})(?<thousandths>\d{3})$"

AM_ROOTS = frozenset(root for index in INDICES.values() for root in index.am_roots)
"""Roots of index options that settle at the open of their last session."""


def parse_occ(code: pl.Expr) -> list[pl.Expr]:
    """``root`` (String), ``expiry`` (Date), ``type`` ("C" or "P") and ``strike`` (USD, Float64) of OCC symbols.

    With or without padding and the prefix ``O:``; all four are null where ``code`` is invalid.
    """
    parts = code.str.extract_groups(_CODE)
    field = parts.struct.field
    expiry = ("20" + field("yymmdd")).str.to_date("%Y%m%d", strict=False)
    # An impossible date is no code; the strike is parsed as decimal text, so that no division rounds it.
    readable = expiry.is_not_null()
    strike = (field("units") + "." + field("thousandths")).cast(pl.Float64)
    return [
        pl.when(readable).then(field("root")).alias("root"),
        expiry.alias("expiry"),
        pl.when(readable).then(field("type")).alias("type"),
        pl.when(readable).then(strike).alias("strike"),
    ]


def settlement(root: pl.Expr) -> pl.Expr:
    """``settlement`` of a contract by its root: "AM" at the open of the expiry's session, else "PM" at its close."""
    return pl.when(root.is_in(sorted(AM_ROOTS))).then(pl.lit("AM")).otherwise(pl.lit("PM")).alias("settlement")


def is_own(root: pl.Expr, symbol: str) -> pl.Expr:
    """Whether a contract delivers the share of ``symbol`` (canonical spelling).

    A root with a digit more (``AAPL1``) is an adjusted contract: it delivers something else, at strikes of its own.
    """
    index = INDICES.get(symbol)
    return root.is_in([*index.am_roots, *index.pm_roots] if index else [option_root(symbol)])
