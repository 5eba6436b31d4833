//! A run: collect, judge, build the report, keep it, deliver it.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use macie_compliance_core::api::Api;
use macie_compliance_core::checks::Checks;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::history::History;
use macie_compliance_core::inlet::deadline::Budget;
use macie_compliance_core::inlet::settings::{NotifyOn, Settings};
use macie_compliance_core::names::{MACIE_REGIONS, Regions, Target};
use macie_compliance_core::order::{Order, Trigger};
use macie_compliance_core::policy::Policy;
use macie_compliance_core::report::v1::{Report, Verdict};
use macie_compliance_core::report::{Builder, Built, ExemptionsSource, Header, Terms};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::client::Aws;
use crate::collect::{self, Keep, RosterSource, Turns, targets};
use crate::evidence::{Conditions, EvidenceBucket, Remembered};
use crate::exemptions;
use crate::log;
use crate::outlets::{self, Receipt, Undelivered};
use crate::store::Condition;

/// Everything that runs need and that outlives them.
#[derive(Debug)]
pub struct Runner {
    pub(crate) settings: Settings,
    pub(crate) checks: Checks,
    pub(crate) aws: Aws,
    now: fn() -> SystemTime,
}

/// A report that was delivered, or that was not to be.
#[derive(Debug)]
pub struct Concluded {
    /// The report.
    pub report: Report,
    /// What came of its delivery.
    pub receipt: Receipt,
}

/// What a run was asked to do beside reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Purpose {
    /// Nothing is delivered.
    pub(crate) dry_run: bool,
    /// It is over other Regions than the settings name.
    pub(crate) is_partial: bool,
}

impl Purpose {
    pub(crate) fn of(order: &Order) -> Purpose {
        Purpose { dry_run: order.dry_run, is_partial: order.regions.is_some() }
    }
}

/// The last runs in a few numbers, and what they are written on.
pub(crate) type Known = (History, Option<Condition>);

/// What a run knows of those before it, and what people have accepted.
pub(crate) struct Memory<'a> {
    runner: &'a Runner,
    aws: Aws,
    bucket: Option<EvidenceBucket>,
    cut: Instant,
}

impl Memory<'_> {
    pub(crate) fn of<'a>(runner: &'a Runner, budget: &Budget) -> Memory<'a> {
        let aws = runner.aws.within(budget.attempt);
        let bucket = EvidenceBucket::of(&aws, &runner.settings);
        Memory { runner, aws, bucket, cut: budget.cut.into() }
    }

    /// What people have accepted.
    pub(crate) async fn exemptions(&self) -> ExemptionsSource {
        exemptions::read(&self.aws, &self.runner.settings, self.runner.policy().today, self.cut).await
    }

    /// The last runs in a few numbers.
    pub(crate) async fn history(&self) -> Known {
        match &self.bucket {
            Some(bucket) => bucket.history(self.cut).await,
            None => Known::default(),
        }
    }

    /// What the last run found in a target.
    pub(crate) async fn earlier(&self, target: &Target) -> Remembered {
        match &self.bucket {
            // Boxed, so that without a bucket there is no room for what reads it.
            Some(bucket) => Box::pin(bucket.earlier(target, self.cut)).await,
            None => Remembered::default(),
        }
    }
}

impl Runner {
    /// A runner with these settings and clients. The clock is an argument so that there is one place
    /// that reads it.
    pub fn new(settings: Settings, aws: Aws, now: fn() -> SystemTime) -> Runner {
        Runner { checks: Checks::without(&settings.disabled_rules), settings, aws, now }
    }

    /// Runs over the targets that the order names, from the account that the function is in.
    ///
    /// # Errors
    /// The report could not be delivered.
    pub async fn run(
        &self,
        order: Order,
        report_id: String,
        own_account: &str,
        budget: &Budget,
    ) -> Result<Concluded, Box<(Report, Undelivered)>> {
        let (policy, purpose) = (self.policy(), Purpose::of(&order));
        let memory = Memory::of(self, budget);
        let collected = self.collect(&order, own_account, &policy, &memory, budget);
        let (collected, (exemptions, history)) = join(collected, join(memory.exemptions(), memory.history())).await;
        // Their memory is for the report.
        self.aws.drop_connections().await;
        let mut builder = Builder::new(&self.checks, &policy);
        let mut conditions = Conditions::new();
        for (evidence, remembered) in collected {
            conditions.extend(remembered.condition.map(|condition| (evidence.target.clone(), condition)));
            builder.add(evidence, remembered.earlier);
        }
        let built = builder.build(self.header(report_id, order.trigger), self.terms(exemptions, purpose));
        self.conclude(built, purpose, &memory, (history, conditions), budget).await
    }

    /// Logs the report, keeps it, and delivers it if there is something to say. What it found is left for the next
    /// run after that, so that a report that did not get through is told again.
    pub(crate) async fn conclude(
        &self,
        built: Built,
        purpose: Purpose,
        memory: &Memory<'_>,
        known: (Known, Conditions),
        budget: &Budget,
    ) -> Result<Concluded, Box<(Report, Undelivered)>> {
        let Built { mut report, states, last_verdict, unknown_before, takes_back } = built;
        log::report(&report);
        if purpose.dry_run {
            return Ok(Concluded { report, receipt: Receipt::default() });
        }
        let (history, conditions) = known;
        if let Some(bucket) = &memory.bucket {
            bucket.keep(&mut report, &history.0, self.now(), budget.end.into()).await;
        }
        let says_something_new = report.says_something_new(unknown_before) || last_verdict != Some(report.verdict);
        let receipt = if !takes_back && self.is_quiet(&report, says_something_new) {
            Receipt::default()
        } else {
            match outlets::deliver(&self.aws, &self.settings, &report, budget.end.into()).await {
                Ok(receipt) => receipt,
                Err(undelivered) => return Err(Box::new((report, undelivered))),
            }
        };
        log::concluded(&report, purpose.is_partial);
        if let Some(bucket) = &memory.bucket {
            let until = EvidenceBucket::storing(report.targets.len(), budget.end.into());
            bucket.conclude(states, conditions, until).await;
            if !purpose.is_partial {
                bucket.remember(&report, history, until).await;
            }
        }
        Ok(Concluded { report, receipt })
    }

    /// Whether there is nothing to publish.
    fn is_quiet(&self, report: &Report, says_something_new: bool) -> bool {
        let something_resolved = report.changes.as_ref().is_some_and(|changes| changes.resolved_total > 0);
        match self.settings.notify_on {
            NotifyOn::Always => false,
            NotifyOn::Problems => report.verdict == Verdict::Compliant && !something_resolved,
            NotifyOn::Changes => !says_something_new,
        }
    }

    /// Reads every target until the cut, and what the last run found there.
    async fn collect(
        &self,
        order: &Order,
        own_account: &str,
        policy: &Policy,
        memory: &Memory<'_>,
        budget: &Budget,
    ) -> Vec<(Evidence, Remembered)> {
        let (aws, now, cut) = (self.aws.within(budget.attempt), self.now(), budget.cut.into());
        let asked = order.regions.clone().map(Regions::These);
        let regions = asked.as_ref().unwrap_or(&self.settings.regions);
        let accounts = targets::accounts(&self.settings.roles, own_account, self.settings.audit_own_account);
        let accounts: Vec<_> = accounts.collect();
        let regions_of_each = match regions {
            Regions::These(regions) => regions.len(),
            Regions::All => MACIE_REGIONS.len(),
        };
        let turns = &Turns::new(self.settings.max_concurrency, accounts.len() * regions_of_each);
        // Each account is read as soon as it is open, so that one that does not open delays no other.
        let accounts = accounts.into_iter().map(|account| {
            let aws = &aws;
            async move {
                // Boxed without its type, so that the stack has room for what opens an account only while it does.
                let plan = targets::open(aws, account, regions, now, cut).boxed_local().await;
                let needs_roster = self.checks.need(Api::ListAccounts);
                let first = plan.reachable.first().filter(|_| needs_roster);
                let roster = first.map(|first| RosterSource::new(&first.config, now));
                let reads = plan.reachable.into_iter().map(async |opened| {
                    let target = opened.evidence.target.clone();
                    // Boxed, since a future of so many requests is large and would be moved about.
                    let read = Box::pin(self.read(opened, policy, false, roster.as_ref(), turns, budget));
                    join(read, memory.earlier(&target)).await
                });
                let unread = plan.unreachable.into_iter().map(async |evidence| {
                    let remembered = memory.earlier(&evidence.target).await;
                    (evidence, remembered)
                });
                let (mut read, unread) = join(join_all(reads), join_all(unread)).await;
                // The list of accounts is a read of the first target that needed it.
                let reader = read.iter_mut().find(|(evidence, _)| evidence.roster.is_some());
                if let Some((evidence, _)) = reader {
                    evidence.reads.extend(roster.and_then(RosterSource::into_read));
                }
                read.extend(unread);
                read
            }
        });
        join_all(accounts).await.into_iter().flatten().collect()
    }

    /// Reads one target until the cut.
    pub(crate) async fn read(
        &self,
        opened: targets::Opened,
        policy: &Policy,
        member_ids: bool,
        roster: Option<&RosterSource>,
        turns: &Turns,
        budget: &Budget,
    ) -> Evidence {
        let member_ids = member_ids
            || [Api::ListAccounts, Api::ListAutomatedDiscoveryAccounts].iter().any(|api| self.checks.need(*api));
        let keep = Keep { emails: self.settings.include_emails, member_ids };
        collect::read(opened, &self.checks, policy, keep, roster, turns, budget).await
    }

    /// What counts in the report beside the evidence.
    pub(crate) fn terms(&self, exemptions: ExemptionsSource, purpose: Purpose) -> Terms {
        Terms { fail_on: self.settings.fail_on, exemptions, is_partial: purpose.is_partial }
    }

    /// The settings that concern checks, and the date.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            today: OffsetDateTime::from(self.now()).date(),
            expected_administrators: self.settings.expected_administrators.clone(),
        }
    }

    /// The header of a report that is made now.
    pub(crate) fn header(&self, report_id: String, trigger: Trigger) -> Header {
        let seconds = DateTime::from_secs(DateTime::from(self.now()).secs());
        Header { report_id, generated_at: seconds.fmt(Format::DateTime).unwrap_or_default(), trigger }
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.now)()
    }
}
