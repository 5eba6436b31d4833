"""Where things are in the project, and the environment in which its tools run."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
BIN = TOOLS / "bin"
# Tests that run beside each other have logs of their own.
LOGS = TOOLS / "logs" / os.environ.get("PYTEST_XDIST_WORKER", "")
SEED = ROOT / "tests" / "local" / "seed.json"

ACCOUNT = "999999999999"
REGION = "us-east-1"

# What ends a script from outside: Ctrl-C, a closed terminal, and whoever stops it.
ENDINGS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
# The options of Linux's prctl.
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Failure(Exception):
    """Something went wrong that one line can tell."""


def run(main: Callable[[], None]) -> None:
    """Runs a script: a failure is one line and a non-zero exit, and whatever ends it, nothing of it is left behind."""
    # What a child leaves running becomes a child of this script, and a make that is killed ends the script too.
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    for number in ENDINGS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, end)
    try:
        main()
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except BrokenPipeError:
        close_output()
        sys.exit(128 + signal.SIGPIPE)
    finally:
        end_children()


def end(number: int, _frame: object) -> None:
    """Ends the script by an exception, so that it cleans up. The next signal must not interrupt that."""
    for other in ENDINGS:
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def children(parent: int) -> list[int]:
    """The processes that a process started, or was left with, and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name before the bracket can hold anything.
            state, of = path.read_text().rpartition(")")[2].split()[:2]
            if int(of) == parent and state != "Z":
                found.append(int(path.parent.name))
    return found


def end_children() -> None:
    """Ends every process that is left; the children of each become children of this one."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 5
        while (left := children(os.getpid())) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(0.05)


def say(line: str) -> None:
    """Prints a line of progress, apart from the output."""
    print(line, file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Prints output. A reader that has seen enough, such as `head`, is no failure."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        close_output()


def close_output() -> None:
    """Lets what is still to be printed go nowhere: Python prints it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())


def environment(**more: str) -> dict[str, str]:
    """The environment for the installed tools."""
    return {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(TOOLS / "sam-home"),
        **more,
    }


def local_aws(endpoint: str, **more: str) -> dict[str, str]:
    """The environment in which AWS is the server at `endpoint`, and nobody's account can be reached by mistake."""
    local = {name: value for name, value in environment().items() if not name.startswith("AWS_")}
    return {
        **local,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": endpoint,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        **more,
    }


def copy_sources(place: Path) -> None:
    """Copies what cargo builds from."""
    for name in ["Cargo.toml", "Cargo.lock", "benches", "crates", "src", "tests/simulator"]:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name)
        else:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place)


def target_directory() -> Path:
    """Where cargo puts what it builds."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target")


def need(*programs: str) -> None:
    """Fails when a program is not there."""
    for program in programs:
        if not shutil.which(program, path=environment()["PATH"]):
            raise Failure(f"{program} was not found: install it, or run `make tools` if it is one of the project's")


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port(text: str) -> int:
    """The port that a text names."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Failure(f"{text} is not a port: expected a number from 1 to 65535")
    return int(text)


def need_port(port: int) -> int:
    """Fails when a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failure(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}") from error
    return port
