"""Runs the function once, locally, against the simulator: `invoke.py EVENT [--port N] [--seed FILE]`."""

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import install
import project
import services

NAME = "macie-compliance"
BUCKET = f"{NAME}-evidence"
TOPIC = f"arn:aws:sns:{project.REGION}:{project.ACCOUNT}:{NAME}"

PIPES: dict[str, Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.PIPE,
    "text": True,
}
RUN_SECONDS = 120
# How long cargo-lambda has to answer for a function that did not start, which it does only sometimes.
GONE_SECONDS = 2


def main() -> None:
    """Invokes the function and prints its answer and the mail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("event", type=Path, help="a JSON file with the event")
    parser.add_argument("--port", type=project.port, help="the port of the local Lambda; a free one when absent")
    parser.add_argument("--seed", type=Path, default=project.SEED, help="what the simulated Macie holds, as JSON")
    given = parser.parse_args()
    check_event(given.event)
    install.main()
    port = project.need_port(given.port) if given.port else project.free_port()
    services.cargo("build", "--bin", NAME)
    with services.simulator(given.seed) as simulator:
        answer = invoke(simulator, given.event, port)
        mails = [f"Subject: {message['subject']}\n\n{mail(message)}" for message in simulator.messages()]
        parts = [json.dumps(answer, indent=2, ensure_ascii=False), *(mails or ["Nothing was published."])]
        project.show("\n\n".join(parts))
        keep_report(simulator.objects())


def keep_report(objects: dict[str, dict[str, Any]]) -> None:
    """Writes the report and its page to files, where the run has stored them."""
    for key, stored in objects.items():
        path = project.target_directory() / f"report{Path(key).suffix}"
        if key.split("/")[1] == "reports":
            path.write_text(stored["body"])
            project.say(f"the {'page of the ' if path.suffix == '.html' else ''}report: {path}")


def check_event(path: Path) -> None:
    """Fails when the event is no JSON file."""
    try:
        json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise project.Failure(f"the event {path} cannot be read: {error}") from error


def invoke(simulator: services.Simulator, event: Path, port: int) -> Any:
    """Runs the function under cargo-lambda and gives its answer."""
    project.need("cargo", "cargo-lambda")
    local = ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    watch = ["cargo", "lambda", "watch", "--bin", NAME, "--ignore-changes", *local]
    env = project.local_aws(simulator.url, REPORT_TOPIC_ARN=TOPIC, EVIDENCE_BUCKET=BUCKET, AWS_LAMBDA_LOG_FORMAT="JSON")
    with services.service("function", watch, env) as function:
        function.wait_until(lambda: listens(port), 60)
        command = ["cargo", "lambda", "invoke", NAME, *local, "--data-file", str(event.resolve())]
        return answer_of(subprocess.Popen(command, env=env, cwd=project.ROOT, **PIPES), function)


def answer_of(invocation: "subprocess.Popen[str]", function: services.Service) -> Any:
    """Waits for an invocation, and for no longer than the function is there to answer it."""
    begun = alive = time.monotonic()
    try:
        while True:
            try:
                output, errors = invocation.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired as error:
                now = time.monotonic()
                failure = function.failure()
                if failure is None and project.children(function.process.pid):
                    alive = now
                if now - alive > GONE_SECONDS:
                    raise project.Failure(f"the function did not start: {failure or function.last_line()}") from error
                if now - begun > RUN_SECONDS:
                    raise project.Failure(f"no answer in {RUN_SECONDS} s: {function.last_line()}") from error
    finally:
        invocation.kill()
    if invocation.returncode:
        # What follows is cargo-lambda's own, about where to report its bugs.
        reason = " ".join(errors.partition("Was this behavior unexpected?")[0].split())
        raise project.Failure(f"the function failed: {reason or function.last_line()}")
    try:
        answer = json.loads(output)
    except ValueError as error:
        raise project.Failure(f"the function did not answer in JSON: {output.strip()}") from error
    # A function that could not start is an answer like any other to cargo-lambda.
    if "errorMessage" in answer:
        raise project.Failure(f"the function failed: {answer['errorMessage']}")
    return answer


def listens(port: int) -> bool:
    """Whether something listens on a port."""
    try:
        project.need_port(port)
    except project.Failure:
        return True
    return False


def mail(message: dict[str, Any]) -> str:
    """The text for people in a message of SNS."""
    return json.loads(message["body"])["email"]


if __name__ == "__main__":
    project.run(main)
