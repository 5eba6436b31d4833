"""Builds with cargo, and servers on loopback that are started, waited for and stopped."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import project


class Service:
    """A process of ours, with every process that it starts."""

    def __init__(self, name: str, command: list[str], env: dict[str, str]) -> None:
        project.LOGS.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.command = command
        self.env = env
        self.log = project.LOGS / f"{name}.log"
        self.log.write_text("")
        self.start()

    def start(self) -> None:
        """Starts the process, at first or once more after it was stopped."""
        with self.log.open("a") as log:
            # A group of its own, so that stopping it stops nothing else.
            self.process = subprocess.Popen(
                self.command,
                cwd=project.ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], object], seconds: float) -> None:
        """Waits until `ready` answers something true; an `OSError` in it means not yet."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise project.Failure(f"{self.name} ended: {self.last_line()}")
            try:
                if ready():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise project.Failure(f"{self.name} was not ready after {seconds:.0f} s: {self.last_line()}")

    def last_line(self) -> str:
        """The last line of its log, and where the log is."""
        lines = self.log.read_text(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"{last} ({self.log.relative_to(project.ROOT)})"

    def failure(self) -> str | None:
        """Why a function that this service runs did not start, if its log says so."""
        # The last line may not be whole yet.
        lines = self.log.read_text(errors="replace").rpartition("\n")[0].splitlines()
        for line, after in zip_longest(lines, lines[1:], fillvalue=""):
            if line.startswith("{") and '"errorType"' in line:
                return json.loads(line)["message"]
            if " panicked at " in line:
                return f"{line.strip().rstrip(':')}: {after.strip()}"
            if line.startswith("error"):
                return line.strip()
        return None

    def stop(self) -> None:
        """Stops the process and those that it started."""
        for number, seconds in [(signal.SIGTERM, 5), (signal.SIGKILL, 5)]:
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(seconds)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.poll()


@contextmanager
def service(name: str, command: list[str], env: dict[str, str]) -> Iterator[Service]:
    """A service that is stopped at the end, whatever happens."""
    started = Service(name, command, env)
    try:
        yield started
    finally:
        started.stop()


def get_json(url: str) -> Any:
    """What a local server answers."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return json.load(answer)


class Simulator:
    """The simulator of Macie and what else is talked to, as a process."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def messages(self) -> list[dict[str, Any]]:
        """What was published to it."""
        return get_json(f"{self.url}/_simulator/messages")

    def objects(self) -> dict[str, dict[str, Any]]:
        """What was stored in it: body, headers and etag by bucket and key."""
        return get_json(f"{self.url}/_simulator/objects")

    def requests(self) -> list[dict[str, Any]]:
        """What it was asked."""
        return get_json(f"{self.url}/_simulator/requests")


@contextmanager
def simulator(seed: Path = project.SEED, port: int | None = None) -> Iterator[Simulator]:
    """Builds and runs the simulator."""
    cargo("build", "-p", "simulator")
    port = project.need_port(port) if port else project.free_port()
    program = project.target_directory() / "debug" / "simulator"
    command = [str(program), "--seed", str(seed), "--port", str(port)]
    with service("simulator", command, project.environment()) as process:
        running = Simulator(port)
        process.wait_until(lambda: running.requests() is not None, 10)
        yield running


def cargo(*arguments: str) -> None:
    """Builds with cargo, which shows on standard error how far it is."""
    project.need("cargo")
    command = ["cargo", *arguments, "--locked"]
    done = subprocess.run(
        command,
        cwd=project.ROOT,
        env=project.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode:
        raise project.Failure(f"`{' '.join(command)}` failed, see above")
