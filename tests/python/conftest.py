"""Servers that tests share."""

import signal
from collections.abc import Iterator
from typing import Any

import boto3
import deploy_local
import project
import pytest
import services
from botocore.client import BaseClient
from botocore.config import Config

# A shell starts what runs in the background with SIGINT ignored, and so would be what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def simulator() -> Iterator[services.Simulator]:
    """The simulator with the seed of the tests."""
    with services.simulator(project.ROOT / "tests" / "python" / "seed.json") as running:
        yield running


class Clients:
    """Clients of the simulator."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, service: str, region: str = project.REGION) -> BaseClient:
        """One with the keys of the seed's account."""
        return self.of(service, "test", "test", None, region)

    def unchecked(self, service: str) -> BaseClient:
        """One that sends wrong parameters instead of refusing them itself."""
        return self.of(service, "test", "test", None, parameter_validation=False)

    def of(
        self, service: str, key: str, secret: str, token: str | None, region: str = project.REGION, **more: Any
    ) -> BaseClient:
        """One with other keys."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}, **more),
        )


@pytest.fixture(scope="session")
def client(simulator: services.Simulator) -> Clients:
    """Makes clients of the simulator."""
    return Clients(simulator.url)


@pytest.fixture(scope="session")
def built() -> None:
    """The function, built for Lambda."""
    deploy_local.sam_build()


@pytest.fixture(scope="session")
def deployment(built: None) -> Iterator[deploy_local.Deployment]:
    """The stack, deployed to a local AWS."""
    with deploy_local.deployed() as deployed:
        yield deployed
