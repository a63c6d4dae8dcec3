"""A story in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from gnosis_ray.charts.number_formats import amount, measured, percent, price
from gnosis_ray.config import as_of_text
from gnosis_ray.report.glossary import ACTION_WORDS, ENGINE_TITLES, spaced
from gnosis_ray.report.ideas import confidence_words, idea_figures, leg_words, quote_words, units_words
from gnosis_ray.report.summary import by_outcome, in_short
from gnosis_ray.report.symbol_report import EngineStory, IdeaStory, Story, Verdict, Voice
from gnosis_ray.report.text_bars import BarRow, bars, gathered, sampled

BAR_WIDTHS = (12, 40)
"""Characters of the longest bar: at least, at most."""

BESIDE_BARS = 48
"""Characters of a line that labels, figures and marks want."""

STRIKES_SHOWN = 14
MOST = "most volume"
SYNTHETIC = " SYNTHETIC market, not real prices "


def show(story: Story, console: Console) -> None:
    """Print the whole story. Texts of agents and news are printed as they are: never as markup."""
    console.print(_header(story))
    for title, body in _sections(story, _bar_width(console)):
        console.print()
        console.print(Rule(Text(title, "bold"), align="left", style="dim"))
        console.print(body)


def _sections(story: Story, width: int) -> Iterable[tuple[str, RenderableType]]:
    yield "In short", Group(*(_bullet(sentence) for sentence in in_short(story)))
    yield "How far to trust it", Group(*(_trust(engine) for engine in story.engines))
    if story.profiles["gamma_profile"].x:
        yield "Dealers' net gamma over the price, USD per 1% move", _lines(_gamma_profile(story, width))
        yield "Where it lies: by strike", _lines(_by_strike(story, width))
        yield "Where it lies: by expiry", _lines(_by_expiry(story, width))
    if story.profiles["volume_profile"].x:
        yield "Volume by price", _lines(_volume_profile(story, width))
    if story.value("elasticity", "energy_to_move_1pct_up") is not None:
        yield "Energy of a 1% move, USD", _lines(_energy(story, width))
    if story.headlines:
        yield (
            "Headlines of that moment",
            Group(*(_headline(h.at.strftime("%m-%d %H:%M"), h.text, h.source) for h in story.headlines)),
        )
    yield "What the agents said", Group(*(_voice(voice) for voice in story.voices), _verdict(story.verdict))
    yield "Trades", Group(*(_idea(idea) for idea in story.ideas)) if story.ideas else Text(_no_trade(story.verdict))
    if story.considered:
        yield "What became of each strategy", Group(*(_considered(*outcome) for outcome in by_outcome(story)))
    for engine in story.engines:
        yield f"{ENGINE_TITLES[engine.kind]}: every feature", _features(engine)
    yield "Where this comes from", _origin(story)


def _bar_width(console: Console) -> int:
    least, most = BAR_WIDTHS
    return max(least, min(most, console.width - BESIDE_BARS))


def _header(story: Story) -> Text:
    text = Text()
    if story.synthetic:
        text.append(SYNTHETIC, "bold black on yellow").append("\n")
    text.append(story.symbol, "bold")
    if story.price is not None:
        text.append(f"  ${price(story.price)}")
    return text.append(f"  as of {as_of_text(story.as_of)}", "dim")


def _bullet(sentence: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text("•"), Text(sentence))
    return grid


def _trust(engine: EngineStory) -> RenderableType:
    head = Text.assemble((f"{ENGINE_TITLES[engine.kind]:<16}", "bold"), f"{percent(engine.confidence):>6} trusted")
    if engine.regime:
        head.append(f"  {spaced(engine.regime)}", "bold cyan")
        head.append(f": {engine.regime_words}" if engine.regime_words else "")
    notes = [Padding(Text(f"! {note.words} ({note.name})", "yellow"), (0, 0, 0, 2)) for note in engine.degraded]
    silent = [Padding(Text(f"- {note.words} ({note.name})", "dim"), (0, 0, 0, 2)) for note in engine.absent]
    return Group(head, *notes, *silent)


def _levels(story: Story) -> dict[str, float | None]:
    names = {"call wall": "call_wall", "put wall": "put_wall", "zero gamma": "zero_gamma"}
    return {"chain's price" if story.apart else "price": story.spot} | {
        words: story.value("hedge", name) for words, name in names.items()
    }


def _gamma_profile(story: Story, width: int) -> list[str]:
    points = sampled(story.profiles["gamma_profile"], _levels(story))
    rows = [BarRow(price(level), value, marks) for level, value, marks in points]
    return bars(rows, width, [amount(row.value) for row in rows])


def _by_strike(story: Story, width: int) -> list[str]:
    profile = story.profiles["gex_by_strike"]
    largest = sorted(zip(profile.x, profile.value, strict=True), key=lambda point: -abs(point[1]))[:STRIKES_SHOWN]
    marks = {story.value("hedge", "call_wall"): "call wall", story.value("hedge", "put_wall"): "put wall"}
    rows = [
        BarRow(price(strike), value, (marks[strike],) if strike in marks else ())
        for strike, value in sorted(largest, reverse=True)
    ]
    return [*bars(rows, width, [amount(row.value) for row in rows]), *_rest(len(profile.x) - len(rows), "strikes")]


def _by_expiry(story: Story, width: int) -> list[str]:
    profile = story.profiles["gex_by_expiry"]
    rows = [
        BarRow(f"{story.as_of.date() + timedelta(days=days)}", value)
        for days, value in zip(profile.x, profile.value, strict=True)
    ]
    shown = rows[:STRIKES_SHOWN]
    return [*bars(shown, width, [amount(row.value) for row in shown]), *_rest(len(rows) - len(shown), "expiries")]


def _rest(left_out: int, what: str) -> list[str]:
    return [f"... {left_out} more {what}"] if left_out > 0 else []


def _volume_profile(story: Story, width: int) -> list[str]:
    names = ("volume_magnet_level", "liquidity_void_above", "liquidity_void_below", "value_area_high", "value_area_low")
    words = {
        "volume_magnet_level": "magnet",
        "liquidity_void_above": "void above",
        "liquidity_void_below": "void below",
    }
    levels = {words.get(name, spaced(name)): story.value("liquidity", name) for name in names}
    marks = {"price": story.price, MOST: story.value("liquidity", "poc")} | levels
    profile = story.profiles["volume_profile"]
    rows = [BarRow(price(level), share, at) for level, share, at in gathered(profile, marks)]
    note = f"a line sums {len(profile.x) / len(rows):.0f} levels or so; most volume: the fullest single level"
    fullest = max(rows, key=lambda row: row.value)
    return [*bars(rows, width, [percent(row.value) for row in rows]), *([] if MOST in fullest.marks else [note])]


def _energy(story: Story, width: int) -> list[str]:
    rows = []
    for side in ("up", "down"):
        total = story.value("elasticity", f"energy_to_move_1pct_{side}")
        dealers = story.value("elasticity", f"hedge_cost_1pct_{side}")
        liquidity = story.value("elasticity", "liquidity_cost_1pct")
        rows += [BarRow(f"{side}: all", total or 0.0), BarRow("liquidity", liquidity or 0.0)]
        rows += [] if dealers is None else [BarRow("dealers", dealers)]
    biases = [story.value("elasticity", f"indicator_bias_{side}") for side in ("up", "down")]
    up, down = (f"{bias or 1.0:.2f}" for bias in biases)
    note = f"all = (liquidity + dealers, at its dearest on the way) x bias of the indicators ({up} up, {down} down)"
    return [*bars(rows, width, [amount(row.value) for row in rows]), note]


def _headline(at: str, text: str, source: str) -> Text:
    return Text.assemble((f"{at}  ", "dim"), text, (f"  {source}", "dim"))


def _voice(voice: Voice) -> RenderableType:
    head = Text.assemble((spaced(voice.layer.removeprefix("primary_")).capitalize(), "bold"), f": {voice.action}, ")
    head.append(f"confidence {percent(voice.confidence)}")
    if voice.adds is not None:
        head.append(f", adds {voice.adds:+.3f} to the vote (weight {voice.weight:g})")
    tags = Text(f"tags: {', '.join(voice.tags)}", "dim") if voice.tags else None
    return Group(head, *(Padding(part, (0, 0, 0, 2)) for part in (Text(voice.reasoning), tags) if part is not None))


def _verdict(verdict: Verdict) -> RenderableType:
    head = Text.assemble(
        ("Together", "bold"), f": {ACTION_WORDS[verdict.action]}, confidence {percent(verdict.confidence)}"
    )
    if verdict.vote is not None and verdict.threshold is not None:
        head.append(f"; vote {verdict.vote:+.3f}, a side from {verdict.threshold:.2f} on")
    return Group(head, Padding(Text(f"tags: {', '.join(verdict.tags)}", "dim"), (0, 0, 0, 2)))


def _no_trade(verdict: Verdict) -> str:
    return f"None: {verdict.no_trade.words}." if verdict.no_trade else "None."


def _idea(story: IdeaStory) -> RenderableType:
    idea = story.idea
    head = Text.assemble(
        (spaced(idea.strategy_type), "bold"),
        f", {idea.side}, confidence {confidence_words(idea)}, {units_words(idea)}",
    )
    legs = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("leg", "fill", "bid", "ask", "volatility", "delta", "open interest"):
        legs.add_column(heading, justify="left" if heading == "leg" else "right")
    for leg in story.legs:
        legs.add_row(*(Text(cell) for cell in (leg_words(leg.leg), *quote_words(leg))))
    figures = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "a unit", "the position"):
        figures.add_column(heading, justify="right" if heading else "left")
    for row in idea_figures(idea):
        figures.add_row(*row)
    return Group(head, Padding(legs, (0, 0, 0, 2)), Padding(figures, (0, 0, 1, 2)))


def _considered(words: str, strategies: Sequence[str]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text("•"), Text.assemble((words, "bold"), f": {', '.join(map(spaced, strategies))}"))
    return grid


def _features(engine: EngineStory) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("feature", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("meaning")
    for reading in engine.features:
        value, unit = ("absent", reading.unit) if reading.value is None else measured(reading.value, reading.unit)
        style = "dim" if reading.value is None else ""
        table.add_row(*(Text(cell, style) for cell in (reading.name, value, unit, reading.meaning)))
    return table


def _origin(story: Story) -> RenderableType:
    lines = [f"run {story.run_id}, {story.provider}, gnosis-ray {story.version}, settings {story.config_hash}"]
    if story.market_problem:
        lines.append(f"Market of that moment: {story.market_problem}")
    facts = [
        f"{e.kind}: " + "; ".join(f"{spaced(k)} {v}" for k, v in e.facts.items()) for e in story.engines if e.facts
    ]
    return _lines([*lines, *facts])


def _lines(lines: Sequence[str]) -> Text:
    return Text("\n".join(lines))
