"""Finance words over VADER's general lexicon: valences, phrases, and which way is good for what.

VADER's scale: -4 to 4 a word. A general lexicon misreads markets ("share" is kind, "gross" disgusting, "crude" rude,
and "beats" says nothing), so some of its words are silenced, some are given a market valence, and words of direction
take their sign from what they move: higher profit is good, higher cost is bad (Malo, Sinha, Korhonen, Wallenius,
Takala 2014, "Good debt or bad debt", JASIST 65(4): polarity of an economic phrase = direction times entity).
"""

from __future__ import annotations

GOOD, BAD = "fin_good", "fin_bad"
"""Stems of the tokens that stand for a direction with its entity."""

MILD, STRONG = 2.0, 2.8
"""Valence of a mild and of a strong direction that moves a known entity."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SILENCED = frozenset(
    _words("""
    alert amazon best care crude debt demand energy fine fire free gross hand interest interests kind like limited low
    matter matters natural no number party pay please play security securities share shared shares sharing top true
    trust united value values want well
    """)
)
"""Words of the general lexicon that name a thing, a firm or a quantity in market language."""

UP_IS_GOOD = frozenset(
    _words("""
    backlog bookings buyback buybacks cash cashflow deliveries demand distribution distributions dividend dividends
    earnings ebitda eps equities estimates forecast forecasts futures growth guidance income index indices inflows
    investment investments margin margins marketshare orders outlook output payout price prices production profit
    profitability profits projections rating repurchase repurchases results revenue revenues sales share shares
    shipments stock stocks subscribers target targets traffic users
    """)
)

UP_IS_BAD = frozenset(
    _words("""
    charges churn claims complaints concerns cost costs debt default defaults deficit delinquencies doubts expenses
    fears fines headwinds impairment impairments inflation layoffs liabilities loss losses outflows provisions recalls
    risk risks shortinterest tariff tariffs taxes uncertainty unemployment vacancies volatility worries writedown
    writedowns
    """)
)

_UP = _words("""
    accelerate accelerates accelerated boost boosted boosting boosts climb climbed climbing climbs expansion gained
    gaining grew grow growing grows higher hike hiked hikes increase increased increases increasing lift lifted lifting
    lifts raise raised raises raising rebound rebounded rebounds rise risen rises rising rose upped
""")
_UP_STRONGLY = _words("""
    jump jumped jumping jumps rallied rallies rally rallying skyrocket skyrockets soar soared soaring soars spike
    spiked spikes surge surged surges surging
""")
_LARGER = _words("""
    bigger double doubled doubles expand expanded expanding expands larger record swell swelled swells triple tripled
    triples widen widened widening widens wider
""")
_DOWN = _words("""
    cut cuts cutting decline declined declines declining decrease decreased decreases decreasing dip dipped dips drop
    dropped dropping drops fall fallen falling falls fell lower lowered lowering lowers reduce reduced reduces reducing
    retreat retreated retreating retreats sheds slid slide slides sliding slip slipped slipping slips suspend suspended
    suspending suspends weaken weakened weakening weakens
""")
_DOWN_STRONGLY = _words("""
    collapse collapsed collapses crash crashed crashes crashing plummet plummeted plummeting plummets plunge plunged
    plunges plunging sank sink sinking sinks slash slashed slashes slashing slump slumped slumping slumps tank tanked
    tanks tumble tumbled tumbles tumbling
""")
_SMALLER = _words("""
    ease eased eases easing halve halved halves narrow narrowed narrowing narrows narrower scrap scrapped scraps shrank
    shrink shrinking shrinks smaller trim trimmed trims
""")

DIRECTIONS: dict[str, float] = {
    **dict.fromkeys(_UP + _LARGER, MILD),
    **dict.fromkeys(_UP_STRONGLY, STRONG),
    **dict.fromkeys(_DOWN + _SMALLER, -MILD),
    **dict.fromkeys(_DOWN_STRONGLY, -STRONG),
}
"""Word -> signed strength, where it moves an entity."""

CLAUSE_ENDS = frozenset(
    _words("""
    after although amid and as because before but by despite even for from if on over than that though when while with
    """)
)
"""A direction does not govern past these words, nor past punctuation."""

_SEEN = "(?:expectations|estimates|forecasts?|views)"
_THAN = "than (?:feared|expected|forecast|analysts expected)"

PHRASES: dict[str, tuple[str, float]] = {
    r"fail(?:s|ed|ing)? to|unable to|unlikely to": ("not", 0.0),
    r"short interest": ("shortinterest", 0.0),
    r"market share": ("marketshare", 0.0),
    r"best buy": ("bestbuy", 0.0),
    r"health ?care": ("healthcare", 0.0),
    rf"in line with {_SEEN}": ("fin_in_line", 0.0),
    rf"(?:less|smaller)(?: \w+)? {_THAN}": ("fin_relief", 2.2),
    rf"(?:better|stronger|higher|faster)(?: \w+)? {_THAN}": ("fin_surprise", 2.4),
    rf"(?:worse|weaker|lower|slower)(?: \w+)? {_THAN}": ("fin_letdown", -2.4),
    rf"(?:above|ahead of|tops?|topped|exceeds?|exceeded) (?:\w+ )?{_SEEN}": ("fin_above", 2.4),
    rf"(?:below|short of|under|trails?|lags?|lagged) (?:\w+ ){{0,2}}{_SEEN}": ("fin_below", -2.4),
    r"(?:profit|revenue|sales|earnings) warning": ("fin_warning", -2.6),
    r"(?:all.time|new|record|52.week|multi.year|year) highs?": ("fin_new_high", 1.8),
    r"(?:all.time|new|record|52.week|multi.year|\d+.month|year) lows?": ("fin_new_low", -1.8),
    r"stocks? to buy|strong buy|buy the dip|top picks?": ("fin_pick", 1.2),
    r"stocks? to (?:sell|avoid)": ("fin_avoid", -1.2),
    r"short.sellers?": ("fin_short_seller", -1.2),
    r"going concern": ("fin_going_concern", -2.6),
    r"chapter 11": ("fin_chapter_11", -3.2),
    r"steps? down|stepping down|resigns": ("fin_departure", -1.0),
}
"""Pattern of lower-case words -> the token that replaces it, and its valence; tried in this order."""

_VALENCES: dict[float, tuple[str, ...]] = {
    2.4: _words("beat beats beating outperform outperforms outperformed upgrade upgraded upgrades upgrading"),
    2.0: _words("breakthrough bullish tops topped exceed exceeded exceeds outstanding"),
    1.6: _words("approve approves oversubscribed overweight profitable robust undervalued upbeat upside strengthens"),
    1.2: _words("breakout buyback buybacks recovers recovery resilient groundbreaking momentum"),
    0.8: _words("growth partnership partners profit profits"),
    -1.0: _words("halt halts halted pause pauses paused probe probes probed pressured soft"),
    -1.4: _words("""
        allegations dilution dilutive headwinds investigate investigates investigation investigations layoffs restate
        restates restatement scrutiny sluggish stagnant subpoena underweight volatile warn warned warns
    """),
    -1.8: _words("""
        accused fined impairment lag lags lagged lawsuit lawsuits overvalued recall recalled recalls sue sued sues
        underperform underperformed underperforms writedown writedowns
    """),
    -2.4: _words("""
        bearish default defaults delist delisted delisting downgrade downgraded downgrades downgrading miss missed
        misses shortfall
    """),
    -3.0: _words("bankruptcy fraud fraudulent insolvency insolvent"),
}

_ALONE = {1.0: _UP, 2.2: _UP_STRONGLY, -1.0: _DOWN, -2.2: _DOWN_STRONGLY}
"""Directions that say something without an entity; larger and smaller do not."""


def finance_lexicon() -> dict[str, float]:
    """Every word and token that this module gives a valence; a direction here has its valence when it stands alone."""
    words = {word: valence for group in (_ALONE, _VALENCES) for valence, named in group.items() for word in named}
    phrases = {token: valence for token, valence in PHRASES.values() if valence}
    governed = {f"{GOOD}_{size}": value for size, value in (("mild", MILD), ("strong", STRONG))}
    governed |= {f"{BAD}_{size}": -value for size, value in (("mild", MILD), ("strong", STRONG))}
    return words | phrases | governed
