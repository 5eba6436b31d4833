"""What the function asks IAM for, who decides it, and what the service authorization data says of it."""

import fnmatch
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import parliament
import project
from botocore.client import BaseClient

Policy = dict[str, Any]


class Call(NamedTuple):
    """One call of the function, as IAM sees it."""

    account: str
    region: str
    action: str
    resource: str


# The operations that the function calls: the table of the code, as it is published.
APIS: list[dict[str, Any]] = json.loads((project.ROOT / "docs" / "reference" / "apis.json").read_text())

# The resource of each action that has one, read from a request of the simulator's record.
RESOURCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "account:ListRegions": lambda request: f"arn:aws:account::{request['account']}:account",
    "macie2:DescribeClassificationJob": lambda request: (
        f"arn:aws:macie2:{request['region']}:{request['account']}"
        f":classification-job/{request['path'].removeprefix('/jobs/')}"
    ),
    "macie2:GetAllowList": lambda request: (
        f"arn:aws:macie2:{request['region']}:{request['account']}"
        f":allow-list/{request['path'].removeprefix('/allow-lists/')}"
    ),
    "macie2:GetFindingsFilter": lambda request: (
        f"arn:aws:macie2:{request['region']}:{request['account']}"
        f":findings-filter/{request['path'].removeprefix('/findingsfilters/')}"
    ),
    "macie2:GetMember": lambda request: (
        f"arn:aws:macie2:{request['region']}:{request['account']}:member/{request['path'].removeprefix('/members/')}"
    ),
    "s3:GetObject": lambda request: f"arn:aws:s3:::{request['path'].removeprefix('/')}",
    "s3:PutObject": lambda request: f"arn:aws:s3:::{request['path'].removeprefix('/')}",
    "sns:Publish": lambda request: request["query"]["TopicArn"],
    "sts:AssumeRole": lambda request: request["query"]["RoleArn"],
}


def call(request: dict[str, Any]) -> Call:
    """What a request asks IAM for."""
    asked = (request["service"], request["operation"])
    [action] = [api["action"] for api in APIS if (api["prefix"], api["operation"]) == asked]
    if action not in RESOURCES:
        # An action that nobody knows, or one whose resource has no line above, must not pass as one without a resource.
        assert resource_patterns(action) == [], f"{action} has a resource, which RESOURCES does not tell"
    resource = RESOURCES.get(action, lambda _: "*")(request)
    return Call(request["account"], request["region"], action, resource)


def calls(requests: Iterable[dict[str, Any]]) -> set[Call]:
    """What requests ask IAM for."""
    return {call(request) for request in requests}


def documents(bucket: str, parameters: dict[str, str]) -> set[tuple[str, str]]:
    """What a run with these parameters does with the bucket, by the contract: actions with their resources."""
    arn = f"arn:aws:s3:::{bucket}"
    keys = ["reports/2026/11/22/one.20261122T060004Z.json", "reports/2026/11/22/one.20261122T060004Z.html"]
    keys += ["state/999999999999/us-east-1.json", "history.json"]
    if parameters.get("DistributedMap") == "true":
        keys += ["runs/one/targets.json"]
    asked = {(f"s3:{verb}Object", f"{arn}/{key}") for key in keys for verb in ("Get", "Put")}
    asked |= {("s3:ListBucket", arn)}
    if key := parameters.get("ExemptionsKey"):
        asked |= {("s3:GetObject", f"{arn}/{key}")}
    if parameters.get("EvidenceObjectLock", "NONE") != "NONE":
        asked |= {("s3:PutObjectRetention", f"{arn}/{key}") for key in keys if key.startswith("reports/")}
    return asked


def machine_calls(machine: dict[str, Any], account: str, region: str, key: str | None = None) -> set[Call]:
    """What an execution of the state machine asks IAM for, by its definition and the guide to Step Functions.

    With a key of its own for the bucket, S3 asks for it on the execution's behalf.
    """
    states = json.loads(machine["definition"])["States"]
    audits = states["AuditTargets"]
    reader, writer = audits["ItemReader"]["Parameters"], audits["ResultWriter"]["Parameters"]
    outcomes = f"arn:aws:s3:::{writer['Bucket']}/{writer['Prefix']}/run/manifest.json"
    arn = machine["stateMachineArn"]
    audit = arn.replace(":stateMachine:", ":execution:") + "/AuditTargets:one"
    tasks = [*states.values(), *audits["ItemProcessor"]["States"].values()]
    asked = {
        ("s3:GetObject", f"arn:aws:s3:::{reader['Bucket']}/runs/one/targets.json"),
        ("states:StartExecution", arn),
        *(("lambda:InvokeFunction", task["Parameters"]["FunctionName"]) for task in tasks if task["Type"] == "Task"),
        *((f"s3:{name}Object", outcomes) for name in ("Get", "Put")),
        *((f"s3:{name}", outcomes) for name in ("AbortMultipartUpload", "ListMultipartUploadParts")),
        *((f"states:{name}Execution", audit) for name in ("Describe", "Redrive", "Stop")),
        *((f"kms:{name}", key) for name in ("Decrypt", "GenerateDataKey") if key),
    }
    return {Call(account, region, action, resource) for action, resource in asked}


@cache
def privileges() -> dict[str, dict[str, Any]]:
    """The service authorization data: by action in lower case, what it is called and the ARNs of its resources."""
    found = {}
    for service in parliament.iam_definition:
        arns = {resource["resource"].lower(): resource["arn"] for resource in service["resources"]}
        for privilege in service["privileges"]:
            name = f"{service['prefix']}:{privilege['privilege']}"
            kinds = [kind["resource_type"].rstrip("*").lower() for kind in privilege["resource_types"]]
            found[name.lower()] = {"name": name, "arns": [arns[kind] for kind in kinds if kind]}
    return found


def resource_patterns(action: str) -> list[str]:
    """The ARNs that an action can be limited to, with `*` for each variable part."""
    arns = privileges()[action.lower()]["arns"]
    return [fnmatch_pattern(arn) for arn in arns]


def fnmatch_pattern(arn: str) -> str:
    """`arn:${Partition}:sns:…` with a `*` for each variable."""
    parts = arn.split("${")
    return parts[0] + "".join("*" + part.partition("}")[2] for part in parts[1:])


def of_kind(resource: str, kind: str) -> bool:
    """Whether an ARN in a policy stands for resources of a kind; a `*` at its end stands for all parts that follow."""
    parts, pattern = resource.split(":"), kind.split(":")
    if parts[-1] == "*":
        parts, pattern = parts[:-1], pattern[: len(parts) - 1]
    return len(parts) == len(pattern) and all(map(fnmatch.fnmatchcase, parts, pattern))


def listed(value: str | list[str]) -> list[str]:
    """IAM writes a list of one as the one."""
    return [value] if isinstance(value, str) else value


def grants(policy: Policy) -> Iterator[tuple[str, str]]:
    """Each action that a policy names, with each resource."""
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            for resource in listed(statement["Resource"]):
                yield action, resource


def named(action: str) -> list[str]:
    """The actions that a pattern in a policy stands for."""
    found = [entry["name"] for key, entry in privileges().items() if fnmatch.fnmatchcase(key, action.lower())]
    assert found, f"there is no action {action}"
    return found


def without(policy: Policy, action: str) -> Policy:
    """The policy with one action less."""
    statements = []
    for statement in policy["Statement"]:
        left = [name for name in listed(statement["Action"]) if name != action]
        if left:
            statements.append({**statement, "Action": left})
    return {**policy, "Statement": statements}


def by_way_of(policy: Policy, service: str, region: str) -> Policy:
    """The policy as it holds for a request to KMS that comes by way of a service.

    The engine takes no context of a request, so that the condition is taken away where it would hold.
    """
    holds = {"StringEquals": {"kms:ViaService": f"{service}.{region}.amazonaws.com"}}
    statements = [
        {name: value for name, value in statement.items() if (name, value) != ("Condition", holds)}
        for statement in policy["Statement"]
    ]
    return {**policy, "Statement": statements}


def swapped(policy: Policy, action: str, other: str) -> Policy:
    """The policy with another action in the place of one."""
    return json.loads(json.dumps(policy).replace(json.dumps(action), json.dumps(other)))


class Engine:
    """A policy engine that is not ours: SimulateCustomPolicy of the local AWS."""

    def __init__(self, client: BaseClient) -> None:
        self.client = client

    def allows(self, policy: Policy, asked: Call) -> bool:
        """Whether the policy allows a call."""
        answer = self.client.simulate_custom_policy(
            PolicyInputList=[json.dumps(policy)], ActionNames=[asked.action], ResourceArns=[asked.resource]
        )
        [result] = answer["EvaluationResults"]
        return result["EvalDecision"] == "allowed"

    def denied(self, policies: dict[str, Policy], asked: Collection[Call]) -> set[Call]:
        """The calls that the policy of their account does not allow."""
        # The engine is asked once for what differs by the Region only, which it is not told.
        decided: dict[tuple[str, str, str], bool] = {}
        for one in asked:
            key = (one.account, one.action, one.resource)
            decided[key] = decided[key] if key in decided else self.allows(policies[one.account], one)
        return {one for one in asked if not decided[one.account, one.action, one.resource]}


def fault(denied: Call, caller: str) -> dict[str, Any]:
    """The simulator's fault by which a call is answered as AWS answers one that is not allowed."""
    service, _, operation = denied.action.partition(":")
    code = {"s3": "AccessDenied", "sns": "AuthorizationError", "sts": "AccessDenied"}.get(
        service, "AccessDeniedException"
    )
    message = f"User: {caller} is not authorized to perform: {denied.action} on resource: {denied.resource}"
    return {
        "service": service,
        "api": operation,
        "region": denied.region,
        "accountId": denied.account,
        "kind": {"type": "error", "status": 403, "code": code, "message": message},
    }
