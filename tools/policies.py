"""Gives every IAM policy of both templates to parliament, in every combination of the conditions that it depends on.

cfn-lint knows the actions and the grammar of a policy. What only parliament knows: a resource of another kind than the
action takes, an action that takes no resource, a malformed ARN, a condition key that the action does not have, and an
operator for another type than that of the key.

A policy that is attached to a key or a role speaks of that key or role, which it does not name or calls `*`. A resource
lists the findings that it accepts in its metadata, as it does for checkov.
"""

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import parliament
import project
import yaml
from template import Loader

TEMPLATES = ["template.yaml", "template-member-role.yaml"]
PSEUDO = {
    "AWS::AccountId": project.ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": project.REGION,
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
# A value for each parameter that a policy or a test names. Each is held to the parameter's own pattern.
PARAMETERS = {
    "AuditorRoleArn": f"arn:aws:iam::{project.ACCOUNT}:role/auditor",
    "BucketKeyArn": f"arn:aws:kms:{project.REGION}:{project.ACCOUNT}:key/22222222-2222-2222-2222-222222222222",
    "ExemptionsKey": "exemptions.json",
    "ExemptionsWriterArn": f"arn:aws:iam::{project.ACCOUNT}:role/security-*",
    "ExpectedAdministrator": f"{project.ACCOUNT},111111111111",
    "ExternalId": "external-id",
    "MapRoleArnPattern": "arn:aws:iam::*:role/audit",
    "MacieRoleArns": "arn:aws:iam::111111111111:role/audit,arn:aws:iam::222222222222:role/audit",
    "PermissionsBoundaryArn": f"arn:aws:iam::{project.ACCOUNT}:policy/boundary",
    "ReportTopicArn": f"arn:aws:sns:{project.REGION}:{project.ACCOUNT}:reports",
    "SecurityGroupIds": "sg-11111111111111111,sg-22222222222222222",
    "SubnetIds": "subnet-11111111111111111,subnet-22222222222222222",
    "ReportTopicKeyArn": f"arn:aws:kms:{project.REGION}:{project.ACCOUNT}:key/11111111-1111-1111-1111-111111111111",
}
HERE = f"{project.REGION}:{project.ACCOUNT}"
# The ARN of a resource, by its type.
ARNS = {
    "AWS::Events::Rule": f"arn:aws:events:{HERE}:rule/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{project.ACCOUNT}:role/{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::Serverless::Function": f"arn:aws:lambda:{HERE}:function:{{}}",
    "AWS::Serverless::StateMachine": f"arn:aws:states:{HERE}:stateMachine:{{}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:{{}}",
}
REF_IS_ARN = {"AWS::SNS::Topic", "AWS::Serverless::StateMachine", "AWS::StepFunctions::StateMachine"}
NOTHING = object()


def main() -> None:
    """Fails when parliament has something to say."""
    wrong: list[str] = []
    for name in TEMPLATES:
        template = Template.read(project.ROOT / name)
        checked = accepted = 0
        unused = template.accepted()
        for place, policy in template.policies():
            checked += 1
            for finding in parliament.analyze_policy_string(json.dumps(policy)).findings:
                exception = (place.partition(".")[0], finding.issue)
                if exception in template.accepted():
                    accepted += 1
                    unused.discard(exception)
                else:
                    wrong.append(f"{name} {place}: {finding.issue} {finding.detail} {finding.location}")
        wrong += [f"{name} {resource}: accepts {issue}, which is not there" for resource, issue in unused]
        project.say(f"parliament: {name}: {checked} policies, {accepted} findings accepted")
        if not checked:
            wrong.append(f"{name}: no policy was found")
    for line in dict.fromkeys(wrong):
        project.say(line)
    if wrong:
        raise project.Failure("parliament objects to a policy, see above")


@dataclass
class Template:
    """A template of CloudFormation."""

    parameters: dict[str, Any]
    resources: dict[str, Any]

    @staticmethod
    def read(path: Path) -> "Template":
        """Reads it, and fails when a value that stands for a parameter could not be one."""
        template = yaml.load(path.read_text(), Loader)
        for name, parameter in template["Parameters"].items():
            value = PARAMETERS.get(name)
            if value and not re.fullmatch(parameter["AllowedPattern"], value):
                raise project.Failure(f"{value} is no {name}: mend PARAMETERS in tools/policies.py")
        return Template(template["Parameters"], template["Resources"])

    def accepted(self) -> set[tuple[str, str]]:
        """The findings that the template says are right, each with its resource."""
        return {
            (name, one["id"])
            for name, resource in self.resources.items()
            for one in resource.get("Metadata", {}).get("parliament", {}).get("skip", [])
        }

    def policies(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every policy, in every combination of the conditions that it depends on, with its place."""
        for name, resource in self.resources.items():
            for place, policy in documents(resource["Properties"], name):
                conditions = sorted(set(named_conditions(policy)))
                told: list[dict[str, Any]] = []
                for values in itertools.product([True, False], repeat=len(conditions)):
                    resolved = self.resolve(policy, dict(zip(conditions, values, strict=True)))
                    self.name_the_owner(name, resolved)
                    if resolved not in told:
                        told.append(resolved)
                        yield place, resolved

    def name_the_owner(self, name: str, policy: dict[str, Any]) -> None:
        """Puts the owner's ARN where a policy of a key or a role means the key or the role."""
        if self.resources[name]["Type"] not in ("AWS::IAM::Role", "AWS::KMS::Key"):
            return
        for statement in policy["Statement"]:
            if "Principal" in statement and statement.get("Resource", "*") == "*":
                statement["Resource"] = self.arn(name)

    def arn(self, name: str) -> str:
        """An ARN of a resource."""
        kind = self.resources[name]["Type"]
        if kind not in ARNS:
            raise project.Failure(f"a policy names {name}: add the ARN of {kind} to tools/policies.py")
        return ARNS[kind].format("11111111-1111-1111-1111-111111111111" if kind == "AWS::KMS::Key" else name)

    def resolve(self, value: Any, conditions: dict[str, bool]) -> Any:
        """A value with its functions carried out. What they need and is not known ends the check."""
        if isinstance(value, list):
            resolved = [self.resolve(item, conditions) for item in value]
            return [item for item in resolved if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Fn::If":
                name, yes, no = argument
                return self.resolve(yes if conditions[name] else no, conditions)
            if function == "Ref" or function.startswith("Fn::"):
                return self.call(function, argument, conditions)
        resolved = {name: self.resolve(item, conditions) for name, item in value.items()}
        return {name: item for name, item in resolved.items() if item is not NOTHING}

    def call(self, function: str, argument: Any, conditions: dict[str, bool]) -> Any:
        """What a function gives."""
        if function == "Fn::GetAtt":
            name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            if attribute == "Arn":
                return self.arn(name)
            raise project.Failure(f"a policy names {name}.{attribute}, which tools/policies.py does not know")
        argument = self.resolve(argument, conditions)
        match function, argument:
            case "Ref", str(name):
                return self.ref(name)
            case "Fn::Sub", str(text):
                return self.substitute(text, {})
            case "Fn::Sub", [text, names]:
                return self.substitute(text, names)
            case "Fn::Split", [separator, text]:
                return text.split(separator)
            case "Fn::Join", [separator, texts]:
                return separator.join(texts)
            case "Fn::Select", [index, items]:
                return items[int(index)]
        raise project.Failure(f"a policy uses {function}, which tools/policies.py does not know")

    def ref(self, name: str) -> Any:
        """What `!Ref` gives."""
        if name == "AWS::NoValue":
            return NOTHING
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.resources:
            return self.arn(name) if self.resources[name]["Type"] in REF_IS_ARN else name
        if name in PARAMETERS and name in self.parameters:
            return PARAMETERS[name]
        raise project.Failure(f"a policy names {name}: add a value for it to PARAMETERS in tools/policies.py")

    def substitute(self, text: str, names: dict[str, str]) -> str:
        """What `!Sub` gives."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in names:
                return names[name]
            return self.call("Fn::GetAtt", name, {}) if "." in name else self.ref(name)

        return re.sub(r"\$\{([^}]+)\}", value, text)


def documents(value: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy document in a value: what has statements is one."""
    if isinstance(value, dict) and "Statement" in value:
        # SAM adds the version to a policy that it attaches to a function.
        yield place, {"Version": "2012-10-17", **value}
    elif isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from documents(item, f"{place}.{name}")


def named_conditions(value: Any) -> Iterator[str]:
    """The conditions that a value depends on."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "Fn::If":
                yield item[0]
            yield from named_conditions(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_conditions(item)


if __name__ == "__main__":
    project.run(main)
