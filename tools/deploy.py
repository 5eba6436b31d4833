"""Checks the parameters of a file, builds the function for their Architecture, and deploys it to your AWS account.

The file is YAML, one `Name: value` a line, and the whole of the parameters: one that it does not name gets its default,
whatever the stack had before. Without a file a new stack gets the defaults, and a stack that exists keeps its values.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import boto3
import project
import stacks
import yaml
from template import Template, override

# What Lambda takes, and how it measures: as JSON.
ENVIRONMENT_BYTES = 4096
BUILT = project.ROOT / ".aws-sam" / "build" / "template.yaml"
NAMES = json.loads((project.ROOT / "docs" / "reference" / "names.json").read_text())


def main() -> None:
    """Checks everything that can be checked from here, then builds and deploys."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parameters", type=Path, help="a YAML file with parameters of the template")
    parser.add_argument("--stack", default="macie-compliance", help="the name of the stack")
    parser.add_argument("--check", action="store_true", help="only check")
    asked = parser.parse_args()
    given = read(asked.parameters) if asked.parameters else {}
    template = Template(given, asked.stack)
    session = stacks.session()
    problems: list[str] = []
    running = None
    try:
        running = architecture_of(asked.stack, session)
        seen = f"the stack {asked.stack} {f'runs on {running}' if running else 'does not exist yet'}"
    except project.Failure as failure:
        seen = f"the stack {asked.stack} was not looked at: {failure}"
        if not asked.check:
            problems.append(str(failure))
    wanted = template.values["Architecture"]
    keeps = running is not None and not asked.parameters
    if not keeps:
        problems += wrong(template, given, session)
        if running and running != wanted:
            problems.append(f"Architecture: {wanted} is not that of the stack {asked.stack}, which runs on {running}")
    for problem in problems:
        project.say(f"error: {problem}")
    if problems:
        sys.exit(1)
    size = f"{environment_size(template):,} of {ENVIRONMENT_BYTES:,} bytes of environment are used"
    project.say(f"{'no PARAMETERS: the stack keeps its own' if keeps else f'no problem found: {size}'}; {seen}")
    if not asked.check:
        values = {"Architecture": running} if keeps else template.values
        deploy(values, "--stack-name", asked.stack, "--region", session.region_name)


def deploy(values: dict[str, str], *where: str) -> None:
    """Builds, shows the changes, asks, and deploys."""
    sam("build", "--parameter-overrides", override("Architecture", values["Architecture"]))
    # SAM has to be told of the built template, and then looks beside it for its settings.
    files = ["--template-file", str(BUILT), "--config-file", str(project.ROOT / "samconfig.toml")]
    sam("deploy", *files, *where, "--parameter-overrides", *(override(*value) for value in values.items()))


def sam(*arguments: str) -> None:
    """Runs SAM, which speaks for itself."""
    if subprocess.run(["sam", *arguments], cwd=project.ROOT, env=project.environment(), check=False).returncode:
        raise project.Failure(f"`sam {arguments[0]}` failed, see above")


def read(path: Path) -> dict[str, str]:
    """The parameters of a file, as text: YAML makes other things of some, such as of an account with a leading zero."""
    try:
        node = yaml.compose(path.read_text(), yaml.BaseLoader)
        pairs = node.value if isinstance(node, yaml.MappingNode) else [] if node is None else None
        if pairs is None:
            raise project.Failure(f"{path}: expected one `Name: value` a line")
        given: dict[str, str] = {}
        for key, value in pairs:
            if key.value in given:
                raise project.Failure(f"{path}: {key.value} is there twice")
            given[key.value] = text(value, f"{path}: {key.value}")
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise project.Failure(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    return given


def text(node: yaml.Node, what: str) -> str:
    """A value, or the values of a list joined by commas."""
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return ",".join(item.value for item in node.value)
    raise project.Failure(f"{what}: expected a value or a list of values")


def wrong(template: Template, given: dict[str, str], session: boto3.Session) -> Iterator[str]:
    """Each thing that is wrong with the parameters."""
    for name in given:
        if name not in template.parameters:
            yield f"{name}: there is no such parameter{nearest(name, template.parameters)}"
    found = {"MacieRegions": list(regions(template, session)), "DisabledRules": list(rules(template))}
    for name in template.parameters:
        expected = template.refused(name)
        if found.get(name):
            yield from found[name]
        elif expected:
            yield f"{name}: expected {expected}; got {template.values[name]!r}"
    yield from template.broken_rules()
    yield from roles(template)
    yield from numbers(template)
    size = environment_size(template)
    if size > ENVIRONMENT_BYTES:
        yield (
            f"MacieRoleArns, MacieRoleExternalIds: with them the function's environment has {size:,} bytes, and Lambda"
            f" takes {ENVIRONMENT_BYTES:,}: name fewer, or give the state machine roles in its input"
        )


def numbers(template: Template) -> Iterator[str]:
    """Each number that does not go together with another, which the rules of a template cannot compare."""
    names = ("DeadlineMarginSeconds", "FunctionTimeout", "EvidenceObjectLockDays", "EvidenceDays")
    if not all(template.values[name].isdecimal() for name in names):
        return
    margin, timeout, locked, kept = (int(template.values[name]) for name in names)
    if margin >= timeout:
        yield f"DeadlineMarginSeconds: {margin} has to be less than FunctionTimeout, which is {timeout}"
    if template.values["EvidenceObjectLock"] != "NONE" and 0 < kept < locked:
        yield f"EvidenceObjectLockDays: {locked} must not be more than EvidenceDays, which is {kept}"


def regions(template: Template, session: boto3.Session) -> Iterator[str]:
    """Each Region that does not offer Macie, or does not exist. Where none is named, it is that of the stack."""
    asked = template.values["MacieRegions"] or session.region_name or "all"
    known = {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    }
    for region in [] if asked == "all" else items(asked):
        if region not in NAMES["regions"]:
            reason = f"there is no such Region{nearest(region.lower(), NAMES['regions'])}"
            if partition := known.get(region):
                reason = f"Macie is not offered there{'' if partition == 'aws' else f', nor anywhere in {partition}'}"
            yield f"MacieRegions: {region}: {reason}"


def rules(template: Template) -> Iterator[str]:
    """Each entry that names no rule."""
    off: set[str] = set()
    for entry in items(template.values["DisabledRules"]):
        prefix = entry.removesuffix("*")
        named = {rule for rule in NAMES["rules"] if rule == entry or (prefix != entry and rule.startswith(prefix))}
        off |= named
        if not named:
            hint = nearest(prefix.lower(), NAMES["rules"])
            yield f"DisabledRules: {entry}: there is no such rule (docs/reference/checks.md lists them){hint}"
    if off == set(NAMES["rules"]):
        yield "DisabledRules: it switches off every rule"


def roles(template: Template) -> Iterator[str]:
    """What the function would refuse at its start: two roles in an account, and ids without a role or without use."""
    accounts = [role.split(":")[4] for role in items(template.values["MacieRoleArns"]) if role.count(":") >= 5]
    ids = [pair.partition("=")[0] for pair in items(template.values["MacieRoleExternalIds"])]
    for account in dict.fromkeys(accounts):
        if accounts.count(account) > 1:
            yield f"MacieRoleArns: account {account} has more than one role, and is audited once"
    for account in dict.fromkeys(ids):
        if account not in accounts:
            yield f"MacieRoleExternalIds: MacieRoleArns names no role in account {account}"
        if ids.count(account) > 1:
            yield f"MacieRoleExternalIds: account {account} has more than one external id"


def items(value: str) -> list[str]:
    """The items of a list; an empty one has none."""
    return value.split(",") if value else []


def nearest(name: str, known: Iterable[str]) -> str:
    """The known names that look like one, to be put behind what is wrong with it."""
    close = get_close_matches(name, known, 3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def environment_size(template: Template) -> int:
    """The bytes of the function's environment, as Lambda measures it."""
    return len(json.dumps(template.environment(), separators=(",", ":"), ensure_ascii=False).encode())


def architecture_of(stack: str, session: boto3.Session) -> str | None:
    """The Architecture of a stack, and nothing if there is no such stack."""
    found = stacks.described(stack, session)
    return stacks.parameters(found).get("Architecture") if found else None


if __name__ == "__main__":
    project.run(main)
