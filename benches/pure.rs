//! The pure parts alone: judging facts, building the report, writing the mail, and making the
//! messages, split where one would be too large. `make bench-pure` runs them.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use macie_compliance::event::Trigger;
use macie_compliance::facts::{Api, Facts, Read, Resource, ResourceType, Status, Target};
use macie_compliance::report::v1::Report;
use macie_compliance::report::{self, Head};
use macie_compliance::rules::Rules;

/// How many violations there are.
const VIOLATIONS: [u64; 3] = [10, 1_000, 10_000];

fn main() {
    divan::main();
}

#[divan::bench(args = VIOLATIONS)]
fn judge(bencher: Bencher, violations: u64) {
    let (facts, rules) = (facts(violations), Rules::without(&[]));
    bencher.counter(ItemsCount::new(violations)).bench_local(|| rules.judge(black_box(&facts)));
}

/// Judging included, since building a report begins with it.
#[divan::bench(args = VIOLATIONS)]
fn judge_and_build(bencher: Bencher, violations: u64) {
    let (facts, rules) = (facts(violations), Rules::without(&[]));
    let counted = bencher.counter(ItemsCount::new(violations));
    counted.with_inputs(head).bench_local_values(|head| report::build(head, black_box(&facts), &rules));
}

/// The JSON of the report alone, for comparison.
#[divan::bench(args = VIOLATIONS)]
fn to_json(bencher: Bencher, violations: u64) {
    let report = built(violations);
    bencher.counter(ItemsCount::new(violations)).bench_local(|| serde_json::to_string(black_box(&report)));
}

/// Mail, JSON and short message, in as many parts as SNS needs.
#[divan::bench(args = VIOLATIONS)]
fn render_and_split(bencher: Bencher, violations: u64) {
    let report = built(violations);
    bencher.counter(ItemsCount::new(violations)).bench_local(|| report::messages(black_box(&report)));
}

fn built(violations: u64) -> Report {
    report::build(head(), &facts(violations), &Rules::without(&[]))
}

fn head() -> Head {
    Head {
        report_id: "17793124-05d4-b198-2fde-7ededc63b103".to_owned(),
        generated_at: "2026-11-22T06:00:04Z".to_owned(),
        trigger: Trigger {
            source: "aws.scheduler".to_owned(),
            detail_type: Some("Scheduled Event".to_owned()),
            id: Some("17793124-05d4-b198-2fde-7ededc63b103".to_owned()),
            time: Some("2026-11-22T06:00:00Z".to_owned()),
        },
    }
}

/// Members that a rule flags, of ten Regions.
fn facts(violations: u64) -> Vec<Facts> {
    let regions = 0..10;
    regions
        .map(|region| {
            let target = Target { account_id: "999999999999".to_owned(), region: format!("eu-north-{region}") };
            let flagged: Vec<Resource> = (0..violations / 10).map(|number| member(region, number)).collect();
            let items = flagged.len() as u64;
            let read = |api, pages, items| Read { pages, items, ..Read::new(api) };
            Facts {
                reads: vec![
                    read(Api::GetMacieSession, 1, 1),
                    read(Api::ListMembers, items.div_ceil(25), items),
                    read(Api::GetMember, items, items),
                ],
                members_by_status: [("AccountSuspended".to_owned(), items)].into(),
                flagged,
                ..Facts::new(target)
            }
        })
        .collect()
}

fn member(region: u64, number: u64) -> Resource {
    let id = format!("{:012}", 100_000_000_000 + number);
    Resource {
        kind: ResourceType::Member,
        arn: Some(format!("arn:aws:macie2:eu-north-{region}:999999999999:member/{id}")),
        id,
        name: None,
        email: None,
        status: Status::Is("AccountSuspended".to_owned()),
        since: Some("2026-11-01T09:30:00Z".to_owned()),
        confirmed: Some(true),
    }
}
