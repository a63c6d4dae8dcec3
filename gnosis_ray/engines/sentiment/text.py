"""Texts made ready: posts cleaned, headlines made comparable, symbols counted. Polars expressions, no state."""

from __future__ import annotations

import polars as pl

_LEADING = r"^(?:[^\p{L}\p{N}$@]*(?:(?:rt|RT)\s|AT_USER\b|@\w+|URL\b|https?://\S+))+[^\p{L}\p{N}$]*"
_LINKS = r"\bAT_USER\b|@\w+|\bURL\b|https?://\S+"
_CASHTAG = r"\$\s?[A-Za-z]{1,5}(?:\.[A-Za-z])?\b"
_LISTED = r"\((?:NYSE|NASDAQ|Nasdaq|AMEX|NYSEAMERICAN|ARCA)[^():]{0,8}:\s?[A-Z][A-Z.]{0,5}\)"
_NAMED = rf"{_CASHTAG}|{_LISTED}"


def cleaned(text: pl.Expr) -> pl.Expr:
    """A post without the retweet mark, names and links in front of it; cashtags stay. Headlines stay as they are."""
    return text.str.replace(_LEADING, "").str.strip_chars()


def story(headline: pl.Expr) -> pl.Expr:
    """What two copies of one headline have in common: letters and digits in lower case, without names and links."""
    words = cleaned(headline).str.replace_all(_LINKS, " ").str.to_lowercase()
    return words.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def readable(text: pl.Expr) -> pl.Expr:
    """What the tone is read from: cleaned, and without cashtags and links, which have no tone."""
    return cleaned(text).str.replace_all(_CASHTAG, " ").str.replace_all(_LINKS, " ").str.strip_chars()


def symbols_named(text: pl.Expr, symbol: pl.Expr) -> pl.Expr:
    """How many symbols a text names as ``$AAPL`` or ``(NASDAQ: AAPL)``, its own among them whether named or not."""
    found = text.str.extract_all(_NAMED).list.eval(
        pl.element().str.to_uppercase().str.replace_all(r"^.*[:$]\s*|\)$", "")
    )
    return pl.concat_list(found, symbol).list.n_unique()
