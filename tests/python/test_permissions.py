"""The permissions of the templates are those that the function uses, and no others.

What it uses is read from the simulator's record of runs of the deployed binary, with the environment that the template
gives it. What is allowed is decided by a policy engine that is not ours.
"""

import json
import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import deploy_local
import iam
import parliament
import policies as templates
import project
import pytest
from deploy_local import Deployment
from iam import Call, Policy

OTHER = "111122223333"
ROLE_NAME = "macie-compliance-audit"
ROLE = f"arn:aws:iam::{OTHER}:role/{ROLE_NAME}"
TOPIC = f"arn:aws:sns:{project.REGION}:{project.ACCOUNT}:existing"
KEY = f"arn:aws:kms:{project.REGION}:{project.ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
BUCKET_KEY = f"arn:aws:kms:{project.REGION}:{project.ACCOUNT}:key/66666666-7777-8888-9999-000000000000"
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
        "DisabledRules": "member-macie-paused",
        "ExpectedAdministrator": f"{project.ACCOUNT},{OTHER}",
        "ExemptionsKey": "exemptions.json",
        "FailOn": "MEDIUM",
        "MaxParts": "5",
        "MaxConcurrency": "8",
        "DeadlineMarginSeconds": "5",
    },
    "locked": {
        "EvidenceObjectLock": "COMPLIANCE",
        "EvidenceObjectLockDays": "30",
        "ExemptionsKey": "accepted/macie.json",
    },
    "no evidence": {"Evidence": "false"},
    "divided": {"DistributedMap": "true", "MapRoleArnPattern": ROLE, "IncludeEmails": "true"},
    "divided with a key": {"DistributedMap": "true", "MapRoleArnPattern": ROLE, "BucketKeyArn": BUCKET_KEY},
    "other accounts only": {"AuditOwnAccount": "false", "MacieRegions": "all", "MacieRoleArns": ROLE},
    "in subnets": {
        "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        "SecurityGroupIds": "sg-0123456789abcdef0",
    },
}

# The statements of the function's role that not every stack has, and the parameters that ask for them.
ASKED_FOR: dict[str, Callable[[dict[str, str]], bool]] = {
    "ReadMacie": lambda given: given.get("AuditOwnAccount") != "false",
    "ReadMember": lambda given: given.get("AuditOwnAccount") != "false",
    "ReadFilter": lambda given: given.get("AuditOwnAccount") != "false",
    "ReadAllowList": lambda given: given.get("AuditOwnAccount") != "false",
    "ReadJob": lambda given: given.get("AuditOwnAccount") != "false",
    "ReadAccounts": lambda given: given.get("AuditOwnAccount") != "false",
    "ReadRegions": lambda given: given.get("MacieRegions") == "all" and given.get("AuditOwnAccount") != "false",
    "EncryptForTheTopic": lambda given: "ReportTopicArn" not in given,
    "EncryptForTheExistingTopic": lambda given: "ReportTopicKeyArn" in given,
    "AuditOtherAccounts": lambda given: "MacieRoleArns" in given,
    "AuditAccountsOfTheInput": lambda given: "MapRoleArnPattern" in given,
    "HandOnResults": lambda given: "DistributedMap" in given,
    "KeepEvidence": lambda given: "Evidence" not in given,
    "TellWhatIsMissing": lambda given: "Evidence" not in given,
    "LockReports": lambda given: "EvidenceObjectLock" in given,
    "ReadExemptions": lambda given: "ExemptionsKey" in given,
    "EncryptForTheBucket": lambda given: "BucketKeyArn" in given,
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
    "kms:Decrypt": "SNS and S3, when the function publishes to an encrypted topic or reads a bucket with a key",
    "kms:GenerateDataKey": "S3, when the function writes to a bucket with a key",
    "kms:GenerateDataKey*": "SNS, when the function publishes to an encrypted topic",
    "logs:CreateLogStream": "Lambda, for the function's log",
    "logs:PutLogEvents": "Lambda, for the function's log",
    "s3:ListBucket": "S3, when the function reads what is missing",
    "s3:PutObjectRetention": "S3, when the function writes a report that is locked",
    "sqs:SendMessage": "Lambda, for a run that failed after every retry",
}

# The resources in which something stands open, and why it does.
OPEN = {
    "ec2:AssignPrivateIpAddresses": "Lambda makes the network interfaces and names them",
    "ec2:CreateNetworkInterface": "Lambda makes the network interfaces, and shared subnets have ARNs of their owner",
    "ec2:DeleteNetworkInterface": "Lambda makes the network interfaces and names them",
    "ec2:UnassignPrivateIpAddresses": "Lambda makes the network interfaces and names them",
    "macie2:DescribeClassificationJob": "which jobs are not finished, and in which Regions, is known in the run only",
    "macie2:GetAllowList": "which allow lists are in use, and in which Regions, is known in the run only",
    "macie2:GetFindingsFilter": "which filters archive findings, and in which Regions, is known in the run only",
    "macie2:GetMember": "which members are flagged, and in which Regions, is known in the run only",
    "logs:CreateLogStream": "Lambda names the streams of the group",
    "logs:PutLogEvents": "Lambda names the streams of the group",
    "s3:GetObject": "reports, targets and executions are known in the run only; nothing else is below these keys",
    "s3:PutObject": "reports, targets and executions are known in the run only; nothing else is below these keys",
    "s3:PutObjectRetention": "reports are known in the run only; nothing else is below reports/",
}

# The first allow list of an account, as the simulator names it.
ALLOW_LIST = "al00000000000000000001"
# What makes the function look at everything: each list has an item that has to be read once more.
MUTED = {
    "region": project.REGION,
    "findingsFilters": [{"action": "ARCHIVE"}],
    "excludedBuckets": ["logs"],
    "discoveryTemplate": {
        "excludes": {"managedDataIdentifierIds": ["AWS_CREDENTIALS"]},
        "includes": {"allowListIds": [ALLOW_LIST]},
    },
    "allowLists": [{"id": ALLOW_LIST}],
    "jobs": [{"jobStatus": "USER_PAUSED"}],
}

# The Regions that are enabled: what a run calls is the same in each.
FEW = {project.REGION, "us-east-1", "eu-west-1"}

# What each group of rules reads beside the session, the administrator, members, invitations and filters.
DISCOVERY_TEMPLATE = {"macie2:ListSensitivityInspectionTemplates", "macie2:GetSensitivityInspectionTemplate"}
GROUPS: dict[str, set[str]] = {
    "roster-*": {"macie2:DescribeOrganizationConfiguration", "organizations:ListAccounts"},
    "discovery-*": DISCOVERY_TEMPLATE
    | {
        "macie2:GetAutomatedDiscoveryConfiguration",
        "macie2:ListAutomatedDiscoveryAccounts",
        "macie2:ListClassificationScopes",
        "macie2:GetClassificationScope",
        "macie2:ListManagedDataIdentifiers",
    },
    "allow-list-*": DISCOVERY_TEMPLATE
    | {
        "macie2:ListClassificationJobs",
        "macie2:DescribeClassificationJob",
        "macie2:ListAllowLists",
        "macie2:GetAllowList",
    },
    "job-*": {"macie2:ListClassificationJobs"},
    "bucket-*": {"macie2:DescribeBuckets"},
    "publication-*": {"macie2:GetFindingsPublicationConfiguration"},
    "results-*": {"macie2:GetClassificationExportConfiguration"},
}

# What another account can share with this one.
SHARED = ("security-group", "subnet")

# Called only where another action is refused, and enough in its place.
INSTEAD = {f"macie2:{api['replaces']}": api["action"] for api in iam.APIS if api["replaces"]}


@dataclass
class Stack:
    """What CloudFormation made of the template for some parameters."""

    variables: dict[str, str]
    policies: dict[str, Policy]
    outputs: dict[str, str]
    caller: str
    divided: bool
    calls: set[Call] = field(default_factory=set)

    def events(self) -> list[dict[str, Any]]:
        """The events of one run."""
        return STEPS if self.divided else [{}]

    def actions(self, account: str) -> set[str]:
        """The actions that the function called in an account."""
        return {call.action for call in self.calls if call.account == account}


@dataclass
class Run:
    """One run of the function, as tests/simulator/src/bin/run-once.rs tells of it."""

    outcome: dict[str, Any]
    requests: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    objects: dict[str, dict[str, Any]]
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
    everywhere = {"region": "*", "members": members}
    # One Region has all of it, so that the report of all Regions is a single message.
    targets = [
        {"accountId": account, **seed}
        for account in (project.ACCOUNT, OTHER)
        for seed in (everywhere, {**everywhere, **MUTED})
    ]
    names = json.loads((project.ROOT / "docs/reference/names.json").read_text())["regions"]
    program = project.target_directory() / "debug" / "run-once"

    def once(stack: Stack, faults: list[dict[str, Any]] | None = None, enabled: set[str] = FEW) -> Run:
        enabled = enabled or set(names)
        regions = [{"name": name, "optStatus": "ENABLED" if name in enabled else "DISABLED"} for name in names]
        seed = folder / f"seed-{len(list(folder.iterdir()))}.json"
        seed.write_text(
            json.dumps({"account": project.ACCOUNT, "regions": regions, "targets": targets, "faults": faults or []})
        )
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
    template = deployment.template()
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
        made[name] = Stack(
            function["Environment"]["Variables"], policies, outputs, caller, "DistributedMap" in parameters
        )
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
def subnets(deployment: Deployment, stacks: dict[str, Stack]) -> Policy:
    """What the role of a function in subnets may do beside the audit."""
    return deployment.role_policy(stacks["in subnets"].outputs["FunctionRoleArn"], policy="subnets")


@pytest.fixture(scope="module")
def policies(stacks: dict[str, Stack], subnets: Policy) -> list[Policy]:
    """The policies of both templates, for all combinations."""
    return [subnets, *(policy for stack in stacks.values() for policy in stack.policies.values())]


def test_the_combinations_use_every_setting(stacks: dict[str, Stack]) -> None:
    """Each variable of the function has more than one value over the combinations."""
    environments = [stack.variables for stack in stacks.values()]
    still = {name for name in environments[0] if len({variables[name] for variables in environments}) == 1}
    assert still == set()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_every_call_is_allowed(stacks: dict[str, Stack], engine: iam.Engine, name: str) -> None:
    """The engine allows each call that a run made, by the role of the account in which it made it."""
    stack = stacks[name]
    assert "sns:Publish" in stack.actions(project.ACCOUNT)
    assert "macie2:GetMember" in stack.actions(project.ACCOUNT) | stack.actions(OTHER)
    assert engine.denied(stack.policies, stack.calls) == set()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_nothing_else_is_allowed(stacks: dict[str, Stack], name: str) -> None:
    """Each action of the function's role was called in a run with these parameters, or is listed with its caller."""
    stack = stacks[name]
    granted = {action for action, _ in iam.grants(stack.policies[project.ACCOUNT])}
    assert granted - stack.actions(project.ACCOUNT) == granted & ON_ITS_BEHALF.keys()


@pytest.mark.parametrize("sid", ASKED_FOR)
def test_a_right_comes_with_the_parameter_that_needs_it(stacks: dict[str, Stack], sid: str) -> None:
    """A statement is in the stacks whose parameters ask for it, and in no other."""
    granted = {
        name
        for name, stack in stacks.items()
        if sid in {statement["Sid"] for statement in stack.policies[project.ACCOUNT]["Statement"]}
    }
    assert granted == {name for name, given in COMBINATIONS.items() if ASKED_FOR[sid](given)}
    assert granted, "some stack asks for it"


def test_where_the_own_account_is_not_audited_nothing_may_be_read_there(stacks: dict[str, Stack]) -> None:
    """The role has no right of Macie or of the account API that it has no use for, and its run used none."""
    stack = stacks["other accounts only"]
    granted = {action for action, _ in iam.grants(stack.policies[project.ACCOUNT])}
    assert not granted & set(READING)
    assert not stack.actions(project.ACCOUNT) & set(READING)
    assert stack.actions(OTHER) >= {"account:ListRegions", "macie2:ListMembers"}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_only_a_function_in_subnets_may_have_network_interfaces(
    deployment: Deployment, stacks: dict[str, Stack], name: str
) -> None:
    """The role has the policy for the subnets where they are given, and only there."""
    role = stacks[name].outputs["FunctionRoleArn"].rpartition("/")[2]
    kept = deployment.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    assert sorted(kept) == (["audit", "subnets"] if "SubnetIds" in COMBINATIONS[name] else ["audit"])


def test_the_function_is_in_the_subnets_that_are_given() -> None:
    """The local AWS puts no function into subnets, so that the template is read."""
    template = templates.Template.read(project.ROOT / "template.yaml")
    network = template.resources["Function"]["Properties"]["VpcConfig"]
    assert template.resolve(network, {"InSubnets": False}) is templates.NOTHING
    assert template.resolve(network, {"InSubnets": True}) == {
        name: templates.PARAMETERS[name].split(",") for name in ("SecurityGroupIds", "SubnetIds")
    }


def test_lambda_may_attach_the_function_to_its_subnets_and_nothing_else(subnets: Policy, engine: iam.Engine) -> None:
    """The actions that Lambda's guide names, on network interfaces of this account, in subnets that may be shared."""
    own, shared = (f"arn:aws:ec2:{project.REGION}:{account}" for account in (project.ACCOUNT, OTHER))
    interface = f"{own}:network-interface/eni-0123456789abcdef0"
    made_of = [interface, f"{shared}:subnet/subnet-0123456789abcdef0", f"{shared}:security-group/sg-0123456789abcdef0"]
    asked = {("ec2:CreateNetworkInterface", resource) for resource in made_of}
    used = ("AssignPrivateIpAddresses", "DeleteNetworkInterface", "UnassignPrivateIpAddresses")
    asked |= {(f"ec2:{action}", interface) for action in used}
    asked |= {(f"ec2:{action}", "*") for action in ("DescribeNetworkInterfaces", "DescribeSubnets")}
    calls = {Call(project.ACCOUNT, project.REGION, action, resource) for action, resource in asked}
    assert_exact(engine, subnets, calls)


@pytest.mark.parametrize("name", templates.TEMPLATES)
def test_every_role_has_the_boundary_that_is_given(name: str) -> None:
    """Organizations refuse to make a role without it. The local AWS keeps none, so that the template is read."""
    template = templates.Template.read(project.ROOT / name)
    roles = [made["Properties"] for made in template.resources.values() if made["Type"] == "AWS::IAM::Role"]
    assert roles
    for role in roles:
        boundary = role["PermissionsBoundary"]
        assert template.resolve(boundary, {"HasBoundary": True}) == templates.PARAMETERS["PermissionsBoundaryArn"]
        assert template.resolve(boundary, {"HasBoundary": False}) is templates.NOTHING


@pytest.mark.parametrize(
    ("boundary", "accepted"),
    [
        ("", True),
        ("arn:aws:iam::999999999999:policy/boundary", True),
        ("arn:aws:iam::999999999999:policy/path/to/boundary", True),
        ("arn:aws:iam::aws:policy/PowerUserAccess", True),
        ("arn:aws-us-gov:iam::aws:policy/PowerUserAccess", True),
        ("arn:aws:iam::999999999999:role/boundary", False),
        ("boundary", False),
    ],
)
def test_a_boundary_is_the_arn_of_a_policy(boundary: str, accepted: bool) -> None:
    """Of one of AWS, too."""
    for name in templates.TEMPLATES:
        pattern = templates.Template.read(project.ROOT / name).parameters["PermissionsBoundaryArn"]["AllowedPattern"]
        assert bool(re.fullmatch(pattern, boundary)) == accepted


def test_nothing_else_is_allowed_in_other_accounts(everything: Stack) -> None:
    """Each action of the role of the second template was called in its account, and none is missing."""
    granted = {action for action, _ in iam.grants(everything.policies[OTHER])}
    assert granted == everything.actions(OTHER)


def test_no_exception_is_stale(policies: list[Policy]) -> None:
    """What is listed with a reason is in a policy."""
    grants = {grant for policy in policies for grant in iam.grants(policy)}
    assert ON_ITS_BEHALF.keys() <= {action for action, _ in grants}
    assert OPEN.keys() == {action for action, resource in grants if "*" in resource != "*"}


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
        # The ARN of a bucket has no account; its name is the stack's own. A subnet may be another account's.
        account = resource.split(":")[4]
        own_bucket = resource.startswith("arn:aws:s3:::combination-")
        shared = resource.startswith(tuple(f"arn:aws:ec2:{project.REGION}:*:{kind}/" for kind in SHARED))
        assert own_bucket or shared or account in (project.ACCOUNT, OTHER), resource
        assert "*" not in resource or action in OPEN, f"{action} on {resource}"


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


READERS = ("account", "macie2", "organizations")
READING = [api["action"] for api in iam.APIS if api["prefix"] in READERS and not api["replaces"]]
# Each action that the function calls by itself, with the account whose role has it.
REMOVALS = [(account, action) for account in (project.ACCOUNT, OTHER) for action in READING]
REMOVALS += [(project.ACCOUNT, "sns:Publish"), (project.ACCOUNT, "sts:AssumeRole")]
# What the function does with the evidence bucket, and can do without.
KEEPING = ["s3:GetObject", "s3:PutObject"]


def test_the_removals_are_all(everything: Stack) -> None:
    """Each action that the function called is taken away below."""
    kept = {(project.ACCOUNT, action) for action in KEEPING}
    assert {*REMOVALS, *kept} == {(call.account, call.action) for call in everything.calls}


@pytest.mark.parametrize(
    "on",
    [[group for group in GROUPS if group != off] for off in GROUPS] + [[group] for group in GROUPS] + [[]],
    ids=[f"without {group}" for group in GROUPS] + [f"{group} alone" for group in GROUPS] + ["none"],
)
def test_what_no_enabled_rule_needs_takes_no_permission(
    stacks: dict[str, Stack], engine: iam.Engine, run: Runner, on: list[str]
) -> None:
    """With some groups of rules a run calls what they need, and is complete in roles that allow nothing else."""
    stack = stacks["another account"]
    disabled = ",".join(group for group in GROUPS if group not in on)
    seen = run(replace(stack, variables={**stack.variables, "DISABLED_RULES": disabled}))
    calls = iam.calls(seen.requests)
    unneeded = set().union(*GROUPS.values()).difference(*(GROUPS[group] for group in on))
    assert {one.action for one in calls} == {one.action for one in stack.calls} - unneeded
    assert seen.report()["complete"], seen.failures()
    policies = stack.policies
    for action in unneeded:
        policies = {account: iam.without(policy, action) for account, policy in policies.items()}
    assert engine.denied(policies, calls) == set()


@pytest.mark.parametrize("action", KEEPING)
def test_a_bucket_that_refuses_keeps_no_report_from_being_published(
    everything: Stack, engine: iam.Engine, run: Runner, action: str
) -> None:
    """The report says what it could not store, or by which exemptions it could not be judged."""
    policies = {**everything.policies, project.ACCOUNT: iam.without(everything.policies[project.ACCOUNT], action)}
    denied = engine.denied(policies, everything.calls)
    assert denied == {call for call in everything.calls if call.action == action} != set()
    report = run(everything, [iam.fault(call, everything.caller) for call in denied]).report()
    assert report["complete"], report
    told = report["evidence"] if action == "s3:PutObject" else report["exemptions"]
    assert f"not authorized to perform: {action}" in told["error"]


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
    # Where nobody can tell which Regions are enabled, every one is asked.
    enabled = set() if action == "account:ListRegions" else FEW
    seen = run(everything, [iam.fault(call, everything.caller) for call in denied | instead], enabled)

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
        confirmed = {(one["accountId"], one["confirmed"]) for one in report["violations"] if "confirmed" in one}
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
        "macie2:DescribeClassificationJob": f"arn:aws:macie2:us-east-1:{OTHER}:classification-job/1",
        "macie2:GetAllowList": f"arn:aws:macie2:us-east-1:{OTHER}:allow-list/{ALLOW_LIST}",
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


@pytest.mark.parametrize(("name", "key"), [("divided", None), ("divided with a key", BUCKET_KEY)])
def test_the_state_machine_may_do_what_it_is_defined_to_do_and_nothing_else(
    deployment: Deployment, stacks: dict[str, Stack], engine: iam.Engine, name: str, key: str | None
) -> None:
    """What its definition asks for, its role may do, and each action less denies just that."""
    states = deployment.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=stacks[name].outputs["StateMachineArn"])
    calls = iam.machine_calls(machine, project.ACCOUNT, project.REGION, key)
    policy = deployment.role_policy(machine["roleArn"], policy="steps")
    assert_exact(engine, iam.by_way_of(policy, "s3", project.REGION), calls)


@pytest.mark.parametrize(
    ("keyed", "encryption", "bucket_key"),
    [
        (False, {"SSEAlgorithm": "AES256"}, False),
        (True, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": templates.PARAMETERS["BucketKeyArn"]}, True),
    ],
)
def test_the_bucket_is_encrypted_by_the_key_that_is_given(
    keyed: bool, encryption: dict[str, str], bucket_key: bool
) -> None:
    """What Step Functions writes names no key. The local AWS knows no key of a bucket: the template is read."""
    template = templates.Template.read(project.ROOT / "template.yaml")
    asked = template.resources["EvidenceBucket"]["Properties"]["BucketEncryption"]
    [rule] = template.resolve(asked, {"HasBucketKey": keyed})["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == encryption
    assert rule.get("BucketKeyEnabled", False) == bucket_key


def test_the_function_is_told_of_the_key(stacks: dict[str, Stack]) -> None:
    """It names the key with all that it writes, since some organizations refuse what names none."""
    told = {name: stack.variables["EVIDENCE_KMS_KEY_ARN"] for name, stack in stacks.items()}
    assert told == {name: given.get("BucketKeyArn", "") for name, given in COMBINATIONS.items()}


@pytest.mark.parametrize("name", [name for name, given in COMBINATIONS.items() if "Evidence" not in given])
def test_the_function_may_keep_evidence_and_nothing_else(
    stacks: dict[str, Stack], engine: iam.Engine, name: str
) -> None:
    """It may do what a run does with the bucket; it may delete nothing, and write neither exemptions nor other keys."""
    stack, given = stacks[name], COMBINATIONS[name]
    bucket = stack.outputs["EvidenceBucketName"]
    own = stack.policies[project.ACCOUNT]
    own = {**own, "Statement": [one for one in own["Statement"] if iam.listed(one["Action"])[0].startswith("s3:")]}
    asked = iam.documents(bucket, given)
    assert_exact(engine, own, {Call(project.ACCOUNT, project.REGION, *one) for one in asked})

    written = {resource for action, resource in asked if action == "s3:PutObject"}
    denied = {(f"s3:Delete{what}", resource) for what in ("Object", "ObjectVersion") for resource in written}
    keys = {given.get("ExemptionsKey", "exemptions.json"), "other.json", "history.json.bak", "report/a"}
    denied |= {("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}") for key in keys}
    denied |= {("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}") for key in keys - {given.get("ExemptionsKey")}}
    denied |= {("s3:BypassGovernanceRetention", resource) for resource in written}
    if not stack.divided:
        denied |= {(f"s3:{verb}Object", f"arn:aws:s3:::{bucket}/runs/a") for verb in ("Get", "Put")}
    calls = {Call(project.ACCOUNT, project.REGION, *one) for one in denied}
    assert engine.denied(stack.policies, calls) == calls


def bucket_policy(**conditions: bool) -> dict[str, dict[str, Any]]:
    """The statements of the policy of the evidence bucket, by their names."""
    template = templates.Template.read(project.ROOT / "template.yaml")
    document = template.resources["EvidenceBucketPolicy"]["Properties"]["PolicyDocument"]
    told = template.resolve(document, {"HasExemptions": True, "HasExemptionsWriter": True, **conditions})
    return {statement["Sid"]: statement for statement in told["Statement"]}


def test_the_bucket_says_by_itself_who_may_not_write() -> None:
    """It denies, whatever other policies allow. The engine takes no context of a request: the template is read."""
    bucket = "arn:aws:s3:::EvidenceBucket"
    told = bucket_policy()
    assert {(one["Effect"], one["Principal"]) for one in told.values()} == {("Deny", "*")}
    assert told["OnlyOverTls"]["Resource"] == [bucket, f"{bucket}/*"]
    assert told["OnlyOverTls"]["Action"] == "s3:*"
    once = told["ReportsAreWrittenOnce"]
    assert (once["Action"], once["Resource"]) == ("s3:PutObject", f"{bucket}/reports/*")
    assert once["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    function = templates.ARNS["AWS::IAM::Role"].format("FunctionRole")
    writer = templates.PARAMETERS["ExemptionsWriterArn"]
    for sid, condition in (
        ("TheFunctionWritesNoExemptions", {"ArnEquals": {"aws:PrincipalArn": function}}),
        ("NobodyElseWritesExemptions", {"ArnNotLike": {"aws:PrincipalArn": writer}}),
    ):
        assert set(told[sid]["Action"]) == {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"}
        assert told[sid]["Resource"] == f"{bucket}/{templates.PARAMETERS['ExemptionsKey']}"
        assert told[sid]["Condition"] == condition
    assert bucket_policy(HasExemptionsWriter=False).keys() == told.keys() - {"NobodyElseWritesExemptions"}
    without = bucket_policy(HasExemptions=False, HasExemptionsWriter=False)
    assert without.keys() == {"OnlyOverTls", "ReportsAreWrittenOnce"}


@pytest.mark.parametrize(
    ("key", "accepted"),
    [
        ("", True),
        ("exemptions.json", True),
        ("accepted/by-us/exemptions.json", True),
        ("reports.json", True),
        ("history.json.bak", True),
        ("history.json", False),
        ("reports/exemptions.json", False),
        ("state/1/2.json", False),
        ("runs/exemptions.json", False),
        ("/exemptions.json", False),
        ("exemptions*", False),
        ("a/../state/1", False),
        ("a/.", False),
        ("a/.b/..c.json", True),
        ("${aws:username}", False),
    ],
)
def test_the_exemptions_are_where_the_function_does_not_write(key: str, accepted: bool) -> None:
    """And the key is one object: nothing in it stands for more to IAM."""
    template = templates.Template.read(project.ROOT / "template.yaml")
    assert bool(re.fullmatch(template.parameters["ExemptionsKey"]["AllowedPattern"], key)) == accepted


def assert_exact(engine: iam.Engine, policy: Policy, calls: set[Call]) -> None:
    """The engine allows the calls by the policy, none of them on another resource, and no other action is in it."""
    assert engine.denied({project.ACCOUNT: policy}, calls) == set()
    assert {action for action, _ in iam.grants(policy)} == {call.action for call in calls}
    for action in {call.action for call in calls}:
        lacking = {project.ACCOUNT: iam.without(policy, action)}
        assert engine.denied(lacking, calls) == {call for call in calls if call.action == action}
    others = {call._replace(resource=another(call.resource)) for call in calls if call.resource != "*"}
    assert engine.denied({project.ACCOUNT: policy}, others) == others


def another(resource: str) -> str:
    """A resource of the same kind, of another stack or in another Region."""
    return resource.replace("combination-", "another-").replace(f":{project.REGION}:", ":eu-north-1:")


@pytest.mark.parametrize(
    ("name", "service", "key"), [("everything", "sns", KEY), ("divided with a key", "s3", BUCKET_KEY)]
)
def test_keys_are_used_by_way_of_their_service_only(
    stacks: dict[str, Stack], engine: iam.Engine, name: str, service: str, key: str
) -> None:
    """The engine is asked outside of the service, and refuses; it refuses no more where the condition holds."""
    own = stacks[name].policies[project.ACCOUNT]
    decrypt = Call(project.ACCOUNT, project.REGION, "kms:Decrypt", key)
    assert not engine.allows(own, decrypt)
    assert engine.allows(iam.by_way_of(own, service, project.REGION), decrypt)
    other = {"sns": "s3", "s3": "sns"}[service]
    assert not engine.allows(iam.by_way_of(own, other, project.REGION), decrypt)
