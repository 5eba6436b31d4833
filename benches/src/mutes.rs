//! What it costs to look at more: at filters that archive findings, at every way to mute Macie, at the accounts of an
//! organization, and to keep evidence of very many violations.

use std::collections::BTreeMap;

use serde_json::json;
use simulator::{OrganizationSeed, Seed, TargetSeed};

use crate::Scale;
use crate::figures::Figures;
use crate::fixture::{Cloud, PAGE, REGIONS, Roots, Wire};
use crate::program::{Kind, Program, THE_FIRST_RULES};

/// One measurement: a run with more to look at, beside one with less.
pub(crate) struct Comparison {
    pub(crate) what: &'static str,
    pub(crate) more: Runs,
    pub(crate) less: Runs,
}

/// Runs of new processes.
#[derive(Clone, Default)]
pub(crate) struct Runs {
    /// Milliseconds.
    pub(crate) time: Figures,
    /// Megabytes.
    pub(crate) peak: Figures,
    pub(crate) most_in_flight: usize,
}

/// Everything but what is only looked at where a filter archives findings.
const NO_ARCHIVING: &str = "filter-archives-findings";

/// Five filters in each Region, looked at and not.
pub(crate) async fn filters(scale: Scale) -> Comparison {
    let filters = (0..5).map(|n| json!({"id": format!("f{n}"), "action": "ARCHIVE"})).collect::<Vec<_>>();
    let targets =
        REGIONS.map(|region| TargetSeed { findings_filters: filters.clone(), ..members(region, scale.pages(40)) });
    let cloud = cloud(Seed { latency_ms: 50, targets: targets.into(), ..Seed::default() }).await;
    let less = format!("{THE_FIRST_RULES},{NO_ARCHIVING}");
    compare(
        scale,
        "5 archiving filters in each of 20 Regions, against not looking at them",
        &cloud,
        THE_FIRST_RULES,
        &less,
    )
    .await
}

/// All rules against the first thirteen.
pub(crate) async fn all_rules(scale: Scale) -> Comparison {
    let targets = REGIONS.map(|region| members(region, scale.pages(40)));
    let cloud = cloud(Seed { latency_ms: 50, targets: targets.into(), ..Seed::default() }).await;
    compare(
        scale,
        "all rules over 20 Regions of 1,000 members, against the first thirteen",
        &cloud,
        "",
        THE_FIRST_RULES,
    )
    .await
}

/// 10,000 accounts and as many members, against a run over the longer of the two chains, and that against its bare
/// requests.
pub(crate) async fn roster(scale: Scale) -> [Comparison; 2] {
    let region = REGIONS[0];
    let rules = "roster-auto-enable-off,roster-member-limit-reached,discovery-*,allow-list-*,job-*,bucket-*,publication-*,results-*,filter-*,invitation-*";
    let pages = scale.pages(400);
    let both = cloud(Seed { latency_ms: 10, targets: vec![members(region, pages)], ..Seed::default() }).await;
    // Accounts that nobody has to enable, so that they need not be members.
    let accounts = vec![json!({"count": pages * PAGE, "State": "SUSPENDED"})];
    let organization = OrganizationSeed { accounts: Some(accounts), ..OrganizationSeed::default() };
    let alone = cloud(Seed {
        latency_ms: 10,
        targets: vec![members(region, 1)],
        organizations: BTreeMap::from([(Seed::default().account, organization)]),
        ..Seed::default()
    })
    .await;
    let comparison = |what| Comparison { what, more: Runs::default(), less: Runs::default() };
    let mut chains = comparison("10,000 accounts and 10,000 members, against the accounts alone");
    let mut bare = comparison("10,000 accounts alone, against their bare requests");
    for _ in 0..scale.rounds {
        run(&both, rules, &[region], &mut chains.more).await;
        run(&alone, rules, &[region], &mut chains.less).await;
        bare.less.time.push(crate::baseline::accounts(&alone));
    }
    bare.more = chains.less.clone();
    [chains, bare]
}

/// A thousand filters in one Region, and 10,000 violations with an evidence bucket.
pub(crate) async fn many(scale: Scale) -> [(&'static str, Runs); 2] {
    let region = REGIONS[0];
    let filters = vec![json!({"count": 1000, "action": "ARCHIVE"})];
    let target = TargetSeed { region: region.to_owned(), findings_filters: filters, ..TargetSeed::default() };
    let of_filters = cloud(Seed { latency_ms: 50, targets: vec![target], ..Seed::default() }).await;
    let flagged = vec![json!({"count": 10_000, "relationshipStatus": "AccountSuspended"})];
    let target = TargetSeed { region: region.to_owned(), members: flagged, ..TargetSeed::default() };
    let of_violations = cloud(Seed { targets: vec![target], ..Seed::default() }).await;
    let mut measured = [
        ("1,000 archiving filters in one Region", Runs::default()),
        ("10,000 violations with a bucket", Runs::default()),
    ];
    for _ in 0..scale.at_most(3) {
        run(&of_filters, THE_FIRST_RULES, &[region], &mut measured[0].1).await;
        run(&of_violations, THE_FIRST_RULES, &[region], &mut measured[1].1).await;
    }
    measured
}

/// A Region of an account that administers Macie for an organization.
fn members(region: &str, pages: u64) -> TargetSeed {
    TargetSeed {
        region: region.to_owned(),
        members: vec![json!({"count": pages * PAGE, "relationshipStatus": "Enabled"})],
        ..TargetSeed::default()
    }
}

async fn cloud(seed: Seed) -> Cloud {
    Cloud::with(seed, Wire::Http, Roots::Authority).await
}

async fn compare(scale: Scale, what: &'static str, cloud: &Cloud, more: &str, less: &str) -> Comparison {
    eprintln!("{what}");
    let mut comparison = Comparison { what, more: Runs::default(), less: Runs::default() };
    for _ in 0..scale.rounds {
        run(cloud, more, &REGIONS, &mut comparison.more).await;
        run(cloud, less, &REGIONS, &mut comparison.less).await;
    }
    comparison
}

async fn run(cloud: &Cloud, disabled: &str, regions: &[&str], runs: &mut Runs) {
    cloud.aws.clear();
    let settings = [("DISABLED_RULES", disabled), ("EVIDENCE_BUCKET", "evidence")];
    let (program, _) = Program::start_with(Kind::Function, cloud, regions, &settings).await;
    runs.time.push(program.run(true).await.time);
    runs.peak.push(program.peak());
    runs.most_in_flight = runs.most_in_flight.max(cloud.aws.most_in_flight());
    program.end().await;
}
