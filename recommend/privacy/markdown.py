"""The report for people to read."""

from __future__ import annotations

from recommend.privacy.report import Holding, Report


def as_markdown(report: Report) -> str:
    """The report as Markdown."""
    lines = [
        "# Record of processing",
        "",
        f"Made {report.made_at:%Y-%m-%d %H:%M} UTC from the running configuration.",
        "",
    ]
    lines += ["## What is wrong", ""] + [f"- {finding}" for finding in report.findings] if report.findings else []
    lines += ["" if report.findings else "Nothing undeclared was found.", ""]
    for title, part in (
        ("About shoppers, in the database", report.shoppers),
        ("About shoppers, elsewhere", report.elsewhere),
        ("About people who work for a shop", report.staff),
    ):
        lines += [f"## {title}", ""]
        for holding in part:
            lines += _section(holding)
    lines += [
        "## Shops",
        "",
        "| shop | personalisation | shoppers who agreed | members by role |",
        "| --- | --- | --- | --- |",
    ]
    for shop in report.shops:
        roles = ", ".join(f"{number} {role}" for role, number in sorted(shop["members"].items())) or "none"
        switched = "on" if shop["personalisation"] else "off"
        lines.append(f"| {shop['shop']} | {switched} | {shop['shoppers']} | {roles} |")
    lines += ["", "## Settings", "", "| setting | value |", "| --- | --- |"]
    for name, value in report.settings.items():
        lines.append(f"| {name} | {', '.join(value) if isinstance(value, list) else value} |")
    return "\n".join(lines) + "\n"


def _section(holding: Holding) -> list[str]:
    lines = [f"### {holding.place}", ""]
    if holding.rows is not None:
        oldest = f", the oldest of {holding.oldest:%Y-%m-%d}" if holding.oldest else ""
        lines.append(f"- Now: {holding.rows} rows{oldest}")
    lines += [
        f"- Why: {holding.why}",
        f"- How long: {holding.how_long}",
        f"- Who sees it: {holding.who}",
        f"- Proven by: `{holding.control}`",
        "",
    ]
    if holding.fields:
        lines += ["| field | what it holds |", "| --- | --- |"]
        lines += [f"| {name} | {text} |" for name, text in holding.fields.items()]
        lines.append("")
    return lines
