"""The permissions of the templates are those that the function uses, and no others.

What it uses is read from the simulator's record of runs of the deployed binary, with the environment that the template
gives it. What is allowed is decided by a policy engine that is not ours.
"""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import deploy_local
import iam
import parliament
import project
import pytest
from deploy_local import Deployment
from iam import Call, Policy

OTHER = "111122223333"
ROLE_NAME = "macie-compliance-audit"
ROLE = f"arn:aws:iam::{OTHER}:role/{ROLE_NAME}"
TOPIC = f"arn:aws:sns:{project.REGION}:{project.ACCOUNT}:existing"
KEY = f"arn:aws:kms:{project.REGION}:{project.ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
BINARY = deploy_local.BUILD / "Function" / "bootstrap"

# The parameters of the stack, by what they are for. Together they use every setting.
COMBINATIONS: dict[str, dict[str, str]] = {
    "one Region": {},
    "all Regions": {"MacieRegions": "all"},
    "another account": {"MacieRoleArns": ROLE, "MacieRegions": "us-east-1,eu-west-1"},
    "existing topic": {"ReportTopicArn": TOPIC, "ReportTopicKeyArn": KEY},
    "everything": {
        "MacieRegions": "all",
        "MacieRoleArns": ROLE,
        "MacieRoleExternalIds": f"{OTHER}=example-1",
        "ReportTopicArn": TOPIC,
        "ReportTopicKeyArn": KEY,
        "NotifyOn": "problems",
        "DisabledRules": "filter-archives-findings",
        "MaxConcurrency": "8",
        "DeadlineMarginSeconds": "5",
    },
    "divided": {"DistributedMap": "true", "MapRoleArnPattern": ROLE, "IncludeEmails": "true"},
}

# What the state machine asks for in one execution, of one target in each account.
STEPS: list[dict[str, Any]] = [
    {"step": "ListTargets", "execution": "e", "event": {"roles": [{"roleArn": ROLE}]}},
    {"step": "AuditTarget", "execution": "e", "target": {"accountId": project.ACCOUNT, "region": project.REGION}},
    {
        "step": "AuditTarget",
        "execution": "e",
        "target": {"accountId": OTHER, "region": project.REGION, "roleArn": ROLE},
    },
    {"step": "PublishReport", "execution": "e"},
]

# What the policy allows and the function does not call by itself, and who does.
ON_ITS_BEHALF = {
    "kms:Decrypt": "SNS, when the function publishes to an encrypted topic",
    "kms:GenerateDataKey*": "SNS, when the function publishes to an encrypted topic",
    "logs:CreateLogStream": "Lambda, for the function's log",
    "logs:PutLogEvents": "Lambda, for the function's log",
    "sqs:SendMessage": "Lambda, for a run that failed after every retry",
}

# The resources in which something stands open, and why it does.
OPEN = {
    "macie2:GetMember": "which members are flagged, and in which Regions, is known in the run only",
    "logs:CreateLogStream": "Lambda names the streams of the group",
    "logs:PutLogEvents": "Lambda names the streams of the group",
    "s3:GetObject": "executions and targets are known in the run only; nothing but them is below runs/",
    "s3:PutObject": "executions and targets are known in the run only; nothing but them is below runs/",
}

# Called only where another action is refused, and enough in its place.
INSTEAD = {"macie2:GetAdministratorAccount": "macie2:GetMasterAccount"}


@dataclass
class Stack:
    """What CloudFormation made of the template for some parameters."""

    variables: dict[str, str]
    policies: dict[str, Policy]
    outputs: dict[str, str]
    caller: str
    calls: set[Call] = field(default_factory=set)

    def events(self) -> list[dict[str, Any]]:
        """The events of one run."""
        return STEPS if self.variables["RESULT_BUCKET"] else [{}]

    def actions(self, account: str) -> set[str]:
        """The actions that the function called in an account."""
        return {call.action for call in self.calls if call.account == account}


@dataclass
class Run:
    """One run of the function, as tests/simulator/src/bin/run-once.rs tells of it."""

    outcome: dict[str, Any]
    requests: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    log: list[dict[str, Any]]

    def reports(self) -> list[dict[str, Any]]:
        """The reports that were published."""
        return [json.loads(json.loads(message["body"])["default"]) for message in self.messages]

    def report(self) -> dict[str, Any]:
        """The only one."""
        [report] = self.reports()
        return report

    def failures(self) -> set[tuple[str, str, str]]:
        """The reads that failed: account, operation and hint."""
        targets = self.report()["targets"]
        reads = [(target["accountId"], read) for target in targets for read in target["reads"] if read["error"]]
        return {(account, read["api"], read["error"]["hint"]) for account, read in reads}


Runner = Callable[..., Run]


@pytest.fixture(scope="module")
def run(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Runs the deployed binary once, on a Macie in which each account has a flagged member in every Region."""
    folder = tmp_path_factory.mktemp("runs")
    members = [{"relationshipStatus": "Enabled"}, {"relationshipStatus": "AccountSuspended"}]
    targets = [{"accountId": account, "region": "*", "members": members} for account in (project.ACCOUNT, OTHER)]
    program = project.target_directory() / "debug" / "run-once"

    def once(stack: Stack, faults: list[dict[str, Any]] | None = None) -> Run:
        seed = folder / f"seed-{len(list(folder.iterdir()))}.json"
        seed.write_text(json.dumps({"account": project.ACCOUNT, "targets": targets, "faults": faults or []}))
        events = [folder / f"{seed.stem}-event-{number}.json" for number in range(len(stack.events()))]
        for file, event in zip(events, stack.events(), strict=True):
            file.write_text(json.dumps(event))
        lambda_gives = {"FUNCTION_NAME": "f", "FUNCTION_MEMORY_SIZE": "128", "FUNCTION_VERSION": "$LATEST"}
        env = project.local_aws("", **{f"AWS_LAMBDA_{name}": value for name, value in lambda_gives.items()})
        done = subprocess.run(
            [program, BINARY, seed, *events],
            env=env | stack.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Run(**json.loads(done.stdout))

    return once


@pytest.fixture(scope="module")
def stacks(deployment: Deployment, run: Runner) -> dict[str, Stack]:
    """A stack for each combination, and what the function calls in it."""
    cloudformation = deployment.client("cloudformation")
    body = cloudformation.get_template(StackName=deploy_local.STACK)["TemplateBody"]
    template = body if isinstance(body, str) else json.dumps(body)
    member = member_policy(deployment)
    made = {}
    for number, (name, parameters) in enumerate(COMBINATIONS.items()):
        stack = f"combination-{number}"
        given = {"Architecture": "x86_64", "ScheduleState": "DISABLED", **parameters}
        outputs = deploy_local.create_stack(deployment.endpoint, stack, template, given)
        function = deployment.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
        role = outputs["FunctionRoleArn"]
        policies = {project.ACCOUNT: deployment.role_policy(role), OTHER: member}
        caller = f"{role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/{outputs['FunctionName']}"
        made[name] = Stack(function["Environment"]["Variables"], policies, outputs, caller)
    with ThreadPoolExecutor(2) as pool:
        for stack, seen in zip(made.values(), pool.map(run, made.values()), strict=True):
            assert seen.report()["complete"], seen.report()
            stack.calls = iam.calls(seen.requests)
    return made


def member_policy(deployment: Deployment) -> Policy:
    """What the role of the second template may do, made in the account that it is for."""
    template = (project.ROOT / "template-member-role.yaml").read_text()
    parameters = {"AuditorRoleArn": deployment.outputs["FunctionRoleArn"], "RoleName": ROLE_NAME}
    outputs = deploy_local.create_stack(deployment.endpoint, "member", template, parameters, account=OTHER)
    assert outputs["RoleArn"] == ROLE
    return deployment.role_policy(ROLE_NAME, account=OTHER)


@pytest.fixture(scope="module")
def engine(deployment: Deployment) -> iam.Engine:
    """Who decides."""
    return iam.Engine(deployment.client("iam"))


@pytest.fixture(scope="module")
def everything(stacks: dict[str, Stack]) -> Stack:
    """The stack with every setting."""
    return stacks["everything"]


@pytest.fixture(scope="module")
def policies(stacks: dict[str, Stack]) -> list[Policy]:
    """The policies of both templates, for all combinations."""
    return [policy for stack in stacks.values() for policy in stack.policies.values()]


def test_the_combinations_use_every_setting(stacks: dict[str, Stack]) -> None:
    """Each variable of the function has more than one value over the combinations."""
    environments = [stack.variables for stack in stacks.values()]
    still = {name for name in environments[0] if len({variables[name] for variables in environments}) == 1}
    assert still == set()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_call_is_allowed(stacks: dict[str, Stack], engine: iam.Engine, name: str) -> None:
    """The engine allows each call that a run made, by the role of the account in which it made it."""
    stack = stacks[name]
    assert {"macie2:GetMember", "sns:Publish"} <= stack.actions(project.ACCOUNT)
    assert engine.denied(stack.policies, stack.calls) == set()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_nothing_else_is_allowed(stacks: dict[str, Stack], name: str) -> None:
    """Each action of the function's role was called in a run with these parameters, or is listed with its caller."""
    stack = stacks[name]
    granted = {action for action, _ in iam.grants(stack.policies[project.ACCOUNT])}
    assert granted - stack.actions(project.ACCOUNT) == granted & ON_ITS_BEHALF.keys()


def test_nothing_else_is_allowed_in_other_accounts(everything: Stack) -> None:
    """Each action of the role of the second template was called in its account, and none is missing."""
    granted = {action for action, _ in iam.grants(everything.policies[OTHER])}
    assert granted == everything.actions(OTHER)


def test_no_exception_is_stale(policies: list[Policy]) -> None:
    """What is listed with a reason is in a policy."""
    granted = {action for policy in policies for action, _ in iam.grants(policy)}
    assert ON_ITS_BEHALF.keys() | OPEN.keys() <= granted


def test_the_deployed_function_calls_the_same(
    deployment: Deployment, stacks: dict[str, Stack], engine: iam.Engine
) -> None:
    """What the function called when Lambda of the local AWS ran it is allowed too, and was seen here."""
    deployment.client("lambda").invoke(FunctionName=deployment.outputs["FunctionName"], Payload=b'{"publish": false}')
    called = iam.calls(deployment.simulator.requests())
    assert "macie2:GetMember" in {call.action for call in called}
    assert {call.action for call in called} <= stacks["one Region"].actions(project.ACCOUNT)
    assert engine.denied(stacks["one Region"].policies, called) == set()


def test_resources_are_as_narrow_as_iam_can_have_them(policies: list[Policy]) -> None:
    """An action that can be limited to a resource is, to one of its kind, and nothing is open without a reason."""
    for action, resource in {grant for policy in policies for grant in iam.grants(policy)}:
        patterns = {name: iam.resource_patterns(name) for name in iam.named(action)}
        if resource == "*":
            assert not any(patterns.values()), f"{action} can be limited to {patterns}"
            continue
        for name, kinds in patterns.items():
            assert any(iam.of_kind(resource, kind) for kind in kinds), f"{resource} is none of {name}"
        # The ARN of a bucket has no account; its name is the stack's own.
        account = resource.split(":")[4]
        own_bucket = resource.startswith("arn:aws:s3:::combination-")
        assert own_bucket or account in (project.ACCOUNT, OTHER), resource
        assert ("*" in resource) == (action in OPEN), f"{action} on {resource}"


def test_the_narrowness_check_finds_what_is_wide() -> None:
    """The check itself: a wide resource, a resource of another kind, an open one, and another account's."""
    grant = {"Effect": "Allow", "Action": "macie2:GetMember"}
    account = f"arn:aws:macie2:us-east-1:{project.ACCOUNT}"
    wide = ["*", f"{account}:findings-filter/*", "arn:aws:macie2:*:*:member/*"]
    wide = [{**grant, "Resource": resource} for resource in wide]
    wide.append({**grant, "Action": "sns:Publish", "Resource": f"arn:aws:sns:us-east-1:{project.ACCOUNT}:*"})
    for statement in wide:
        with pytest.raises(AssertionError):
            test_resources_are_as_narrow_as_iam_can_have_them([{"Statement": [statement]}])


def test_a_linter_finds_nothing(policies: list[Policy]) -> None:
    """Parliament knows the actions, the resources and the conditions, and that they go together."""
    for policy in policies:
        found = parliament.analyze_policy_string(json.dumps(policy)).findings
        assert [str(finding) for finding in found] == []


READING = [
    "account:ListRegions",
    "macie2:GetAdministratorAccount",
    "macie2:GetMacieSession",
    "macie2:GetMember",
    "macie2:ListFindingsFilters",
    "macie2:ListInvitations",
    "macie2:ListMembers",
]
# Each action that the function calls by itself, with the account whose role has it.
REMOVALS = [(account, action) for account in (project.ACCOUNT, OTHER) for action in READING]
REMOVALS += [(project.ACCOUNT, "sns:Publish"), (project.ACCOUNT, "sts:AssumeRole")]


def test_the_removals_are_all(everything: Stack) -> None:
    """Each action that the function called is taken away below."""
    assert set(REMOVALS) == {(call.account, call.action) for call in everything.calls}


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObject"])
def test_a_divided_run_that_cannot_hand_on_fails(
    stacks: dict[str, Stack], engine: iam.Engine, run: Runner, action: str
) -> None:
    """Without one action on the bucket the engine denies that call only, and a step to which it is denied names it."""
    stack = stacks["divided"]
    policies = {**stack.policies, project.ACCOUNT: iam.without(stack.policies[project.ACCOUNT], action)}
    denied = engine.denied(policies, stack.calls)
    assert denied == {call for call in stack.calls if call.action == action} != set()
    seen = run(stack, [iam.fault(call, stack.caller) for call in denied])
    assert seen.outcome["errorType"] == "StepFailed"
    assert f"not authorized to perform: {action}" in seen.outcome["errorMessage"]
    assert seen.messages == []


@pytest.mark.parametrize(("account", "action"), REMOVALS)
def test_a_removed_action_is_denied_and_told(
    everything: Stack, engine: iam.Engine, run: Runner, account: str, action: str
) -> None:
    """Without one action the engine denies that call only, and a run to which it is denied names it."""
    policies = {**everything.policies, account: iam.without(everything.policies[account], action)}
    denied = engine.denied(policies, everything.calls)
    assert denied == {call for call in everything.calls if (call.account, call.action) == (account, action)}
    # Where the function then tries another action, that is put to the engine too.
    instead = {call._replace(action=INSTEAD[action]) for call in denied if action in INSTEAD}
    assert engine.denied(policies, instead) == instead
    seen = run(everything, [iam.fault(call, everything.caller) for call in denied | instead])

    refused = {call for call in iam.calls(seen.requests) if call.account == account and call in denied | instead}
    assert refused == denied | instead, "the run made the calls that were denied"
    if action == "sns:Publish":
        assert_unpublished(seen)
        return
    report = seen.report()
    assert (report["complete"], report["verdict"] != "COMPLIANT") == (False, True)
    operation = action.partition(":")[2]
    # A role is refused by the function's account, and it is the other account that cannot be read.
    concerned = OTHER if action == "sts:AssumeRole" else account
    assert {(account, api) for account, api, _ in seen.failures()} == {(concerned, operation)}
    hints = {hint for _, _, hint in seen.failures()}
    if action == "sts:AssumeRole":
        assert hints == {f"allow {action} to the function's role, and let the role in account {OTHER} trust it"}
    else:
        assert hints == {f"allow {action} in account {account}, for the role that reads it"}
    if action == "macie2:GetMember":
        confirmed = {(one["accountId"], one["confirmed"]) for one in report["violations"]}
        assert confirmed == {(project.ACCOUNT, account != project.ACCOUNT), (OTHER, account != OTHER)}


def assert_unpublished(seen: Run) -> None:
    """Nothing was published, the invocation failed, and the log holds the report whole."""
    assert seen.messages == []
    assert seen.outcome["errorType"] == "PublishFailed"
    assert "sns:Publish" in seen.outcome["errorMessage"]
    parts = [json.loads(line["report"]) for line in seen.log if line["message"] == "report not published"]
    assert [part["part"] for part in parts] == [{"number": n + 1, "of": len(parts)} for n in range(len(parts))]
    listed = [violation["id"] for part in parts for violation in part["violations"]]
    assert len(listed) == len(set(listed)) == parts[0]["summary"]["violations"] > 0


@pytest.mark.parametrize("account", [project.ACCOUNT, OTHER])
@pytest.mark.parametrize(("action", "other"), INSTEAD.items())
def test_the_older_action_does_instead(
    everything: Stack, engine: iam.Engine, run: Runner, account: str, action: str, other: str
) -> None:
    """With the deprecated action in the place of the present one, everything is read."""
    policies = {**everything.policies, account: iam.swapped(everything.policies[account], action, other)}
    denied = engine.denied(policies, everything.calls)
    assert denied == {call for call in everything.calls if (call.account, call.action) == (account, action)}
    seen = run(everything, [iam.fault(call, everything.caller) for call in denied])
    assert seen.report()["complete"], seen.failures()
    assert (account, other) in {(call.account, call.action) for call in iam.calls(seen.requests)}
    assert engine.denied(policies, iam.calls(seen.requests)) == denied


def test_the_engine_knows_resources_from_one_another(everything: Stack, engine: iam.Engine) -> None:
    """Another topic, another role and another account's members are denied: the engine looks at resources."""
    own = everything.policies[project.ACCOUNT]
    others = {
        "macie2:GetMember": f"arn:aws:macie2:us-east-1:{OTHER}:member/100000000001",
        "sns:Publish": f"{TOPIC}-2",
        "sts:AssumeRole": f"arn:aws:iam::{OTHER}:role/admin",
    }
    for action, resource in others.items():
        assert not engine.allows(own, Call(project.ACCOUNT, project.REGION, action, resource)), action


@pytest.mark.parametrize("name", ["one Region", "divided"])
def test_the_schedule_may_start_the_run_and_nothing_else(
    deployment: Deployment, stacks: dict[str, Stack], engine: iam.Engine, name: str
) -> None:
    """What the schedule is set to do, its role may do, and each action less denies just that."""
    schedule = deployment.client("scheduler").get_schedule(Name=stacks[name].outputs["ScheduleName"])["Target"]
    start = "states:StartExecution" if ":stateMachine:" in schedule["Arn"] else "lambda:InvokeFunction"
    asked = {(start, schedule["Arn"]), ("sqs:SendMessage", schedule["DeadLetterConfig"]["Arn"])}
    calls = {Call(project.ACCOUNT, project.REGION, action, resource) for action, resource in asked}
    assert_exact(engine, deployment.role_policy(schedule["RoleArn"], policy="start"), calls)


def test_the_state_machine_may_do_what_it_is_defined_to_do_and_nothing_else(
    deployment: Deployment, stacks: dict[str, Stack], engine: iam.Engine
) -> None:
    """What its definition asks for, its role may do, and each action less denies just that."""
    states = deployment.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=stacks["divided"].outputs["StateMachineArn"])
    calls = iam.machine_calls(machine, project.ACCOUNT, project.REGION)
    assert_exact(engine, deployment.role_policy(machine["roleArn"], policy="steps"), calls)


def assert_exact(engine: iam.Engine, policy: Policy, calls: set[Call]) -> None:
    """The engine allows the calls by the policy, none of them on another resource, and no other action is in it."""
    assert engine.denied({project.ACCOUNT: policy}, calls) == set()
    assert {action for action, _ in iam.grants(policy)} == {call.action for call in calls}
    for action in {call.action for call in calls}:
        lacking = {project.ACCOUNT: iam.without(policy, action)}
        assert engine.denied(lacking, calls) == {call for call in calls if call.action == action}
    others = {call._replace(resource=call.resource.replace("combination-", "another-")) for call in calls}
    assert engine.denied({project.ACCOUNT: policy}, others) == others


def test_keys_are_used_by_way_of_sns_only(everything: Stack, engine: iam.Engine) -> None:
    """The engine is asked outside of SNS, and refuses; it refuses no more once the condition is taken away."""
    own = everything.policies[project.ACCOUNT]
    decrypt = Call(project.ACCOUNT, project.REGION, "kms:Decrypt", KEY)
    assert not engine.allows(own, decrypt)
    [statement] = [one for one in own["Statement"] if one["Resource"] == KEY]
    unconditional = {name: value for name, value in statement.items() if name != "Condition"}
    assert engine.allows({**own, "Statement": [unconditional]}, decrypt)
