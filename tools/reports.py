"""What a report of the local run has to hold, told from the seed."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import project

# The rules that the statuses and actions in a seed break.
MEMBER_RULES = {
    "AccountSuspended": "member-account-suspended",
    "RegionDisabled": "member-region-disabled",
    "Paused": "member-macie-paused",
}
FILTER_RULES = {"ARCHIVE": "filter-archives-findings"}


def expected(seed: Path = project.SEED) -> dict[str, Any]:
    """The part of a report's summary that follows from the only target of a seed."""
    [target] = json.loads(seed.read_text())["targets"]
    statuses = count(target["members"], "relationshipStatus")
    actions = count(target["findingsFilters"], "action")
    broken = {rule: statuses[status] for status, rule in MEMBER_RULES.items()}
    broken |= {rule: actions[action] for action, rule in FILTER_RULES.items()}
    return {
        "targets": 1,
        "targetsIncomplete": 0,
        "members": statuses.total(),
        "filters": actions.total(),
        "violations": sum(broken.values()),
        "membersByStatus": dict(statuses),
        "byRule": {rule: number for rule, number in broken.items() if number},
    }


def count(items: list[dict[str, Any]], field: str) -> Counter[str]:
    """How many items of a seed have which value."""
    values: Counter[str] = Counter()
    for item in items:
        values[item[field]] += item.get("count", 1)
    return values


def problems(report: dict[str, Any], source: str) -> list[str]:
    """What a report of the local run does not hold, one line each."""
    wanted = {
        "verdict": "NON_COMPLIANT",
        "complete": True,
        "trigger.source": source,
        "targets.0.accountId": project.ACCOUNT,
        "targets.0.region": project.REGION,
        **{f"summary.{name}": value for name, value in expected().items()},
    }
    found = {path: at(report, path) for path in wanted}
    if isinstance(found["summary.byRule"], dict):
        found["summary.byRule"] = {rule: number for rule, number in found["summary.byRule"].items() if number}
    wrong = [f"{path} is {found[path]!r}, not {value!r}" for path, value in wanted.items() if found[path] != value]
    told, listed = at(report, "summary.violations"), len(report.get("violations", []))
    return wrong if told == listed else [*wrong, f"{listed} violations are listed, and {told} counted"]


def at(value: Any, path: str) -> Any:
    """The value at a path such as `targets.0.region`, or none."""
    for step in path.split("."):
        try:
            value = value[int(step) if isinstance(value, list) else step]
        except (IndexError, KeyError, TypeError, ValueError):
            return None
    return value
