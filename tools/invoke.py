"""Runs the function once, locally, against the simulator: `invoke.py EVENT [--port N]`."""

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import install
import project
import services

NAME = "macie-compliance"
TOPIC = f"arn:aws:sns:{project.REGION}:{project.ACCOUNT}:{NAME}"

PIPES: dict[str, Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.PIPE,
    "text": True,
}
RUN_SECONDS = 120


def main() -> None:
    """Invokes the function and prints its answer and the mail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("event", type=Path, help="a JSON file with the event")
    parser.add_argument("--port", type=int, help="the port of the local Lambda; a free one when absent")
    given = parser.parse_args()
    check_event(given.event)
    install.main()
    port = project.need_port(given.port) if given.port else project.free_port()
    services.cargo("build", "--bin", NAME)
    with services.simulator() as simulator:
        answer = invoke(simulator, given.event, port)
        print(json.dumps(answer, indent=2, ensure_ascii=False))
        for message in simulator.messages():
            print(f"\nSubject: {message['subject']}\n\n{mail(message)}")
        if not simulator.messages():
            print("\nNothing was published.")


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
    env = project.local_aws(simulator.url, REPORT_TOPIC_ARN=TOPIC, AWS_LAMBDA_LOG_FORMAT="JSON")
    with services.service("function", watch, env) as function:
        function.wait_until(lambda: listens(port), 60)
        command = ["cargo", "lambda", "invoke", NAME, *local, "--data-file", str(event.resolve())]
        return answer_of(subprocess.Popen(command, env=env, cwd=project.ROOT, **PIPES), function)


def answer_of(invocation: "subprocess.Popen[str]", function: services.Service) -> Any:
    """Waits for an invocation, which would never end when the function cannot start."""
    try:
        output, errors = invocation.communicate(timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired as error:
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
