"""The tools that people run: what they refuse, how they fail, and that nothing of them is left behind."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import deploy
import project
import pytest
import services
import yaml
from template import Template, override

ROLE = "arn:aws:iam::111122223333:role/macie-compliance-audit"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment without credentials and without a Region."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nowhere, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}


def run_deploy(env: dict[str, str], *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Runs the tool that deploys."""
    command = [sys.executable, project.ROOT / "tools" / "deploy.py", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def checked(tmp_path: Path, env: dict[str, str], text: str) -> list[str]:
    """The problems of a file, found without building."""
    path = tmp_path / "parameters.yaml"
    path.write_text(text)
    done = run_deploy(env, "--check", "--parameters", path)
    lines = done.stderr.splitlines()
    problems = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    assert done.returncode == bool(problems), done.stderr
    assert len(problems or [1]) == len(lines), f"one line for each problem: {done.stderr}"
    return problems


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("MacieRegion: all", "MacieRegion: there is no such parameter; did you mean MacieRegions"),
        ("DisabledRules: filter-archive-findings", "did you mean filter-archives-findings?"),
        ("DisabledRules: no-such-*", "DisabledRules: no-such-*: there is no such rule (docs/reference/checks.md"),
        ("DisabledRules: '*'", "DisabledRules: it switches off every rule"),
        ("MacieRegions: eu-west-9", "MacieRegions: eu-west-9: there is no such Region; did you mean eu-west-"),
        ("MacieRegions: [all, eu-west-1]", "MacieRegions: all: there is no such Region"),
        ("MacieRegions: cn-north-1", "MacieRegions: cn-north-1: Macie is not offered there, nor anywhere in aws-cn"),
        ("MacieRegions: us-gov-west-1", "Macie is not offered there, nor anywhere in aws-us-gov"),
        ("MacieRegions: mx-central-1", "MacieRegions: mx-central-1: Macie is not offered there"),
        ("MacieRegions: eu-west-1, us-east-1", "MacieRegions:  us-east-1: there is no such Region"),
        ("ExpectedAdministrator: 1234", "ExpectedAdministrator: expected account ids of 12 digits separated by commas"),
        ("ReportEmail: nobody", "ReportEmail: expected an e-mail address, or empty; got 'nobody'"),
        ("Architecture: x86", "Architecture: expected one of arm64, x86_64; got 'x86'"),
        ("IncludeEmails: yes", "IncludeEmails: expected one of true, false; got 'yes'"),
        ("MemorySize: 64", "MemorySize: expected a whole number from 128 to 10240; got '64'"),
        ("MemorySize: lots", "MemorySize: expected a whole number from 128 to 10240; got 'lots'"),
        ("SubnetIds: subnet-01234567", "Give SecurityGroupIds too."),
        ("FailOn: medium", "FailOn: expected one of LOW, MEDIUM, HIGH, CRITICAL; got 'medium'"),
        ("MaxParts: 0", "MaxParts: expected a whole number from 1 to 1000; got '0'"),
        ("NotifyOn: change", "NotifyOn: expected one of always, problems, changes; got 'change'"),
        (
            "ExemptionsKey: state/exemptions.json",
            "ExemptionsKey: expected a key of letters, digits and _.-/ that is not",
        ),
        ("NotifyOn: changes\nEvidence: 'false'", "For NotifyOn changes set Evidence to true."),
        ("DistributedMap: 'true'\nEvidence: 'false'", "Set Evidence to true."),
        (
            "EvidenceObjectLock: GOVERNANCE\nEvidenceObjectLockDays: 500",
            "EvidenceObjectLockDays: 500 must not be more than EvidenceDays, which is 400",
        ),
        ("FunctionTimeout: 30\nDeadlineMarginSeconds: 30", "DeadlineMarginSeconds: 30 has to be less than"),
        (f"MacieRoleArns: [{ROLE}, {ROLE}2]", "MacieRoleArns: account 111122223333 has more than one role"),
        ("MacieRoleExternalIds: 111122223333=id", "MacieRoleArns names no role in account 111122223333"),
        (f"MacieRoleArns: {ROLE}\nMacieRoleExternalIds: 111122223333=x", "each id of 2 characters or more"),
        (
            f"MacieRoleArns: {ROLE}\nMacieRoleExternalIds: [111122223333=one, 111122223333=two]",
            "MacieRoleExternalIds: account 111122223333 has more than one external id",
        ),
        ("- ReportEmail", "expected one `Name: value` a line"),
        ("ReportEmail: {a: b}", "ReportEmail: expected a value or a list of values"),
        ("ReportEmail: a@b.example\nReportEmail: c@d.example", "ReportEmail is there twice"),
        ("ReportEmail: [", "cannot be read"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_is_built(
    tmp_path: Path, env: dict[str, str], text: str, told: str
) -> None:
    """Each in one line that says what is wrong."""
    [problem] = checked(tmp_path, env, text)
    assert told in problem


@pytest.mark.parametrize(
    "text",
    [
        "EvidenceObjectLockDays: 500",
        "EvidenceObjectLock: GOVERNANCE\nEvidenceObjectLockDays: 500\nEvidenceDays: 0",
        "EvidenceObjectLock: COMPLIANCE\nEvidenceObjectLockDays: 400",
    ],
)
def test_a_report_may_be_locked_for_as_long_as_it_is_kept(tmp_path: Path, env: dict[str, str], text: str) -> None:
    """Without a lock its days count for nothing, and reports that are kept for good can be locked for any time."""
    assert checked(tmp_path, env, text) == []


def test_all_problems_are_told_at_once(tmp_path: Path, env: dict[str, str]) -> None:
    """Whoever mends a file does so once."""
    text = "Region: all\nDisabledRules: [one, two]\nMemorySize: 1\nMacieRegions: [mars-1, us-east-1, venus-1]\n"
    problems = checked(tmp_path, env, text)
    assert [problem.split(" ")[0] for problem in problems] == [
        *["Region:", "MacieRegions:", "MacieRegions:", "DisabledRules:", "DisabledRules:", "MemorySize:"]
    ]


def test_a_stack_in_a_region_without_macie_names_others(tmp_path: Path, env: dict[str, str]) -> None:
    """Where MacieRegions is empty, the Region of the stack is audited."""
    elsewhere = {**env, "AWS_REGION": "mx-central-1"}
    assert checked(tmp_path, elsewhere, "") == ["MacieRegions: mx-central-1: Macie is not offered there"]
    assert checked(tmp_path, elsewhere, "MacieRegions: us-east-1") == []


@pytest.mark.parametrize(("number", "fits"), [(40, True), (43, False)])
def test_roles_and_external_ids_have_to_fit_lambdas_environment(
    tmp_path: Path, env: dict[str, str], number: int, fits: bool
) -> None:
    """Lambda takes 4,096 bytes, and would refuse more when the stack is half made."""
    accounts = [f"{account:012}" for account in range(1, number + 1)]
    given = {
        "MacieRoleArns": [f"arn:aws:iam::{account}:role/macie-compliance-audit" for account in accounts],
        "MacieRoleExternalIds": [f"{account}={'x' * 20}" for account in accounts],
    }
    problems = checked(tmp_path, env, yaml.safe_dump(given))
    assert [problem.split(":")[0] for problem in problems] == ([] if fits else ["MacieRoleArns, MacieRoleExternalIds"])


def test_every_parameter_takes_its_default(tmp_path: Path, env: dict[str, str]) -> None:
    """Written out, the defaults are what an empty file gives."""
    parameters = Template({}).parameters
    written = {name: str(parameter["Default"]) for name, parameter in parameters.items()}
    assert checked(tmp_path, env, yaml.safe_dump(written)) == []
    assert checked(tmp_path, env, "") == []
    assert Template({}).values == Template(written).values


def test_the_example_is_sound(tmp_path: Path, env: dict[str, str]) -> None:
    """And so is what stands in its comments."""
    text = (project.ROOT / "parameters.example.yaml").read_text()
    assert checked(tmp_path, env, text) == []
    whole = re.sub(r"^# (?=\w+:$|  - )", "", text, flags=re.MULTILINE)
    shown = yaml.safe_load(whole).keys()
    assert {"MacieRoleArns", "MacieRoleExternalIds", "ExpectedAdministrator", "DisabledRules"} <= shown
    assert checked(tmp_path, env, whole) == []


def test_without_credentials_the_check_says_that_it_did_not_look(tmp_path: Path, env: dict[str, str]) -> None:
    """A deployment needs them, and says so in one line before it builds."""
    with_region = {**env, "AWS_REGION": "eu-west-1"}
    done = run_deploy(with_region, "--check")
    assert done.returncode == 0
    assert "was not looked at: no AWS credentials" in done.stderr
    done = run_deploy(with_region)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "no AWS credentials: log in, or set AWS_PROFILE" in done.stderr
    assert "no Region" in run_deploy(env).stderr
    done = run_deploy({**with_region, "AWS_PROFILE": "no-such"})
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


@pytest.fixture
def sam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SAM that only writes down what it was asked for, and the file that it writes to."""
    log = tmp_path / "asked"
    program = tmp_path / "bin" / "sam"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >> {log}\n")
    program.chmod(0o755)
    monkeypatch.setattr(project, "BIN", program.parent)
    return log


def test_the_values_reach_sam_whole(sam: Path) -> None:
    """SAM takes an argument apart at blanks, unless they are in quotes."""
    values = Template({"ScheduleExpression": "cron(0 6 * * ? *)", "Architecture": "x86_64"}).values
    deploy.deploy(values, "--stack-name", "audit", "--region", "eu-west-1")
    asked = sam.read_text().splitlines()
    assert asked[:3] == ["build", "--parameter-overrides", 'Architecture="x86_64"']
    assert asked[3] == "deploy"
    assert asked[asked.index("--stack-name") + 1] == "audit"
    assert 'ScheduleExpression="cron(0 6 * * ? *)"' in asked
    overrides = asked[asked.index("--parameter-overrides", 4) + 1 :]
    assert len(overrides) == len(values), "what the file does not name gets its default"
    assert override("Name", 'a "b" c') == 'Name="a \\"b\\" c"'


def test_a_failed_build_is_the_end(sam: Path) -> None:
    """Nothing is deployed that was not built."""
    program = project.BIN / "sam"
    program.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(project.Failure, match="sam build"):
        deploy.deploy({"Architecture": "arm64"})


def test_the_names_of_this_build_are_those_that_are_checked() -> None:
    """The file is generated from the code; the checks stand on it."""
    assert {"macie-paused", "filter-archives-findings"} <= set(deploy.NAMES["rules"])
    assert "eu-west-1" in deploy.NAMES["regions"]


INVOKE = [sys.executable, project.ROOT / "tools" / "invoke.py", project.ROOT / "events" / "dry-run.json"]


def invoke(*arguments: object, **settings: str) -> "subprocess.Popen[str]":
    """Starts the tool that invokes the function once, in a group of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*INVOKE, *arguments], env={**os.environ, **settings}, start_new_session=True, **pipes)


def ended(running: "subprocess.Popen[str]") -> tuple[int, str, list[str]]:
    """How it ended, what it printed, and the lines of its errors without those of cargo."""
    output, errors = running.communicate(timeout=300)
    cargo = ("    Finished", "    Blocking", "   Compiling", " Downloading", "  Downloaded", "    Updating")
    return running.returncode, output, [line for line in errors.splitlines() if not line.startswith(cargo)]


def test_the_report_and_its_page_are_left_to_look_at(tmp_path: Path) -> None:
    """Whoever invokes the function without a browser at hand is told where they lie. A dry run stores none."""
    page, report = (project.target_directory() / f"report.{kind}" for kind in ("html", "json"))
    for path in (page, report):
        path.unlink(missing_ok=True)
    code, _, errors = ended(invoke())
    assert (code, errors, page.exists(), report.exists()) == (0, [], False, False)
    event = project.ROOT / "events" / "eventbridge-scheduler.json"
    command = [sys.executable, project.ROOT / "tools" / "invoke.py", event]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stderr.splitlines()[-2:] == [f"the page of the report: {page}", f"the report: {report}"]
    report_id = json.loads(event.read_text())["id"]
    assert report_id in page.read_text()
    assert json.loads(report.read_text())["reportId"] == report_id


@pytest.mark.parametrize("port", ["99999", "0", "-1", "http"])
def test_a_port_that_is_none_is_one_line(port: str) -> None:
    """And no traceback."""
    code, _, errors = ended(invoke(f"--port={port}"))
    assert code == 1
    assert errors == [f"error: {port} is not a port: expected a number from 1 to 65535"]


def test_a_function_that_does_not_start_says_why_at_once() -> None:
    """cargo-lambda waits for it for ever, more often than not, so that this is tried more than once."""
    for _ in range(3):
        begun = time.monotonic()
        code, output, errors = ended(invoke(MAX_CONCURRENCY="0", DISABLED_RULES="filter-archive-findings"))
        assert time.monotonic() - begun < 60
        assert (code, output, len(errors)) == (1, "", 1), errors
        assert 'MAX_CONCURRENCY="0" is not a whole number from 1 to 1000' in errors[0]
        assert "did you mean filter-archives-findings?" in errors[0]


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ('{"level":"ERROR","message":"settings: x","errorType":"InvalidSettings"}\n', "settings: x"),
        (
            "thread 'main' panicked at src/main.rs:1:2:\nno luck\nnote: …\n",
            "thread 'main' panicked at src/main.rs:1:2: no luck",
        ),
        ("   Compiling x\nerror[E0425]: cannot find value `x`\n --> src\n", "error[E0425]: cannot find value `x`"),
        (
            "error: process didn't exit successfully: `x` (signal: 9)\n",
            "error: process didn't exit successfully: `x` (signal: 9)",
        ),
        ('{"level":"INFO","message":"report"}\n{"level":"ERROR","errorType":"cut of', None),
        ("", None),
    ],
)
def test_the_reason_is_read_from_the_functions_log(tmp_path: Path, log: str, told: str | None) -> None:
    """Whatever kept it from starting."""
    function = services.Service.__new__(services.Service)
    function.log = tmp_path / "function.log"
    function.log.write_text(log)
    assert function.failure() == told


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    """As with `make invoke | head -1`."""
    pipe = f"{shlex.join(map(str, INVOKE))} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "{\n0\n"
    assert "Traceback" not in done.stderr


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary files, in which nothing may be left."""
    path = tmp_path / "tmp"
    path.mkdir()
    yield path
    assert list(path.iterdir()) == []


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """The seed of a Macie that takes its time."""
    path = tmp_path / "slow.json"
    path.write_text(json.dumps({**json.loads(project.SEED.read_text()), "latencyMs": 200}))
    return path


def marked(mark: str) -> list[str]:
    """The processes of this mark, by what their environment says."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in environ.read_bytes():
                found.append((environ.parent / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["simulator", "cargo-lambda", "target/debug/macie-compliance"])
def test_nothing_is_left_of_a_run_that_is_ended(place: Path, slow: Path, number: signal.Signals, stage: str) -> None:
    """Neither a process of it, whatever group or session it went to, nor a file. A second signal changes nothing."""
    mark = f"TEST_MARK={os.getpid()}-{number}-{stage}"
    running = invoke("--seed", slow, TMPDIR=str(place), TEST_MARK=mark.partition("=")[2], MAX_CONCURRENCY="1")
    wait_until(lambda: any(stage in line for line in marked(mark)))
    running.send_signal(number)
    running.send_signal(number)
    code, output, _ = ended(running)
    assert (code, output) == (128 + number, "")
    assert marked(mark) == []


def test_a_killed_make_takes_the_run_with_it(place: Path) -> None:
    """It cannot say so itself."""
    mark = f"TEST_MARK={os.getpid()}-make"
    env = {**os.environ, "TMPDIR": str(place), "TEST_MARK": mark.partition("=")[2]}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    make = subprocess.Popen(["make", "invoke"], cwd=project.ROOT, env=env, **quiet)
    wait_until(lambda: any("cargo-lambda" in line for line in marked(mark)))
    make.kill()
    make.wait()
    wait_until(lambda: marked(mark) == [])


def wait_until(what: object, seconds: float = 300) -> None:
    """Waits until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it does not come"
        time.sleep(0.01)
