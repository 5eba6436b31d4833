"""The run that is divided: a schedule starts the state machine, its map audits 200 targets, one report tells of all."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deploy_local
import project
import pytest
from deploy_local import Deployment

SEED = project.ROOT / "tests" / "python" / "distributed-seed.json"
ACCOUNTS = [f"{number:012}" for number in range(1, 10)]
REGIONS = [
    *("ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
    *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2"),
    *("eu-west-3", "il-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
]
TARGETS = {(account, region) for account in [*ACCOUNTS, project.ACCOUNT] for region in REGIONS}


@pytest.fixture(scope="module")
def distributed() -> Iterator[Deployment]:
    """The stack with its state machine, over 10 accounts in 20 Regions."""
    deploy_local.sam_build()
    roles = ",".join(f"arn:aws:iam::{account}:role/macie-compliance-audit" for account in ACCOUNTS)
    parameters = ["DistributedMap=true", f"MacieRegions={','.join(REGIONS)}", f"MacieRoleArns={roles}"]
    with deploy_local.deployed(*parameters, seed=SEED) as deployed:
        yield deployed


def test_the_definition_is_one_to_step_functions(distributed: Deployment, tmp_path: Path) -> None:
    """The emulator passes over fields that it does not know, and cfn-lint over a definition in a file."""
    definition = machine(distributed)
    assert "${" not in json.dumps(definition), "everything is substituted"
    properties = {"RoleArn": "arn:aws:iam::999999999999:role/x", "Definition": definition}
    template = {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    (tmp_path / "template.json").write_text(json.dumps(template))
    done = subprocess.run(["cfn-lint", tmp_path / "template.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_map_gets_its_concurrency_as_a_number(distributed: Deployment) -> None:
    """Step Functions takes nothing else. The emulator does not read it, and runs 64 at once."""
    states = distributed.client("stepfunctions")
    states.meta.config.inject_host_prefix = False
    definition = machine(distributed)["States"]
    answer = states.test_state(
        definition=json.dumps(definition["ListTargets"]),
        input="{}",
        mock={"result": json.dumps({"Payload": {"execution": "e"}})},
    )
    handed = json.loads(answer["output"])
    assert handed == {"key": "runs/e/targets.json", "maxConcurrency": 10}
    assert definition["AuditTargets"]["MaxConcurrencyPath"] == "$.maxConcurrency"


def test_every_task_ends_and_the_report_follows_the_map(distributed: Deployment) -> None:
    """No time-out ends the execution as a whole, which would end it without its report."""
    definition = machine(distributed)
    assert "TimeoutSeconds" not in definition
    audits = definition["States"]["AuditTargets"]
    assert (audits["Next"], audits["ToleratedFailurePercentage"]) == ("PublishReport", 100)
    [catcher] = audits["Catch"]
    assert (catcher["ErrorEquals"], catcher["Next"]) == (["States.ALL"], "PublishReport")
    function = distributed.client("lambda").get_function_configuration(FunctionName=distributed.outputs["FunctionName"])
    for name, task in tasks(definition).items():
        assert task["TimeoutSeconds"] > function["Timeout"], name


@pytest.mark.parametrize(
    ("error", "retries"),
    [("InvalidEvent", 0), ("Lambda.TooManyRequestsException", 20), ("StepFailed", 3), ("States.Timeout", 3)],
)
def test_each_error_is_retried_as_it_deserves(distributed: Deployment, error: str, retries: int) -> None:
    """A wrong input never, a burst of invocations for minutes, and everything else a few times."""
    for name, task in tasks(machine(distributed)).items():
        outcomes = [outcome(distributed, task, error, before) for before in range(retries + 1)]
        assert outcomes == ["RETRIABLE"] * retries + ["FAILED"], name


def test_a_burst_is_over_before_the_retries_are(distributed: Deployment) -> None:
    """With full jitter the pauses are half as long on average, which has to be minutes all the same."""
    for name, task in tasks(machine(distributed)).items():
        [retrier] = [one for one in task["Retry"] if one["ErrorEquals"] == ["Lambda.TooManyRequestsException"]]
        pauses = [retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n for n in range(retrier["MaxAttempts"])]
        assert sum(min(pause, retrier["MaxDelaySeconds"]) for pause in pauses) / 2 > 300, name
        assert retrier["JitterStrategy"] == "FULL", name


def test_the_schedule_starts_the_map_and_one_report_tells_of_200_targets(distributed: Deployment) -> None:
    """Each target is audited by an execution of its own, and nothing is lost between them and the queue."""
    report = whole(distributed)
    assert (report["trigger"]["source"], report["complete"]) == ("aws.scheduler", True)
    assert {(target["accountId"], target["region"]) for target in report["targets"]} == TARGETS
    assert report["summary"]["members"] == 200 * 30 + len(REGIONS)
    assert {violation["rule"] for violation in report["violations"]} == {
        "member-account-suspended",
        "filter-archives-findings",
    }
    assert len(report["violations"]) == report["summary"]["violations"] == 2 * len(REGIONS)
    states = distributed.client("stepfunctions")
    # The newest is the first of the list, and the report is of the oldest.
    machine = distributed.outputs["StateMachineArn"]
    execution = states.list_executions(stateMachineArn=machine)["executions"][-1]["executionArn"]
    assert ended(distributed, execution)["status"] == "SUCCEEDED"
    evidence = stored(distributed)
    assert evidence.keys() == {"reports", "runs", "state", "history.json"}
    assert evidence["state"] == {f"state/{account}/{region}.json" for account, region in TARGETS}
    assert {report["evidence"]["key"], report["evidence"]["htmlKey"]} <= evidence["reports"]
    [run] = states.list_map_runs(executionArn=execution)["mapRuns"]
    counts = states.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
    assert (counts["total"], counts["succeeded"], counts["failed"]) == (200, 200, 0)


def stored(deployment: Deployment) -> dict[str, set[str]]:
    """The keys in the evidence bucket, by their first part."""
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    found: dict[str, set[str]] = {}
    for page in pages.paginate(Bucket=deployment.outputs["EvidenceBucketName"]):
        for one in page["Contents"]:
            found.setdefault(one["Key"].partition("/")[0], set()).add(one["Key"])
    return found


def test_a_failed_audit_is_an_incomplete_target(distributed: Deployment) -> None:
    """The map goes on without it, and the report names it."""
    definition = machine(distributed)
    audit = definition["States"]["AuditTargets"]["ItemProcessor"]
    audit["States"]["Choose"] = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.target.region", "StringEquals": "eu-west-1", "Next": "Break"}],
        "Default": audit["StartAt"],
    }
    audit["States"]["Break"] = {"Type": "Fail", "Error": "Broken", "Cause": "for the test"}
    audit["StartAt"] = "Choose"
    report = changed(distributed, "failed-audit", definition)
    assert report["summary"]["targetsIncomplete"] == 10
    for target in report["targets"]:
        expected = {"GetObject": "NoSuchKey"} if target["region"] == "eu-west-1" else dict.fromkeys(errors(target))
        assert errors(target) == expected, target


@pytest.mark.parametrize("what", ["reader", "audits"])
def test_a_failed_map_is_a_report_of_what_was_not_read(distributed: Deployment, what: str) -> None:
    """What the map did not come to is told, since the report is made of the list of targets and not of the map."""
    definition = machine(distributed)
    audits = definition["States"]["AuditTargets"]
    if what == "reader":
        audits["ItemReader"]["Parameters"] = {
            "Bucket": distributed.outputs["EvidenceBucketName"],
            "Key": "runs/none.json",
        }
    else:
        audits["ItemProcessor"]["States"] = {"Break": {"Type": "Fail", "Error": "Broken", "Cause": "for the test"}}
        audits["ItemProcessor"]["StartAt"] = "Break"
    report = changed(distributed, f"failed-{what}", definition)
    assert report["summary"]["targetsIncomplete"] == 20
    assert [errors(target) for target in report["targets"]] == [{"GetObject": "NoSuchKey"}] * 20


def test_an_execution_that_was_stopped_is_in_the_queue_of_failed_runs(distributed: Deployment) -> None:
    """It publishes nothing, so that its alarm is all that tells of it."""
    states = distributed.client("stepfunctions")
    machine = distributed.outputs["StateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, name="stopped-1", input="{}")["executionArn"]
    states.stop_execution(executionArn=execution)
    detail = failed_run(distributed)
    assert (detail["executionArn"], detail["status"]) == (execution, "ABORTED")


def test_an_input_that_is_wrong_fails_at_once(distributed: Deployment) -> None:
    """No retry makes it right, and whoever gave it waits for the answer."""
    states = distributed.client("stepfunctions")
    machine = distributed.outputs["StateMachineArn"]
    begun = time.monotonic()
    wrong = json.dumps({"region": ["eu-west-1"]})
    execution = states.start_execution(stateMachineArn=machine, name="wrong-1", input=wrong)["executionArn"]
    answer = ended(distributed, execution)
    assert time.monotonic() - begun < 5, "the first retry of other errors comes after 5 s"
    assert (answer["status"], answer["error"]) == ("FAILED", "InvalidEvent")
    assert "region" in answer["cause"]
    detail = failed_run(distributed)
    assert (detail["executionArn"], detail["status"]) == (execution, "FAILED")


def failed_run(deployment: Deployment) -> dict[str, Any]:
    """What the queue of failed runs holds of an execution, taken out of it."""
    sqs, queue = deployment.client("sqs"), deployment.outputs["FailedRunQueueUrl"]
    [message] = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", [])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return json.loads(message["Body"])["detail"]


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The tasks of a definition, those of the map among them."""
    states = {**definition["States"], **definition["States"]["AuditTargets"]["ItemProcessor"]["States"]}
    found = {name: state for name, state in states.items() if state["Type"] == "Task"}
    assert found.keys() == {"ListTargets", "AuditTarget", "PublishReport"}
    return found


def outcome(deployment: Deployment, task: dict[str, Any], error: str, before: int) -> str:
    """What Step Functions makes of a task that ends in an error, after so many retries of it."""
    # This one call goes to a host of its own on AWS, which the local AWS has not.
    states = deployment.client("stepfunctions")
    states.meta.config.inject_host_prefix = False
    answer = states.test_state(
        definition=json.dumps(task),
        input="{}",
        mock={"errorOutput": {"error": error, "cause": "for the test"}},
        stateConfiguration={"retrierRetryCount": before},
    )
    return answer["status"]


def machine(deployment: Deployment) -> dict[str, Any]:
    """The definition of the stack's state machine."""
    states = deployment.client("stepfunctions")
    found = states.describe_state_machine(stateMachineArn=deployment.outputs["StateMachineArn"])
    return json.loads(found["definition"])


def changed(deployment: Deployment, name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """The report of an execution over 20 targets of a state machine with another definition."""
    states = deployment.client("stepfunctions")
    role = states.describe_state_machine(stateMachineArn=deployment.outputs["StateMachineArn"])["roleArn"]
    other = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)["stateMachineArn"]
    asked = json.dumps({"regions": ["eu-west-1", "us-east-1"]})
    execution = states.start_execution(stateMachineArn=other, name=f"{name}-1", input=asked)["executionArn"]
    answer = ended(deployment, execution)
    assert answer["status"] == "SUCCEEDED", answer
    output = json.loads(answer["output"])
    assert (output["complete"], output["summary"]["targets"]) == (False, 20)
    return whole(deployment, report_id=output["reportId"])


def errors(target: dict[str, Any]) -> dict[str, str | None]:
    """The reads of a target, each with the code of its error."""
    return {read["api"]: read["error"] and read["error"]["code"] for read in target["reads"]}


def ended(deployment: Deployment, execution: str) -> dict[str, Any]:
    """An execution, when it is over."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = deployment.client("stepfunctions").describe_execution(executionArn=execution)
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.5)
    raise AssertionError(f"{execution} does not end")


def whole(deployment: Deployment, report_id: str | None = None) -> dict[str, Any]:
    """A report out of its parts: the next to arrive, or the next of an id."""
    parts: dict[str, list[dict[str, Any]]] = {}
    while True:
        part = json.loads(deployment.receive()["Message"])
        known = parts.setdefault(part["reportId"], [])
        known.append(part)
        if report_id in (None, part["reportId"]) and len(known) == part["part"]["of"]:
            targets = {(target["accountId"], target["region"]): target for part in known for target in part["targets"]}
            violations = [violation for part in known for violation in part["violations"]]
            return {**known[0], "targets": list(targets.values()), "violations": violations}
