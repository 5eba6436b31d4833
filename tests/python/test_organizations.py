"""The accounts of an organization, as other implementations of AWS Organizations list them.

An audit asks them for the accounts, and the simulator for everything else. Moto has pages, and ministack gives all
accounts at once and still tells their state as `Status`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import deploy_local
import project
import pytest
import services
from conftest import Clients
from moto.organizations.models import organizations_backends
from moto.server import ThreadedMotoServer

ADMINISTRATOR = "222233334444"
# Moto's own account, which it makes the management account of the organization.
MANAGEMENT = "123456789012"
ACCOUNTS = 44


@pytest.fixture
def moto() -> Iterator[str]:
    """An organization of its own, and where it is asked."""
    organizations_backends.reset()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        deploy_local.client("organizations", url).create_organization(FeatureSet="ALL")
        yield url
    finally:
        server.stop()


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[str]:
    """Another, in which everybody is who asks it."""
    port = project.free_port()
    url = f"http://127.0.0.1:{port}"
    home = str(tmp_path)
    env = project.local_aws(url, BIND_HOST="127.0.0.1", GATEWAY_PORT=str(port), HOME=home, TMPDIR=home)
    with services.service("organizations", ["ministack"], env) as running:
        running.wait_until(lambda: services.get_json(f"{url}/_ministack/health"), 60)
        yield url


def create(url: str) -> list[str]:
    """Makes accounts, and gives their ids."""
    client = deploy_local.client("organizations", url)
    made = [client.create_account(Email=f"{number}@example.com", AccountName=str(number)) for number in range(ACCOUNTS)]
    return [one["CreateAccountStatus"]["AccountId"] for one in made]


def audit(url: str, folder: Path, members: list[str]) -> dict[str, Any]:
    """The report of an audit by an account that administers Macie for these members."""
    seed = folder / "seed.json"
    listed = [{"accountId": member, "relationshipStatus": "Enabled"} for member in members]
    seed.write_text(json.dumps({"account": ADMINISTRATOR, "targets": [{"region": project.REGION, "members": listed}]}))
    with services.simulator(seed) as simulator:
        command = [sys.executable, project.ROOT / "tools" / "audit.py", "--regions", project.REGION, "--json"]
        env = project.local_aws(simulator.url, AWS_ENDPOINT_URL_ORGANIZATIONS=url)
        done = subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def accounts_read(report: dict[str, Any]) -> tuple[int, int, object]:
    """How many pages and accounts were read, and what went wrong."""
    [read] = [read for target in report["targets"] for read in target["reads"] if read["api"] == "ListAccounts"]
    return read["pages"], read["items"], read["error"]


@pytest.mark.parametrize("size", [7, 20])
def test_the_simulator_lists_as_moto_does(moto: str, client: Clients, size: int) -> None:
    """Every page but the last is full, and an account has the same fields of the same types; Moto lacks the newest."""
    create(moto)
    shapes = []
    for organizations in (deploy_local.client("organizations", moto), client("organizations")):
        pages = list(organizations.get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": size}))
        accounts = [account for page in pages for account in page["Accounts"]]
        assert {len(page["Accounts"]) for page in pages[:-1]} == {size}
        assert len(pages) == -(-len(accounts) // size) > 2
        shapes.append({(name, type(value)) for account in accounts for name, value in account.items()})
    assert shapes[1] - shapes[0] == {("Paths", list)}
    assert shapes[0] - shapes[1] == set()


def test_accounts_on_three_pages(moto: str, tmp_path: Path) -> None:
    """Those that are no members are named, the management account in words of its own, and no others are."""
    client, accounts = deploy_local.client("organizations", moto), create(moto)
    organization = organizations_backends[MANAGEMENT]["aws"]
    for account in organization.accounts:
        account.create_time -= timedelta(days=2)
    client.close_account(AccountId=accounts[-1])
    # A new account has a day to be added.
    client.create_account(Email="new@example.com", AccountName="new")
    *members, missed, _ = accounts

    report = audit(moto, tmp_path, members)

    assert accounts_read(report) == (3, 2 + ACCOUNTS, None)
    named = {violation["resource"]["id"]: violation for violation in report["violations"]}
    assert {violation["rule"] for violation in named.values()} == {"roster-account-not-watched"}
    assert named.keys() == {missed, MANAGEMENT}
    assert named[missed]["resource"]["name"] == str(ACCOUNTS - 2)
    assert "management account" in json.dumps(named[MANAGEMENT])
    assert "management account" not in json.dumps(named[missed])


def test_accounts_that_have_a_status_and_no_state(ministack: str, tmp_path: Path) -> None:
    """All joined a moment ago, so that none is missed yet; one of an unknown state would be an error of the read."""
    accounts = create(ministack)
    assert not any(
        "State" in account for account in deploy_local.client("organizations", ministack).list_accounts()["Accounts"]
    )
    report = audit(ministack, tmp_path, accounts[:2])
    assert accounts_read(report) == (1, 1 + ACCOUNTS, None)
    assert (report["verdict"], report["violations"]) == ("COMPLIANT", [])
