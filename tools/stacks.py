"""Stacks of CloudFormation in your AWS account, as they are."""

import os
from typing import Any

import boto3
import project
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError


def session() -> boto3.Session:
    """The credentials and the Region of the environment or of its AWS profile."""
    try:
        # boto3 reads AWS_DEFAULT_REGION alone.
        return boto3.Session(region_name=os.environ.get("AWS_REGION"))
    except BotoCoreError as error:
        raise project.Failure(f"the AWS configuration cannot be used: {error}") from error


def described(stack: str, session: boto3.Session) -> dict[str, Any] | None:
    """What CloudFormation says of a stack, and nothing if there is no such stack."""
    try:
        client = session.client("cloudformation", config=Config(connect_timeout=5, retries={"total_max_attempts": 2}))
        [found] = client.describe_stacks(StackName=stack)["Stacks"]
    except NoRegionError as error:
        raise project.Failure("no Region: set AWS_REGION, or the Region of your AWS profile") from error
    except NoCredentialsError as error:
        raise project.Failure("no AWS credentials: log in, or set AWS_PROFILE") from error
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        message = error.response["Error"]["Message"]
        raise project.Failure(f"AWS refuses to describe the stack {stack}: {message}") from error
    except BotoCoreError as error:
        raise project.Failure(f"AWS cannot be asked about the stack {stack}: {error}") from error
    # One whose first change set was never carried out has nothing yet.
    return None if found["StackStatus"] == "REVIEW_IN_PROGRESS" else found


def parameters(stack: dict[str, Any]) -> dict[str, str]:
    """The values of its parameters."""
    return {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    """Its outputs."""
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
