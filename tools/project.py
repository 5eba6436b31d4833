"""Where things are in the project, and the environment in which its tools run."""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
BIN = TOOLS / "bin"
LOGS = TOOLS / "logs"
SEED = ROOT / "tests" / "local" / "seed.json"

ACCOUNT = "999999999999"
REGION = "us-east-1"


class Failure(Exception):
    """Something went wrong that one line can tell."""


def run(main: Callable[[], None]) -> None:
    """Runs a script: a failure is one line and a non-zero exit, and a termination still cleans up."""
    # Scripts are ended by an exception, so that what they started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Failure as failure:
        sys.exit(f"error: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


def say(line: str) -> None:
    """Prints a line of progress, apart from the output."""
    print(line, file=sys.stderr, flush=True)


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
    for name in ["Cargo.toml", "Cargo.lock", "benches", "src", "tests/simulator"]:
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


def need_port(port: int) -> int:
    """Fails when a port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failure(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}") from error
    return port
