//! The faults of the matrix: what goes wrong, for how long, and with which API it can.

use simulator::FaultKind;

use crate::function::error;

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lasts {
    /// For so many requests: a retry gets a right answer.
    Requests(u64),
    /// For as long as anyone asks.
    ForEver,
}

/// What the run makes of a fault, as far as its kind alone decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// An error or no answer: the read fails, or is tried again to success where the fault ends.
    Failure,
    /// A refusal, or an API that is not known: likewise, but GetMasterAccount may do for
    /// GetAdministratorAccount.
    Refusal,
    /// Time runs out, so that the deadline has to be near.
    Stall,
    /// An answer and not a failure: Macie is not enabled.
    NotEnabled,
}

/// How a fault comes about.
#[derive(Clone, Debug)]
pub(super) enum Happens {
    /// An answer of the simulator.
    Answers(FaultKind),
    /// Nobody listens.
    Refused,
    /// Somebody else listens, with a certificate from an authority that nobody knows.
    Impostor,
}

pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) lasts: Lasts,
    pub(super) means: Means,
    /// What one API does, or why it cannot do this.
    pub(super) with: With,
}

type With = fn(&str) -> Result<Happens, &'static str>;

const fn fault(name: &'static str, lasts: Lasts, means: Means, with: With) -> Fault {
    Fault { name, lasts, means, with }
}

use Lasts::{ForEver, Requests};
use Means::{Failure, NotEnabled, Refusal, Stall};

const TWICE: Lasts = Requests(2);
const ONCE: Lasts = Requests(1);

/// Every fault, in the order of the table.
pub(super) const FAULTS: [Fault; 43] = [
    fault("none", Requests(0), Failure, |_| answer(FaultKind::Hang)),
    fault("ThrottlingException, twice", TWICE, Failure, throttling),
    fault("ThrottlingException, for ever", ForEver, Failure, throttling),
    fault("TooManyRequestsException, twice", TWICE, Failure, too_many_requests),
    fault("TooManyRequestsException, for ever", ForEver, Failure, too_many_requests),
    fault("500, twice", TWICE, Failure, internal),
    fault("500, for ever", ForEver, Failure, internal),
    fault("429 without a code, twice", TWICE, Failure, |_| respond(429, "text/plain", "slow down")),
    fault("429 without a code, for ever", ForEver, Failure, |_| respond(429, "text/plain", "slow down")),
    fault("503 with HTML, twice", TWICE, Failure, |_| html(503)),
    fault("503 with HTML, for ever", ForEver, Failure, |_| html(503)),
    fault("connection refused, for a while", TWICE, Failure, |_| Ok(Happens::Refused)),
    fault("connection refused, for ever", ForEver, Failure, |_| Ok(Happens::Refused)),
    fault("reset before the body, twice", TWICE, Failure, |_| answer(FaultKind::Reset)),
    fault("reset before the body, for ever", ForEver, Failure, |_| answer(FaultKind::Reset)),
    fault("reset in the body, twice", TWICE, Failure, |_| answer(FaultKind::ResetMidBody)),
    fault("reset in the body, for ever", ForEver, Failure, |_| answer(FaultKind::ResetMidBody)),
    fault("hang before the body, once", ONCE, Stall, |_| answer(FaultKind::Hang)),
    fault("hang before the body, for ever", ForEver, Stall, |_| answer(FaultKind::Hang)),
    fault("hang in the body, once", ONCE, Stall, |_| answer(FaultKind::HangMidBody)),
    fault("hang in the body, for ever", ForEver, Stall, |_| answer(FaultKind::HangMidBody)),
    fault("slower than the time-out, once", ONCE, Stall, |_| answer(SLOW)),
    fault("slower than the time-out, for ever", ForEver, Stall, |_| answer(SLOW)),
    fault("truncated body", ForEver, Failure, truncated),
    fault("wrong types in the body", ForEver, Failure, wrong_types),
    fault("HTML with 200", ForEver, Failure, |_| html(200)),
    fault("HTML with 404", ForEver, Refusal, |_| html(404)),
    fault("empty body", ForEver, Failure, |_| respond(200, "application/json", "")),
    fault("required fields missing", ForEver, Failure, missing_fields),
    fault("{} for an answer", ForEver, Failure, empty_object),
    fault("null for the list", ForEver, Failure, null_list),
    fault("repeated token", ForEver, Failure, |api| tokens(api, FaultKind::RepeatToken)),
    fault("tokens A, B, A", ForEver, Failure, |api| tokens(api, FaultKind::CycleTokens)),
    fault("endless empty pages", ForEver, Stall, |api| tokens(api, FaultKind::EndlessEmpty)),
    fault("access denied", ForEver, Refusal, denied),
    fault("Macie not enabled, 401", ForEver, NotEnabled, |api| not_enabled(api, 401)),
    fault("Macie not enabled, 403", ForEver, NotEnabled, |api| not_enabled(api, 403)),
    fault("expired credentials", ForEver, Failure, expired),
    fault("unrecognized credentials", ForEver, Failure, unrecognized),
    fault("validation error", ForEver, Failure, invalid),
    fault("unknown error code", ForEver, Failure, |_| answer(error(418, "TeapotException", "short and stout"))),
    fault("body of 50 MB", ForEver, Failure, |_| answer(FaultKind::BigBody { bytes: 50_000_000 })),
    fault("TLS with a wrong certificate", ForEver, Failure, |_| Ok(Happens::Impostor)),
];

/// Longer than an attempt may take in the time that the matrix gives a stalling run.
const SLOW: FaultKind = FaultKind::Slow { ms: 11_000 };

fn answer(kind: FaultKind) -> Result<Happens, &'static str> {
    Ok(Happens::Answers(kind))
}

fn respond(status: u16, content_type: &str, body: &str) -> Result<Happens, &'static str> {
    answer(FaultKind::Respond { status, content_type: content_type.to_owned(), body: body.to_owned() })
}

fn html(status: u16) -> Result<Happens, &'static str> {
    respond(status, "text/html", "<html><body>It works, or not</body></html>")
}

/// An answer with status 200 in the protocol of the API's service.
fn document(api: &str, body: &str) -> Result<Happens, &'static str> {
    respond(200, if api == "AssumeRole" { "text/xml" } else { "application/json" }, body)
}

fn throttling(api: &str) -> Result<Happens, &'static str> {
    // The Query protocol's services say it in a word of their own.
    let code = if api == "AssumeRole" { "Throttling" } else { "ThrottlingException" };
    answer(error(429, code, "Rate exceeded"))
}

fn too_many_requests(_: &str) -> Result<Happens, &'static str> {
    answer(error(429, "TooManyRequestsException", "Too many requests"))
}

fn internal(api: &str) -> Result<Happens, &'static str> {
    answer(error(500, if api == "AssumeRole" { "InternalFailure" } else { "InternalServerException" }, "broken"))
}

fn denied(api: &str) -> Result<Happens, &'static str> {
    let code = if api == "AssumeRole" { "AccessDenied" } else { "AccessDeniedException" };
    answer(error(403, code, "User is not authorized to perform this"))
}

fn expired(api: &str) -> Result<Happens, &'static str> {
    let code = if api == "AssumeRole" { "ExpiredToken" } else { "ExpiredTokenException" };
    answer(error(403, code, "The security token included in the request is expired"))
}

fn unrecognized(api: &str) -> Result<Happens, &'static str> {
    let code = if api == "AssumeRole" { "InvalidClientTokenId" } else { "UnrecognizedClientException" };
    answer(error(403, code, "The security token included in the request is invalid"))
}

fn invalid(api: &str) -> Result<Happens, &'static str> {
    let code = if api == "AssumeRole" { "ValidationError" } else { "ValidationException" };
    answer(error(400, code, "The request is not valid"))
}

fn not_enabled(api: &str, status: u16) -> Result<Happens, &'static str> {
    match api {
        "AssumeRole" | "ListRegions" => Err("only Macie says so"),
        _ => answer(error(status, "AccessDeniedException", "Macie is not enabled")),
    }
}

/// Half of a right answer; for STS, one that ends within the credentials. One that ends after them
/// is taken by the SDK, and lacks nothing that is needed.
fn truncated(api: &str) -> Result<Happens, &'static str> {
    match api {
        "AssumeRole" => document(
            api,
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIASIMULATED111122223333</AccessKeyId>\
             <SecretAccessKey>simulated</SecretAccessKey><SessionToken>simul",
        ),
        _ => answer(FaultKind::Truncate),
    }
}

fn wrong_types(api: &str) -> Result<Happens, &'static str> {
    document(
        api,
        match api {
            "GetMacieSession" => r#"{"status":[]}"#,
            "GetAdministratorAccount" => r#"{"administrator":7}"#,
            "GetMasterAccount" => r#"{"master":7}"#,
            "GetMember" => r#"{"relationshipStatus":[]}"#,
            "AssumeRole" => "<GetCallerIdentityResponse/>",
            "ListRegions" => r#"{"Regions":7}"#,
            "ListAccounts" => r#"{"Accounts":7}"#,
            "GetFindingsFilter" => r#"{"id":"quiet","action":[]}"#,
            "GetFindingStatistics" => r#"{"countsByGroup":7}"#,
            "DescribeOrganizationConfiguration" => r#"{"autoEnable":7}"#,
            "GetAutomatedDiscoveryConfiguration" | "GetAllowList" => r#"{"status":7}"#,
            "GetClassificationScope" => r#"{"s3":7}"#,
            "GetSensitivityInspectionTemplate" => r#"{"excludes":7}"#,
            "DescribeClassificationJob" => r#"{"jobId":7,"allowListIds":7}"#,
            "GetFindingsPublicationConfiguration" => r#"{"securityHubConfiguration":7}"#,
            "GetClassificationExportConfiguration" => r#"{"configuration":7}"#,
            "ListClassificationScopes" => r#"{"classificationScopes":7}"#,
            "ListSensitivityInspectionTemplates" => r#"{"sensitivityInspectionTemplates":7}"#,
            "ListAllowLists" => r#"{"allowLists":7}"#,
            "DescribeBuckets" => r#"{"buckets":7}"#,
            "ListAutomatedDiscoveryAccounts" | "ListManagedDataIdentifiers" | "ListClassificationJobs" => {
                r#"{"items":7}"#
            }
            _ => r#"{"members":7,"invitations":7,"findingsFilterListItems":7}"#,
        },
    )
}

/// What Macie's model calls required, or what an answer is worth nothing without.
fn missing_fields(api: &str) -> Result<Happens, &'static str> {
    document(
        api,
        match api {
            "GetMacieSession" => r#"{"findingPublishingFrequency":"SIX_HOURS"}"#,
            "GetMember" => r#"{"accountId":"100000000099"}"#,
            "ListRegions" => r#"{"NextToken":null}"#,
            "GetAdministratorAccount" => r#"{"administrator":{}}"#,
            "GetMasterAccount" => r#"{"master":{"accountId":"333333333333"}}"#,
            "AssumeRole" => "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>",
            "ListMembers" => r#"{"members":[{"relationshipStatus":"Enabled"}]}"#,
            "ListInvitations" => r#"{"invitations":[{"relationshipStatus":"Invited"}]}"#,
            "ListAccounts" => r#"{"Accounts":[{"Id":"100000000001","Name":"neither State nor Status"}]}"#,
            "GetFindingsFilter" => r#"{"id":"quiet","name":"quiet"}"#,
            "GetFindingStatistics" => r#"{"countsByGroup":[{"groupKey":"Low"}]}"#,
            "DescribeOrganizationConfiguration" => r#"{"autoEnable":true}"#,
            "GetAutomatedDiscoveryConfiguration" => r#"{"autoEnableOrganizationMembers":"ALL"}"#,
            "GetClassificationScope" => r#"{"id":"0","name":"automated-sensitive-data-discovery"}"#,
            "GetSensitivityInspectionTemplate" => r#"{"description":"nothing else"}"#,
            "DescribeClassificationJob" => r#"{"name":"nightly"}"#,
            "GetAllowList" => r#"{"id":"al00000000000000000001","criteria":{"regex":"Example Corp"}}"#,
            "GetFindingsPublicationConfiguration" => r#"{"securityHubConfiguration":null}"#,
            "GetClassificationExportConfiguration" => r#"{"configuration":{"s3Destination":{"keyPrefix":"a"}}}"#,
            "ListClassificationScopes" => r#"{"classificationScopes":[{"name":"a"}]}"#,
            "ListSensitivityInspectionTemplates" => r#"{"sensitivityInspectionTemplates":[{"name":"a"}]}"#,
            "ListAllowLists" => r#"{"allowLists":[{"name":"a"}]}"#,
            "DescribeBuckets" => r#"{"buckets":[{"accountId":"100000000001"}]}"#,
            "ListAutomatedDiscoveryAccounts" => r#"{"items":[{"accountId":"100000000001"}]}"#,
            "ListManagedDataIdentifiers" => r#"{"items":[{"category":"CREDENTIALS"}]}"#,
            "ListClassificationJobs" => r#"{"items":[{"jobId":"a","jobType":"SCHEDULED"}]}"#,
            _ => r#"{"findingsFilterListItems":[{"action":"NOOP"}]}"#,
        },
    )
}

fn empty_object(api: &str) -> Result<Happens, &'static str> {
    match api {
        "GetAdministratorAccount" | "GetMasterAccount" | "GetClassificationExportConfiguration" => {
            Err("that is how Macie says that there is none")
        }
        "AssumeRole" => Err("its answer is XML"),
        _ => document(api, "{}"),
    }
}

fn is_list(api: &str) -> bool {
    api.starts_with("List") || api == "DescribeBuckets"
}

fn null_list(api: &str) -> Result<Happens, &'static str> {
    if !is_list(api) {
        return Err("its answer holds no list");
    }
    let lists = [
        "members",
        "invitations",
        "findingsFilterListItems",
        "items",
        "classificationScopes",
        "sensitivityInspectionTemplates",
        "allowLists",
        "buckets",
        "Accounts",
        "Regions",
    ];
    let nulls: Vec<String> = lists.iter().map(|list| format!("{list:?}:null")).collect();
    document(api, &format!("{{{}}}", nulls.join(",")))
}

fn tokens(api: &str, kind: FaultKind) -> Result<Happens, &'static str> {
    if is_list(api) { answer(kind) } else { Err("its answer has no pages") }
}
