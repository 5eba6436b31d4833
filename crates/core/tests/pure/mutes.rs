//! Every way to mute Macie beside its findings filters: what each rule says of what was read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{Checks, PROBES};
use macie_compliance_core::evidence::{
    Administrator, AllowList, Bucket, Evidence, Job, ManagedDataIdentifier, Member, Organization, Publication, Results,
    Roster, RosterAccount,
};
use macie_compliance_core::judge::{Judgement, Outcome, Violation, judge};
use macie_compliance_core::policy::Policy;
use macie_compliance_core::severity::Severity;
use macie_compliance_core::testing::{ACCOUNT, checks, clean, invitation, policy, target, with_failed_read};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

const REGION: &str = "us-east-1";

/// The rules of part II, which are not about members, filters and the session.
fn is_of_part_two(rule: &str) -> bool {
    let families = ["roster-", "discovery-", "allow-list-", "job-", "bucket-", "publication-", "results-"];
    rule.ends_with("-unexpected") || families.iter().any(|family| rule.starts_with(family))
}

fn here() -> Evidence {
    clean(target(999_999_999_999, REGION))
}

fn account(id: &str) -> RosterAccount {
    RosterAccount { id: id.to_owned(), name: Some(format!("account {id}")), is_management: false }
}

/// The administrator of an organization of these accounts, with these members by their status.
fn administrator(accounts: Vec<RosterAccount>, members: &[(&str, &[&str])]) -> Evidence {
    let mut evidence = here();
    evidence.organization = Some(Organization { auto_enable: true, is_limit_reached: false });
    evidence.roster = Some(Arc::new(Roster { is_in_use: true, is_complete: true, accounts }));
    evidence.discovery.auto_enable_members = Some("ALL".to_owned());
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    evidence.members.ids_by_status = members.iter().map(|(status, of)| ((*status).to_owned(), ids(of))).collect();
    let listed = evidence.reads.iter_mut().find(|read| read.api == Api::ListMembers).expect("it is asked");
    listed.items = members.iter().map(|(_, ids)| ids.len() as u64).sum();
    evidence
}

fn member_of(evidence: Evidence, administrator: &str) -> Evidence {
    let administrator = Administrator { id: administrator.to_owned(), status: Some("Enabled".to_owned()), since: None };
    Evidence { administrator: Some(administrator), ..evidence }
}

fn judged(evidence: &Evidence) -> Judgement {
    judge(evidence, &checks(), &policy())
}

/// The violations by rule and resource.
fn raised(evidence: &Evidence) -> Vec<(&'static str, String)> {
    judged(evidence)
        .violations
        .iter()
        .map(|violation| (violation.rule, violation.problem.resource.id.clone()))
        .collect()
}

fn of_rule(evidence: &Evidence, rule: &str) -> Vec<Violation> {
    let mut violations = judged(evidence).violations;
    violations.retain(|violation| violation.rule == rule);
    violations
}

fn outcome_by(policy: &Policy, evidence: &Evidence, rule: &str) -> Outcome {
    let all = checks();
    let place = all.iter().position(|check| check.id == rule).expect("a rule");
    judge(evidence, &all, policy).results[place].outcome
}

fn outcome(evidence: &Evidence, rule: &str) -> Outcome {
    outcome_by(&policy(), evidence, rule)
}

#[test]
fn nothing_is_raised_of_what_is_as_one_would_like_it() {
    let full = Publication { policy_findings: true, sensitive_data_findings: true };
    for evidence in [here(), member_of(here(), "1"), administrator(vec![account("1")], &[("Enabled", &["1"])])] {
        let evidence = Evidence {
            publication: Some(full),
            results: Some(Results { bucket: Some("results".to_owned()) }),
            ..evidence
        };
        assert_eq!(raised(&evidence), []);
        assert!(judged(&evidence).complete);
    }
}

// The roster.

#[test]
fn an_account_is_missed_by_what_it_is_to_the_administrator() {
    for (status, missed) in [
        ("Enabled", false),
        // These have rules of their own.
        ("AccountSuspended", false),
        ("RegionDisabled", false),
        ("Paused", false),
        ("Hibernating", false),
        ("(absent)", false),
        ("Created", true),
        ("Invited", true),
        ("Removed", true),
        ("Resigned", true),
        ("EmailVerificationInProgress", true),
        ("EmailVerificationFailed", true),
    ] {
        // In a Region that has to be opted into, an account that is in the list has opted in.
        for region in [REGION, "eu-south-1"] {
            let evidence = Evidence {
                target: target(999_999_999_999, region),
                ..administrator(vec![account("1")], &[(status, &["1"])])
            };
            let found = of_rule(&evidence, "roster-account-not-watched");
            let told: Vec<_> = found.iter().map(|violation| violation.problem.status.as_deref()).collect();
            assert_eq!(told, if missed { vec![Some(status)] } else { vec![] }, "{status} in {region}");
        }
    }
}

#[test]
fn of_two_statuses_of_one_account_the_watched_one_counts() {
    for other in ["Removed", "Invited", "Created", "Resigned"] {
        let mut evidence = administrator(vec![account("1")], &[]);
        let both = ["Enabled", other].map(|status| (status.to_owned(), vec!["1".to_owned()]));
        evidence.members.ids_by_status = both.into();
        assert_eq!(raised(&evidence), [], "{other}");
    }
}

#[test]
fn an_account_that_is_no_member_at_all_is_missed_where_it_cannot_be_for_want_of_the_region() {
    let of = |region| Evidence { target: target(999_999_999_999, region), ..administrator(vec![account("1")], &[]) };
    let found = of_rule(&of(REGION), "roster-account-not-watched");
    let [violation] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((violation.severity, violation.problem.resource.name.as_deref()), (Severity::High, Some("account 1")));
    assert_eq!(violation.problem.status, None);
    for region in ["af-south-1", "ap-east-1", "eu-south-1", "me-south-1", "il-central-1"] {
        assert_eq!(raised(&of(region)), [], "{region}");
        assert_eq!(outcome(&of(region), "roster-account-not-watched"), Outcome::Passed);
    }
}

#[test]
fn the_administrator_does_not_miss_itself_and_nobody_twice() {
    let accounts = [ACCOUNT, "2", "1", "2", "2"].map(account).to_vec();
    let evidence = administrator(accounts, &[("Enabled", &["1"]), ("Removed", &["2"])]);
    assert_eq!(raised(&evidence), [("roster-account-not-watched", "2".to_owned())]);
}

#[test]
fn the_management_account_is_told_in_words_of_its_own() {
    let management = RosterAccount { is_management: true, ..account("1") };
    let found = of_rule(&administrator(vec![management, account("2")], &[]), "roster-account-not-watched");
    let told: Vec<bool> = found.iter().map(|violation| violation.remediation.contains("management account")).collect();
    assert_eq!(told, [true, false]);
}

#[test]
fn of_half_a_list_nothing_is_missed() {
    let whole = || administrator(vec![account("1")], &[]);
    let half = Roster { is_in_use: true, is_complete: false, accounts: vec![account("1")] };
    for evidence in [
        with_failed_read(whole(), Api::ListMembers, "x", ""),
        Evidence { roster: Some(Arc::new(half)), ..whole() },
        Evidence { roster: Some(Arc::default()), ..whole() },
        Evidence { roster: None, ..whole() },
    ] {
        assert_eq!(raised(&evidence), []);
        assert_eq!(outcome(&evidence, "roster-account-not-watched"), Outcome::NotEvaluated);
        assert_eq!(outcome(&evidence, "roster-auto-enable-off"), Outcome::Passed);
        assert!(!judged(&evidence).complete);
    }
    let alone = Roster { is_in_use: false, is_complete: true, accounts: Vec::new() };
    let alone = Evidence { roster: Some(Arc::new(alone)), ..whole() };
    assert_eq!(outcome(&alone, "roster-account-not-watched"), Outcome::NotApplicable);
    assert!(judged(&alone).complete);
}

#[test]
fn the_settings_of_the_organization() {
    for (auto_enable, is_limit_reached, expected) in [
        (true, false, vec![]),
        (false, false, vec!["roster-auto-enable-off"]),
        (true, true, vec!["roster-member-limit-reached"]),
        (false, true, vec!["roster-auto-enable-off", "roster-member-limit-reached"]),
    ] {
        let organization = Some(Organization { auto_enable, is_limit_reached });
        let evidence = Evidence { organization, ..administrator(Vec::new(), &[]) };
        let expected: Vec<_> = expected.into_iter().map(|rule| (rule, ACCOUNT.to_owned())).collect();
        assert_eq!(raised(&evidence), expected);
    }
    for rule in ["roster-account-not-watched", "roster-auto-enable-off", "roster-member-limit-reached"] {
        assert_eq!(outcome(&here(), rule), Outcome::NotApplicable, "a standalone account has no organization");
        let denied = with_failed_read(here(), Api::DescribeOrganizationConfiguration, "AccessDeniedException", "no");
        assert_eq!(outcome(&denied, rule), Outcome::NotEvaluated, "{rule}");
    }
}

const STATUSES: [&str; 9] = [
    "Enabled",
    "Paused",
    "Removed",
    "Resigned",
    "Invited",
    "Created",
    "RegionDisabled",
    "AccountSuspended",
    "Hibernating",
];

proptest! {
    #[test]
    fn exactly_those_are_missed_that_no_status_explains(
        accounts in btree_set(0_u32..40, 0..30),
        members in btree_map(0_u32..40, prop::sample::select(STATUSES.to_vec()), 0..30),
    ) {
        let roster = accounts.iter().map(|id| account(&id.to_string())).collect();
        let mut by_status: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        members.iter().for_each(|(id, status)| by_status.entry(*status).or_default().push(id.to_string()));
        let mut evidence = administrator(roster, &[]);
        evidence.members.ids_by_status =
            by_status.into_iter().map(|(status, ids)| (status.to_owned(), ids)).collect();
        let found: BTreeSet<String> = raised(&evidence).into_iter().map(|(_, id)| id).collect();
        let gone = ["Removed", "Resigned", "Invited", "Created"];
        let is_missed = |id: &&u32| members.get(id).is_none_or(|status| gone.contains(status));
        let expected: BTreeSet<String> = accounts.iter().filter(is_missed).map(u32::to_string).collect();
        prop_assert_eq!(found, expected);
    }
}

// Automated discovery.

fn with_discovery_full_of_holes(mut evidence: Evidence) -> Evidence {
    evidence.discovery.auto_enable_members = Some("NEW".to_owned());
    evidence.discovery.disabled_accounts = vec!["1".to_owned()];
    evidence.discovery.excluded_buckets = vec!["logs".to_owned(), "tmp".to_owned()];
    evidence.discovery.excluded_identifiers = [
        ("AWS_CREDENTIALS", Some("CREDENTIALS")),
        ("CREDIT_CARD_NUMBER", Some("FINANCIAL_INFORMATION")),
        ("UNHEARD_OF", None),
    ]
    .map(|(id, category)| ManagedDataIdentifier { id: id.to_owned(), category: category.map(str::to_owned) })
    .to_vec();
    evidence
}

#[test]
fn with_discovery_off_that_alone_is_raised() {
    let mut evidence = with_discovery_full_of_holes(administrator(Vec::new(), &[("Enabled", &["1"])]));
    let expected = [
        ("discovery-not-for-all-members", ACCOUNT),
        ("discovery-account-disabled", "1"),
        ("discovery-bucket-excluded", "logs"),
        ("discovery-bucket-excluded", "tmp"),
        ("discovery-detector-excluded", "AWS_CREDENTIALS"),
        ("discovery-detector-excluded", "CREDIT_CARD_NUMBER"),
        ("discovery-detector-excluded", "UNHEARD_OF"),
    ];
    assert_eq!(raised(&evidence), expected.map(|(rule, id)| (rule, id.to_owned())));
    evidence.discovery.status = Some("DISABLED".to_owned());
    assert_eq!(raised(&evidence), [("discovery-disabled", ACCOUNT.to_owned())]);
    for rule in checks().iter().map(|check| check.id).filter(|id| id.starts_with("discovery-")) {
        let off = if rule == "discovery-disabled" { Outcome::Failed } else { Outcome::NotApplicable };
        assert_eq!(outcome(&evidence, rule), off, "{rule}");
    }
}

#[test]
fn an_excluded_bucket_is_told_by_its_name() {
    let found = of_rule(&with_discovery_full_of_holes(here()), "discovery-bucket-excluded");
    let names: Vec<_> = found.iter().map(|violation| violation.problem.resource.name.as_deref()).collect();
    assert_eq!(names, [Some("logs"), Some("tmp")]);
}

#[test]
fn a_detector_weighs_what_it_looks_for() {
    let found = of_rule(&with_discovery_full_of_holes(here()), "discovery-detector-excluded");
    let told: Vec<_> = found.iter().map(|v| (v.severity, v.problem.status.as_deref())).collect();
    let expected = [
        (Severity::High, Some("CREDENTIALS")),
        (Severity::Medium, Some("FINANCIAL_INFORMATION")),
        // It could not be looked up.
        (Severity::Medium, None),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_is_for_members_is_nothing_to_an_account_alone_and_members_have_no_discovery() {
    let alone = with_discovery_full_of_holes(here());
    for rule in ["discovery-not-for-all-members", "discovery-account-disabled"] {
        assert_eq!(outcome(&alone, rule), Outcome::NotApplicable, "{rule}");
    }
    assert_eq!(outcome(&alone, "discovery-bucket-excluded"), Outcome::Failed);
    let member = with_discovery_full_of_holes(member_of(here(), "1"));
    for rule in checks().iter().map(|check| check.id).filter(|id| id.starts_with("discovery-")) {
        assert_eq!(outcome(&member, rule), Outcome::NotApplicable, "{rule}");
    }
}

#[test]
fn where_the_role_is_unknown_an_answer_without_a_status_says_that_discovery_is_for_others() {
    let mut evidence = with_failed_read(here(), Api::GetAdministratorAccount, "x", "");
    assert_eq!(outcome(&evidence, "discovery-disabled"), Outcome::Passed);
    evidence.discovery.status = None;
    assert_eq!(outcome(&evidence, "discovery-disabled"), Outcome::NotApplicable);
    let unread = with_failed_read(evidence, Api::GetAutomatedDiscoveryConfiguration, "x", "");
    assert_eq!(outcome(&unread, "discovery-disabled"), Outcome::NotEvaluated);
}

#[test]
fn discovery_is_for_all_members_or_it_is_not() {
    for (setting, is_weak) in [("ALL", false), ("NEW", true), ("NONE", true), ("SOME", true)] {
        let mut evidence = administrator(Vec::new(), &[]);
        evidence.discovery.auto_enable_members = Some(setting.to_owned());
        let expected = if is_weak { Outcome::Failed } else { Outcome::Passed };
        assert_eq!(outcome(&evidence, "discovery-not-for-all-members"), expected, "{setting}");
        let found = of_rule(&evidence, "discovery-not-for-all-members");
        assert!(found.iter().all(|violation| violation.problem.status.as_deref() == Some(setting)), "{setting}");
    }
}

#[test]
fn discovery_that_is_off_counts_only_for_members_that_are_enabled() {
    let mut evidence = administrator(Vec::new(), &[("Enabled", &["1", "2"]), ("Paused", &["3"])]);
    evidence.discovery.disabled_accounts = ["3", "1", "4", "1", ACCOUNT].map(str::to_owned).to_vec();
    assert_eq!(raised(&evidence), [("discovery-account-disabled", "1".to_owned())]);
}

// Allow lists.

fn with_lists(regexes: &[&str]) -> Evidence {
    let list = |(index, regex): (usize, &&str)| AllowList {
        id: index.to_string(),
        arn: None,
        name: None,
        status: Some("OK".to_owned()),
        regex: Some((*regex).to_owned()),
    };
    Evidence { allow_lists: regexes.iter().enumerate().map(list).collect(), ..here() }
}

#[test]
fn a_regular_expression_is_too_wide_if_it_finds_something_in_nearly_everything() {
    for (regex, too_wide, judged) in [
        (".*", true, true),
        (".+", true, true),
        (r"\w+", true, true),
        (r"\S", true, true),
        ("[A-Za-z0-9 ]+", true, true),
        ("(?i)[a-z]|[0-9]", true, true),
        ("^.{4,}$", true, true),
        ("(a+)+$|(.|a)*", true, true),
        ("^$", false, true),
        (&format!("{}|.*", "a".repeat(1021)), true, true),
        (&format!("{}|.*", "a".repeat(1022)), false, false),
        ("", false, true),
        ("x*", false, true),
        ("(a+)+$", false, true),
        (r"\b000-00-\d{4}\b", false, true),
        ("Example Corp", false, true),
        (r"\p{L}+", false, false),
        ("(?=.).*", false, false),
        (r"(.)\1", false, false),
        ("(.{1000}){1000}", false, false),
        ("[", false, false),
    ] {
        let evidence = with_lists(&[regex]);
        let rules: Vec<&str> = raised(&evidence).iter().map(|(rule, _)| *rule).collect();
        let expected: &[_] =
            if too_wide { &["allow-list-in-use", "allow-list-too-wide"] } else { &["allow-list-in-use"] };
        assert_eq!(rules, expected, "{regex}");
        let told = &of_rule(&evidence, "allow-list-in-use")[0].remediation;
        assert_eq!(told.contains("was not judged"), !judged, "{regex}: {told}");
    }
}

/// Digits are in nine of the ten probes or they are not: the line between too wide and not is drawn at nine.
#[test]
fn nine_of_ten_probes_are_too_many_and_eight_are_not() {
    let of = |probes: &[(&str, &str)]| {
        let texts: Vec<String> = probes.iter().map(|(_, text)| text.replace('+', r"\+").replace('.', r"\.")).collect();
        outcome(&with_lists(&[&texts.join("|")]), "allow-list-too-wide")
    };
    for missing in 0..PROBES.len() {
        let nine: Vec<_> = PROBES.iter().copied().cycle().skip(missing).take(9).collect();
        assert_eq!(of(&nine), Outcome::Failed);
        assert_eq!(of(&nine[..8]), Outcome::Passed);
    }
}

#[test]
fn a_list_in_use_is_told_once_and_a_broken_one_by_its_status() {
    let mut evidence = with_lists(&[".*", "x"]);
    evidence.allow_lists[1].status = Some("S3_OBJECT_EMPTY".to_owned());
    evidence.allow_lists.push(evidence.allow_lists[0].clone());
    // Gone since it was listed, or not read.
    let gone = AllowList { id: "gone".to_owned(), arn: None, name: None, status: None, regex: None };
    evidence.allow_lists.push(gone);
    let expected = [
        ("allow-list-in-use", "0"),
        ("allow-list-in-use", "1"),
        ("allow-list-in-use", "gone"),
        ("allow-list-too-wide", "0"),
        ("allow-list-broken", "1"),
    ];
    assert_eq!(raised(&evidence), expected.map(|(rule, id)| (rule, id.to_owned())));
    evidence.allow_lists[0].arn = Some("arn:aws:macie2:us-east-1:1:allow-list/0".to_owned());
    evidence.allow_lists[0].name = Some("all".to_owned());
    let found = &of_rule(&evidence, "allow-list-too-wide")[0].problem;
    assert_eq!((&found.resource.arn, found.resource.name.as_deref()), (&evidence.allow_lists[0].arn, Some("all")));
    assert_eq!(found.status.as_deref(), Some("OK"));
    assert_eq!(of_rule(&evidence, "allow-list-broken")[0].problem.status.as_deref(), Some("S3_OBJECT_EMPTY"));
}

#[test]
fn a_region_without_allow_lists_has_none_to_judge() {
    let mut evidence = clean(target(1, "ap-northeast-3"));
    evidence.reads.retain(|read| !read.api.is_about_allow_lists());
    let judgement = judged(&evidence);
    assert!(judgement.complete && judgement.violations.is_empty());
    for rule in ["allow-list-in-use", "allow-list-too-wide", "allow-list-broken"] {
        assert_eq!(outcome(&evidence, rule), Outcome::NotApplicable);
        let elsewhere = Evidence { target: target(1, REGION), ..evidence.clone() };
        assert_eq!(outcome(&elsewhere, rule), Outcome::NotEvaluated);
        let is_offered = |region| checks().offered_in(region).iter().any(|check| check.id == rule);
        assert!(is_offered(REGION) && !is_offered("ap-northeast-3"), "{rule}");
    }
    assert_eq!(checks().offered_in("ap-northeast-3").len(), checks().len() - 3);
    let jobs_unread = with_failed_read(evidence, Api::ListClassificationJobs, "x", "");
    assert_eq!(outcome(&jobs_unread, "allow-list-in-use"), Outcome::NotApplicable);
}

proptest! {
    /// Macie takes 512 characters. Whatever they are, they are judged soon, and never twice in two ways.
    #[test]
    fn any_regular_expression_is_judged_in_no_time(
        regex in prop_oneof![
            "\\PC{0,512}",
            vec(prop::sample::select(vec![
                "(", ")", "[", "]", "a", ".", "*", "+", "?", "{1000}", "|", "\\w", "\\p{L}", "^", "$", "(?i)", "(?:", "9",
            ]), 0..60).prop_map(|parts| parts.concat()),
        ]
    ) {
        let start = Instant::now();
        let evidence = with_lists(&[&regex]);
        let first = raised(&evidence);
        prop_assert!(start.elapsed() < Duration::from_secs(5), "{}", regex);
        prop_assert_eq!(&first[0], &("allow-list-in-use", "0".to_owned()));
        prop_assert_eq!(raised(&evidence), first);
    }
}

// Jobs.

#[test]
fn a_scheduled_job_that_stands_still_or_fails() {
    for (status, is_scheduled, has_failed, expected) in [
        ("RUNNING", true, false, vec![]),
        ("IDLE", true, false, vec![]),
        ("PAUSED", true, false, vec!["job-stopped"]),
        ("USER_PAUSED", true, false, vec!["job-stopped"]),
        ("IDLE", true, true, vec!["job-failing"]),
        ("USER_PAUSED", true, true, vec!["job-stopped", "job-failing"]),
        ("PAUSED", false, false, vec![]),
        ("USER_PAUSED", false, true, vec![]),
        ("NAPPING", true, false, vec![]),
    ] {
        let job = Job {
            id: "j".to_owned(),
            name: Some("nightly".to_owned()),
            status: Some(status.to_owned()),
            is_scheduled,
            has_failed,
            since: Some("2026-11-01T00:00:00Z".to_owned()),
            allow_lists: Vec::new(),
        };
        let evidence = Evidence { jobs: vec![job], ..here() };
        let expected: Vec<_> = expected.into_iter().map(|rule| (rule, "j".to_owned())).collect();
        assert_eq!(raised(&evidence), expected, "{status}");
        for violation in judged(&evidence).violations {
            let problem = violation.problem;
            assert_eq!((problem.status.as_deref(), problem.resource.name.as_deref()), (Some(status), Some("nightly")));
            assert!(problem.since.is_some());
        }
    }
}

// Buckets, publication and results.

#[test]
fn buckets_are_told_by_name_and_those_beyond_the_quota_by_owner() {
    let mut evidence = here();
    let arn = |name: &str| Some(format!("arn:aws:s3:::{name}"));
    let bucket = |name: &str| Bucket { name: name.to_owned(), arn: arn(name), account_id: Some("1".to_owned()) };
    evidence.buckets.unreadable = vec![bucket("a"), bucket("b")];
    evidence.buckets.over_quota = [("1".to_owned(), 7), ("2".to_owned(), 1)].into();
    let expected = [
        ("bucket-not-readable", "a"),
        ("bucket-not-readable", "b"),
        ("bucket-not-monitored", "1"),
        ("bucket-not-monitored", "2"),
    ];
    assert_eq!(raised(&evidence), expected.map(|(rule, id)| (rule, id.to_owned())));
    for (violation, name) in of_rule(&evidence, "bucket-not-readable").iter().zip(["a", "b"]) {
        let resource = &violation.problem.resource;
        assert_eq!((resource.name.as_deref(), &resource.arn), (Some(name), &arn(name)));
    }
    let quota = of_rule(&evidence, "bucket-not-monitored");
    let told: Vec<_> = quota.iter().map(|violation| violation.problem.status.as_deref()).collect();
    assert_eq!(told, [Some("7 not monitored"), Some("1 not monitored")]);
}

#[test]
fn each_kind_of_findings_is_published_by_itself_and_results_are_kept_in_a_bucket() {
    for policy_findings in [true, false] {
        for sensitive_data_findings in [true, false] {
            for bucket in [Some("results".to_owned()), None] {
                let mut expected = BTreeSet::new();
                expected.extend((!policy_findings).then_some("publication-policy-findings-off"));
                expected.extend((!sensitive_data_findings).then_some("publication-sensitive-findings-off"));
                expected.extend(bucket.is_none().then_some("results-not-kept"));
                let publication = Some(Publication { policy_findings, sensitive_data_findings });
                let evidence = Evidence { publication, results: Some(Results { bucket }), ..here() };
                let found = raised(&evidence);
                assert_eq!(found.iter().map(|(rule, _)| *rule).collect::<BTreeSet<_>>(), expected);
                assert!(found.iter().all(|(_, id)| id == ACCOUNT));
            }
        }
    }
}

// The expected administrator.

fn expecting(ids: &[&str]) -> Policy {
    Policy { expected_administrators: ids.iter().map(|id| (*id).to_owned()).collect(), ..policy() }
}

#[test]
fn the_administrator_is_one_of_those_expected() {
    let unread = || with_failed_read(here(), Api::GetAdministratorAccount, "x", "");
    for (ids, evidence, expected, resource) in [
        (&[][..], here(), Outcome::NotApplicable, None),
        (&[], member_of(here(), "1"), Outcome::NotApplicable, None),
        (&["1"], member_of(here(), "1"), Outcome::Passed, None),
        (&["2", "1"], member_of(here(), "1"), Outcome::Passed, None),
        (&["2", "3"], member_of(here(), "1"), Outcome::Failed, Some("1")),
        (&["1"], here(), Outcome::Failed, Some(ACCOUNT)),
        (&[ACCOUNT], here(), Outcome::Passed, None),
        (&["1", ACCOUNT], here(), Outcome::Passed, None),
        (&[ACCOUNT], member_of(here(), "1"), Outcome::Failed, Some("1")),
        // Macie told no id.
        (&["1"], member_of(here(), ""), Outcome::Passed, None),
        (&["1"], unread(), Outcome::NotEvaluated, None),
        (&[ACCOUNT], unread(), Outcome::NotEvaluated, None),
        (&[], unread(), Outcome::NotEvaluated, None),
    ] {
        let policy = expecting(ids);
        assert_eq!(outcome_by(&policy, &evidence, "administrator-unexpected"), expected, "{ids:?}");
        let found: Vec<_> = judge(&evidence, &checks(), &policy).violations;
        let ids: Vec<_> = found.iter().map(|violation| violation.problem.resource.id.as_str()).collect();
        assert_eq!(ids, resource.into_iter().collect::<Vec<_>>());
        assert!(found.iter().all(|violation| violation.severity == Severity::Critical));
    }
}

#[test]
fn an_invitation_is_from_one_of_those_expected() {
    let invited = || Evidence { invitations: vec![invitation("1", "Invited"), invitation("2", "Invited")], ..here() };
    for (ids, expected) in [(&[][..], &[][..]), (&["1", "2"], &[]), (&["2"], &["1"]), (&["3"], &["1", "2"])] {
        let policy = expecting(ids);
        let found = judge(&invited(), &checks(), &policy).violations;
        let found: Vec<_> = found
            .iter()
            .filter(|violation| violation.rule == "invitation-unexpected")
            .map(|violation| violation.problem.resource.id.as_str())
            .collect();
        assert_eq!(found, expected);
    }
    assert_eq!(outcome(&invited(), "invitation-unexpected"), Outcome::NotApplicable);
}

// What holds of all of them.

/// One read more or less must not change what another rule says.
#[test]
fn a_read_that_failed_concerns_the_rules_that_need_it_and_no_others() {
    let whole = || administrator(vec![account("1")], &[("Enabled", &["1"])]);
    let before = judged(&whole());
    let all = checks();
    for api in whole().reads.iter().map(|read| read.api) {
        // What the account is to Macie decides what applies to it.
        if matches!(api, Api::GetAdministratorAccount | Api::DescribeOrganizationConfiguration | Api::ListMembers) {
            continue;
        }
        let after = judged(&with_failed_read(whole(), api, "AccessDeniedException", "no"));
        assert!(!after.complete);
        for ((check, before), after) in all.iter().zip(&before.results).zip(&after.results) {
            let expected = if check.needs.contains(&api) { Outcome::NotEvaluated } else { before.outcome };
            assert_eq!(after.outcome, expected, "{} without {}", check.id, api.operation());
        }
    }
}

#[test]
fn what_no_rule_needs_is_not_needed() {
    let part_two: Vec<&str> = checks().iter().map(|check| check.id).filter(|id| is_of_part_two(id)).collect();
    assert_eq!(part_two.len(), 20);
    let others = Checks::without(&part_two);
    let needed: Vec<&str> = Api::ALL.iter().filter(|api| others.need(**api)).map(|api| api.operation()).collect();
    let expected = [
        "GetMacieSession",
        "GetAdministratorAccount",
        "ListMembers",
        "GetMember",
        "ListInvitations",
        "ListFindingsFilters",
        "GetFindingsFilter",
        "GetFindingStatistics",
    ];
    assert_eq!(needed, expected);
}

#[test]
fn where_macie_is_off_that_alone_is_said() {
    use macie_compliance_core::evidence::{Session, SessionStatus};
    let mut evidence = with_discovery_full_of_holes(administrator(vec![account("1")], &[]));
    evidence.session = Some(Session { status: SessionStatus::NotEnabled, since: None });
    evidence.reads.truncate(1);
    let off = Evidence {
        session: evidence.session.clone(),
        reads: evidence.reads.clone(),
        ..Evidence::new(evidence.target.clone())
    };
    assert_eq!(raised(&off), [("macie-not-enabled", ACCOUNT.to_owned())]);
    for check in checks().iter().filter(|check| check.id != "macie-not-enabled") {
        assert_eq!(outcome(&off, check.id), Outcome::NotApplicable, "{}", check.id);
    }
    let expecting = expecting(&["1"]);
    assert_eq!(outcome_by(&expecting, &off, "administrator-unexpected"), Outcome::NotApplicable);
}

#[test]
fn a_member_that_a_rule_of_members_names_is_not_named_again() {
    let mut evidence = administrator(vec![account("1")], &[("AccountSuspended", &["1"])]);
    evidence.members.flagged = vec![Member {
        id: "1".to_owned(),
        arn: None,
        email: None,
        status: Some("AccountSuspended".to_owned()),
        since: None,
        confirmed: true,
    }];
    assert_eq!(raised(&evidence), [("member-account-suspended", "1".to_owned())]);
}
