"""The exemptions document on its way to the bucket of a stack."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import deploy_local
import exemptions
import project
import pytest
from deploy_local import Deployment

EXAMPLE = project.ROOT / "docs" / "reference" / "report.md"
DOCUMENT = b'{"schemaVersion": "1.0", "exemptions": []}\n'
OTHER = b'{"schemaVersion": "1.0", "exemptions": [ ]}\n'


@pytest.fixture
def session(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """The credentials of whoever uploads, in an AWS that is the local one."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", deployment.endpoint)
    return boto3.Session("test", "test", region_name=project.REGION)


@pytest.fixture
def place(deployment: Deployment) -> Iterator[dict[str, str]]:
    """Where the function of the stack reads the document, and where none is at first."""
    found = {"Bucket": deployment.outputs["EvidenceBucketName"], "Key": deployment.outputs["ExemptionsKey"]}
    yield found
    deployment.client("s3").delete_object(**found)


def stored(deployment: Deployment, place: dict[str, str]) -> bytes:
    """The document in the bucket."""
    return deployment.client("s3").get_object(**place)["Body"].read()


def test_a_document_is_put_where_the_function_reads_it(
    deployment: Deployment, session: boto3.Session, place: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever uploads is told what it replaces, and nothing is written where nothing changes."""
    where = f"s3://{place['Bucket']}/{place['Key']}"
    function = deployment.client("lambda").get_function_configuration(FunctionName=deployment.outputs["FunctionName"])
    assert function["Environment"]["Variables"]["EXEMPTIONS_URI"] == where
    for document, told in (
        (DOCUMENT, f"uploaded to {where}, for the next run of {deploy_local.STACK}\n"),
        (DOCUMENT, f"{where} is this document already\n"),
        (OTHER, "; it replaces that of 20"),
    ):
        exemptions.upload(document, deploy_local.STACK, session)
        assert told in capsys.readouterr().err
        assert stored(deployment, place) == document
    answer = deployment.client("s3").head_object(**place)
    assert answer["ContentType"] == "application/json"


@pytest.mark.parametrize("known", [None, DOCUMENT])
def test_what_somebody_else_uploads_meanwhile_is_not_lost(
    deployment: Deployment,
    session: boto3.Session,
    place: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    known: bytes | None,
) -> None:
    """Two people each add an entry: the second is told, and adds it to what the first wrote."""
    s3 = deployment.client("s3")
    if known:
        s3.put_object(**place, Body=known)
    seen = exemptions.current(session.client("s3"), place)
    s3.put_object(**place, Body=OTHER)
    monkeypatch.setattr(exemptions, "current", lambda *_: seen)
    with pytest.raises(project.Failure, match="somebody else has just uploaded another document"):
        exemptions.upload(b"{}", deploy_local.STACK, session)
    assert stored(deployment, place) == OTHER


def test_a_stack_without_a_document_is_told(deployment: Deployment, session: boto3.Session) -> None:
    """One that there is not, and one that reads none."""
    with pytest.raises(project.Failure, match="there is no stack no-such in us-east-1"):
        exemptions.upload(DOCUMENT, "no-such", session)
    given = {"Architecture": "x86_64", "ScheduleState": "DISABLED", "ExemptionsKey": ""}
    deploy_local.create_stack(deployment.endpoint, "no-exemptions", deployment.template(), given)
    with pytest.raises(project.Failure, match="the stack no-exemptions reads no exemptions"):
        exemptions.upload(DOCUMENT, "no-exemptions", session)


ENTRY = {
    "id": "paused",
    "rule": "member-macie-paused",
    "accountId": "999999999999",
    "region": "*",
    "resourceId": "100000000099",
    "reason": "It is being closed.",
    "owner": "team@example.com",
}


def checked(folder: Path, *entries: dict[str, str], report: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """A check of a document with these entries."""
    file = folder / "exemptions.json"
    file.write_text(json.dumps({"schemaVersion": "1.0", "exemptions": entries}))
    command = [sys.executable, project.ROOT / "tools" / "exemptions.py", file]
    command += ["--report", report] if report else []
    return subprocess.run(command, capture_output=True, text=True, check=False)


def in_days(days: int) -> str:
    """A date."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def test_a_sound_document_is_checked_and_uploaded_nowhere(tmp_path: Path) -> None:
    """Without a stack. An entry that has ended is no mistake, and is said to have ended."""
    done = checked(tmp_path, {**ENTRY, "expires": in_days(30)}, {**ENTRY, "id": "ended", "expires": in_days(-1)})
    assert done.returncode == 0, done.stderr
    assert "ended: EXPIRED" in done.stdout
    assert done.stderr.splitlines()[-1] == "nothing was uploaded: STACK=NAME uploads the document"


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires": in_days(367)},
        {"expires": "YYYY-MM-DD"},
        {"expires": in_days(30), "rule": "no-such-rule"},
        {"expires": in_days(30), "rule": "filter-archives-findings"},
        {"expires": in_days(30), "owner": ""},
        {"expires": in_days(30), "reason": ""},
    ],
)
def test_a_document_with_a_problem_is_not_uploaded(tmp_path: Path, wrong: dict[str, str]) -> None:
    """The entry is named, as where what `make audit` prints was not filled in. There is no stack of that name."""
    done = checked(tmp_path, {**ENTRY, **wrong})
    assert done.returncode == 1
    assert "paused" in done.stdout + done.stderr
    assert "there is no stack" not in done.stderr


def test_a_file_that_is_no_document_is_one_line(tmp_path: Path) -> None:
    """Named by its own name, though the check reads it from elsewhere."""
    file = tmp_path / "notes.txt"
    file.write_text("not JSON")
    command = [sys.executable, project.ROOT / "tools" / "exemptions.py", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"error: {file} cannot be used: ")
    assert "stdin" not in done.stderr


def test_what_would_be_exempted_is_told(tmp_path: Path) -> None:
    """Of a report, so that nobody has to wait for the next run."""
    violation = {"id": "0123", "rule": ENTRY["rule"], "severity": "HIGH", "accountId": "999999999999"}
    resource = {"type": "member", "id": "100000000099", "arn": None, "name": None}
    report = json.loads(EXAMPLE.read_text().partition("```json\n")[2].partition("```")[0])
    report["violations"] = [{**report["violations"][0], **violation, "region": "us-east-1", "resource": resource}]
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    entry = {**ENTRY, "expires": in_days(30)}
    done = checked(tmp_path, entry, {**entry, "id": "elsewhere", "accountId": "000000000001"}, report=path)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 violation would be exempted:" in done.stdout
    assert "100000000099 by paused" in done.stdout
    assert "These entries name an account or a Region that is not in this report:\n  elsewhere\n" in done.stdout


def test_a_report_that_is_none_is_not_held_against_the_document(tmp_path: Path) -> None:
    """A page, for one, is no report in JSON."""
    page = tmp_path / "report.html"
    page.write_text("<html>")
    done = checked(tmp_path, {**ENTRY, "expires": in_days(30)}, report=page)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: the report cannot be used: {page}: ")


def test_a_file_that_there_is_not_is_one_line() -> None:
    """Nothing is built for it."""
    command = [sys.executable, project.ROOT / "tools" / "exemptions.py", "no-such.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: there is no file no-such.json\n")
