"""Checks an exemptions document and, with a stack, uploads it to where the function of that stack reads it.

`exemptions.py FILE [--report FILE] [--stack NAME]`; with a report it also tells what of that report would be exempted.
"""

import argparse
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import project
import services
import stacks
from botocore.exceptions import BotoCoreError, ClientError

CRATE = ["--package", "macie-compliance-core", "--features", "deserialize"]


def main() -> None:
    """Checks the document, and uploads none that has a problem."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the exemptions document, as JSON")
    parser.add_argument("--report", type=Path, help="a report, as JSON")
    parser.add_argument("--stack", help="the stack whose function is to read the document")
    given = parser.parse_args()
    for path in filter(None, (given.file, given.report)):
        if not path.is_file():
            raise project.Failure(f"there is no file {path}")
    # What is checked is what is uploaded, whatever becomes of the file meanwhile.
    document = given.file.read_bytes()
    services.cargo("build", *CRATE, "--bin", "exemptions")
    check(given.file, document, given.report)
    if given.stack:
        upload(document, given.stack, stacks.session())
    else:
        project.say("nothing was uploaded: STACK=NAME uploads the document")


def check(file: Path, document: bytes, report: Path | None = None) -> None:
    """Lets the function's own code say what is wrong with the document, and what it exempts today."""
    program = project.target_directory() / "debug" / "exemptions"
    today = datetime.now(UTC).date().isoformat()
    command = [str(program), "--today", today, "/dev/stdin", *([str(report)] if report else [])]
    done = subprocess.run(command, input=document, capture_output=True, check=False)
    told, problem = (text.decode(errors="replace").strip() for text in (done.stdout, done.stderr))
    of_report = report is not None and problem.startswith(f"{report}: ")
    problem = " ".join(problem.removeprefix("/dev/stdin: ").split())
    if told:
        project.show(told)
    if of_report:
        raise project.Failure(f"the report cannot be used: {problem}")
    if done.returncode:
        raise project.Failure(f"{file} cannot be used: {problem or 'it has problems, see above'}")


def upload(document: bytes, stack: str, session: boto3.Session) -> None:
    """Puts the document into the bucket of the stack, unless somebody else just did."""
    place = place_of(stack, session)
    client = session.client("s3")
    try:
        before = current(client, place)
        if before and before["Body"].read() == document:
            project.say(f"s3://{place['Bucket']}/{place['Key']} is this document already")
            return
        condition = {"IfMatch": before["ETag"]} if before else {"IfNoneMatch": "*"}
        client.put_object(
            **place, Body=document, ContentType="application/json", ChecksumAlgorithm="SHA256", **condition
        )
    except ClientError as error:
        refusal = error.response["Error"]
        if refusal["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise project.Failure(
                "somebody else has just uploaded another document: look at it, and try again"
            ) from error
        raise project.Failure(f"S3 refuses the document: {refusal.get('Message', refusal['Code'])}") from error
    except BotoCoreError as error:
        raise project.Failure(f"S3 cannot be reached: {error}") from error
    replaced = f"; it replaces that of {before['LastModified']:%Y-%m-%d %H:%M} UTC" if before else ""
    project.say(f"uploaded to s3://{place['Bucket']}/{place['Key']}, for the next run of {stack}{replaced}")


def place_of(stack: str, session: boto3.Session) -> dict[str, str]:
    """The bucket and the key of the document that a stack reads."""
    found = stacks.described(stack, session)
    if not found:
        raise project.Failure(f"there is no stack {stack} in {session.region_name}")
    outputs = stacks.outputs(found)
    if "ExemptionsKey" not in outputs:
        raise project.Failure(
            f"the stack {stack} reads no exemptions: its parameters Evidence and ExemptionsKey say so"
        )
    return {"Bucket": outputs["EvidenceBucketName"], "Key": outputs["ExemptionsKey"]}


def current(client: Any, place: dict[str, str]) -> dict[str, Any] | None:
    """The document that is there now, if one is."""
    try:
        return client.get_object(**place)
    except client.exceptions.NoSuchKey:
        return None


if __name__ == "__main__":
    project.run(main)
