"""Runs that go wrong on a local AWS that enforces IAM and keeps its state over a restart.

What this AWS lacks: it starts a scheduled run once and does not hand one that failed to Lambda's retries, it counts
only synchronous invocations in AWS/Lambda and nothing in AWS/SQS, and each retry has a request id of its own. So the
queue of failed runs is reached by an asynchronous invocation with the schedule's event, which is what a start by the
schedule is on AWS. It keeps metric filters and counts nothing by them, and its alarms pass over missing data.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import boto3
import deploy_local
import iam
import project
import pytest
from botocore.exceptions import ClientError
from deploy_local import Deployment

T = TypeVar("T")
EVENT = json.loads((project.ROOT / "events" / "eventbridge-scheduler.json").read_text())
MEMBER_PAGES = 43
# The user who may write exemptions.
ACCEPTS = "accepts"
EVERYTHING_IN_S3 = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


@pytest.fixture(scope="module")
def as_deployed(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The stack on an AWS that enforces IAM, its schedule off, and a Macie so slow that a run takes seconds."""
    seed = tmp_path_factory.mktemp("anger") / "seed.json"
    seed.write_text(json.dumps({**json.loads(project.SEED.read_text()), "latencyMs": 50}))
    parameters = ["ScheduleState=DISABLED", f"ExemptionsWriterArn=arn:aws:iam::{project.ACCOUNT}:user/{ACCEPTS}"]
    with deploy_local.deployed(*parameters, seed=seed, AUTH="true", PERSIST_STATE="1") as deployed:
        yield deployed


@pytest.fixture(scope="module")
def deployment(as_deployed: Deployment) -> Deployment:
    """The same, with topics and a bucket that take plain HTTP, which is all that this AWS speaks."""
    sns = as_deployed.client("sns")
    for topic in (as_deployed.outputs["ReportTopicArn"], as_deployed.outputs["AlarmTopicArn"]):
        policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
        policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] != "OnlyOverTls"]
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    s3, bucket = as_deployed.client("s3"), as_deployed.outputs["EvidenceBucketName"]
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    # Nor does it know of a write that it is conditional.
    left = ("OnlyOverTls", "ReportsAreWrittenOnce")
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] not in left]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    return as_deployed


@pytest.fixture(scope="module")
def alarms(deployment: Deployment) -> str:
    """A queue that the alarms arrive in."""
    return deploy_local.subscribe(deployment.endpoint, deployment.outputs["AlarmTopicArn"], "alarms")


def over_tls(client: Any) -> Any:
    """The client, as if through a proxy that ends TLS and says so; this AWS believes it."""
    client.meta.events.register(
        "before-sign", lambda request, **_: request.headers.__setitem__("x-forwarded-proto", "https")
    )
    return client


@contextmanager
def no_permission_to_publish(deployment: Deployment) -> Iterator[None]:
    """Takes `sns:Publish` from the function's role for a while."""
    role = deployment.outputs["FunctionRoleArn"].rpartition("/")[2]
    policy = deployment.role_policy(role)
    client = deployment.client("iam")
    put = lambda document: client.put_role_policy(  # noqa: E731
        RoleName=role, PolicyName="audit", PolicyDocument=json.dumps(document)
    )
    put(iam.without(policy, "sns:Publish"))
    try:
        yield
    finally:
        put(policy)


def fire(deployment: Deployment, *names: str) -> None:
    """Makes a schedule of each name that starts the function once, soon, as the one of the template does."""
    scheduler = deployment.client("scheduler")
    target = scheduler.get_schedule(Name=deployment.outputs["ScheduleName"])["Target"]
    soon = (datetime.now(UTC) + timedelta(seconds=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    for name in names:
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=soon,
            Target=target,
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
        )


def wait_for(what: str, look: Callable[[], T], seconds: float = 60) -> T:
    """What `look` gives as soon as that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise project.Failure(f"no {what} in {seconds:.0f} s (.tools/logs/emulator.log)")


def unpublished(deployment: Deployment, **trigger: str) -> list[dict[str, Any]]:
    """The reports in the log that could not be published, of runs with this trigger."""
    pages = deployment.client("logs").get_paginator("filter_log_events")
    found = []
    for page in pages.paginate(logGroupName=deployment.outputs["LogGroupName"]):
        lines = [event["message"] for event in page["events"] if '"report not published"' in event["message"]]
        found += [json.loads(json.loads(line)["report"]) for line in lines]
    return [report for report in found if trigger.items() <= report["trigger"].items()]


@pytest.fixture(scope="module")
def failed(deployment: Deployment) -> dict[str, Any]:
    """What the queue of failed runs holds, and goes on holding, after a run that may not publish."""
    sqs, queue = over_tls(deployment.client("sqs")), deployment.outputs["FailedRunQueueUrl"]
    receive = lambda: sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0).get("Messages")  # noqa: E731
    with no_permission_to_publish(deployment):
        deployment.client("lambda").invoke(
            FunctionName=deployment.outputs["FunctionName"], InvocationType="Event", Payload=json.dumps(EVENT)
        )
        [message] = wait_for("failed run", receive)
    return json.loads(message["Body"])


def waiting(deployment: Deployment, url: str) -> int:
    """How many messages a queue holds."""
    sqs = over_tls(deployment.client("sqs"))
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def test_topic_bucket_and_queue_take_tls_only(as_deployed: Deployment) -> None:
    """Over plain HTTP all three refuse whoever may do everything else."""
    answer = as_deployed.client("lambda").invoke(FunctionName=as_deployed.outputs["FunctionName"], Payload=b"{}")
    failed = json.loads(answer["Payload"].read())
    assert failed["errorType"] == "PublishFailed"
    assert "AuthorizationError" in failed["errorMessage"]
    bucket = {"Bucket": as_deployed.outputs["EvidenceBucketName"]}
    somebody = user(as_deployed, "somebody")
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        somebody.list_objects_v2(**bucket)
    assert over_tls(somebody).list_objects_v2(**bucket)["KeyCount"] == 0
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        somebody.put_object(**bucket, Key="reports/another.json", Body=b"in the place of one that is there")
    queue = as_deployed.outputs["FailedRunQueueUrl"]
    with pytest.raises(ClientError, match="AccessDenied"):
        as_deployed.client("sqs").receive_message(QueueUrl=queue)
    assert "Messages" not in over_tls(as_deployed.client("sqs")).receive_message(QueueUrl=queue)


def s3_of(deployment: Deployment, keys: dict[str, str]) -> Any:
    """A client of S3 for these keys."""
    return boto3.client(
        "s3",
        endpoint_url=deployment.endpoint,
        region_name=project.REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
    )


def user(deployment: Deployment, name: str) -> Any:
    """S3 for a new user, whom nothing but the bucket keeps from anything there."""
    client = deployment.client("iam")
    client.create_user(UserName=name)
    client.put_user_policy(UserName=name, PolicyName="s3", PolicyDocument=json.dumps(EVERYTHING_IN_S3))
    return s3_of(deployment, client.create_access_key(UserName=name)["AccessKey"])


def function(deployment: Deployment) -> Any:
    """S3 for the function's role, if somebody let it do everything there."""
    client, arn = deployment.client("iam"), deployment.outputs["FunctionRoleArn"]
    role = arn.rpartition("/")[2]
    trust = client.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    root = {"Effect": "Allow", "Principal": {"AWS": project.ACCOUNT}, "Action": "sts:AssumeRole"}
    widened = {**trust, "Statement": [*trust["Statement"], root]}
    client.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(widened))
    client.put_role_policy(RoleName=role, PolicyName="s3", PolicyDocument=json.dumps(EVERYTHING_IN_S3))
    answer = deployment.client("sts").assume_role(RoleArn=arn, RoleSessionName="s3")
    client.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    return s3_of(deployment, answer["Credentials"])


def test_one_user_alone_writes_exemptions(deployment: Deployment) -> None:
    """Neither somebody who may write everything in S3, nor the function with such a right: the bucket denies it."""
    place = {"Bucket": deployment.outputs["EvidenceBucketName"], "Key": deployment.outputs["ExemptionsKey"]}
    user(deployment, ACCEPTS).put_object(**place, Body=b"accepted")
    others = {"operator": user(deployment, "operator"), "function": function(deployment)}
    for name, other in others.items():
        assert other.get_object(**place)["Body"].read() == b"accepted"
        for write in (partial(other.put_object, Body=b"mine"), other.delete_object):
            with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
                write(**place)
        other.put_object(Bucket=place["Bucket"], Key=f"state/{name}.json", Body=b"")
    deployment.client("iam").delete_role_policy(
        RoleName=deployment.outputs["FunctionRoleArn"].rpartition("/")[2], PolicyName="s3"
    )


def test_a_run_that_may_not_publish_ends_in_the_queue_of_failed_runs(
    deployment: Deployment, failed: dict[str, Any]
) -> None:
    """Lambda tries it three times, each leaves the whole report under the same id in the log, and the event is kept."""
    assert failed["requestPayload"] == EVENT
    assert failed["requestContext"]["condition"] == "RetriesExhausted"
    error = failed["responsePayload"]
    assert error["errorType"] == "PublishFailed"
    assert EVENT["id"] in error["errorMessage"]
    assert "no identity-based policy allows the sns:Publish action" in error["errorMessage"]
    kept = unpublished(deployment, id=EVENT["id"])
    assert [deploy_local.problems(report, source="aws.scheduler") for report in kept] == [[], [], []]
    assert {report["reportId"] for report in kept} == {EVENT["id"]}
    assert waiting(deployment, deployment.queue) == 0, "nothing was published"


def test_a_scheduled_run_that_may_not_publish_leaves_its_report_in_the_log(deployment: Deployment) -> None:
    """The schedule starts the function, the publish is refused, and the log group holds the report whole."""
    before = unpublished(deployment)
    new = lambda: [one for one in unpublished(deployment) if one not in before]  # noqa: E731
    with no_permission_to_publish(deployment):
        fire(deployment, "refused")
        [report] = wait_for("report in the log", new)
    assert deploy_local.problems(report, source="aws.scheduler") == []
    assert waiting(deployment, deployment.queue) == 0, "nothing was published"


@pytest.mark.usefixtures("failed")
def test_failures_raise_the_alarms(deployment: Deployment, alarms: str) -> None:
    """A failed run counts in the metric of one alarm and a message in the queue is what the other looks at."""
    cloudwatch = deployment.client("cloudwatch")
    function, queue = deployment.outputs["FunctionName"], deployment.outputs["FailedRunQueueUrl"]
    with no_permission_to_publish(deployment):
        answer = deployment.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    assert answer["FunctionError"]
    named = {alarm["AlarmName"].split("-")[-2]: alarm for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    error, unfinished = named["ErrorAlarm"], named["FailedRunAlarm"]
    assert metric_sum(deployment, error) >= 1
    # Nobody counts messages here, so that the test tells CloudWatch what the queue holds. This also makes it look.
    assert unfinished["Dimensions"] == [{"Name": "QueueName", "Value": queue.rpartition("/")[2]}]
    held = waiting(deployment, queue)
    assert held == 1
    datum = {"MetricName": unfinished["MetricName"], "Dimensions": unfinished["Dimensions"], "Value": held}
    cloudwatch.put_metric_data(Namespace=unfinished["Namespace"], MetricData=[datum])
    told = set()
    while waiting(deployment, alarms):
        told.add(json.loads(deployment.receive(10, queue=alarms)["Message"])["AlarmName"])
    # This AWS looks at no dimensions, so that the alarm on the queue of failed schedules, of the same metric, goes too.
    assert {error["AlarmName"], unfinished["AlarmName"]} <= told
    assert waiting(deployment, deployment.queue) == 0, "no alarm is among the reports"


def metric_sum(deployment: Deployment, alarm: dict[str, Any]) -> float:
    """What the metric of an alarm adds up to in the last hour."""
    now = datetime.now(UTC)
    answer = deployment.client("cloudwatch").get_metric_statistics(
        Namespace=alarm["Namespace"],
        MetricName=alarm["MetricName"],
        Dimensions=alarm["Dimensions"],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


@pytest.fixture
def drained(deployment: Deployment) -> Iterator[None]:
    """Leaves no report of this test to the next."""
    yield
    while waiting(deployment, deployment.queue):
        deployment.receive(10)


@pytest.mark.usefixtures("drained")
def test_only_a_report_on_all_that_the_settings_name_ends_the_silence(deployment: Deployment) -> None:
    """A dry run each day and a run over one Region do not, though they are invocations."""
    silence = one_alarm(deployment, "SilenceAlarm")
    before = concluded(deployment, silence)
    for event in ({"publish": False}, {"regions": ["eu-west-1"]}):
        run(deployment, event)
    assert concluded(deployment, silence) == before
    count(deployment, silence, 0)
    assert one_alarm(deployment, "SilenceAlarm")["StateValue"] == "ALARM"
    run(deployment, EVENT)
    assert concluded(deployment, silence) == before + 1
    count(deployment, silence, 1)
    assert one_alarm(deployment, "SilenceAlarm")["StateValue"] == "OK"


def one_alarm(deployment: Deployment, name: str) -> dict[str, Any]:
    """An alarm of the stack, by its name in the template."""
    alarms = deployment.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{deploy_local.STACK}-{name}-")
    [alarm] = alarms["MetricAlarms"]
    return alarm


def run(deployment: Deployment, event: dict[str, Any]) -> None:
    """Runs the function, and waits until its log tells of the end."""
    ended = lambda: sum(line.startswith("REPORT ") for line in log(deployment))  # noqa: E731
    before = ended()
    answer = deployment.client("lambda").invoke(
        FunctionName=deployment.outputs["FunctionName"], Payload=json.dumps(event)
    )
    assert "FunctionError" not in answer, answer["Payload"].read()
    wait_for("end of the run in the log", lambda: ended() > before)


def log(deployment: Deployment) -> list[str]:
    """The lines of the log group."""
    pages = deployment.client("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=deployment.outputs["LogGroupName"])
    return [event["message"] for page in found for event in page["events"]]


def concluded(deployment: Deployment, alarm: dict[str, Any]) -> int:
    """How many lines of the log the metric filter counts that feeds the alarm."""
    group = deployment.outputs["LogGroupName"]
    filters = deployment.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"]
    metric = (alarm["Namespace"], alarm["MetricName"])
    [feeding] = [
        one
        for one in filters
        for made in one["metricTransformations"]
        if (made["metricNamespace"], made["metricName"]) == metric
    ]
    return sum(matches(feeding["filterPattern"], line) for line in log(deployment))


def matches(pattern: str, line: str) -> bool:
    """Whether a metric filter counts a line, for patterns that ask for the values of some fields."""
    asked = re.findall(r'\(\$\.(\w+) = "(\w+)"\)', pattern)
    assert pattern == "{ " + " && ".join(f'($.{name} = "{value}")' for name, value in asked) + " }"
    try:
        fields = json.loads(line)
    except ValueError:
        return False
    return isinstance(fields, dict) and all(fields.get(name) == value for name, value in asked)


def count(deployment: Deployment, alarm: dict[str, Any], value: float) -> None:
    """Puts a value of the alarm's metric, as CloudWatch does for a metric filter. This also makes it look."""
    datum = {"MetricName": alarm["MetricName"], "Value": value}
    deployment.client("cloudwatch").put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])


def test_two_schedules_at_once_are_two_whole_reports(deployment: Deployment) -> None:
    """Two runs beside each other publish a report each, with an id of its own and everything once."""
    before = len(deployment.simulator.requests())
    fire(deployment, "one", "other")
    arrived = [json.loads(deployment.receive()["Message"]) for _ in range(2)]
    assert [deploy_local.problems(report, source="aws.scheduler") for report in arrived] == [[], []]
    assert len({report["reportId"] for report in arrived}) == 2
    assert [report["evidence"]["error"] for report in arrived] == [None, None]
    assert [report["reportId"] for report in arrived] == [report["trigger"]["id"] for report in arrived]
    ids = [[violation["id"] for violation in report["violations"]] for report in arrived]
    assert sorted(ids[0]) == sorted(ids[1])
    assert len(set(ids[0])) == len(ids[0])
    assert waiting(deployment, deployment.queue) == 0, "two runs, two reports"
    pages = [one for one in deployment.simulator.requests()[before:] if one["operation"] == "ListMembers"]
    starts = [index for index, page in enumerate(pages) if "nextToken" not in page["query"]]
    assert (len(pages), len(starts)) == (2 * MEMBER_PAGES, 2)
    assert starts[1] < MEMBER_PAGES, "the second began before the first was through"


def test_after_a_restart_the_schedule_goes_on(deployment: Deployment) -> None:
    """The AWS is stopped in the middle of a run; started again, the next run of the schedule reports."""
    scheduler, name = deployment.client("scheduler"), deployment.outputs["ScheduleName"]
    schedule = scheduler.get_schedule(Name=name)
    fields = {key: schedule[key] for key in ("Name", "ScheduleExpression", "Target", "FlexibleTimeWindow")}
    before = len(deployment.simulator.requests())
    scheduler.update_schedule(**fields, State="ENABLED")
    asked = lambda: len(deployment.simulator.requests()) - before  # noqa: E731
    wait_for("run", lambda: asked() > 5)
    deployment.emulator.stop()
    cut = asked()
    assert cut < MEMBER_PAGES, "the run was in the middle"
    restarted = datetime.now(UTC).replace(microsecond=0)
    deployment.emulator.start()
    deployment.wait_until_ready()
    report = json.loads(deployment.receive()["Message"])
    assert deploy_local.problems(report, source="aws.scheduler") == []
    assert datetime.fromisoformat(report["generatedAt"]) >= restarted
    assert asked() >= cut + MEMBER_PAGES, "the run began anew"
