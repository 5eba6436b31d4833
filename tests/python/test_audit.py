"""An audit of the caller's own account: it prints the mail of a dry run, and leaves nothing behind anywhere."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import audit as audits
import iam
import jsonschema
import parliament
import project
import pytest
import services

AUDIT = [sys.executable, str(project.ROOT / "tools" / "audit.py")]
ACCOUNT = "222233334444"
SEED = json.loads((project.ROOT / "tests" / "python" / "seed.json").read_text()) | {"account": ACCOUNT}
EXPIRED = {"status": 403, "code": "ExpiredToken", "message": "The security token included in the request is expired"}


def denied(service: str, api: str, **more: Any) -> dict[str, Any]:
    """The fault of a call that no policy allows."""
    action = f"{service}:{api}"
    user = f"arn:aws:iam::{ACCOUNT}:user/auditor"
    message = f"User: {user} is not authorized to perform: {action} because no identity-based policy allows the action"
    kind = {"type": "error", "status": 403, "code": "AccessDeniedException", "message": message}
    return {"service": service, "api": api, "kind": kind, **more}


@pytest.fixture
def simulated(tmp_path: Path) -> Callable[..., Any]:
    """Starts a simulator of its own, with what the seed is to have beside that of the tests."""

    def start(**more: Any) -> Any:
        seed = tmp_path / "seed.json"
        seed.write_text(json.dumps(SEED | more))
        return services.simulator(seed)

    return start


def environment(url: str, **more: str | None) -> dict[str, str]:
    """The environment of an audit of the simulator; what is None is taken out of it."""
    changed = project.local_aws(url) | more
    return {name: value for name, value in changed.items() if value is not None}


def audit(url: str, *arguments: str, **env: str | None) -> "subprocess.CompletedProcess[str]":
    """Runs an audit."""
    command = [*AUDIT, *arguments]
    return subprocess.run(command, env=environment(url, **env), capture_output=True, encoding="utf-8", check=False)


def failure(url: str, *arguments: str, **env: str | None) -> str:
    """The one line of an audit that cannot be made, and of which nothing is printed."""
    done = audit(url, *arguments, **env)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    return line


def operations(simulator: services.Simulator) -> set[str]:
    """What was asked of the simulator."""
    return {f"{request['service']}:{request['operation']}" for request in simulator.requests()}


def test_the_mail_is_printed_and_nothing_else_is_done(simulated: Callable[..., Any]) -> None:
    """The account is the caller's, and nothing is published, written or kept on this machine."""
    with simulated() as simulator:
        done = audit(simulator.url, "--regions", "us-east-1,eu-west-1")
        assert done.returncode == 0, done.stderr
        assert simulator.messages() == []
        asked = operations(simulator)
    assert done.stdout.startswith(
        f"Subject: Macie NON_COMPLIANT: 7 violations, {ACCOUNT}, 2 Regions\n\nNON_COMPLIANT: "
    )
    for line in (
        "- account 100000000069, AccountSuspended since 2026-11-01 #",
        "Members: 69\n",
        f"In {ACCOUNT} eu-west-1\n",
    ):
        assert f"\n{line}" in done.stdout
    mail, _, entries = done.stdout.partition("\n\nTO ACCEPT A VIOLATION\n")
    assert mail.endswith(", started by on-demand")
    exempting = [json.loads(line) for line in entries.splitlines()[1:]]
    assert len(exempting) == 7
    digests = [entry["digest"] for entry in exempting if entry["rule"] == "filter-archives-findings"]
    assert [bool(re.fullmatch("[0-9a-f]{64}", digest)) for digest in digests] == [True, True]
    assert f"auditing account {ACCOUNT}, us-east-1,eu-west-1" in done.stderr
    assert "POLICY=1" not in done.stderr
    assert asked <= {"sts:GetCallerIdentity"} | {f"macie2:{api['operation']}" for api in iam.APIS}
    log = (project.LOGS / "audit.log").read_text()
    assert "cargo" in log
    assert not [word for word in ("100000000069", ACCOUNT, "member-account-suspended") if word in log]


def test_the_report_is_printed_as_json(simulated: Callable[..., Any]) -> None:
    """It is the whole report, as the schema says, over the Region of the environment."""
    with simulated() as simulator:
        done = audit(simulator.url, "--json", AWS_REGION="eu-west-1")
    report = json.loads(done.stdout)
    jsonschema.validate(report, json.loads((project.ROOT / "schema" / "report-1.1.schema.json").read_text()))
    assert [(target["accountId"], target["region"]) for target in report["targets"]] == [(ACCOUNT, "eu-west-1")]
    assert [violation["rule"] for violation in report["violations"]] == ["macie-paused"]


def violation(rule: str, **more: Any) -> dict[str, Any]:
    """A violation, with the fields that an exemption is made of."""
    found = {"id": "0123", "rule": rule, "accountId": ACCOUNT, "region": "eu-west-1"}
    return {**found, "resource": {"type": "x", "id": "r", "arn": None, "name": "not\nsafe"}, **more}


def test_each_violation_has_the_entry_that_would_exempt_it() -> None:
    """A filter is named by its digest too. What nobody filled in is no exemption: a reason, an owner and a date."""
    digest = "0" * 64
    member = violation("member-macie-paused", status="Paused")
    archives = violation("filter-archives-findings", filter={"digest": digest, "breadth": "CLASS"})
    unread = violation("filter-archives-findings", filter={"digest": None})
    told = audits.exempting([member, archives, unread])
    assert told[1] == "TO ACCEPT A VIOLATION"
    base = {"id": "0123", "accountId": ACCOUNT, "region": "eu-west-1", "resourceId": "r"}
    blanks = {"reason": "", "owner": "", "expires": "YYYY-MM-DD"}
    assert json.loads(told[3]) == {**base, **blanks, "rule": "member-macie-paused"}
    assert json.loads(told[4]) == {**base, **blanks, "rule": "filter-archives-findings", "digest": digest}
    assert told[5:] == ["none for 0123: the filter could not be read"]
    assert audits.exempting([]) == []


def test_of_many_violations_the_first_entries_are_shown() -> None:
    """As in the mail. Whoever has more than that to accept takes them out of the report."""
    told = audits.exempting([violation("member-macie-paused")] * (audits.SHOWN + 2))
    assert len(told) == 3 + audits.SHOWN + 1
    assert told[-1] == "2 more are not shown; `make audit JSON=1` has them all."


def test_the_policy_is_what_a_run_calls(simulated: Callable[..., Any]) -> None:
    """Each action was called on a resource that the policy names, and each call is allowed."""
    policy = json.loads(subprocess.run([*AUDIT, "--policy"], capture_output=True, check=True).stdout)
    grants = set(iam.grants(policy))
    with simulated(faults=[denied("macie2", "GetAdministratorAccount")]) as simulator:
        done = audit(simulator.url, "--regions", "all", AWS_REGION=None, AWS_DEFAULT_REGION=None)
        assert done.returncode == 0, done.stderr
        requests = [request for request in simulator.requests() if request["operation"] != "GetCallerIdentity"]
    calls = iam.calls(requests)
    assert {action for action, _ in grants} == {call.action for call in calls}
    for call in calls:
        assert any(call.action == action and fnmatchcase(call.resource, arn) for action, arn in grants), call
    assert parliament.analyze_policy_string(json.dumps(policy)).findings == []


def test_the_policy_needs_neither_credentials_nor_tools() -> None:
    """Any Python prints it, without a home and without a path."""
    command = ["/usr/bin/env", "-i", sys.executable, "-S", AUDIT[1], "--policy"]
    assert json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["Statement"]


def test_what_was_refused_is_in_the_mail(simulated: Callable[..., Any]) -> None:
    """A report that is not complete is a report, and the caller learns where all permissions are."""
    with simulated(faults=[denied("macie2", "ListMembers")]) as simulator:
        done = audit(simulator.url)
    assert done.returncode == 0
    assert "COULD NOT BE READ" in done.stdout
    assert "macie2:ListMembers" in done.stdout
    assert "`make audit POLICY=1`" in done.stderr


def test_without_credentials_there_is_one_line(simulated: Callable[..., Any]) -> None:
    """None at all, a profile that there is not, and one whose command fails."""
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    with simulated() as simulator:
        assert (
            failure(simulator.url, **none) == "error: no AWS credentials: none were found; set PROFILE=NAME, or log in"
        )
        line = failure(simulator.url, "--profile", "no-such-profile")
        assert line.startswith(
            "error: no AWS credentials: The config profile (no-such-profile) could not be found; set "
        )
        assert simulator.requests() == []


def test_credentials_that_cannot_be_had_are_one_line(simulated: Callable[..., Any], tmp_path: Path) -> None:
    """A profile's own command says why."""
    env = configured(tmp_path, "echo 'log in\nfirst' >&2; exit 1")
    with simulated() as simulator:
        line = failure(simulator.url, "--profile", "audit", **env)
    assert line.startswith("error: no AWS credentials: ")
    assert "log in first" in line


def test_expired_credentials_are_one_line_with_the_reason_of_aws(simulated: Callable[..., Any]) -> None:
    """They are tried before anything is built or asked of Macie."""
    with simulated(faults=[{"service": "sts", "kind": {"type": "error", **EXPIRED}}]) as simulator:
        line = failure(simulator.url)
        assert operations(simulator) == {"sts:GetCallerIdentity"}
    assert line == (
        "error: AWS refused the credentials: The security token included in the request is expired (ExpiredToken);"
        " log in again, or set PROFILE=NAME"
    )


def test_an_aws_that_cannot_be_reached_is_one_line() -> None:
    """That is no fault of the credentials."""
    url = f"http://127.0.0.1:{project.free_port()}"
    assert failure(url) == f'error: AWS could not be reached: Could not connect to the endpoint URL: "{url}/"'


def test_without_a_region_there_is_one_line(simulated: Callable[..., Any]) -> None:
    """Neither the arguments, nor the environment, nor a profile names one."""
    with simulated() as simulator:
        line = failure(simulator.url, AWS_REGION=None, AWS_DEFAULT_REGION=None)
    assert line == "error: no Region: set REGIONS=eu-west-1 (or a list, or all), or AWS_REGION"


def test_what_the_function_refuses_is_one_line(simulated: Callable[..., Any]) -> None:
    """Nothing waits for a function that cannot start."""
    with simulated() as simulator:
        done = audit(simulator.url, "--regions", "eu-west-1,nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        'error: the function failed: settings: MACIE_REGIONS="nowhere" is not the code of a Region, such as eu-west-1,'
        " or `all` alone"
    )


def configured(folder: Path, script: str) -> dict[str, str | None]:
    """An environment without keys, whose profile `audit` gets them from a command and names a Region."""
    program = folder / "credentials"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(stat.S_IRWXU)
    config = folder / "config"
    config.write_text(f"[profile audit]\nregion = eu-west-2\ncredential_process = {program}\n")
    unset = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"]
    return {"AWS_CONFIG_FILE": str(config), **dict.fromkeys(unset)}


def test_a_profile_gives_credentials_and_region(simulated: Callable[..., Any], tmp_path: Path) -> None:
    """The function has no profile of its own to resolve: the keys of the command reach it, a stale token does not."""
    keys = {"Version": 1, "AccessKeyId": "AKIAAUDIT", "SecretAccessKey": "secret", "SessionToken": "fresh"}
    env = configured(tmp_path, f"echo '{json.dumps(keys)}'")
    with simulated() as simulator:
        done = audit(simulator.url, "--profile", "audit", AWS_SESSION_TOKEN="stale", **env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Subject: Macie NON_COMPLIANT: 1 violation, {ACCOUNT} eu-west-2\n")
    assert (tmp_path / "config").read_text().count("credential_process") == 1


def marked(mark: str) -> dict[int, str]:
    """The command of each process whose environment has a mark."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes():
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:  # It has ended, or is not ours.
            continue
    return found


@pytest.fixture
def waiting(simulated: Callable[..., Any]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """An audit whose function waits for Macie, and the mark of all its processes."""
    mark = uuid.uuid4().hex
    hang = {"service": "macie2", "api": "GetMacieSession", "kind": {"type": "hang"}}
    with simulated(faults=[hang]) as simulator:
        env = environment(simulator.url, AUDIT_MARK=mark)
        running = subprocess.Popen(AUDIT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while "macie2:GetMacieSession" not in operations(simulator) and time.monotonic() < end:
            time.sleep(0.1)
        yield running, mark
        running.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_process(waiting: tuple["subprocess.Popen[str]", str], number: signal.Signals) -> None:
    """The function and cargo-lambda end with the audit."""
    running, mark = waiting
    assert len([command for command in marked(mark).values() if "macie-compliance" in command]) >= 2
    running.send_signal(number)
    output, errors = running.communicate(timeout=30)
    assert (running.returncode, output) == (128 + number, ""), errors
    assert "Traceback" not in errors
    assert marked(mark) == {}


def test_a_function_that_dies_is_one_line(waiting: tuple["subprocess.Popen[str]", str]) -> None:
    """The audit does not wait for its answer."""
    running, mark = waiting
    [function] = [pid for pid, command in marked(mark).items() if command.startswith("target/debug/macie-compliance")]
    os.kill(function, signal.SIGKILL)
    output, errors = running.communicate(timeout=30)
    assert (running.returncode, output) == (1, "")
    assert errors.splitlines()[-1].startswith("error: the function failed: ")
    assert marked(mark) == {}


def test_a_reader_that_goes_away_is_no_fault(simulated: Callable[..., Any]) -> None:
    """`make audit | head` says nothing of a broken pipe."""
    read, write = os.pipe()
    os.close(read)
    with simulated() as simulator:
        done = subprocess.run(AUDIT, env=environment(simulator.url), stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
