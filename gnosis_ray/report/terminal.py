"""A symbol's report in the terminal."""

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
from gnosis_ray.report.evidence import NewsHeadline
from gnosis_ray.report.glossary import ACTION_TEXTS, ENGINE_TITLES, spaced
from gnosis_ray.report.ideas import confidence_text, idea_figures, leg_text, quote_cells, units_text
from gnosis_ray.report.summary import by_outcome, summary_sentences
from gnosis_ray.report.symbol_report import AgentReport, CompositeReport, EngineReport, IdeaReport, SymbolReport
from gnosis_ray.report.text_bars import BarRow, bars, bin_profile, sample_profile

BAR_WIDTHS = (12, 40)
"""Characters of the longest bar: at least, at most."""

LABEL_WIDTH = 48
"""Characters of a line for labels, figures and marks."""

STRIKES_SHOWN = 14
NEGLIGIBLE = 1e-9
"""Of the largest value of a curve: less is what rounding leaves where it crosses zero."""

MOST = "most volume"
SYNTHETIC = " SYNTHETIC market, not real prices "


def print_report(report: SymbolReport, console: Console) -> None:
    """Print the whole report. Texts of agents and news are printed literally, never as markup."""
    console.print(_header(report))
    for title, body in _sections(report, _bar_width(console)):
        console.print()
        console.print(Rule(Text(title, "bold"), align="left", style="dim"))
        console.print(body)


def _sections(report: SymbolReport, width: int) -> Iterable[tuple[str, RenderableType]]:
    yield "Summary", Group(*(_bullet(sentence) for sentence in summary_sentences(report)))
    yield "Confidence of each engine", Group(*(_confidence(engine) for engine in report.engines))
    if report.profiles["gamma_profile"].x:
        yield "Dealers' net gamma over the price, USD per 1% move", _lines(_gamma_profile(report, width))
        yield "Dealers' net gamma by strike", _lines(_by_strike(report, width))
        yield "Dealers' net gamma by expiry", _lines(_by_expiry(report, width))
    if report.profiles["volume_profile"].x:
        yield "Volume by price", _lines(_volume_profile(report, width))
    if report.value("elasticity", "energy_to_move_1pct_up") is not None:
        yield "Energy of a 1% move, USD", _lines(_energy(report, width))
    if report.headlines:
        yield (
            "Headlines that were scored, -1 bearish to 1 bullish",
            Group(*map(_headline, report.headlines)),
        )
    yield "Stances", Group(*(_agent(agent) for agent in report.agents), _composite(report.composite))
    yield (
        "Trades",
        Group(*(_idea(idea) for idea in report.ideas)) if report.ideas else Text(_no_trade(report.composite)),
    )
    if report.considered:
        yield "Outcome of each strategy", Group(*(_considered(*outcome) for outcome in by_outcome(report)))
    for engine in report.engines:
        yield f"{ENGINE_TITLES[engine.kind]}: every feature", _features(engine)
    yield "Provenance", _origin(report)


def _bar_width(console: Console) -> int:
    least, most = BAR_WIDTHS
    return max(least, min(most, console.width - LABEL_WIDTH))


def _header(report: SymbolReport) -> Text:
    text = Text()
    if report.synthetic:
        text.append(SYNTHETIC, "bold black on yellow").append("\n")
    text.append(report.symbol, "bold")
    if report.price is not None:
        text.append(f"  ${price(report.price)}")
    return text.append(f"  as of {as_of_text(report.as_of)}", "dim")


def _bullet(sentence: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text("•"), Text(sentence))
    return grid


def _confidence(engine: EngineReport) -> RenderableType:
    head = Text.assemble((f"{ENGINE_TITLES[engine.kind]:<16}", "bold"), f"{percent(engine.confidence):>6} confidence")
    if engine.regime:
        head.append(f"  {spaced(engine.regime)}", "bold cyan")
        head.append(f": {engine.regime_text}" if engine.regime_text else "")
    notes = [Padding(Text(f"! {note.text} ({note.name})", "yellow"), (0, 0, 0, 2)) for note in engine.degraded]
    silent = [Padding(Text(f"- {note.text} ({note.name})", "dim"), (0, 0, 0, 2)) for note in engine.absent]
    return Group(head, *notes, *silent)


def _levels(report: SymbolReport) -> dict[str, float | None]:
    names = {"call wall": "call_wall", "put wall": "put_wall", "zero gamma": "zero_gamma"}
    return {"chain's price" if report.prices_differ else "price": report.spot} | {
        label: report.value("hedge", name) for label, name in names.items()
    }


def _gamma_profile(report: SymbolReport, width: int) -> list[str]:
    points = sample_profile(report.profiles["gamma_profile"], _levels(report))
    least = NEGLIGIBLE * max(abs(value) for _, value, _ in points)
    rows = [BarRow(price(level), value if abs(value) > least else 0.0, marks) for level, value, marks in points]
    return bars(rows, width, [amount(row.value) for row in rows])


def _by_strike(report: SymbolReport, width: int) -> list[str]:
    profile = report.profiles["gex_by_strike"]
    walls = {name: report.value("hedge", name.replace(" ", "_")) for name in ("call wall", "put wall")}
    points = sorted(zip(profile.x, profile.value, strict=True), key=lambda point: -abs(point[1]))
    shown = [point for rank, point in enumerate(points) if rank < STRIKES_SHOWN or point[0] in walls.values()]
    rows = [
        BarRow(price(strike), value, tuple(name for name, wall in walls.items() if wall == strike))
        for strike, value in sorted(shown, reverse=True)
    ]
    return [*bars(rows, width, [amount(row.value) for row in rows]), *_rest(len(profile.x) - len(rows), "strikes")]


def _by_expiry(report: SymbolReport, width: int) -> list[str]:
    profile = report.profiles["gex_by_expiry"]
    rows = [
        BarRow(f"{report.as_of.date() + timedelta(days=days)}", value)
        for days, value in zip(profile.x, profile.value, strict=True)
    ]
    shown = rows[:STRIKES_SHOWN]
    return [*bars(shown, width, [amount(row.value) for row in shown]), *_rest(len(rows) - len(shown), "expiries")]


def _rest(left_out: int, what: str) -> list[str]:
    return [f"... {left_out} more {what}"] if left_out > 0 else []


def _volume_profile(report: SymbolReport, width: int) -> list[str]:
    names = ("volume_magnet_level", "liquidity_void_above", "liquidity_void_below", "value_area_high", "value_area_low")
    labels = {
        "volume_magnet_level": "magnet",
        "liquidity_void_above": "void above",
        "liquidity_void_below": "void below",
    }
    levels = {labels.get(name, spaced(name)): report.value("liquidity", name) for name in names}
    named = {"price": report.price} | levels
    exact = {f"{name} {price(at)}": at for name, at in named.items() if at is not None}  # a band has another middle
    marks = {MOST: report.value("liquidity", "poc")} | exact
    profile = report.profiles["volume_profile"]
    rows = [BarRow(price(level), share, at) for level, share, at in bin_profile(profile, marks)]
    note = f"a line sums {len(profile.x) / len(rows):.0f} levels or so; most volume: the fullest single level"
    fullest = max(rows, key=lambda row: row.value)
    return [*bars(rows, width, [percent(row.value) for row in rows]), *([] if MOST in fullest.marks else [note])]


def _energy(report: SymbolReport, width: int) -> list[str]:
    rows = []
    for side in ("up", "down"):
        total = report.value("elasticity", f"energy_to_move_1pct_{side}")
        dealers = report.value("elasticity", f"hedge_cost_1pct_{side}")
        liquidity = report.value("elasticity", "liquidity_cost_1pct")
        rows += [BarRow(f"{side}: all", total or 0.0), BarRow("liquidity", liquidity or 0.0)]
        rows += [] if dealers is None else [BarRow("dealers", dealers)]
    biases = [report.value("elasticity", f"indicator_bias_{side}") for side in ("up", "down")]
    up, down = (f"{bias or 1.0:.2f}" for bias in biases)
    note = f"all = (liquidity + dealers, at its dearest on the way) x bias of the indicators ({up} up, {down} down)"
    return [*bars(rows, width, [amount(row.value) for row in rows]), note]


def _headline(headline: NewsHeadline) -> Text:
    at, score = headline.at.strftime("%m-%d %H:%M"), f"{headline.score:+.2f}"
    return Text.assemble((f"{at}  ", "dim"), (f"{score}  ", "bold"), headline.text, (f"  {headline.source}", "dim"))


def _agent(agent: AgentReport) -> RenderableType:
    head = Text.assemble((spaced(agent.layer.removeprefix("primary_")).capitalize(), "bold"), f": {agent.action}, ")
    head.append(f"confidence {percent(agent.confidence)}")
    if agent.adds is not None:
        head.append(f", adds {agent.adds:+.3f} to the vote (weight {agent.weight:g})")
    tags = Text(f"tags: {', '.join(agent.tags)}", "dim") if agent.tags else None
    return Group(head, *(Padding(part, (0, 0, 0, 2)) for part in (Text(agent.reasoning), tags) if part is not None))


def _composite(composite: CompositeReport) -> RenderableType:
    head = Text.assemble(
        ("Composite", "bold"), f": {ACTION_TEXTS[composite.action]}, confidence {percent(composite.confidence)}"
    )
    if composite.vote is not None and composite.threshold is not None:
        head.append(f"; vote {composite.vote:+.3f}, a side from {composite.threshold:.2f} on")
    return Group(head, Padding(Text(f"tags: {', '.join(composite.tags)}", "dim"), (0, 0, 0, 2)))


def _no_trade(composite: CompositeReport) -> str:
    return f"None: {composite.no_trade.text}." if composite.no_trade else "None."


def _idea(report: IdeaReport) -> RenderableType:
    idea = report.idea
    head = Text.assemble(
        (spaced(idea.strategy_type), "bold"),
        f", {idea.side}, confidence {confidence_text(idea)}, {units_text(idea)}",
    )
    legs = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("leg", "fill", "bid", "ask", "volatility", "delta", "open interest"):
        legs.add_column(heading, justify="left" if heading == "leg" else "right")
    for leg in report.legs:
        legs.add_row(*(Text(cell) for cell in (leg_text(leg.leg), *quote_cells(leg))))
    figures = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "a unit", "the position"):
        figures.add_column(heading, justify="right" if heading else "left")
    for row in idea_figures(idea):
        figures.add_row(*row)
    return Group(head, Padding(legs, (0, 0, 0, 2)), Padding(figures, (0, 0, 1, 2)))


def _considered(text: str, strategies: Sequence[str]) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    grid.add_row(Text("•"), Text.assemble((text, "bold"), f": {', '.join(map(spaced, strategies))}"))
    return grid


def _features(engine: EngineReport) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("feature", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("unit")
    table.add_column("meaning")
    for feature in engine.features:
        value, unit = ("absent", feature.unit) if feature.value is None else measured(feature.value, feature.unit)
        style = "dim" if feature.value is None else ""
        table.add_row(*(Text(cell, style) for cell in (feature.name, value, unit, feature.meaning)))
    return table


def _origin(report: SymbolReport) -> RenderableType:
    lines = [f"run {report.run_id}, {report.provider}, gnosis-ray {report.version}, settings {report.config_hash}"]
    lines += report.missing
    facts = [
        f"{e.kind}: " + "; ".join(f"{spaced(k)} {v}" for k, v in e.facts.items()) for e in report.engines if e.facts
    ]
    return _lines([*lines, *facts])


def _lines(lines: Sequence[str]) -> Text:
    return Text("\n".join(lines))
