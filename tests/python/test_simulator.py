"""The simulator is held to botocore's model of the services that it stands for."""

import base64
import hashlib
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from conftest import Clients
from services import Simulator

SEEDED_MEMBERS = 69
SEEDED_FILTERS = 53
CURRENT_STATUSES = {"Enabled", "Paused", "Created", "AccountSuspended", "RegionDisabled"}
# Absent when there is none, by Macie's guide or by what the service was seen to answer.
NEVER_ABSENT = {
    "ListMembers": ["members"],
    "ListInvitations": ["invitations"],
    "ListFindingsFilters": ["findingsFilterListItems"],
    "GetMacieSession": ["createdAt", "findingPublishingFrequency", "serviceRole", "status", "updatedAt"],
    "GetMember": ["accountId", "administratorAccountId", "arn", "email", "relationshipStatus", "updatedAt"],
    "GetFindingsFilter": ["action", "arn", "id", "name", "position"],
    "GetFindingStatistics": ["countsByGroup"],
    "DescribeOrganizationConfiguration": ["autoEnable", "maxAccountLimitReached"],
    "GetAutomatedDiscoveryConfiguration": ["autoEnableOrganizationMembers", "classificationScopeId", "status"],
    "GetClassificationScope": ["id", "name", "s3"],
    "GetSensitivityInspectionTemplate": ["excludes", "includes", "sensitivityInspectionTemplateId"],
    "GetAllowList": ["arn", "criteria", "id", "name", "status"],
    "DescribeClassificationJob": ["jobArn", "jobId", "jobStatus", "jobType", "managedDataIdentifierSelector", "name"],
    "GetFindingsPublicationConfiguration": ["securityHubConfiguration"],
}


@pytest.fixture(scope="module")
def macie(client: Clients) -> BaseClient:
    """Macie in the Region that has everything."""
    return client("macie2")


@pytest.fixture(scope="module")
def administrator(client: Clients) -> BaseClient:
    """Macie in the Region where the account is the administrator."""
    return client("macie2", "eu-central-1")


def call(client: BaseClient, operation: str, **arguments: Any) -> dict[str, Any]:
    """Calls an operation, and fails when the model does not know the answer as it came over the wire."""
    raw: list[bytes] = []
    name = f"after-call.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    listener = lambda http_response, **_: raw.append(http_response.content)  # noqa: E731
    client.meta.events.register(name, listener)
    try:
        method = {value: key for key, value in client.meta.method_to_api_mapping.items()}[operation]
        answer = getattr(client, method)(**arguments)
    finally:
        client.meta.events.unregister(name, listener)
    body = json.loads(raw[0])
    shape = client.meta.service_model.operation_model(operation).output_shape
    assert unknown(body, shape, operation) == []
    missing = [field for field in NEVER_ABSENT.get(operation, []) if body.get(field) is None]
    assert missing == []
    return answer


def unknown(value: Any, shape: Shape, path: str) -> list[str]:
    """What in an answer as it came over the wire the model does not have, or has as another type."""
    if value is None:
        return []
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            return [f"{path} is no object"]
        wire = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        strange = [f"{path}.{name} is not in the model" for name in value.keys() - wire.keys()]
        missing = [f"{path}.{name} is required" for name in set(shape.required_members) - value.keys()]
        known = (unknown(value[name], wire[name], f"{path}.{name}") for name in value.keys() & wire.keys())
        return [*strange, *missing, *(problem for problems in known for problem in problems)]
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [problem for n, item in enumerate(value) for problem in unknown(item, shape.member, f"{path}[{n}]")]
    if isinstance(shape, MapShape):
        return [problem for key, item in value.items() for problem in unknown(item, shape.value, f"{path}.{key}")]
    if shape.type_name == "timestamp":
        # Macie writes texts, and the services of JSON 1.1 seconds.
        return [] if isinstance(value, str | int) else [f"{path} is {value!r}, which is no time"]
    types = {"string": str, "boolean": bool, "integer": int, "long": int, "double": float}
    if type(value) is not types[shape.type_name]:
        return [f"{path} is {value!r}, which is no {shape.type_name}"]
    allowed = getattr(shape, "enum", [])
    return [f"{path} is {value!r}, not one of {allowed}"] if allowed and value not in allowed else []


def walk(macie: BaseClient, operation: str, items: str, **arguments: Any) -> list[list[dict[str, Any]]]:
    """The pages of a list, by hand, so that each is held to the model."""
    pages, token = [], {}
    name = "NextToken" if operation == "ListAccounts" else "nextToken"
    while True:
        answer = call(macie, operation, **arguments, **token)
        pages.append(answer[items])
        if not answer.get(name):
            return pages
        token = {name: answer[name]}


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """The code and the status of an error."""
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_the_model_check_tells_what_is_wrong() -> None:
    """The check itself: a strange field, a wrong type and a value that no enumeration has."""
    service = botocore.session.get_session().get_service_model("macie2")
    shape = service.operation_model("ListMembers").output_shape
    body = {"members": [{"accountid": "1"}, {"accountId": 1}, {"relationshipStatus": "enabled"}], "nextToken": None}
    assert len(unknown(body, shape, "ListMembers")) == 3


LISTS = [
    ("ListMembers", "members", {"onlyAssociated": "false"}, SEEDED_MEMBERS, "accountId"),
    ("ListMembers", "members", {}, None, "accountId"),
    ("ListInvitations", "invitations", {}, 29, "accountId"),
    ("ListFindingsFilters", "findingsFilterListItems", {}, SEEDED_FILTERS, "id"),
]


@pytest.mark.parametrize(("operation", "items", "arguments", "total", "key"), LISTS)
@pytest.mark.parametrize("size", [1, 7, 25])
def test_pages_hold_every_item_once(
    macie: BaseClient, operation: str, items: str, arguments: dict[str, str], total: int | None, key: str, size: int
) -> None:
    """Pages of any size together hold each item once, and all but the last are full."""
    pages = walk(macie, operation, items, maxResults=size, **arguments)
    ids = [item[key] for page in pages for item in page]
    assert len(ids) == len(set(ids))
    assert total in (None, len(ids))
    assert all(len(page) == size for page in pages[:-1])
    assert len(pages[-1]) <= size


def test_every_member_status_is_listed(macie: BaseClient) -> None:
    """Each status of the model can be seeded, and comes back."""
    members = [item for page in walk(macie, "ListMembers", "members", onlyAssociated="false") for item in page]
    statuses = Counter(member["relationshipStatus"] for member in members)
    known = macie.meta.service_model.shape_for("RelationshipStatus").enum
    assert set(statuses) == set(known)
    assert statuses["Enabled"] == 60


@pytest.mark.parametrize("only", ["true", None])
def test_current_members_only(macie: BaseClient, only: str | None) -> None:
    """With `onlyAssociated` true, or left out, former and future members are not listed."""
    arguments = {"onlyAssociated": only} if only else {}
    paginator = macie.get_paginator("list_members")
    listed = [member for page in paginator.paginate(**arguments) for member in page["members"]]
    statuses = {member["relationshipStatus"] for member in listed}
    assert {"Enabled", "Paused"} <= statuses <= CURRENT_STATUSES
    assert len(listed) < SEEDED_MEMBERS


def test_paginators_read_everything(macie: BaseClient) -> None:
    """The paginators of boto3 get along with the tokens."""
    pages = macie.get_paginator("list_members").paginate(onlyAssociated="false", PaginationConfig={"PageSize": 10})
    assert sum(len(page["members"]) for page in pages) == SEEDED_MEMBERS
    pages = macie.get_paginator("list_invitations").paginate()
    assert sum(len(page["invitations"]) for page in pages) == 29
    pages = macie.get_paginator("list_findings_filters").paginate()
    assert sum(len(page["findingsFilterListItems"]) for page in pages) == SEEDED_FILTERS


def test_each_member_can_be_read(macie: BaseClient) -> None:
    """GetMember tells of every member what ListMembers told."""
    for page in walk(macie, "ListMembers", "members", onlyAssociated="false"):
        for listed in page:
            member = call(macie, "GetMember", id=listed["accountId"])
            assert {key: member[key] for key in listed} == listed


def test_each_filter_can_be_read(macie: BaseClient) -> None:
    """GetFindingsFilter tells of every filter what ListFindingsFilters told, and more."""
    for page in walk(macie, "ListFindingsFilters", "findingsFilterListItems"):
        for listed in page:
            if listed["id"] != "since-gone":
                one = call(macie, "GetFindingsFilter", id=listed["id"])
                assert {key: one[key] for key in listed} == listed


def test_a_filter_has_its_criteria(macie: BaseClient) -> None:
    """GetFindingsFilter tells the conditions as seeded; one without conditions tells none."""
    one = call(macie, "GetFindingsFilter", id="conditions")
    assert (one["description"], one["position"]) == ("Accepted", 1)
    assert one["findingCriteria"]["criterion"] == {
        "severity.description": {"eq": ["Low"]},
        "resourcesAffected.s3Bucket.name": {"neq": ["payroll"]},
        "createdAt": {"gte": 1700000000000},
        "resourcesAffected.s3Bucket.tags.key": {"eqExactMatch": ["a", "b"]},
    }
    pages = walk(macie, "ListFindingsFilters", "findingsFilterListItems")
    [everything] = [item["id"] for page in pages for item in page if item["name"] == "mute-everything"]
    assert "findingCriteria" not in call(macie, "GetFindingsFilter", id=everything)


LARGEST_FIRST = {"attributeName": "count", "orderBy": "DESC"}


@pytest.mark.parametrize(
    ("group_by", "arguments", "counts"),
    [
        ("severity.description", {}, [("High", 3), ("Low", 30), ("Medium", 1)]),
        ("severity.description", {"criterion": {"archived": {"eq": ["false"]}}}, [("Medium", 1)]),
        ("resourcesAffected.s3Bucket.name", {"sortCriteria": LARGEST_FIRST, "size": 2}, [("payroll", 30), ("hr", 3)]),
        ("classificationDetails.jobId", {}, [("0123456789abcdef0123456789abcdef", 3)]),
        ("type", {"criterion": {"category": {"eq": ["POLICY"]}}}, [("Policy:IAMUser/S3BucketPublic", 1)]),
    ],
)
def test_finding_statistics(
    macie: BaseClient, group_by: str, arguments: dict[str, Any], counts: list[tuple[str, int]]
) -> None:
    """Findings are counted by group, those that match the criteria."""
    more = {name: value for name, value in arguments.items() if name != "criterion"}
    if "criterion" in arguments:
        more["findingCriteria"] = {"criterion": arguments["criterion"]}
    answer = call(macie, "GetFindingStatistics", groupBy=group_by, **more)
    assert [(group["groupKey"], group["count"]) for group in answer["countsByGroup"]] == counts


def test_administrator_under_both_names(macie: BaseClient) -> None:
    """The old operation and the new one tell the same."""
    administrator = call(macie, "GetAdministratorAccount")["administrator"]
    assert administrator["accountId"] == "111122223333"
    assert call(macie, "GetMasterAccount")["master"] == administrator


def test_no_administrator_is_an_absent_field(client: Clients) -> None:
    """Without an administrator the field is absent."""
    assert "administrator" not in call(client("macie2", "eu-west-1"), "GetAdministratorAccount")


@pytest.mark.parametrize(("region", "status"), [("us-east-1", "ENABLED"), ("eu-west-1", "PAUSED")])
def test_session(client: Clients, region: str, status: str) -> None:
    """The session is that of the Region."""
    assert call(client("macie2", region), "GetMacieSession")["status"] == status


@pytest.mark.parametrize("operation", ["ListMembers", "ListInvitations", "ListFindingsFilters"])
@pytest.mark.parametrize("arguments", [{"maxResults": 0}, {"maxResults": 26}, {"nextToken": "not-a-token"}])
def test_wrong_pages_are_refused(client: Clients, operation: str, arguments: dict[str, Any]) -> None:
    """A page size out of range and a token that was never given are validation errors."""
    unchecked = client.unchecked("macie2")
    with pytest.raises(ClientError) as error:
        call(unchecked, operation, **arguments)
    assert code(error) == ("ValidationException", 400)


def test_a_token_of_another_list_is_refused(macie: BaseClient) -> None:
    """A token is good for the list that it came from."""
    token = macie.list_members(maxResults=1)["nextToken"]
    with pytest.raises(ClientError) as error:
        macie.list_invitations(maxResults=1, nextToken=token)
    assert code(error) == ("ValidationException", 400)


@pytest.mark.parametrize(
    ("operation", "name"),
    [("GetMember", "000000000000"), ("GetFindingsFilter", "000000000000"), ("GetFindingsFilter", "since-gone")],
)
def test_what_is_not_there(macie: BaseClient, operation: str, name: str) -> None:
    """An id that nobody has, or that was deleted after it was listed, is not found."""
    with pytest.raises(ClientError) as error:
        call(macie, operation, id=name)
    assert code(error) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("operation", ["GetMacieSession", "ListMembers", "GetAdministratorAccount"])
def test_macie_not_enabled(client: Clients, operation: str) -> None:
    """Where Macie is off every operation says so."""
    with pytest.raises(ClientError, match="Macie is not enabled") as error:
        call(client("macie2", "eu-west-2"), operation)
    assert code(error) == ("AccessDeniedException", 403)


def test_publish(client: Clients, simulator: Simulator) -> None:
    """A message is accepted, and kept to be looked at."""
    topic = "arn:aws:sns:us-east-1:999999999999:reports"
    body = json.dumps({"default": "{}", "email": "hello"})
    attribute = {"verdict": {"DataType": "String", "StringValue": "COMPLIANT"}}
    answer = client("sns").publish(
        TopicArn=topic, Subject="A report", Message=body, MessageStructure="json", MessageAttributes=attribute
    )
    [message] = [kept for kept in simulator.messages() if kept["messageId"] == answer["MessageId"]]
    assert (message["topic"], message["subject"], message["body"]) == (topic, "A report", body)
    assert message["attributes"] == {"verdict": ["String", "COMPLIANT"]}


@pytest.mark.parametrize(
    "arguments",
    [
        {"Message": "x" * 262_145},
        {"Message": "x", "Subject": "s" * 100},
        {"Message": "x", "Subject": "a\nb"},
        {"Message": '{"email": "no default"}', "MessageStructure": "json"},
    ],
)
def test_publish_refusals(client: Clients, arguments: dict[str, str]) -> None:
    """Messages that SNS would refuse are refused."""
    with pytest.raises(ClientError) as error:
        client("sns").publish(TopicArn="arn:aws:sns:us-east-1:999999999999:reports", **arguments)
    assert code(error) == ("InvalidParameter", 400)


def test_assumed_role_is_another_account(client: Clients) -> None:
    """The credentials of a role are those of its account, which has no Macie in this seed."""
    role = "arn:aws:iam::222222222222:role/macie-compliance-audit"
    answer = client("sts").assume_role(RoleArn=role, RoleSessionName="test")
    keys = answer["Credentials"]
    assert answer["AssumedRoleUser"]["Arn"].startswith("arn:aws:sts::222222222222:assumed-role/macie-compliance-audit/")
    other = client.of("macie2", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    with pytest.raises(ClientError, match="Macie is not enabled"):
        other.get_macie_session()


def test_regions(client: Clients) -> None:
    """Every Region is listed once, over any page size."""
    pages = client("account").get_paginator("list_regions").paginate(PaginationConfig={"PageSize": 5})
    names = [region["RegionName"] for page in pages for region in page["Regions"]]
    assert len(names) == len(set(names)) == 22
    enabled = client("account").list_regions(RegionOptStatusContains=["DISABLED"])
    assert enabled["Regions"] == []


ADMINISTRATOR_LISTS = [
    ("ListAutomatedDiscoveryAccounts", "items", {}, 41, "accountId"),
    ("ListSensitivityInspectionTemplates", "sensitivityInspectionTemplates", {}, 1, "id"),
    ("ListAllowLists", "allowLists", {}, 28, "id"),
    ("ListClassificationJobs", "items", {}, 29, "jobId"),
    ("DescribeBuckets", "buckets", {}, 92, "bucketName"),
    ("DescribeBuckets", "buckets", {"criteria": {"errorCode": {"eq": ["ACCESS_DENIED"]}}}, 2, "bucketName"),
]


@pytest.mark.parametrize(("operation", "items", "arguments", "total", "key"), ADMINISTRATOR_LISTS)
@pytest.mark.parametrize("size", [1, 25])
def test_lists_of_an_administrator(
    administrator: BaseClient, operation: str, items: str, arguments: dict[str, Any], total: int, key: str, size: int
) -> None:
    """Pages together hold each item once."""
    pages = walk(administrator, operation, items, maxResults=size, **arguments)
    ids = [item[key] for page in pages for item in page]
    assert len(ids) == len(set(ids)) == total
    assert all(len(page) == size for page in pages[:-1])


def test_discovery(administrator: BaseClient) -> None:
    """The configuration leads to the scope and the template, which say what is left out."""
    configuration = call(administrator, "GetAutomatedDiscoveryConfiguration")
    assert (configuration["status"], configuration["autoEnableOrganizationMembers"]) == ("ENABLED", "NEW")
    [[listed]] = walk(administrator, "ListClassificationScopes", "classificationScopes")
    assert listed["id"] == configuration["classificationScopeId"]
    scope = call(administrator, "GetClassificationScope", id=listed["id"])
    assert scope["s3"]["excludes"]["bucketNames"] == ["logs", "excluded-1", "excluded-2"]
    [[listed]] = walk(administrator, "ListSensitivityInspectionTemplates", "sensitivityInspectionTemplates")
    assert listed["id"] == configuration["sensitivityInspectionTemplateId"]
    template = call(administrator, "GetSensitivityInspectionTemplate", id=listed["id"])
    assert template["excludes"]["managedDataIdentifierIds"] == ["AWS_CREDENTIALS"]
    assert template["includes"]["allowListIds"] == ["al00000000000000000001"]
    accounts = walk(administrator, "ListAutomatedDiscoveryAccounts", "items")
    assert [item["accountId"] for page in accounts for item in page if item["status"] == "DISABLED"] == ["100000000001"]


def test_managed_data_identifiers(administrator: BaseClient) -> None:
    """Each has a category, over more than one page."""
    pages = walk(administrator, "ListManagedDataIdentifiers", "items")
    categories = {item["id"]: item["category"] for page in pages for item in page}
    assert len(pages) > 1
    assert categories["AWS_CREDENTIALS"] == "CREDENTIALS"


def test_each_allow_list_and_job_can_be_read(administrator: BaseClient) -> None:
    """Reading one tells what the list told, and more."""
    for operation, items, read, key in [
        ("ListAllowLists", "allowLists", "GetAllowList", "id"),
        ("ListClassificationJobs", "items", "DescribeClassificationJob", "jobId"),
    ]:
        for page in walk(administrator, operation, items):
            for listed in page:
                one = call(administrator, read, **{key: listed[key]})
                # What a job looks at stands elsewhere in each.
                listed.pop("bucketDefinitions", None)
                assert {name: one[name] for name in listed} == listed


def test_allow_lists_by_words_and_jobs_that_stand_still(administrator: BaseClient) -> None:
    """A list that is broken says so, and a job says which lists it uses."""
    pages = walk(administrator, "ListAllowLists", "allowLists")
    last = call(administrator, "GetAllowList", id=pages[-1][-1]["id"])
    assert last["status"]["code"] == "S3_OBJECT_NOT_FOUND"
    assert last["criteria"] == {"s3WordsList": {"bucketName": "words", "objectKey": "list.txt"}}
    term = {"key": "jobStatus", "comparator": "EQ", "values": ["PAUSED", "USER_PAUSED"]}
    [[job]] = walk(administrator, "ListClassificationJobs", "items", filterCriteria={"includes": [term]})
    assert (job["lastRunErrorStatus"]["code"], "jobPausedAt" in job["userPausedDetails"]) == ("ERROR", True)
    described = call(administrator, "DescribeClassificationJob", jobId=job["jobId"])
    assert described["allowListIds"] == ["al00000000000000000001"]


def test_settings(client: Clients, administrator: BaseClient) -> None:
    """Publication, export and the organization, and no export where there is none."""
    publication = call(administrator, "GetFindingsPublicationConfiguration")["securityHubConfiguration"]
    assert publication == {"publishClassificationFindings": False, "publishPolicyFindings": True}
    export = call(administrator, "GetClassificationExportConfiguration")["configuration"]["s3Destination"]
    assert export["keyPrefix"] == "macie/"
    organization = call(administrator, "DescribeOrganizationConfiguration")
    assert (organization["autoEnable"], organization["maxAccountLimitReached"]) == (True, True)
    assert "configuration" not in call(client("macie2", "ap-northeast-3"), "GetClassificationExportConfiguration")


OFF = "Macie is not enabled"
NOT_ADMINISTRATOR = "you must be the Macie administrator for an organization"


@pytest.mark.parametrize(
    ("region", "operation", "message"),
    [
        ("us-east-1", "GetAutomatedDiscoveryConfiguration", "member account"),
        ("us-east-1", "ListClassificationScopes", "member account"),
        ("us-east-1", "DescribeOrganizationConfiguration", NOT_ADMINISTRATOR),
        ("eu-west-1", "DescribeOrganizationConfiguration", NOT_ADMINISTRATOR),
        ("eu-west-1", "ListAutomatedDiscoveryAccounts", NOT_ADMINISTRATOR),
        ("eu-west-2", "DescribeOrganizationConfiguration", NOT_ADMINISTRATOR),
        ("eu-west-2", "GetAutomatedDiscoveryConfiguration", OFF),
        ("eu-west-2", "DescribeBuckets", OFF),
        ("eu-central-1", "ListInvitations", "is not authorized to perform: macie2:ListInvitations"),
        ("ap-northeast-3", "ListAllowLists", "not available in this Region"),
    ],
)
def test_three_meanings_of_one_code(client: Clients, region: str, operation: str, message: str) -> None:
    """Only the message tells what is not enabled, not the account's to ask, and not allowed."""
    with pytest.raises(ClientError, match=message) as error:
        call(client("macie2", region), operation)
    assert code(error) == ("AccessDeniedException", 403)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("GetClassificationScope", {"id": "0"}),
        ("GetSensitivityInspectionTemplate", {"id": "0"}),
        ("GetAllowList", {"id": "0"}),
        ("DescribeClassificationJob", {"jobId": "0"}),
    ],
)
def test_what_an_administrator_does_not_have(
    administrator: BaseClient, operation: str, arguments: dict[str, str]
) -> None:
    """An id that nothing has is not found."""
    with pytest.raises(ClientError) as error:
        call(administrator, operation, **arguments)
    assert code(error) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize("size", [7, 20])
def test_accounts_of_the_organization(client: Clients, size: int) -> None:
    """The account, its members and what the seed adds, each with its state by both names."""
    organizations = client("organizations")
    pages = walk(organizations, "ListAccounts", "Accounts", MaxResults=size)
    accounts = {account["Id"]: account for page in pages for account in page}
    assert len(accounts) == sum(len(page) for page in pages) == 46
    assert all(len(page) == size for page in pages[:-1])
    states = Counter((account["State"], account["Status"]) for account in accounts.values())
    assert states["ACTIVE", "ACTIVE"] == 42
    known = organizations.meta.service_model.shape_for("AccountState").enum
    assert {state for state, _ in states} == set(known)
    assert accounts["999999999999"]["JoinedTimestamp"] < datetime(2026, 2, 1, tzinfo=UTC)
    assert all(account["Arn"].split(":")[4] == "444444444444" for account in accounts.values())


def test_organizations_refuses(client: Clients) -> None:
    """A page that is too large is invalid, and an account outside of an organization is told so."""
    unchecked = client.unchecked("organizations")
    with pytest.raises(ClientError) as error:
        call(unchecked, "ListAccounts", MaxResults=21)
    assert code(error) == ("InvalidInputException", 400)
    other = client.of("organizations", "ASIASIMULATED222222222222", "test", "test")
    with pytest.raises(other.exceptions.AWSOrganizationsNotInUseException):
        call(other, "ListAccounts")


@pytest.fixture
def s3(client: Clients) -> BaseClient:
    """S3 with what every request of these tests needs."""
    return client("s3")


ENCRYPTED = {"Bucket": "evidence", "ServerSideEncryption": "AES256"}


def test_an_object_is_stored_and_read(s3: BaseClient, simulator: Simulator) -> None:
    """What is stored comes back, with its entity tag, its lock and a checksum that boto3 verifies."""
    until = datetime(2027, 1, 1, tzinfo=UTC)
    stored = s3.put_object(
        **ENCRYPTED,
        Key="reports/a b.html",
        Body=b"<p>",
        ContentType="text/html",
        ChecksumAlgorithm="SHA256",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=until,
    )
    read = s3.get_object(Bucket="evidence", Key="reports/a b.html", ChecksumMode="ENABLED")
    assert (read["Body"].read(), read["ETag"], read["ContentType"]) == (b"<p>", stored["ETag"], "text/html")
    assert read["ChecksumSHA256"] == stored["ChecksumSHA256"] == checksum(b"<p>")
    assert (read["ObjectLockMode"], read["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    kept = simulator.objects()["evidence/reports/a b.html"]
    assert (kept["body"], kept["headers"]["x-amz-server-side-encryption"]) == ("<p>", "AES256")
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="evidence", Key="reports/none")


def test_conditional_writes(s3: BaseClient) -> None:
    """The first write needs that nothing is there, and a later one what was read."""

    def refusal(key: str, **condition: str) -> tuple[str, int]:
        with pytest.raises(ClientError) as error:
            s3.put_object(**ENCRYPTED, Key=key, Body=b"lost", **condition)
        return code(error)

    first = s3.put_object(**ENCRYPTED, Key="state/1", Body=b"1", IfNoneMatch="*")
    assert refusal("state/1", IfNoneMatch="*") == ("PreconditionFailed", 412)
    second = s3.put_object(**ENCRYPTED, Key="state/1", Body=b"2", IfMatch=first["ETag"])
    assert second["ETag"] != first["ETag"]
    assert refusal("state/1", IfMatch=first["ETag"]) == ("PreconditionFailed", 412)
    assert refusal("state/none", IfMatch=first["ETag"]) == ("NoSuchKey", 404)
    assert s3.get_object(Bucket="evidence", Key="state/1")["Body"].read() == b"2"


def test_a_wrong_checksum_is_refused(s3: BaseClient) -> None:
    """A body that is not what its checksum says is not stored."""
    with pytest.raises(ClientError) as error:
        s3.put_object(**ENCRYPTED, Key="state/2", Body=b"1", ChecksumSHA256=checksum(b"2"))
    assert code(error) == ("BadDigest", 400)
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="evidence", Key="state/2")


def checksum(body: bytes) -> str:
    """The SHA-256 sum as S3 writes it."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
