//! The pure parts alone: judging evidence, building the report, writing the mail, and making the
//! messages, split where one would be too large. `make bench-pure` runs them.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Evidence, Member, Read};
use macie_compliance_core::judge::judge;
use macie_compliance_core::render::Messages;
use macie_compliance_core::report::v1::Report;
use macie_compliance_core::report::{Builder, Earlier, Terms};
use macie_compliance_core::testing;

/// How many violations there are.
const VIOLATIONS: [u64; 3] = [10, 1_000, 10_000];

fn main() {
    divan::main();
}

#[divan::bench(args = VIOLATIONS)]
fn judge_alone(bencher: Bencher, violations: u64) {
    let (evidence, checks, policy) = (evidence(violations), testing::checks(), testing::policy());
    let counted = bencher.counter(ItemsCount::new(violations));
    counted.bench_local(|| evidence.iter().map(|one| judge(black_box(one), &checks, &policy)).collect::<Vec<_>>());
}

/// Judging included, since building a report begins with it.
#[divan::bench(args = VIOLATIONS)]
fn judge_and_build(bencher: Bencher, violations: u64) {
    let (evidence, checks, policy) = (evidence(violations), testing::checks(), testing::policy());
    let counted = bencher.counter(ItemsCount::new(violations));
    counted.with_inputs(|| evidence.clone()).bench_local_values(|evidence| {
        let mut builder = Builder::new(&checks, &policy);
        evidence.into_iter().for_each(|evidence| builder.add(evidence, Earlier::NotKept));
        builder.build(testing::header(), Terms::default()).report
    });
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
    let counted = bencher.counter(ItemsCount::new(violations));
    counted.bench_local(|| Messages::of(black_box(&report), usize::MAX).iter().count());
}

fn built(violations: u64) -> Report {
    testing::report(&evidence(violations))
}

/// Members that a check flags, of ten Regions.
fn evidence(violations: u64) -> Vec<Evidence> {
    let regions = 0..10;
    regions
        .map(|region| {
            let flagged: Vec<Member> = (0..violations / 10).map(|number| member(region, number)).collect();
            let items = flagged.len() as u64;
            let read = |api, pages, items| Read { pages, items, ..Read::new(api) };
            Evidence {
                reads: vec![
                    read(Api::GetMacieSession, 1, 1),
                    read(Api::ListMembers, items.div_ceil(25), items),
                    read(Api::GetMember, items, items),
                ],
                members: testing::members(flagged),
                ..Evidence::new(testing::target(999_999_999_999, &format!("eu-north-{region}")))
            }
        })
        .collect()
}

fn member(region: u64, number: u64) -> Member {
    let id = format!("{:012}", 100_000_000_000 + number);
    Member {
        arn: Some(format!("arn:aws:macie2:eu-north-{region}:999999999999:member/{id}")),
        since: Some("2026-11-01T09:30:00Z".to_owned()),
        confirmed: true,
        ..testing::member(id, "AccountSuspended")
    }
}
