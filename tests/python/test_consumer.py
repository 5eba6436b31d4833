"""The example consumer: no ticket is closed by what was not read, whatever arrives when."""

import importlib.util
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import deploy_local
import project
import pytest
import services
from botocore.exceptions import ClientError

FOLDER = project.ROOT / "examples" / "consumer"
spec = importlib.util.spec_from_file_location("consumer", FOLDER / "consumer.py")
consumer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(consumer)

Json = dict[str, Any]
ACCOUNT = project.ACCOUNT
ALARM = json.dumps({"AlarmName": "macie-compliance-SilenceAlarm", "NewStateValue": "ALARM", "Trigger": {"Period": 60}})
CONFIRMATION = json.dumps({"Type": "SubscriptionConfirmation", "Token": "t", "Message": "You have chosen to subscribe"})


def envelope(body: str) -> str:
    """The message as SNS hands it to a queue without raw delivery."""
    return json.dumps({"Type": "Notification", "MessageId": "m", "Subject": "s", "Message": body})


class Table:
    """What `consumer.Memory` does, without a table, and the tickets that were opened and closed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.parts: dict[tuple[str, int], Json] = {}
        self.newest: dict[str, str] = {}
        self.open: dict[str, Json] = {}
        self.log: list[tuple[str, str]] = []
        monkeypatch.setattr(consumer, "open_ticket", lambda violation: self.log.append(("open", violation["id"])))
        monkeypatch.setattr(consumer, "close_ticket", lambda ticket: self.log.append(("close", ticket["id"])))

    def keep(self, part: Json) -> list[Json]:
        """Keeps a part."""
        place = (part["reportId"], part["part"]["number"])
        if place not in self.parts or self.parts[place]["generatedAt"] <= part["generatedAt"]:
            self.parts[place] = part
        return [kept for (report, _), kept in self.parts.items() if report == part["reportId"]]

    def is_newest(self, target: str, version: str) -> bool:
        """Whether no newer report was there."""
        if self.newest.get(target, "") > version:
            return False
        self.newest[target] = version
        return True

    def tickets(self, target: str) -> dict[str, Json]:
        """The open tickets of a target."""
        return {name: ticket for name, ticket in self.open.items() if consumer.target_of(ticket) == target}

    def save(self, target: str, version: str, decision: Any) -> None:
        """Opens and closes."""
        assert self.newest[target] == version
        self.open |= {violation["id"]: violation for violation in decision.open}
        for ticket in decision.close:
            del self.open[ticket["id"]]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    """An empty table."""
    return Table(monkeypatch)


def deliver(table: Table, bodies: list[str]) -> list[tuple[str, str]]:
    """Takes messages in this order, and gives what was opened and closed."""
    before = len(table.log)
    for body in bodies:
        consumer.take(body, table)
    return table.log[before:]


# Small reports


def violation(number: int, rule: str = "member-account-suspended", region: str = "us-east-1") -> Json:
    """A violation."""
    return {"id": f"{rule}/{region}/{number}", "rule": rule, "accountId": ACCOUNT, "region": region}


def target(region: str = "us-east-1", complete: bool = True) -> Json:
    """A target."""
    return {"accountId": ACCOUNT, "region": region, "complete": complete}


def report(targets: list[Json], violations: list[Json], minute: int = 0, **more: Any) -> Json:
    """A report of one part."""
    return {
        "schemaVersion": "1.1",
        "reportId": f"run-{minute}",
        "generatedAt": f"2026-11-22T{minute // 60:02}:{minute % 60:02}:04Z",
        "rulesDisabled": [],
        "targets": targets,
        "violations": violations,
        "part": {"number": 1, "of": 1},
        **more,
    }


def test_an_example_of_the_reference_is_a_report() -> None:
    """The reports above have no field that the published example has not."""
    page = (project.ROOT / "docs" / "reference" / "report.md").read_text()
    example = json.loads(page.partition("```json\n")[2].partition("```")[0])
    assert consumer.read(json.dumps(example)) == example
    small = report([target()], [violation(1)])
    assert small.keys() <= example.keys()
    assert small["targets"][0].keys() <= example["targets"][0].keys()
    assert small["violations"][0].keys() <= example["violations"][0].keys()


TICKET = violation(1)
OFF = violation(0, "macie-not-enabled")


@pytest.mark.parametrize(
    ("found", "closed"),
    [
        (report([target()], []), True),
        (report([target(), target("eu-west-1", complete=False)], []), True),
        (report([target()], [violation(2)]), True),
        (report([target()], [TICKET]), False),
        (report([target(complete=False)], []), False),
        (report([target("eu-west-1")], []), False),
        (report([], []), False),
        (report([target()], [], rulesDisabled=["member-account-suspended"]), False),
        (report([target()], [], rulesDisabled=["macie-paused"]), True),
        (report([target()], [OFF]), False),
        (report([target(), target("eu-west-1")], [{**OFF, "region": "eu-west-1"}]), True),
        (report([target()], [], truncated={"violations": 0, "targets": 1}), False),
        (report([target()], [], truncated=None), True),
    ],
)
def test_only_what_was_judged_closes_a_ticket(found: Json, closed: bool) -> None:
    """The target was read whole and Macie is on there, and the rule is on."""
    decision = consumer.decide({TICKET["id"]: TICKET}, found)
    assert ([ticket["id"] for ticket in decision.close] == [TICKET["id"]]) == closed
    assert ([ticket["id"] for ticket in decision.keep] == [TICKET["id"]]) == (not closed)
    assert decision.open == [one for one in found["violations"] if one["id"] != TICKET["id"]]


def test_that_macie_is_on_again_closes_that_ticket() -> None:
    """The rule about a disabled Macie is judged wherever Macie answers."""
    decision = consumer.decide({OFF["id"]: OFF}, report([target()], []))
    assert decision.close == [OFF]


def test_an_older_report_changes_nothing(table: Table) -> None:
    """It neither opens nor closes, for the targets that a newer report was about."""
    newer = report([target()], [violation(1)], minute=9)
    older = report([target(), target("eu-west-1")], [violation(2), violation(3, region="eu-west-1")], minute=8)
    changes = deliver(table, [json.dumps(newer), json.dumps(older)])
    assert changes == [("open", violation(1)["id"]), ("open", violation(3, region="eu-west-1")["id"])]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_reports_of_one_second_the_same_counts_in_any_order(table: Table, order: tuple[int, int]) -> None:
    """Their ids decide."""
    found = [report([target()], [violation(number)], reportId=f"run-{number}") for number in range(2)]
    deliver(table, [json.dumps(found[number]) for number in order])
    assert table.open.keys() == {violation(1)["id"]}


def test_parts_of_two_attempts_do_not_mix(table: Table) -> None:
    """A retried run has the same report id and a later time, and can have another number of parts."""

    def part(number: int, of: int, minute: int, found: list[Json]) -> str:
        return json.dumps(report([target()], found, minute, reportId="same", part={"number": number, "of": of}))

    first = [part(1, 3, 1, [violation(1)]), part(2, 3, 1, [violation(2)])]
    again = [part(2, 2, 5, [violation(3)]), part(1, 2, 5, [violation(4)])]
    assert deliver(table, [*first, again[0], part(3, 3, 1, [violation(5)])]) == []
    assert deliver(table, [again[1]]) == [("open", violation(4)["id"]), ("open", violation(3)["id"])]
    assert deliver(table, [*first, *again]) == []


def test_each_target_can_be_in_one_part_only(table: Table) -> None:
    """A report whose list of targets is too long to repeat is put together from all parts."""
    deliver(
        table, [json.dumps(report([target(), target("eu-west-1")], [violation(1), violation(1, region="eu-west-1")]))]
    )
    parts = [
        json.dumps(report([target(region)], [], 5, part={"number": number, "of": 2}))
        for number, region in [(2, "eu-west-1"), (1, "us-east-1")]
    ]
    assert deliver(table, parts[:1]) == []
    assert {what for what, _ in deliver(table, parts[1:])} == {"close"}
    assert table.open == {}


# Messages


@pytest.mark.parametrize("body", [ALARM, envelope(ALARM), CONFIRMATION, "{}"])
def test_what_is_no_report_is_ignored(table: Table, caplog: pytest.LogCaptureFixture, body: str) -> None:
    """Alarms and SNS's own notices leave a line in the log."""
    assert deliver(table, [body]) == []
    assert "not a report" in caplog.text


def without(path: str) -> str:
    """A report without one of its fields."""
    damaged = json.loads(json.dumps(report([target()], [violation(1)])))
    place: Any = damaged
    *names, last = path.split(".")
    for name in names:
        place = place[0][name] if isinstance(place, list) else place[name]
    del (place[0] if isinstance(place, list) else place)[last]
    return json.dumps(damaged)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "null",
        json.dumps(report([], []))[:-9],
        envelope("no JSON"),
        json.dumps({"Type": "Notification", "Message": {}}),
        *map(without, ["schemaVersion", "reportId", "generatedAt", "rulesDisabled", "targets", "violations", "part"]),
        *map(without, ["part.number", "part.of", "targets.accountId", "targets.region", "targets.complete"]),
        *map(without, ["violations.id", "violations.rule", "violations.accountId", "violations.region"]),
        json.dumps(report([], [], schemaVersion="2.0")),
        json.dumps(report([], [], schemaVersion=1)),
        json.dumps(report([], [], generatedAt="yesterday")),
        json.dumps(report([], [], reportId="")),
        json.dumps(report([], [], part={"number": 2, "of": 1})),
        json.dumps(report([], [], part={"number": 0, "of": 1})),
        json.dumps(report([], [], part={"number": "1", "of": "1"})),
        json.dumps(report([{**target(), "complete": "no"}], [])),
        json.dumps(report([], [{**violation(1), "id": 7}])),
        json.dumps(report([], [], rulesDisabled=[None])),
    ],
)
def test_what_is_malformed_is_refused(body: str) -> None:
    """It must not pass for a report, nor for something else."""
    with pytest.raises(consumer.MalformedError):
        consumer.read(body)


def test_a_message_that_fails_does_not_fail_the_batch(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda hands only that one in again."""
    monkeypatch.setenv("TABLE", "reports")
    monkeypatch.setattr(consumer, "memory_of", lambda _: table)
    bodies = [json.dumps(report([target()], [violation(1)])), "no JSON", ALARM]
    records = [{"messageId": f"m-{number}", "body": body} for number, body in enumerate(bodies)]
    assert consumer.handler({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "m-1"}]}
    assert table.open.keys() == {violation(1)["id"]}


# Histories of random runs

REGIONS = ["us-east-1", "eu-west-1", "ap-south-1"]
RULES = ["member-account-suspended", "filter-archives-findings", "macie-not-enabled"]


def history(chance: random.Random) -> list[tuple[Json, list[Json]]]:
    """Runs in the order of their times: each whole, and the parts of it that were published."""
    runs: list[tuple[Json, list[Json]]] = []
    for minute in range(1, chance.randint(3, 9)):
        name, regions = f"run-{minute}", chance.sample(REGIONS, chance.randint(1, 3))
        if runs and chance.random() < 0.3:
            # Another attempt at the run before, which may have failed after some of its parts.
            before, parts = runs.pop()
            name, regions = before["reportId"], [one["region"] for one in before["targets"]]
            runs.append((before, chance.sample(parts, chance.randint(0, len(parts)))))
        off = chance.sample(RULES[:2], chance.choice([0, 0, 1]))
        found = [
            violation(number, rule, region)
            for region in regions
            for rule in RULES
            if rule not in off
            for number in range(1 if rule == "macie-not-enabled" else 3)
            if chance.random() < 0.3
        ]
        targets = [target(region, chance.random() < 0.7) for region in regions]
        whole = report(targets, found, minute, rulesDisabled=off, reportId=name)
        of = chance.randint(1, 3)
        parts = [
            {**whole, "violations": found[number::of], "part": {"number": number + 1, "of": of}} for number in range(of)
        ]
        runs.append((whole, parts))
    return runs


def is_whole(parts: list[Json]) -> bool:
    """Whether all parts of a run were published."""
    return bool(parts) and len(parts) == parts[0]["part"]["of"]


def delivery(runs: list[tuple[Json, list[Json]]], chance: random.Random) -> list[str]:
    """The messages of runs, some of them twice or in an envelope, and alarms."""
    bodies = [json.dumps(part) for _, parts in runs for part in parts]
    bodies += chance.sample(bodies, len(bodies) // 2)
    return [chance.choice([str, envelope])(body) for body in [*bodies, ALARM, CONFIRMATION]]


def judged(found: Json, ticket: Json) -> bool:
    """Whether a report says that a violation is not there, as the guide has it."""
    where = (ticket["accountId"], ticket["region"])
    read = any((one["accountId"], one["region"]) == where and one["complete"] for one in found["targets"])
    off = any((one["accountId"], one["region"]) == where and one["rule"] == RULES[2] for one in found["violations"])
    listed = any(one["id"] == ticket["id"] for one in found["violations"])
    return read and not off and not listed and ticket["rule"] not in found["rulesDisabled"]


@pytest.mark.parametrize("seed", range(100))
def test_in_any_order_the_newest_report_of_a_target_counts(table: Table, seed: int) -> None:
    """What it lists has a ticket, what it judged and does not list has none, and nothing else closes."""
    chance = random.Random(seed)
    runs = history(chance)
    bodies = delivery(runs, chance)
    chance.shuffle(bodies)
    changes = deliver(table, bodies)
    for region in REGIONS:
        about = [whole for whole, _ in runs if region in {one["region"] for one in whole["targets"]}]
        if not about:
            continue
        newest = about[-1]
        listed = {one["id"] for one in newest["violations"] if one["region"] == region}
        tickets = [ticket for ticket in table.open.values() if ticket["region"] == region]
        assert listed <= {ticket["id"] for ticket in tickets}
        assert not [ticket for ticket in tickets if judged(newest, ticket)]
    known = {one["id"]: one for whole, _ in runs for one in whole["violations"]}
    for what, name in changes:
        assert what == "open" or any(judged(whole, known[name]) for whole, parts in runs if is_whole(parts))
    again = delivery(runs, chance)
    chance.shuffle(again)
    assert deliver(table, again) == [], "the same messages once more"


@pytest.mark.parametrize("seed", range(100))
def test_in_order_each_report_counts(table: Table, seed: int) -> None:
    """The tickets are those that a reader of all whole reports, one after the other, would have open."""
    chance = random.Random(seed)
    runs = history(chance)
    expected: dict[str, Json] = {}
    for whole, parts in runs:
        if is_whole(parts):
            expected = {name: ticket for name, ticket in expected.items() if not judged(whole, ticket)}
            expected |= {one["id"]: one for one in whole["violations"]}
        bodies = delivery([(whole, parts)], chance)
        chance.shuffle(bodies)
        deliver(table, bodies)
        assert table.open.keys() == expected.keys()


@pytest.mark.parametrize("seed", range(50))
def test_while_a_part_is_missing_nothing_changes(table: Table, seed: int) -> None:
    """Neither does the order of the others matter, nor that they come twice."""
    chance = random.Random(seed)
    *_, (whole, parts) = history(chance)
    old = [violation(number, rule, region) for number in range(3) for rule in RULES[:2] for region in REGIONS]
    deliver(table, [json.dumps(report([target(region) for region in REGIONS], old))])
    missing = chance.choice(parts)
    bodies = delivery([(whole, [part for part in parts if part is not missing])], chance)
    chance.shuffle(bodies)
    assert deliver(table, bodies) == []


# Reports of the function

SUSPENDED, STILL_SUSPENDED = 6_000, 2_500


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """The parts of two reports that the function made, of 6,000 suspended members and of what is left of them."""
    folder = tmp_path_factory.mktemp("reports")
    services.cargo("build", "--bin", "macie-compliance")
    services.cargo("build", "--package", "simulator")
    built = project.target_directory() / "debug"
    (folder / "event.json").write_text("{}")
    lambda_gives = {"NAME": "f", "MEMORY_SIZE": "128", "VERSION": "$LATEST"}
    env = project.local_aws(
        "",
        REPORT_TOPIC_ARN=f"arn:aws:sns:{project.REGION}:{ACCOUNT}:reports",
        MACIE_REGIONS="us-east-1,eu-west-1",
        **{f"AWS_LAMBDA_FUNCTION_{name}": value for name, value in lambda_gives.items()},
    )
    runs = []
    for suspended, status in [(SUSPENDED, "PAUSED"), (STILL_SUSPENDED, "ENABLED")]:
        members = [{"count": suspended, "relationshipStatus": "AccountSuspended"}, {"count": SUSPENDED - suspended + 1}]
        targets = [{"region": "us-east-1", "members": members}, {"region": "eu-west-1", "session": {"status": status}}]
        seed = folder / f"seed-{suspended}.json"
        seed.write_text(json.dumps({"account": ACCOUNT, "targets": targets}))
        command = [built / "run-once", built / "macie-compliance", seed, folder / "event.json"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        messages = json.loads(done.stdout)["messages"]
        runs.append([json.loads(message["body"])["default"] for message in messages])
    return runs


def ids(bodies: list[str]) -> set[str]:
    """The ids of the violations in the parts of a report."""
    return {one["id"] for body in bodies for one in json.loads(body)["violations"]}


def test_a_report_of_thousands_in_parts(table: Table, published: list[list[str]]) -> None:
    """Its parts come shuffled and twice, with alarms in between, and the last after a while."""
    chance = random.Random(6_000)
    first, second = published
    assert len(first) > 10
    assert len(ids(first)) == SUSPENDED + 1
    for parts, changes in [
        (first, {("open", name) for name in ids(first)}),
        (second, {("close", name) for name in ids(first) - ids(second)}),
    ]:
        bodies = [*parts[1:], *chance.sample(parts[1:], len(parts) // 2), ALARM, CONFIRMATION, envelope(ALARM)]
        bodies = [chance.choice([str, envelope])(body) for body in bodies]
        chance.shuffle(bodies)
        assert deliver(table, bodies) == []
        done = deliver(table, parts[:1])
        assert len(done) == len(changes)
        assert set(done) == changes
    assert len(table.open) == STILL_SUSPENDED
    everything = [*first, *second]
    chance.shuffle(everything)
    assert deliver(table, everything) == []


# The template on a local AWS


class Stack:
    """The example, deployed to a local AWS that enforces IAM, and the topic of the reports."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.topic = self.client("sns").create_topic(Name="reports")["TopicArn"]
        options = ["--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"]
        template = ["--template-file", str(FOLDER / "template.yaml"), "--stack-name", "consumer"]
        parameters = ["--parameter-overrides", f"ReportTopicArn={self.topic}"]
        deploy_local.sam("deploy", *template, *options, *parameters, endpoint=endpoint)
        self.outputs = deploy_local.stack_outputs(endpoint, "consumer")
        # A test does not wait as long as a retry takes.
        attributes = {"VisibilityTimeout": "2"}
        self.client("sqs").set_queue_attributes(QueueUrl=self.outputs["QueueUrl"], Attributes=attributes)

    def client(self, service: str) -> Any:
        """A client of the local AWS, as if through a proxy that ends TLS and says so; this AWS believes it."""
        client = deploy_local.client(service, self.endpoint)
        client.meta.events.register(
            "before-sign", lambda request, **_: request.headers.__setitem__("x-forwarded-proto", "https")
        )
        return client

    def publish(self, *bodies: str) -> None:
        """Publishes as the function does."""
        for body in bodies:
            message = json.dumps({"default": body, "email": "text", "sms": "text"})
            self.client("sns").publish(TopicArn=self.topic, Message=message, MessageStructure="json")

    def kept(self, prefix: str) -> set[tuple[str, str]]:
        """The items of the table of one kind: the name that they are under, and what follows the kind."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["TableName"])
        items = [(item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"]]
        return {(name, key.removeprefix(prefix)) for name, key in items if key.startswith(prefix)}

    def tickets(self) -> set[str]:
        """The open tickets."""
        return {name for _, name in self.kept("ticket ")}


def wait_for(what: str, look: Callable[[], object], seconds: float = 60) -> None:
    """Waits until `look` gives something."""
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, f"{what}: not in {seconds:.0f} s (.tools/logs/consumer.log)"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The deployed example. It has no use for a Macie."""
    port = project.free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="consumer-", dir=project.TOOLS) as scratch:
        env = deploy_local.emulator_environment(port, services.Simulator(9), Path(scratch))
        with services.service("consumer", ["ministack"], env | {"AUTH": "true"}) as emulator:
            emulator.wait_until(lambda: services.get_json(f"{endpoint}/_ministack/health"), 60)
            yield Stack(endpoint)


def test_the_deployed_example_opens_and_closes_tickets(stack: Stack, published: list[list[str]]) -> None:
    """The reports of thousands go through topic, queue, function and table, with the permissions of the template."""
    first, second = published
    for parts, before in [(first, set()), (second, ids(first))]:
        assert len(parts) > 1
        name = f"report {json.loads(parts[0])['reportId']}"
        late, *others = parts
        stack.publish(*others, ALARM, others[0])
        arrived = {(name, f"{number:06}") for number in range(2, len(parts) + 1)}
        wait_for("the parts", lambda arrived=arrived: arrived <= stack.kept("part "))
        assert stack.tickets() == before
        stack.publish(late)
        wait_for("the tickets", lambda parts=parts: stack.tickets() == ids(parts))


def test_what_is_malformed_ends_in_the_dead_letter_queue(stack: Stack) -> None:
    """After five attempts, and what came with it is processed."""
    name = "malformed-beside-a-report"
    found = [{**violation(1, region="eu-central-1"), "id": name}]
    stack.publish("no JSON", json.dumps(report([target("eu-central-1")], found)))
    wait_for("the ticket", lambda: name in stack.tickets())
    sqs, queue = stack.client("sqs"), stack.outputs["DeadLetterQueueUrl"]
    dead: list[str] = []
    wait_for("the message", lambda: dead.extend(letters(sqs, queue)) or dead)
    assert dead == ["no JSON"]


def letters(sqs: Any, queue: str) -> list[str]:
    """What a queue holds and shows for the first time."""
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600)
    return [message["Body"] for message in answer.get("Messages", [])]


def test_only_the_topic_lets_messages_in(stack: Stack) -> None:
    """Another topic of the same account reaches the queue as little as a client without TLS does."""
    sns, sqs, queue = stack.client("sns"), stack.client("sqs"), stack.outputs["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    other = sns.create_topic(Name="other")["TopicArn"]
    sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    foreign, own = (json.dumps(report([target("il-central-1")], [], minute)) for minute in (1, 2))
    sns.publish(TopicArn=other, Message=foreign)
    stack.publish(own)
    wait_for("the report", lambda: ("report run-2", "000001") in stack.kept("part "))
    assert ("report run-1", "000001") not in stack.kept("part ")
    with pytest.raises(ClientError, match="AccessDenied"):
        deploy_local.client("sqs", stack.endpoint).receive_message(QueueUrl=queue)


def test_a_newer_report_stops_an_older_one_halfway(stack: Stack) -> None:
    """Tickets of a report that is the newest no longer are not written, in whatever order the calls come."""
    resource = deploy_local.boto3.resource(
        "dynamodb",
        endpoint_url=stack.endpoint,
        region_name=project.REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    memory = consumer.Memory(resource.Table(stack.outputs["TableName"]))
    place = f"{ACCOUNT}/sa-east-1"
    assert memory.is_newest(place, "2026-11-22T06:00:04Z a")
    assert memory.is_newest(place, "2026-11-22T06:00:04Z b")
    assert not memory.is_newest(place, "2026-11-22T06:00:04Z a")
    with pytest.raises(ClientError, match="TransactionCanceled"):
        memory.save(place, "2026-11-22T06:00:04Z a", consumer.Decision([violation(1, region="sa-east-1")], [], []))
    assert memory.tickets(place) == {}
    parts = [report([], [], minute, reportId="kept", part={"number": 1, "of": 1}) for minute in (5, 4)]
    assert [memory.keep(part) for part in parts] == [parts[:1], parts[:1]]
