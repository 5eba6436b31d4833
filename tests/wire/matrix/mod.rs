//! Every API that the function calls, times everything that can go wrong with it.
//!
//! What each cell came to is kept in a golden file, so that a change of behaviour shows in review;
//! `cargo test --test wire matrix -- --nocapture` prints it. What must hold whatever the golden
//! file says is checked on every cell by `Cell::problems`.

mod faults;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use macie_compliance_core::api::{Api, Audience, Row, Service};
use serde_json::{Value, json};
use simulator::lambda::Outcome;
use simulator::{Seed, Simulator, TargetSeed};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpSocket, TcpStream};

use crate::function::{ACCOUNT, Function, healthy, seed, violations, with_seconds};
use faults::{FAULTS, Fault, Happens, Lasts, Means};

/// Cells that run at the same time. Nearly all of their time they wait to try again.
const AT_ONCE: usize = 40;

/// The rules that read more than the members, the invitations and the filters.
const NOT_THE_FIRST: &str = "roster-*,discovery-*,allow-list-*,job-*,bucket-*,publication-*,results-*";

const OTHER_ACCOUNT: &str = "111122223333";
const FLAGGED: &str = "100000000099";
const LIST: &str = "al00000000000000000001";

/// The APIs that a fault meets.
struct Subject {
    name: &'static str,
    service: &'static str,
    apis: &'static [&'static str],
}

macro_rules! one {
    ($service:literal, $api:literal) => {
        Subject { name: $api, service: $service, apis: &[$api] }
    };
}

static SUBJECTS: [Subject; 28] = [
    one!("macie2", "GetMacieSession"),
    Subject {
        name: "GetAdministratorAccount, while GetMasterAccount answers",
        service: "macie2",
        apis: &["GetAdministratorAccount"],
    },
    Subject {
        name: "GetAdministratorAccount and GetMasterAccount",
        service: "macie2",
        apis: &["GetAdministratorAccount", "GetMasterAccount"],
    },
    one!("macie2", "ListMembers"),
    one!("macie2", "GetMember"),
    one!("macie2", "ListInvitations"),
    one!("macie2", "ListFindingsFilters"),
    one!("macie2", "GetFindingsFilter"),
    one!("macie2", "GetFindingStatistics"),
    one!("macie2", "DescribeOrganizationConfiguration"),
    one!("macie2", "GetAutomatedDiscoveryConfiguration"),
    one!("macie2", "ListAutomatedDiscoveryAccounts"),
    one!("macie2", "ListClassificationScopes"),
    one!("macie2", "GetClassificationScope"),
    one!("macie2", "ListSensitivityInspectionTemplates"),
    one!("macie2", "GetSensitivityInspectionTemplate"),
    one!("macie2", "ListManagedDataIdentifiers"),
    one!("macie2", "ListClassificationJobs"),
    one!("macie2", "DescribeClassificationJob"),
    one!("macie2", "ListAllowLists"),
    one!("macie2", "GetAllowList"),
    one!("macie2", "DescribeBuckets"),
    one!("macie2", "GetFindingsPublicationConfiguration"),
    one!("macie2", "GetClassificationExportConfiguration"),
    Subject {
        name: "All of Macie at once",
        service: "macie2",
        apis: &[
            "GetMacieSession",
            "GetAdministratorAccount",
            "GetMasterAccount",
            "ListMembers",
            "ListInvitations",
            "ListFindingsFilters",
            "DescribeOrganizationConfiguration",
            "GetAutomatedDiscoveryConfiguration",
            "ListAutomatedDiscoveryAccounts",
            "ListClassificationScopes",
            "ListSensitivityInspectionTemplates",
            "ListClassificationJobs",
            "ListAllowLists",
            "DescribeBuckets",
            "GetFindingsPublicationConfiguration",
            "GetClassificationExportConfiguration",
        ],
    },
    one!("organizations", "ListAccounts"),
    one!("sts", "AssumeRole"),
    one!("account", "ListRegions"),
];

impl Subject {
    /// Whether a fault of the service's connections meets these APIs and no others.
    fn is_whole_service(&self) -> bool {
        self.service != "macie2" || self.apis.len() > 2
    }

    fn only(&self, api: &str) -> bool {
        self.apis == [api]
    }

    /// All is well there, but for the fault to come, and for what has to be there to be looked at once more.
    /// GetMember is asked about a member that is flagged in the list and fine by now.
    fn seed(&self) -> Seed {
        let mut here = if self.is_of_members() { healthy() } else { administrator() };
        let template = |text: Value| text.as_object().cloned().unwrap_or_default();
        match self.apis {
            ["GetMember"] => {
                here.members.push(json!({"accountId": FLAGGED, "relationshipStatus": "AccountSuspended"}));
                here.member_now.insert(FLAGGED.to_owned(), json!({"relationshipStatus": "Enabled"}));
            }
            ["GetFindingsFilter" | "GetFindingStatistics"] => {
                let criteria = json!({"severity.description": {"eq": ["Low"]}});
                here.findings_filters = vec![json!({"id": "quiet", "action": "ARCHIVE", "criteria": criteria})];
            }
            ["ListManagedDataIdentifiers"] => {
                let excludes = json!({"managedDataIdentifierIds": ["AWS_CREDENTIALS"]});
                here.discovery_template = template(json!({ "excludes": excludes }));
            }
            ["GetAllowList"] => {
                here.allow_lists = vec![json!({"id": LIST, "criteria": {"regex": "Example Corp"}})];
                here.discovery_template = template(json!({"includes": {"allowListIds": [LIST]}}));
            }
            ["DescribeClassificationJob"] => {
                here.jobs = vec![json!({"jobStatus": "IDLE", "jobType": "SCHEDULED"})];
            }
            _ => {}
        }
        let other = TargetSeed { account_id: Some(OTHER_ACCOUNT.to_owned()), ..healthy() };
        Seed { targets: vec![here, other], ..seed(healthy()) }
    }

    /// Whether all of this is asked of a member account.
    fn is_of_members(&self) -> bool {
        let of_administrators = |row: &Row| row.audience != Audience::Everyone || row.operation == "GetAllowList";
        let rows = Api::ALL.iter().map(|api| api.row()).filter(|row| self.apis.contains(&row.operation));
        !rows.into_iter().any(|row| of_administrators(&row))
    }

    /// What is flagged there whatever happens.
    fn found(&self) -> Option<(&'static str, &'static str)> {
        match self.apis {
            ["GetFindingsFilter" | "GetFindingStatistics"] => Some(("filter-archives-findings", "quiet")),
            ["ListManagedDataIdentifiers"] => Some(("discovery-detector-excluded", "AWS_CREDENTIALS")),
            ["GetAllowList"] => Some(("allow-list-in-use", LIST)),
            _ => None,
        }
    }

    fn variables(&self) -> Vec<(&'static str, &'static str)> {
        match self.service {
            "sts" => vec![("MACIE_ROLE_ARNS", "arn:aws:iam::111122223333:role/audit")],
            // All Regions are read, and what is read in each is not what this is about.
            "account" => vec![("MACIE_REGIONS", "all"), ("DISABLED_RULES", NOT_THE_FIRST)],
            _ => Vec::new(),
        }
    }

    fn endpoint_variable(&self) -> &'static str {
        match self.service {
            "sts" => "AWS_ENDPOINT_URL_STS",
            "account" => "AWS_ENDPOINT_URL_ACCOUNT",
            "organizations" => "AWS_ENDPOINT_URL_ORGANIZATIONS",
            _ => "AWS_ENDPOINT_URL_MACIE2",
        }
    }
}

/// One fault of one subject.
struct Cell {
    subject: &'static Subject,
    fault: &'static Fault,
}

/// What a run came to, as its published report says.
struct Observed {
    report: Value,
    elapsed: Duration,
    /// The most attempts at one request, where that does not depend on time.
    attempts: Option<u32>,
}

impl Cell {
    /// What happens to each API that the fault can meet, or why it can meet none.
    fn happenings(&self) -> Result<Vec<(&'static str, Happens)>, &'static str> {
        let all: Vec<_> = self.subject.apis.iter().map(|api| (*api, (self.fault.with)(api))).collect();
        let connection = all.iter().any(|(_, with)| matches!(with, Ok(Happens::Refused | Happens::Impostor)));
        if connection && !self.subject.is_whole_service() {
            return Err("a connection serves all of Macie: see there");
        }
        if let (true, Some(why)) =
            (all.iter().all(|(_, with)| with.is_err()), all.iter().find_map(|(_, w)| w.as_ref().err()))
        {
            return Err(why);
        }
        Ok(all.into_iter().filter_map(|(api, with)| Some((api, with.ok()?))).collect())
    }

    /// Where time runs out, a run gets just enough of it; else enough for every retry.
    fn seconds(&self) -> u64 {
        match (self.fault.means, self.subject.service) {
            (Means::Stall, "macie2" | "sts" | "organizations") => 22,
            _ => 60,
        }
    }

    async fn observe(&self, happenings: &[(&'static str, Happens)]) -> Observed {
        let mut seed = self.subject.seed();
        // An endless list would be read as fast as it is answered.
        seed.latency_ms = if self.fault.name == "endless empty pages" { 10 } else { 0 };
        let times = match self.fault.lasts {
            Lasts::Requests(times) => Some(times),
            Lasts::ForEver => None,
        };
        seed.faults = happenings
            .iter()
            .filter_map(|(api, happens)| match happens {
                Happens::Answers(kind) => Some((api, kind.clone())),
                Happens::Refused | Happens::Impostor => None,
            })
            .map(|(api, kind)| simulator::Fault { times, ..simulator::Fault::of(self.subject.service, api, kind) })
            .collect();
        let mut variables = self.subject.variables();
        let refusing = Refusing::new();
        let impostor;
        match happenings[0].1 {
            Happens::Refused => variables.push((self.subject.endpoint_variable(), &refusing.url)),
            Happens::Impostor => {
                (impostor, _) = Simulator::start_tls(Seed::default()).await.expect("a free port");
                variables.push((self.subject.endpoint_variable(), impostor.url()));
            }
            Happens::Answers(_) => {}
        }
        let function = Function::with(seed, &variables).await;
        function.runtime.ready().await;
        if times.is_some() {
            refusing.give_in(function.aws.url());
        }
        let start = Instant::now();
        let outcome = function.invoke(with_seconds(self.seconds())).await;
        let elapsed = start.elapsed();
        let Outcome::Answer(answer) = outcome else { panic!("{}: {outcome:?}", self.name()) };
        let report = match &function.published()[..] {
            [report] => report.clone(),
            reports => panic!("{}: {} reports were published", self.name(), reports.len()),
        };
        for field in ["reportId", "verdict", "complete", "summary"] {
            assert_eq!(answer[field], report[field], "{}", self.name());
        }
        let stalls = self.fault.means == Means::Stall && times.is_none();
        let timed = stalls || !matches!(happenings[0].1, Happens::Answers(_));
        let requests = function.aws.requests();
        let asked = requests.iter().filter(|request| self.subject.apis.contains(&request.operation.as_str()));
        // A role is asked for again outside of the SDK's retries, so that each request says it is
        // the first. There is one role, and it is assumed once.
        let attempts = match self.subject.name {
            "AssumeRole" => u32::try_from(asked.count()).ok(),
            _ => asked.map(|request| request.attempt).max(),
        };
        let attempts = attempts.filter(|_| !timed);
        Observed { report, elapsed, attempts }
    }

    fn name(&self) -> String {
        format!("{}: {}", self.subject.name, self.fault.name)
    }

    /// The reads that must fail, and no others.
    fn must_fail(&self, happenings: &[(&'static str, Happens)]) -> BTreeSet<&'static str> {
        if self.fault.lasts != Lasts::ForEver {
            return BTreeSet::new();
        }
        // What fails under both names is told under the newer one.
        let reads = happenings.iter().map(|(api, _)| *api).filter(|api| *api != "GetMasterAccount");
        match self.fault.means {
            Means::Failure | Means::Stall => reads.collect(),
            // A refusal of the newer name alone is made good by the older one.
            Means::Refusal => {
                reads.filter(|api| !self.subject.only(api) || *api != "GetAdministratorAccount").collect()
            }
            // It is an answer, but not to the question how one thing is that Macie just listed, nor from Organizations.
            Means::NotEnabled => reads.filter(|api| is_second_look(api) || *api == "ListAccounts").collect(),
        }
    }

    /// What must hold of every cell, whatever the golden file says.
    fn problems(&self, happenings: &[(&'static str, Happens)], observed: &Observed) -> Vec<String> {
        let mut problems = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                problems.push(format!("{}: not so: {what}\n{}", self.name(), observed.report));
            }
        };
        let report = &observed.report;
        let must_fail = self.must_fail(happenings);
        let failed = failed_reads(report);
        let names: BTreeSet<&str> = failed.iter().map(|(api, _)| api.as_str()).collect();
        must(observed.elapsed < Duration::from_secs(self.seconds()), "it ended before its deadline");
        must(names == must_fail && failed.len() == must_fail.len(), "exactly the reads that went wrong are incomplete");
        must(report["complete"] == must_fail.is_empty(), "complete says whether all reads are");
        must(
            report["summary"]["targetsIncomplete"] == u64::from(!must_fail.is_empty()),
            "no other target is incomplete",
        );
        must(failed.iter().all(|(_, code)| !code.is_empty()), "each failed read has a code");
        must(every_read_is_told(report), "every target tells of every read");
        let not_enabled = self.fault.means == Means::NotEnabled && must_fail.is_empty();
        let unconfirmed = must_fail.contains("GetMember");
        let found = self.subject.found();
        let verdict = match (not_enabled || unconfirmed || found.is_some(), must_fail.is_empty()) {
            (true, _) => "NON_COMPLIANT",
            (false, false) => "INSUFFICIENT_DATA",
            (false, true) => "COMPLIANT",
        };
        must(report["verdict"] == verdict, "the verdict follows from what was read");
        let momentary = self.fault.lasts != Lasts::ForEver;
        let made_good = read_of(report, "GetMasterAccount").is_some_and(|read| read["complete"] == true);
        must(report["verdict"] != "COMPLIANT" || momentary || made_good, "COMPLIANT only after a retry that succeeded");
        let expected = match (not_enabled, unconfirmed) {
            (true, _) => vec![("macie-not-enabled".to_owned(), ACCOUNT.to_owned())],
            (_, true) => vec![("member-account-suspended".to_owned(), FLAGGED.to_owned())],
            _ => found.into_iter().map(|(rule, id)| (rule.to_owned(), id.to_owned())).collect(),
        };
        must(violations(report) == expected, "nothing is flagged but what is so");
        problems
    }

    fn line(&self, observed: &Observed) -> String {
        let report = &observed.report;
        let failed = failed_reads(report);
        let codes: BTreeSet<&str> = failed.iter().map(|(_, code)| code.as_str()).collect();
        let reads = match &failed[..] {
            [] => "-".to_owned(),
            [(api, _)] => api.clone(),
            several => format!("{} reads", several.len()),
        };
        let said = match (codes.is_empty(), violations(report).first()) {
            (false, _) => codes.into_iter().collect::<Vec<_>>().join(", "),
            (true, Some((rule, _))) => format!("violation {rule}"),
            (true, None) if read_of(report, "GetMasterAccount").is_some() => "GetMasterAccount in its place".to_owned(),
            (true, None) => "-".to_owned(),
        };
        let attempts = observed.attempts.map_or_else(|| "-".to_owned(), |attempts| attempts.to_string());
        let complete = if report["complete"] == true { "yes" } else { "no" };
        let verdict = report["verdict"].as_str().unwrap_or_default();
        format!("{verdict:<18}{complete:<10}{attempts:<10}{reads:<38}{said}")
    }
}

/// A port at which connections are refused, and that nobody else can take.
struct Refusing {
    socket: TcpSocket,
    url: String,
}

impl Refusing {
    fn new() -> Refusing {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let url = format!("http://{}", socket.local_addr().expect("it is bound"));
        Refusing { socket, url }
    }

    /// After a while, hands connections on to where they are answered.
    fn give_in(self, url: &str) {
        let to = url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let listener = self.socket.listen(64).expect("it is bound");
            while let Ok((mut from, _)) = listener.accept().await {
                let mut to = TcpStream::connect(&to).await.expect("the simulator listens");
                tokio::spawn(async move { copy_bidirectional(&mut from, &mut to).await });
            }
        });
    }
}

fn is_second_look(name: &str) -> bool {
    Api::ALL.iter().any(|api| api.operation() == name && api.is_second_look())
}

/// The administrator of an organization, as one would like it.
fn administrator() -> TargetSeed {
    TargetSeed { administrator: None, organization: Some(serde_json::Map::new()), ..healthy() }
}

fn reads(report: &Value) -> impl Iterator<Item = &Value> {
    let targets = report["targets"].as_array().into_iter().flatten();
    targets.flat_map(|target| target["reads"].as_array().into_iter().flatten())
}

/// The reads that are incomplete, over all targets, and why.
fn failed_reads(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let failed = reads(report).filter(|read| read["complete"] != true);
    failed.map(|read| (text(&read["api"]), text(&read["error"]["code"]))).collect()
}

fn read_of<'a>(report: &'a Value, api: &str) -> Option<&'a Value> {
    reads(report).find(|read| read["api"] == api)
}

/// Whether each target that could be opened has the five reads that there are in any.
fn every_read_is_told(report: &Value) -> bool {
    report["targets"].as_array().is_some_and(|targets| {
        targets.iter().all(|target| {
            let told: Vec<&str> =
                target["reads"].as_array().into_iter().flatten().filter_map(|read| read["api"].as_str()).collect();
            let any = |apis: &[&str]| apis.iter().any(|api| told.contains(api));
            let off = report["violations"].as_array().is_some_and(|violations| {
                let here = |violation: &Value| violation["accountId"] == target["accountId"];
                violations.iter().any(|violation| violation["rule"] == "macie-not-enabled" && here(violation))
            });
            told == ["AssumeRole"]
                // Where the session says that Macie is off, nothing else is asked.
                || off && told == ["GetMacieSession"]
                || [&["GetMacieSession"][..], &["ListMembers"], &["ListInvitations"], &["ListFindingsFilters"]]
                    .iter()
                    .all(|api| any(api))
                    && any(&["GetAdministratorAccount", "GetMasterAccount"])
        })
    })
}

#[tokio::test]
async fn every_api_with_every_fault() {
    // The table is by subject. The run is by fault, so that the subject with 22 targets comes up
    // now and then and not all at once.
    let cells = FAULTS.iter().enumerate().flat_map(|(row, fault)| {
        let cell = move |(table, subject)| ((table, row), Cell { subject, fault });
        SUBJECTS.iter().enumerate().map(cell)
    });
    let mut results: Vec<_> = stream::iter(cells)
        .map(|(place, cell)| async move {
            let happenings = match cell.happenings() {
                Ok(happenings) => happenings,
                Err(why) => return (place, cell, format!("cannot be: {why}"), Vec::new()),
            };
            let observed = cell.observe(&happenings).await;
            let (line, problems) = (cell.line(&observed), cell.problems(&happenings, &observed));
            (place, cell, line, problems)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    results.sort_by_key(|(place, ..)| *place);

    let mut table = String::new();
    let mut problems = Vec::new();
    let mut subject = "";
    for (_, cell, line, broken) in results {
        if cell.subject.name != subject {
            subject = cell.subject.name;
            let columns =
                format!("{:<18}{:<10}{:<10}{:<38}what it says", "verdict", "complete", "attempts", "incomplete read");
            let gap = if table.is_empty() { "" } else { "\n" };
            writeln!(table, "{gap}{subject}\n  {:<37}{columns}", "fault").expect("a string takes all");
        }
        writeln!(table, "  {:<37}{line}", cell.fault.name).expect("a string takes all");
        problems.extend(broken);
    }
    eprintln!("{table}");
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    insta::assert_snapshot!(table);
}

/// The faults of SNS and S3 have tables of their own (`delivery`, `steps`).
#[test]
fn every_operation_of_the_table_that_reads_meets_every_fault() {
    let subjects: BTreeSet<(&str, &str)> =
        SUBJECTS.iter().flat_map(|subject| subject.apis.iter().map(|api| (subject.service, *api))).collect();
    let rows = Api::ALL.iter().map(|api| api.row());
    let read = rows.filter(|row| !matches!(row.service, Service::Sns | Service::S3));
    assert_eq!(subjects, read.map(|row| (row.service.prefix(), row.operation)).collect());
}
