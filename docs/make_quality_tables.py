"""Verify every recorded data set and write the findings into ``docs/store.md``, between its marks.

``python docs/make_quality_tables.py [FOLDER]``: FOLDER holds the recorded sets (default: as for the tests,
``GNOSIS_RAY_REALDATA`` or ``../shared/data``). The same data gives the same text.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from gnosis_ray.config import Config, load_config
from gnosis_ray.data.importing import ImportReport, import_dataset, load_mapping
from gnosis_ray.data.quality import all_checks, verify
from gnosis_ray.data.store import StoreWriter
from gnosis_ray.market.calendar import SessionCalendar

PAGE = Path(__file__).parent / "store.md"
BEGIN, END = "<!-- figures: docs/make_quality_tables.py -->", "<!-- end of figures -->"
SETS = {
    "us_2026_07": "us_2026_07",
    "spx_2019": "spx_2019",
    "spy_2021": "spy_2021",
    "sp500_2018_2021": "sp500_2018_2021",
    "social_2014_2015": "social_2014_2015",
    "ticks_2013": "ticks_2013",
    "vix_daily": ".",
    "cboe_quotes": "wire/cboe",
}
"""Mapping -> where its files lie."""


def main() -> None:
    """Rewrite the page's figures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GNOSIS_RAY_REALDATA", "../shared/data"))
    config = load_config().config
    calendar = SessionCalendar.build(config.market.calendar, date(1990, 1, 2), date(2029, 12, 31))
    lines = [BEGIN, "", *check_table(config)]
    for name, place in SETS.items():
        with tempfile.TemporaryDirectory(prefix="gnosis-ray-quality-") as scratch:
            store = StoreWriter(Path(scratch))
            report = import_dataset(folder / place, load_mapping(name), store, calendar)
            lines += ["", f"### {name}", "", *import_line(report), "", *table(verify(store.root, config, calendar))]
    page = PAGE.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(before + "\n".join([*lines, "", END]) + after, encoding="utf-8")


def check_table(config: Config) -> Iterator[str]:
    """Every check, those of several kinds once."""
    checks = pl.DataFrame(
        [(check.kind, check.name, check.severity, check.doc) for check in all_checks(config)],
        schema=["kind", "name", "severity", "doc"],
        orient="row",
    )
    merged = checks.group_by("name", "severity", "doc", maintain_order=True).agg(pl.col("kind").str.join(", "))
    yield "| kind | finding | severity | meaning |"
    yield "|---|---|---|---|"
    for row in merged.iter_rows(named=True):
        yield f"| {row['kind']} | {row['name']} | {row['severity']} | {row['doc']} |"


def import_line(report: ImportReport) -> Iterator[str]:
    """What came in, and why the rest did not."""
    refused = report.summary().filter(~pl.col("kept"))
    reasons = [f"{row['rows']:,} {row['reason']}" for row in refused.iter_rows(named=True)]
    told = f" Refused: {'; '.join(reasons)}." if reasons else " None refused."
    yield f"{report.rows_read:,} rows read, {report.rows_written:,} stored.{told}"


def table(findings: pl.DataFrame) -> Iterator[str]:
    """The findings of a set."""
    yield "| severity | kind | finding | symbols | rows | share | most | example |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in findings.iter_rows(named=True):
        share = f"{row['share']:.1%}" if row["share"] >= 0.001 else f"{row['share']:.1g}"
        example = row["example"].replace("|", "/")
        yield (
            f"| {row['severity']} | {row['kind']} | {row['finding']} | {row['symbols']:,} | {row['rows']:,} | {share} "
            f"| {', '.join(row['most'])} | {example if len(example) < 140 else example[:139] + '…'} |"
        )


if __name__ == "__main__":
    main()
