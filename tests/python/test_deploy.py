"""The template, the binary and the simulator together: a schedule starts the function and its report arrives."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import deploy_local
import project
import pytest
import template
from botocore.exceptions import ClientError
from deploy_local import Deployment

SETTINGS = {
    "REPORT_TOPIC_ARN",
    "MACIE_REGIONS",
    "MACIE_ROLE_ARNS",
    "MACIE_ROLE_EXTERNAL_IDS",
    "NOTIFY_ON",
    "INCLUDE_EMAILS",
    "EXPECTED_ADMINISTRATOR",
    "DISABLED_RULES",
    "AUDIT_OWN_ACCOUNT",
    "MAX_CONCURRENCY",
    "DEADLINE_MARGIN_SECONDS",
    "FAIL_ON",
    "MAX_PARTS",
    "EVIDENCE_BUCKET",
    "EVIDENCE_KMS_KEY_ARN",
    "EVIDENCE_OBJECT_LOCK",
    "EXEMPTIONS_URI",
}
ROLE = "arn:aws:iam::111122223333:role/macie-compliance-audit"
TOPIC = f"arn:aws:sns:{project.REGION}:{project.ACCOUNT}:existing"
DAILY = "cron(0 7 * * ? *)"


def test_the_schedule_starts_the_function_and_the_report_arrives(deployment: Deployment) -> None:
    """Nobody but the schedule invokes the function, and the queue receives the report of the seed."""
    message = deployment.receive()
    report = json.loads(message["Message"])
    assert deploy_local.problems(report, source="aws.scheduler") == []
    assert "NON_COMPLIANT" in message["Subject"]
    published = [request for request in deployment.simulator.requests() if request["service"] != "macie2"]
    assert published == [], "only Macie is the simulator's"


def test_every_resource_is_made(deployment: Deployment) -> None:
    """What the template declares and its conditions ask for is there."""
    answer = deployment.client("cloudformation").describe_stack_resources(StackName=deploy_local.STACK)
    made = {resource["LogicalResourceId"]: resource["ResourceStatus"] for resource in answer["StackResources"]}
    assert set(made.values()) == {"CREATE_COMPLETE"}
    assert {"ReportTopic", "AlarmTopic", "TopicKey", "Schedule", "IncompleteReportAlarm"} <= made.keys()
    assert {"IncompleteReports", "ConcludedReports", "SilenceAlarm"} <= made.keys()
    assert not made.keys() & {"ReportEmailSubscription", "AlarmEmailSubscription"}


def test_every_setting_reaches_the_function(deployment: Deployment) -> None:
    """The function has exactly the variables that it reads."""
    function = deployment.client("lambda").get_function_configuration(FunctionName=deployment.outputs["FunctionName"])
    variables = function["Environment"]["Variables"]
    assert variables.keys() == SETTINGS
    assert variables["REPORT_TOPIC_ARN"] == deployment.outputs["ReportTopicArn"]
    bucket = deployment.outputs["EvidenceBucketName"]
    assert variables["EVIDENCE_BUCKET"] == bucket
    assert variables["EXEMPTIONS_URI"] == f"s3://{bucket}/{deployment.outputs['ExemptionsKey']}"


def test_every_alarm_has_somebody_to_tell(deployment: Deployment) -> None:
    """Alarms come and go on a topic of their own, and never on that of the reports."""
    alarms = deployment.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{deploy_local.STACK}-")["MetricAlarms"]
    topic = deployment.outputs["AlarmTopicArn"]
    assert topic != deployment.outputs["ReportTopicArn"]
    assert [(alarm["AlarmActions"], alarm["OKActions"]) for alarm in alarms] == [([topic], [topic])] * 5
    sns = deployment.client("sns")
    for arn, sids in (
        (topic, {"LetAlarmsPublish", "OnlyOverTls"}),
        (deployment.outputs["ReportTopicArn"], {"OnlyOverTls"}),
    ):
        policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
        assert {statement["Sid"] for statement in policy["Statement"]} == sids
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    # This AWS keeps no key of a topic.
    for name in ("AlarmTopic", "ReportTopic"):
        assert resources(deployment)[name]["Properties"]["KmsMasterKeyId"] == {"Ref": "TopicKey"}


def resources(deployment: Deployment) -> dict[str, Any]:
    """The resources of the stack's template."""
    return json.loads(deployment.template())["Resources"]


def test_the_log_outlives_the_stack_and_is_in_the_way_of_no_other(deployment: Deployment) -> None:
    """A log is evidence. A group of a fixed name would be there already when the stack is made anew."""
    for name in ("LogGroup", "EvidenceBucket", "EvidenceBucketPolicy"):
        made = resources(deployment)[name]
        kept = (made["DeletionPolicy"], made["UpdateReplacePolicy"])
        assert kept == ("RetainExceptOnCreate", "Retain"), name
    [stack] = deployment.client("cloudformation").describe_stacks(StackName=deploy_local.STACK)["Stacks"]
    unique = stack["StackId"].rpartition("/")[2].partition("-")[0]
    assert deployment.outputs["LogGroupName"] == f"/aws/lambda/{deploy_local.STACK}-{unique}"


def bucket(**given: str) -> dict[str, Any]:
    """The properties of the evidence bucket. The local AWS knows few of them: the template is read."""
    read = template.Template(given)
    return read.value(read.resources["EvidenceBucket"]["Properties"])


def test_the_bucket_is_nobody_elses_and_keeps_every_version(deployment: Deployment) -> None:
    """What is overwritten or deleted can be looked at, by whom the account lets in."""
    name = deployment.outputs["EvidenceBucketName"]
    versioning = deployment.client("s3").get_bucket_versioning(Bucket=name)
    assert versioning["Status"] == "Enabled"
    block = deployment.client("s3").get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    policy = json.loads(deployment.client("s3").get_bucket_policy(Bucket=name)["Policy"])
    sids = {statement["Sid"] for statement in policy["Statement"]}
    assert sids == {"OnlyOverTls", "ReportsAreWrittenOnce", "TheFunctionWritesNoExemptions"}
    assert bucket()["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_what_is_in_the_bucket_goes_in_its_time() -> None:
    """Reports after EvidenceDays, or never; what a run hands on after a week; the exemptions document never."""
    assert lifetimes() == {
        "reports/": (400, 30),
        "runs/": (7, 7),
        "state/": (None, 7),
        "history.json": (None, 7),
        "": (None, None),
    }
    assert lifetimes(EvidenceDays="90")["reports/"] == (90, 30)
    assert lifetimes().keys() - lifetimes(EvidenceDays="0").keys() == {"reports/"}


def lifetimes(**given: str) -> dict[str, tuple[int | None, int | None]]:
    """The days after which objects and their old versions go, by the beginning of the key."""
    rules = bucket(**given)["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert [rule["AbortIncompleteMultipartUpload"] for rule in rules if "Prefix" not in rule] == [
        {"DaysAfterInitiation": 1}
    ]
    days = {}
    for rule in rules:
        current, old = rule.get("ExpirationInDays"), rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
        days[rule.get("Prefix", "")] = (current and int(current), old)
    return days


def test_object_lock_is_for_those_who_ask_for_it() -> None:
    """S3 never switches it off again. The bucket locks nothing by itself: the function asks for it with a report."""
    assert not bucket().keys() & {"ObjectLockEnabled", "ObjectLockConfiguration"}
    assert template.Template({}).environment()["EVIDENCE_OBJECT_LOCK"] == ""
    asked = {"EvidenceObjectLock": "COMPLIANCE", "EvidenceObjectLockDays": "30"}
    assert bucket(**asked)["ObjectLockEnabled"] is True
    assert bucket(**asked)["ObjectLockConfiguration"] == {"ObjectLockEnabled": "Enabled"}
    assert template.Template(asked).environment()["EVIDENCE_OBJECT_LOCK"] == "COMPLIANCE:30"


def test_only_one_of_two_writers_wins(deployment: Deployment) -> None:
    """The local S3 keeps the conditions of a write as S3 does: what the function relies on for reports and states."""
    s3, name = deployment.client("s3"), deployment.outputs["EvidenceBucketName"]
    key = {"Bucket": name, "Key": "state/111122223333/eu-west-1.json"}
    first = s3.put_object(**key, Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**key, Body=b"2", IfNoneMatch="*")
    s3.put_object(**key, Body=b"3", IfMatch=first)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**key, Body=b"4", IfMatch=first)
    assert s3.get_object(**key)["Body"].read() == b"3"
    assert len(s3.list_object_versions(Bucket=name, Prefix=key["Key"])["Versions"]) == 2
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=name, Key="state/111122223333/nowhere.json")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"AlarmEmail": "a@example.com", "AlarmTopicArn": TOPIC}, "AlarmEmail subscribes to the alarm topic"),
        ({"SubnetIds": "subnet-01234567"}, "Give SecurityGroupIds too"),
        ({"SecurityGroupIds": "sg-01234567"}, "Give SubnetIds too"),
        ({"AuditOwnAccount": "false"}, "there is nothing to audit"),
        ({"BucketKeyArn": "arn:aws:kms:us-east-1:999999999999:key/1", "Evidence": "false"}, "Set Evidence to true"),
        ({"DistributedMap": "true", "Evidence": "false"}, "Set Evidence to true"),
        ({"EvidenceObjectLock": "GOVERNANCE", "Evidence": "false"}, "Set Evidence to true"),
        ({"NotifyOn": "changes", "Evidence": "false"}, "set Evidence to true"),
        (
            {"ExemptionsWriterArn": ROLE, "ExemptionsKey": "exemptions.json", "Evidence": "false"},
            "Set Evidence to true and give ExemptionsKey",
        ),
        ({"ExemptionsWriterArn": ROLE}, "Set Evidence to true and give ExemptionsKey"),
        ({"ExemptionsKey": "state/1/2.json"}, "ExemptionsKey"),
        ({"FailOn": "NONE"}, "FailOn"),
        ({"MapRoleArnPattern": ROLE}, "Set DistributedMap to true"),
        (
            {"AuditOwnAccount": "false", "MapRoleArnPattern": ROLE, "DistributedMap": "true"},
            "there is nothing to audit",
        ),
        ({"SubnetIds": "vpc-01234567", "SecurityGroupIds": "sg-01234567"}, "SubnetIds"),
        ({"SubnetIds": "subnet-01234567", "SecurityGroupIds": "sg-01234567, sg-12345678"}, "SecurityGroupIds"),
        ({"DisabledRules": "*"}, "DisabledRules"),
        ({"ExpectedAdministrator": "1234"}, "ExpectedAdministrator"),
        ({"ExpectedAdministrator": "111122223333, 444455556666"}, "ExpectedAdministrator"),
        ({"DisabledRules": "discovery-*-off"}, "DisabledRules"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(
    deployment: Deployment, parameters: dict[str, str], told: str
) -> None:
    """CloudFormation makes no stack of them, and says which they are."""
    with pytest.raises(ClientError, match=told):
        change(deployment, parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"DisabledRules": "discovery-*"},
        {"DisabledRules": "macie-paused,discovery-*,job-stopped"},
        {"AuditOwnAccount": "false", "MacieRoleArns": ROLE},
        {"Evidence": "false", "FailOn": "CRITICAL"},
        {"NotifyOn": "changes", "EvidenceObjectLock": "COMPLIANCE", "EvidenceDays": "0"},
        {"ExemptionsKey": "accepted/macie.json", "ExemptionsWriterArn": ROLE},
        {"ExpectedAdministrator": "012345678901"},
        {"ExpectedAdministrator": "111122223333,444455556666"},
    ],
)
def test_parameters_that_make_sense_are_taken(deployment: Deployment, parameters: dict[str, str]) -> None:
    """What the tests above refuse is not too much."""
    change(deployment, parameters)


def change(deployment: Deployment, parameters: dict[str, str]) -> None:
    """Asks for a stack with these parameters, which is not made."""
    cloudformation = deployment.client("cloudformation")
    cloudformation.create_change_set(
        StackName="never-made",
        ChangeSetName="asked",
        ChangeSetType="CREATE",
        TemplateBody=deployment.template(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.delete_change_set(StackName="never-made", ChangeSetName="asked")


def test_permissions_follow_the_parameters(deployment: Deployment) -> None:
    """A permission that only some settings need is there with them and not without."""
    without = statements(deployment, deployment.outputs)
    assert without.keys() == {
        *("ReadMacie", "ReadMember", "ReadFilter", "ReadAllowList", "ReadJob", "ReadAccounts"),
        *("Publish", "EncryptForTheTopic", "ReportFailedRun", "WriteLog"),
        *("KeepEvidence", "TellWhatIsMissing", "ReadExemptions"),
    }
    key = f"arn:aws:kms:{project.REGION}:{project.ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    roles = [f"arn:aws:iam::{account}:role/macie-compliance-audit" for account in ("111122223333", "444455556666")]
    deploy_local.sam_deploy(
        deployment.endpoint,
        "every-option",
        "ScheduleState=DISABLED",
        "MacieRegions=all",
        f"MacieRoleArns={','.join(roles)}",
        template.override("ScheduleExpression", DAILY),
        "AlarmEmail=operations@example.com",
        f"ReportTopicArn={TOPIC}",
        f"ReportTopicKeyArn={key}",
        f"PermissionsBoundaryArn=arn:aws:iam::{project.ACCOUNT}:policy/boundary",
        "SubnetIds=subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "SecurityGroupIds=sg-0123456789abcdef0",
    )
    outputs = deploy_local.stack_outputs(deployment.endpoint, "every-option")
    everything = statements(deployment, outputs)
    assert everything["Publish"]["Resource"] == TOPIC
    assert everything["EncryptForTheExistingTopic"]["Resource"] == key
    assert everything["AuditOtherAccounts"]["Resource"] == roles
    assert everything["ReadRegions"]["Action"] == "account:ListRegions"
    assert "EncryptForTheTopic" not in everything
    # SAM would lose what follows the first blank of a value that is not quoted.
    schedule = deployment.client("scheduler").get_schedule(Name=outputs["ScheduleName"])
    assert schedule["ScheduleExpression"] == DAILY
    subscribed = deployment.client("sns").list_subscriptions_by_topic(TopicArn=outputs["AlarmTopicArn"])
    assert [one["Endpoint"] for one in subscribed["Subscriptions"]] == ["operations@example.com"]


def test_a_stack_keeps_its_processor(deployment: Deployment, tmp_path: Path) -> None:
    """The check asks CloudFormation what the stack runs on, and refuses another before anything is built."""
    parameters = tmp_path / "parameters.yaml"
    for architecture, code in (("x86_64", 0), ("arm64", 1)):
        parameters.write_text(f"Architecture: {architecture}\n")
        command = [sys.executable, project.ROOT / "tools" / "deploy.py", "--check", "--parameters", parameters]
        env = project.local_aws(deployment.endpoint)
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "runs on x86_64" in done.stderr
        done = subprocess.run([*command, "--stack", "no-such"], env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, "does not exist yet" in done.stderr) == (0, True), done.stderr


def statements(deployment: Deployment, outputs: dict[str, str]) -> dict[str, dict[str, Any]]:
    """What the function of a stack may do, by the names of the statements."""
    document = deployment.role_policy(outputs["FunctionRoleArn"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


@pytest.mark.parametrize("external_id", ["", "example-1"])
def test_the_role_for_other_accounts(deployment: Deployment, external_id: str) -> None:
    """The second template makes a role that may read Macie and nothing else, and that only the function may assume."""
    name = f"audit{external_id}"
    values = {"AuditorRoleArn": deployment.outputs["FunctionRoleArn"], "RoleName": name, "ExternalId": external_id}
    template = (project.ROOT / "template-member-role.yaml").read_text()
    outputs = deploy_local.create_stack(deployment.endpoint, name, template, values)
    outputs["FunctionRoleArn"] = outputs["RoleArn"]
    assert statements(deployment, outputs).keys() == {
        *("ReadMacie", "ReadMember", "ReadFilter", "ReadAllowList", "ReadJob", "ReadAccounts", "ReadRegions")
    }
    trust = deployment.client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    [statement] = trust["Statement"]
    condition = {"ArnLike": {"aws:PrincipalArn": deployment.outputs["FunctionRoleArn"]}}
    if external_id:
        condition["StringEquals"] = {"sts:ExternalId": external_id}
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{project.ACCOUNT}:root"}
    assert statement["Condition"] == condition
