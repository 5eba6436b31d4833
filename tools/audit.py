"""Audits your AWS account once, from here: `audit.py [--profile NAME] [--regions LIST] [--json | --policy]`.

The function runs under cargo-lambda with your credentials, always as a dry run: nothing is deployed, stored or
published. Its other settings apply where the environment has them.
"""

import argparse
import http.client
import json
import os
import select
import socket
import subprocess
import time
from typing import Any, NamedTuple

import project
import services

NAME = "macie-compliance"
# The function's deadline under cargo-lambda, and some time to answer.
RUN_SECONDS = 660
# How long cargo-lambda has to answer for a function that did not start, which it does only sometimes.
GONE_SECONDS = 2
# What a dry run of one account never calls: it publishes and stores nothing, and assumes no role.
NEVER_CALLED = ("sns", "s3", "sts")
# The rule whose exemptions name what they accept by its digest, so that they end when it is changed.
BY_DIGEST = "filter-archives-findings"
# As many violations as the mail shows.
SHOWN = 50


class Caller(NamedTuple):
    """Who audits: an account, the Region to start from, and access key, secret key and session token."""

    account: str
    region: str
    keys: tuple[str, str, str | None]


def main() -> None:
    """Prints the mail of an audit, its report, or the policy that it needs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", help="the profile of the AWS configuration")
    parser.add_argument("--regions", help="Regions separated by commas, or all; your own Region when absent")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of the mail")
    parser.add_argument("--policy", action="store_true", help="print the IAM policy that an audit needs, and exit")
    given = parser.parse_args()
    if given.policy:
        project.show(json.dumps(policy(), indent=2))
        return
    project.need("cargo", "cargo-lambda")
    caller = identify(given.profile, given.regions)
    services.cargo("build", "--bin", NAME)
    services.cargo("build", "--package", "macie-compliance-core", "--features", "deserialize", "--bin", "mail")
    project.say(f"auditing account {caller.account}, {given.regions or caller.region}: a dry run, nothing is published")
    report = dry_run(environment(caller, given.profile, given.regions))
    if given.json:
        project.show(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        project.show("\n".join([mail(report), *exempting(report["violations"])]))
    if not report["complete"]:
        project.say("not everything could be read; `make audit POLICY=1` prints the permissions that an audit needs")


def policy() -> dict[str, Any]:
    """The permissions of an audit, from the table of the operations that the function calls."""
    actions: dict[str, list[str]] = {}
    for api in json.loads((project.ROOT / "docs" / "reference" / "apis.json").read_text()):
        if api["prefix"] not in NEVER_CALLED:
            actions.setdefault(api["resource"].replace("ACCOUNT", "*"), []).append(api["action"])
    statements = [{"Effect": "Allow", "Action": names, "Resource": resource} for resource, names in actions.items()]
    return {"Version": "2012-10-17", "Statement": statements}


def identify(profile: str | None, regions: str | None) -> Caller:
    """Finds the caller's credentials, as the AWS CLI does, and asks AWS whose they are."""
    # The policy is printed by any Python; an audit has that of .tools.
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    try:
        session = boto3.Session(profile_name=profile)
        credentials = session.get_credentials()
        if credentials is None:
            raise project.Failure("no AWS credentials: none were found; set PROFILE=NAME, or log in")
        region = os.environ.get("AWS_REGION") or session.region_name or first_region(regions)
        if not region:
            raise project.Failure("no Region: set REGIONS=eu-west-1 (or a list, or all), or AWS_REGION")
        config = Config(connect_timeout=10, read_timeout=10, retries={"total_max_attempts": 2})
        account = session.client("sts", region_name=region, config=config).get_caller_identity()["Account"]
        # What was found can be short-lived. Keys that are about to expire are renewed here.
        keys = credentials.get_frozen_credentials()
    except ClientError as error:
        refusal = error.response["Error"]
        reason = f"{one_line(refusal['Message'])} ({refusal['Code']})"
        raise project.Failure(f"AWS refused the credentials: {reason}; log in again, or set PROFILE=NAME") from error
    except (ConnectionError, HTTPClientError) as error:
        raise project.Failure(f"AWS could not be reached: {one_line(error)}") from error
    except BotoCoreError as error:
        raise project.Failure(f"no AWS credentials: {one_line(error)}; set PROFILE=NAME, or log in") from error
    return Caller(account, region, tuple(keys)[:3])


def first_region(regions: str | None) -> str | None:
    """The Region from which the named Regions are audited if neither the environment nor the profile says."""
    return "us-east-1" if regions == "all" else (regions or "").split(",")[0].strip() or None


def one_line(text: object) -> str:
    """A text on one line."""
    return " ".join(str(text).split()).rstrip(".")


def environment(caller: Caller, profile: str | None, regions: str | None) -> dict[str, str]:
    """The environment of the function. Endpoints, proxies and all else that the caller has set stay."""
    key, secret, token = caller.keys
    settings = {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        "AWS_PROFILE": profile,
        "AWS_REGION": caller.region,
        "MACIE_REGIONS": regions,
        # A dry run publishes nothing. The function asks for a topic, and takes its owner for the audited account.
        "REPORT_TOPIC_ARN": f"arn:aws:sns:{caller.region}:{caller.account}:never-published",
        # Warnings hold the violations, and the log is a file.
        "AWS_LAMBDA_LOG_LEVEL": "ERROR",
    }
    # A session token of the environment belongs to the keys of the environment.
    inherited = {name: value for name, value in project.environment().items() if name != "AWS_SESSION_TOKEN"}
    return inherited | {name: value for name, value in settings.items() if value}


def dry_run(env: dict[str, str]) -> dict[str, Any]:
    """Runs the function under cargo-lambda and gives the report of a dry run."""
    port = project.free_port()
    local = ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    watch = ["cargo", "lambda", "watch", "--bin", NAME, "--ignore-changes", *local]
    with services.service("audit", watch, env) as function:
        function.wait_until(lambda: listens(port), 60)
        answer = invoke(function, port, {"publish": False})
    if "report" not in answer:
        raise project.Failure(f"the function failed: {one_line(answer.get('errorMessage', answer))}")
    return answer["report"]


def listens(port: int) -> bool:
    """Whether something listens on a port; if not, the connection is refused."""
    socket.create_connection(("127.0.0.1", port), timeout=1).close()
    return True


def invoke(function: services.Service, port: int, event: dict[str, Any]) -> dict[str, Any]:
    """What the function answers, which is an object with an `errorMessage` where it failed."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("POST", f"/2015-03-31/functions/{NAME}/invocations", json.dumps(event))
        begun = alive = time.monotonic()
        # cargo-lambda can go on waiting for a function that has ended or said why it cannot start.
        while not select.select([connection.sock], [], [], 0.2)[0]:
            now = time.monotonic()
            failure = function.failure()
            if failure is None and project.children(function.process.pid):
                alive = now
            if now - alive > GONE_SECONDS:
                raise project.Failure(f"the function failed: {one_line(failure or function.last_line())}")
            if now - begun > RUN_SECONDS:
                raise project.Failure(f"no answer in {RUN_SECONDS} s: {function.last_line()}")
        return json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise project.Failure(f"the function did not answer: {error}; {function.last_line()}") from error
    finally:
        connection.close()


def mail(report: dict[str, Any]) -> str:
    """The mail that the function would have sent."""
    program = project.target_directory() / "debug" / "mail"
    given = json.dumps(report, ensure_ascii=False)
    done = subprocess.run([program], input=given, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise project.Failure(f"the mail could not be written: {one_line(done.stderr)}")
    return done.stdout.removesuffix("\n")


def exempting(violations: list[dict[str, Any]]) -> list[str]:
    """For each violation the entry of an exemptions document that would exempt it, once its blanks are filled in."""
    if not violations:
        return []
    lines = [
        "",
        "TO ACCEPT A VIOLATION",
        "Put its entry into the exemptions document, and fill in who accepts it and why.",
    ]
    for violation in violations[:SHOWN]:
        given = json.dumps(entry(violation))
        lines.append(given if given != "null" else f"none for {violation['id']}: the filter could not be read")
    if len(violations) > SHOWN:
        lines.append(f"{len(violations) - SHOWN} more are not shown; `make audit JSON=1` has them all.")
    return lines


def entry(violation: dict[str, Any]) -> dict[str, str] | None:
    """The entry that would exempt a violation, and nothing where none would."""
    digest = (violation.get("filter") or {}).get("digest")
    if violation["rule"] == BY_DIGEST and not digest:
        return None
    return {
        "id": violation["id"],
        "rule": violation["rule"],
        "accountId": violation["accountId"],
        "region": violation["region"],
        "resourceId": violation["resource"]["id"],
        **({"digest": digest} if digest else {}),
        "reason": "",
        "owner": "",
        "expires": "YYYY-MM-DD",
    }


if __name__ == "__main__":
    project.run(main)
