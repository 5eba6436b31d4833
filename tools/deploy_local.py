"""Deploys the template to an AWS on loopback, waits for its schedule to start the function, and prints the report.

With --keep it goes on running, to look around, until it is interrupted.
"""

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import install
import project
import services
from template import override

STACK = "macie-compliance"
# arm64, the template's default, needs a Rust target that not every machine has.
PARAMETERS = [
    override("Architecture", "x86_64"),
    override("ScheduleExpression", "rate(1 minute)"),
    override("ExemptionsKey", "exemptions.json"),
]
BUILD = project.ROOT / ".aws-sam" / "local"
REPORT_SECONDS = 150


@dataclass
class Deployment:
    """The deployed stack, and a queue that its reports are delivered to."""

    endpoint: str
    outputs: dict[str, str]
    queue: str
    simulator: services.Simulator
    emulator: services.Service

    def client(self, service: str, account: str = project.ACCOUNT) -> Any:
        """A client of the local AWS, in an account of it."""
        return client(service, self.endpoint, account)

    def role_policy(self, role: str, account: str = project.ACCOUNT, policy: str = "audit") -> dict[str, Any]:
        """What a role of the templates may do, given by its name or its ARN."""
        role = role.rpartition("/")[2]
        answer = self.client("iam", account).get_role_policy(RoleName=role, PolicyName=policy)
        document = answer["PolicyDocument"]
        return json.loads(document) if isinstance(document, str) else document

    def template(self) -> str:
        """The template of the stack, as it was deployed."""
        body = self.client("cloudformation").get_template(StackName=STACK)["TemplateBody"]
        return body if isinstance(body, str) else json.dumps(body)

    def receive(
        self, seconds: float = REPORT_SECONDS, *, queue: str | None = None, until_error: bool = False
    ) -> dict[str, Any]:
        """Waits for the next message of the report topic, or of the topic of another queue."""
        sqs, queue = self.client("sqs"), queue or self.queue
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                return json.loads(message["Body"])
            if until_error and (errors := self.errors()):
                raise project.Failure(f"the function failed: {errors[0]}")
        raise project.Failure(f"no report arrived in {seconds:.0f} s (.tools/logs/emulator.log)")

    def errors(self) -> list[str]:
        """What keeps the function from its report: that it does not start, or what its log says."""
        emulator = self.emulator.log.read_text(errors="replace").splitlines()
        starts = [line.partition("init error: ")[2] for line in emulator if "ERROR [lambda]" in line]
        pages = self.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=self.outputs["LogGroupName"])
        lines = [event["message"] for page in found for event in page["events"]]
        errors = [line for line in lines if line.startswith("{") and '"level":"ERROR"' in line]
        return [start for start in starts if start] + [json.loads(line)["message"] for line in errors]

    def wait_until_ready(self) -> None:
        """Waits until the local AWS answers."""
        self.emulator.wait_until(lambda: services.get_json(f"{self.endpoint}/_ministack/health"), 60)


def main() -> None:
    """Deploys, and prints the report of the first scheduled run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="go on running until interrupted")
    parser.add_argument("--build", action="store_true", help="only build what is deployed")
    given = parser.parse_args()
    install.main()
    sam_build()
    if given.build:
        return
    with deployed() as deployment:
        project.say("deployed; waiting for the schedule, which runs every minute")
        message = deployment.receive(until_error=True)
        report = json.loads(message["Message"])
        project.show(f"Subject: {message.get('Subject')}\n\n{json.dumps(report, indent=2, ensure_ascii=False)}")
        wrong = problems(report, source="aws.scheduler")
        if wrong:
            raise project.Failure(f"the report is not that of the seed: {'; '.join(wrong)}")
        project.say("the schedule started the function, and its report arrived in the queue")
        if given.keep:
            project.say(f"local AWS: {deployment.endpoint}, Macie: {deployment.simulator.url}; interrupt to stop")
            signal.pause()


def problems(report: dict[str, Any], source: str) -> list[str]:
    """What a report of the local run does not hold of its seed, one line each."""
    [target] = json.loads(project.SEED.read_text())["targets"]
    statuses, actions = Counter[str](), Counter[str]()
    for member in target["members"]:
        statuses[member["relationshipStatus"]] += member.get("count", 1)
    for one in target["findingsFilters"]:
        actions[one["action"]] += one.get("count", 1)
    summary, [audited] = report["summary"], report["targets"]
    broken = statuses.total() - statuses["Enabled"] + actions["ARCHIVE"]
    held = {
        "verdict": (report["verdict"], "NON_COMPLIANT"),
        "complete": (report["complete"], True),
        "source": (report["trigger"]["source"], source),
        "target": ((audited["accountId"], audited["region"]), (project.ACCOUNT, project.REGION)),
        "statuses": (summary["membersByStatus"], statuses),
        "filters": (summary["filters"], actions.total()),
        "violations": (summary["violations"], broken),
        "violations by rule": (sum(summary["byRule"].values()), broken),
        "violations in the list": (len(report["violations"]), broken),
    }
    return [f"{name}: {found!r}, not {wanted!r}" for name, (found, wanted) in held.items() if found != wanted]


def sam_build() -> None:
    """Builds the function for Lambda, unless the Makefile has, for all processes of its tests."""
    if os.environ.get("FUNCTION_BUILT"):
        return
    project.need("cargo", "sam", "cargo-lambda", "zig")
    # SAM would build it in silence, for minutes the first time. This way it finds it built.
    services.cargo("lambda", "build", "--release", "--bin", STACK)
    sam("build", "--build-dir", str(BUILD), "--parameter-overrides", *PARAMETERS)


@contextmanager
def deployed(*parameters: str, seed: Path = project.SEED, **emulator: str) -> Iterator[Deployment]:
    """Runs the simulator and the local AWS, deploys what `sam_build` built, and subscribes a queue.

    `parameters` are the stack's, and `emulator` holds more settings of the local AWS.
    """
    port = project.free_port()
    endpoint = f"http://127.0.0.1:{port}"
    # Everything that the local AWS unpacks or writes goes with it.
    with (
        services.simulator(seed) as simulator,
        tempfile.TemporaryDirectory(prefix="local-", dir=project.TOOLS) as scratch,
        services.service(
            "emulator", ["ministack"], emulator_environment(port, simulator, Path(scratch)) | emulator
        ) as running,
    ):
        deployment = Deployment(endpoint, {}, "", simulator, running)
        deployment.wait_until_ready()
        sam_deploy(endpoint, STACK, *parameters)
        deployment.outputs = stack_outputs(endpoint)
        deployment.queue = subscribe(endpoint, deployment.outputs["ReportTopicArn"])
        yield deployment


def emulator_environment(port: int, simulator: services.Simulator, scratch: Path) -> dict[str, str]:
    """The environment of the local AWS, which its functions inherit: Macie is the simulator's.

    So are the roles in other accounts, since the simulator tells accounts apart by the credentials that it gave out.
    What it keeps over a restart, if it is told to, is in `scratch` too.
    """
    home = scratch / "home"
    home.mkdir()
    return project.local_aws(
        f"http://127.0.0.1:{port}",
        AWS_ENDPOINT_URL_MACIE2=simulator.url,
        AWS_ENDPOINT_URL_STS=simulator.url,
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        HOME=str(home),
        LAMBDA_EXECUTOR="local",
        MINISTACK_ACCOUNT_ID=project.ACCOUNT,
        MINISTACK_REGION=project.REGION,
        STATE_DIR=str(scratch / "state"),
        TMPDIR=str(scratch),
    )


def sam_deploy(endpoint: str, stack: str = STACK, *parameters: str) -> None:
    """Deploys what was built."""
    options = ["--stack-name", stack, "--no-confirm-changeset", "--no-progressbar"]
    options += ["--parameter-overrides", *PARAMETERS, *parameters]
    # SAM has to be told of the built template, which holds the binary, and then looks beside it for its settings.
    built = ["--template-file", str(BUILD / "template.yaml"), "--config-file", str(project.ROOT / "samconfig.toml")]
    sam("deploy", *built, *options, endpoint=endpoint)


def sam(*arguments: str, endpoint: str = "http://127.0.0.1:9") -> None:
    """Runs SAM, which is silent unless it fails. Without an endpoint it can reach none."""
    done = subprocess.run(
        ["sam", *arguments],
        cwd=project.ROOT,
        env=project.local_aws(endpoint),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        project.say(done.stdout)
        raise project.Failure(f"`sam {arguments[0]}` failed, see above")


def create_stack(
    endpoint: str, stack: str, template: str, parameters: dict[str, str], account: str = project.ACCOUNT
) -> dict[str, str]:
    """Makes a stack of a template that needs nothing built, and gives its outputs."""
    cloudformation = client("cloudformation", endpoint, account)
    cloudformation.create_stack(
        StackName=stack,
        TemplateBody=template,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})
    return stack_outputs(endpoint, stack, account)


def stack_outputs(endpoint: str, stack: str = STACK, account: str = project.ACCOUNT) -> dict[str, str]:
    """The outputs of a stack."""
    [found] = client("cloudformation", endpoint, account).describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def subscribe(endpoint: str, topic: str, name: str = "reports") -> str:
    """Makes a queue that receives what is published to a topic."""
    sqs = client("sqs", endpoint)
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    client("sns", endpoint).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def client(service: str, endpoint: str, account: str = project.ACCOUNT) -> Any:
    """A client of a server on loopback, which takes an access key of twelve digits for that account's own."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=project.REGION,
        aws_access_key_id="test" if account == project.ACCOUNT else account,
        aws_secret_access_key="test",
    )


if __name__ == "__main__":
    project.run(main)
