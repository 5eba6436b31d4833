"""The template of CloudFormation: what its parameters take, and what follows from their values before AWS is asked."""

import re
from collections.abc import Iterator
from typing import Any

import project
import yaml

# How long a name can be that CloudFormation makes up for a resource of this type, as `!Ref` gives it.
LONGEST = {
    "AWS::SNS::Topic": f"arn:aws:sns:ap-southeast-2:{project.ACCOUNT}:{{stack}}-{{name}}-{'x' * 12}",
    "AWS::S3::Bucket": f"{{stack}}-{{name}}-{'x' * 12}",
}
# The longest name that S3 takes.
BUCKET_NAME = 63
NOTHING = object()


class Loader(yaml.SafeLoader):
    """YAML with the short forms of CloudFormation."""


def short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """The long form of `!Ref` and its like."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)


class Template:
    """The template, with the values of all its parameters."""

    def __init__(self, given: dict[str, str], stack: str = "macie-compliance") -> None:
        template = yaml.load((project.ROOT / "template.yaml").read_text(), Loader)
        self.parameters: dict[str, dict[str, Any]] = template["Parameters"]
        self.rules: dict[str, Any] = template["Rules"]
        self.conditions: dict[str, Any] = template["Conditions"]
        self.resources: dict[str, Any] = template["Resources"]
        self.stack = stack
        self.values = {name: given.get(name, str(one["Default"])) for name, one in self.parameters.items()}

    def refused(self, name: str) -> str | None:
        """What CloudFormation expects of a parameter that has another value."""
        parameter, value = self.parameters[name], self.values[name]
        allowed = [str(one) for one in parameter.get("AllowedValues", [])]
        if allowed:
            return None if value in allowed else f"one of {', '.join(allowed)}"
        if parameter["Type"] == "Number":
            low, high = parameter["MinValue"], parameter["MaxValue"]
            fits = value.isdecimal() and low <= int(value) <= high
            return None if fits else f"a whole number from {low} to {high}"
        return None if re.fullmatch(parameter["AllowedPattern"], value) else parameter["ConstraintDescription"]

    def broken_rules(self) -> Iterator[str]:
        """What the rules of the template say against the values."""
        for rule in self.rules.values():
            if self.value(rule["RuleCondition"]):
                for assertion in rule["Assertions"]:
                    if not self.value(assertion["Assert"]):
                        yield assertion["AssertDescription"]

    def environment(self) -> dict[str, str]:
        """The variables of the function, with names of resources that are as long as they can be."""
        variables = self.resources["Function"]["Properties"]["Environment"]["Variables"]
        return {name: self.value(value) for name, value in variables.items()}

    def name(self, resource: str) -> str:
        """What `!Ref` gives of a resource, as long as it can be."""
        kind = self.resources[resource]["Type"]
        longest = LONGEST[kind].format(stack=self.stack, name=resource)
        return longest.lower()[:BUCKET_NAME] if kind == "AWS::S3::Bucket" else longest

    def substitute(self, text: str) -> str:
        """What `!Sub` gives of a text that names parameters and resources."""
        return re.sub(r"\$\{(\w+)\}", lambda found: self.value({"Ref": found[1]}), text)

    def value(self, expression: Any) -> Any:
        """What an expression comes to."""
        if isinstance(expression, list):
            return [value for value in map(self.value, expression) if value is not NOTHING]
        if not isinstance(expression, dict):
            return expression
        if not is_function(expression):
            values = {name: self.value(value) for name, value in expression.items()}
            return {name: value for name, value in values.items() if value is not NOTHING}
        [(function, argument)] = expression.items()
        match function:
            case "Ref" if argument in self.values:
                return self.values[argument]
            case "Ref" if argument == "AWS::NoValue":
                return NOTHING
            case "Ref":
                return self.name(argument)
            case "Fn::Sub":
                return self.substitute(argument)
            case "Condition":
                return self.value(self.conditions[argument])
            case "Fn::If":
                condition, yes, no = argument
                return self.value(yes if self.value(self.conditions[condition]) else no)
            case "Fn::Equals":
                return self.value(argument[0]) == self.value(argument[1])
            case "Fn::Not":
                return not self.value(argument[0])
            case "Fn::And":
                return all(map(self.value, argument))
            case "Fn::Or":
                return any(map(self.value, argument))
        raise project.Failure(f"{function} of template.yaml is not known to tools/template.py")


def is_function(expression: dict[str, Any]) -> bool:
    """Whether an object in a template is a function of CloudFormation."""
    return len(expression) == 1 and all(name in ("Ref", "Condition") or name.startswith("Fn::") for name in expression)


def override(name: str, value: str) -> str:
    """A parameter for SAM, which would take an argument apart at blanks that are not quoted."""
    escaped = value.replace('"', '\\"')
    return f'{name}="{escaped}"'
