"""What a run leaves in the evidence bucket of a local AWS, and what the next run makes of it."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import deploy_local
import jsonschema
import project
import pytest
from deploy_local import Deployment

EVENT = json.loads((project.ROOT / "events" / "eventbridge-scheduler.json").read_text())
SCHEMA = json.loads((project.ROOT / "schema" / "report-1.1.schema.json").read_text())
STATE = f"state/{project.ACCOUNT}/{project.REGION}.json"


@pytest.fixture(scope="module")
def deployment(built: None) -> Iterator[Deployment]:
    """A stack of its own with its schedule off, so that each run is one that was asked for, and none overlaps."""
    with deploy_local.deployed("ScheduleState=DISABLED") as deployed:
        yield deployed


@pytest.fixture(scope="module")
def reports(deployment: Deployment) -> list[dict[str, Any]]:
    """The messages of two runs, the first and the next, each asked for with the schedule's event."""
    function, received = deployment.outputs["FunctionName"], []
    for run in ("the-first", "the-next"):
        answer = deployment.client("lambda").invoke(FunctionName=function, Payload=json.dumps(EVENT | {"id": run}))
        assert "FunctionError" not in answer, answer["Payload"].read()
        received.append(json.loads(deployment.receive()["Message"]))
    assert [report["reportId"] for report in received] == ["the-first", "the-next"]
    return received


def stored(deployment: Deployment, key: str) -> dict[str, Any]:
    """An object of the bucket."""
    bucket = deployment.outputs["EvidenceBucketName"]
    return deployment.client("s3").get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")


def test_a_run_leaves_its_report_and_its_page(deployment: Deployment, reports: list[dict[str, Any]]) -> None:
    """The message names them, and the whole report says where it lies itself."""
    first = reports[0]
    evidence = first["evidence"]
    assert (evidence["bucket"], evidence["error"]) == (deployment.outputs["EvidenceBucketName"], None)
    day, time = first["generatedAt"][:10], first["generatedAt"].replace("-", "").replace(":", "")
    assert evidence["key"] == f"reports/{day.replace('-', '/')}/{first['reportId']}.{time}.json"
    assert evidence["htmlKey"] == evidence["key"].replace(".json", ".html")
    document = json.loads(stored(deployment, evidence["key"])["Body"].read())
    jsonschema.validate(document, SCHEMA)
    assert document["evidence"] == evidence
    assert document["violations"] == first["violations"]
    assert document["targets"][0]["outcomes"]["filter-archives-findings"] == "FAILED"
    page = stored(deployment, evidence["htmlKey"])
    body = page["Body"].read()
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert first["reportId"] in body.decode()


def test_a_run_leaves_what_it_found_for_the_next(deployment: Deployment, reports: list[dict[str, Any]]) -> None:
    """A state for each target, and one line in the history for each run; nothing that the contract does not name."""
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=deployment.outputs["EvidenceBucketName"])
    keys = {one["Key"] for page in found for one in page["Contents"]}
    assert {STATE, "history.json"} <= keys
    assert {key.partition("/")[0] for key in keys} == {"reports", "state", "history.json"}
    state = json.loads(stored(deployment, STATE)["Body"].read())
    assert all(violation["id"] in json.dumps(state) for violation in reports[-1]["violations"])


def test_the_next_run_tells_what_is_new(reports: list[dict[str, Any]]) -> None:
    """To the first everything is; to the next nothing, since nothing has changed."""
    first, last = reports
    assert first["changes"]["comparedWith"] is None
    assert first["changes"]["new"] == len(first["violations"]) == first["summary"]["violations"] > 0
    assert {violation["change"] for violation in first["violations"]} == {"NEW"}
    assert last["changes"]["comparedWith"] == {"reportId": first["reportId"], "generatedAt": first["generatedAt"]}
    assert (last["changes"]["new"], last["changes"]["resolved"], last["changes"]["unknown"]) == (0, [], [])
    assert {violation["change"] for violation in last["violations"]} == {"KNOWN"}
    assert {violation["firstSeen"] for violation in last["violations"]} == {first["generatedAt"]}


def test_a_document_of_exemptions_that_is_not_there_is_told(reports: list[dict[str, Any]]) -> None:
    """A stack that names one reads it, and where there is none says so in S3's own words."""
    exemptions = reports[0]["exemptions"]
    assert (exemptions["applied"], exemptions["error"].partition(":")[0]) == (0, "NoSuchKey")
