"""Keeps a ticket open for each violation that the newest reports of macie-compliance list.

`decide` says which tickets a report opens, keeps and closes. The rest puts parts together and remembers, in one table,
what it has seen. Replace `open_ticket` and `close_ticket` with calls to your ticket system. Either can be called again
for the same violation, so use its id as the key of the ticket.
"""

import json
import logging
import os
import re
import time
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

Json = dict[str, Any]

log = logging.getLogger()
log.setLevel(logging.INFO)

PARTS_KEPT_SECONDS = 30 * 24 * 3600
# DynamoDB takes 100 actions in a transaction. One of them checks the target.
BATCH = 99
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class MalformedError(ValueError):
    """A message that should have been a report and cannot be read. It ends up in the dead-letter queue."""


class Decision(NamedTuple):
    """What becomes of the tickets: violations without one, and tickets that stay and that go."""

    open: list[Json]
    keep: list[Json]
    close: list[Json]


def open_ticket(violation: Json) -> None:
    """Replace this: a violation is new, or is there again."""
    log.info("open %s: %s %s %s", *(violation[name] for name in ("id", "rule", "accountId", "region")))


def close_ticket(ticket: Json) -> None:
    """Replace this: a violation is gone. The ticket has the `id`, `rule`, `accountId` and `region` of the violation."""
    log.info("close %s: %s %s %s", *(ticket[name] for name in ("id", "rule", "accountId", "region")))


def decide(tickets: dict[str, Json], report: Json) -> Decision:
    """What a whole report means for the open tickets, given by the ids of their violations.

    The report has to be newer than those that the tickets come from.
    """
    listed = {violation["id"]: violation for violation in report["violations"]}
    complete = {target_of(target) for target in report["targets"] if target["complete"]}
    # Where Macie is off, no other rule is judged.
    off = {target_of(violation) for violation in report["violations"] if violation["rule"] == "macie-not-enabled"}
    gone = [
        ticket
        for ticket in tickets.values()
        if ticket["id"] not in listed
        and target_of(ticket) in complete - off
        and ticket["rule"] not in report["rulesDisabled"]
        # A report that had to be cut short lists the worst violations only.
        and not report.get("truncated")
    ]
    closed = {ticket["id"] for ticket in gone}
    return Decision(
        open=[violation for violation in listed.values() if violation["id"] not in tickets],
        keep=[ticket for ticket in tickets.values() if ticket["id"] not in closed],
        close=gone,
    )


def target_of(item: Json) -> str:
    """The account and the Region of a target, a violation or a ticket."""
    return f"{item['accountId']}/{item['region']}"


def version_of(report: Json) -> str:
    """What orders reports: the time, and between two reports of one second the id."""
    return f"{report['generatedAt']} {report['reportId']}"


def read(body: str) -> Json | None:
    """The part of a report that a message holds, in SNS's envelope or without; None if it is about something else."""
    message = parse(body)
    if message.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
        return None
    if message.get("Type") == "Notification" and "Message" in message:
        message = parse(message["Message"])
    if "schemaVersion" not in message and "reportId" not in message:
        return None
    check(message)
    return message


def parse(text: str) -> Json:
    """The JSON object in a text."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError) as error:
        raise MalformedError(f"a message is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedError("a message is not a JSON object")
    return value


def check(part: Json) -> None:
    """Fails if a part lacks what this program reads. What it does not know, it leaves alone."""
    try:
        number, of = part["part"]["number"], part["part"]["of"]
        violations = [violation[name] for violation in part["violations"] for name in ("id", "rule")]
        places = [target_of(item) for item in (*part["targets"], *part["violations"])]
        sound = (
            part["schemaVersion"].startswith("1.")
            and TIME.fullmatch(part["generatedAt"])
            and part["reportId"]
            and isinstance(part["reportId"], str)
            and isinstance(number, int)
            and isinstance(of, int)
            and 1 <= number <= of
            and all(isinstance(target["complete"], bool) for target in part["targets"])
            and all(isinstance(text, str) for text in (*violations, *places, *part["rulesDisabled"]))
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"a report cannot be read: {error!r}") from error
    if not sound:
        raise MalformedError("a report cannot be read: it is not of version 1, or a field is not as it should be")


def assemble(parts: Iterable[Json]) -> Json | None:
    """The whole report of the newest run among the parts of one report id, if all of its parts are there."""
    parts = list(parts)
    newest = max((part["generatedAt"] for part in parts), default=None)
    numbered = {part["part"]["number"]: part for part in parts if part["generatedAt"] == newest}
    if not numbered or numbered.keys() != set(range(1, next(iter(numbered.values()))["part"]["of"] + 1)):
        return None
    ordered = [numbered[number] for number in sorted(numbered)]
    # Each part has all targets, or each target is in one part.
    targets = {target_of(target): target for part in ordered for target in part["targets"]}
    violations = [violation for part in ordered for violation in part["violations"]]
    return {**ordered[0], "targets": list(targets.values()), "violations": violations}


def divide(report: Json) -> dict[str, Json]:
    """The report of each target alone."""
    reports: dict[str, Json] = {}
    for name in ("targets", "violations"):
        for item in report[name]:
            alone = reports.setdefault(target_of(item), {**report, "targets": [], "violations": []})
            alone[name].append(item)
    return reports


class Memory:
    """The parts of reports, the newest report of each target, and the open tickets, in a table of DynamoDB."""

    def __init__(self, table: Any) -> None:
        self.table = table
        self.client = table.meta.client

    def keep(self, part: Json) -> list[Json]:
        """Keeps a part, unless one of a later attempt at the run has its place, and gives all parts of its report."""
        name, number = f"report {part['reportId']}", part["part"]["number"]
        item = {
            "pk": name,
            "sk": f"part {number:06}",
            "generatedAt": part["generatedAt"],
            "part": json.dumps(part, ensure_ascii=False),
            "expires": int(time.time()) + PARTS_KEPT_SECONDS,
        }
        self.put(item, Attr("generatedAt").not_exists() | Attr("generatedAt").lte(part["generatedAt"]))
        return [json.loads(kept["part"]) for kept in self.query(name, "part ")]

    def is_newest(self, target: str, version: str) -> bool:
        """Remembers a report as the newest of a target, and says whether it is."""
        item = {"pk": f"target {target}", "sk": "newest", "version": version}
        return self.put(item, Attr("version").not_exists() | Attr("version").lte(version))

    def tickets(self, target: str) -> dict[str, Json]:
        """The open tickets of a target."""
        return {item["ticket"]["id"]: item["ticket"] for item in self.query(f"target {target}", "ticket ")}

    def save(self, target: str, version: str, decision: Decision) -> None:
        """Opens and closes tickets, as long as the report is the newest of the target."""
        name, table = f"target {target}", self.table.name
        still_newest = {
            "TableName": table,
            "Key": {"pk": name, "sk": "newest"},
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": version},
        }
        writes: list[Json] = []
        for violation in decision.open:
            ticket = {field: violation[field] for field in ("id", "rule", "accountId", "region")}
            item = {"pk": name, "sk": f"ticket {ticket['id']}", "ticket": ticket}
            writes.append({"Put": {"TableName": table, "Item": item}})
        for ticket in decision.close:
            key = {"pk": name, "sk": f"ticket {ticket['id']}"}
            writes.append({"Delete": {"TableName": table, "Key": key}})
        for start in range(0, len(writes), BATCH):
            batch = [{"ConditionCheck": still_newest}, *writes[start : start + BATCH]]
            self.client.transact_write_items(TransactItems=batch)

    def put(self, item: Json, condition: Any) -> bool:
        """Writes an item if a condition holds, and says whether it does."""
        try:
            self.table.put_item(Item=item, ConditionExpression=condition)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def query(self, name: str, prefix: str) -> list[Json]:
        """The items under a name."""
        asked: Json = {
            "KeyConditionExpression": Key("pk").eq(name) & Key("sk").begins_with(prefix),
            "ConsistentRead": True,
        }
        items: list[Json] = []
        while True:
            page = self.table.query(**asked)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def take(body: str, memory: Any) -> None:
    """Does what one message asks for."""
    part = read(body)
    if part is None:
        log.info("ignored a message that is not a report: %.200r", body)
        return
    report = assemble(memory.keep(part))
    if report is None:
        return
    version = version_of(report)
    for target, alone in divide(report).items():
        if not memory.is_newest(target, version):
            log.info("passed over report %s for %s: a newer one was there before", version, target)
            continue
        decision = decide(memory.tickets(target), alone)
        for violation in decision.open:
            open_ticket(violation)
        for ticket in decision.close:
            close_ticket(ticket)
        memory.save(target, version, decision)


@cache
def memory_of(table: str) -> Memory:
    """The memory, made once for all invocations."""
    return Memory(boto3.resource("dynamodb").Table(table))


def handler(event: Json, _context: object) -> Json:
    """Takes a batch of the queue. A message that fails comes again, and then goes to the dead-letter queue."""
    memory = memory_of(os.environ["TABLE"])
    failed = []
    for record in event["Records"]:
        try:
            take(record["body"], memory)
        except Exception:
            log.exception("message %s failed", record["messageId"])
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
