//! A run: collect, judge, build the report, deliver it.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use futures_util::future::join_all;
use macie_compliance_core::checks::Checks;
use macie_compliance_core::evidence::Evidence;
use macie_compliance_core::inlet::deadline::Budget;
use macie_compliance_core::inlet::settings::{NotifyOn, Settings};
use macie_compliance_core::names::Regions;
use macie_compliance_core::order::{Order, Trigger};
use macie_compliance_core::policy::Policy;
use macie_compliance_core::report::v1::{Report, Verdict};
use macie_compliance_core::report::{Builder, Header};
use time::OffsetDateTime;

use crate::client::Aws;
use crate::collect::{self, Keep, targets};
use crate::log;
use crate::outlets::{self, Receipt, Undelivered};

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
        let policy = self.policy();
        let mut builder = Builder::new(&self.checks, &policy);
        let evidence = self.collect(&order, own_account, &policy, budget).await;
        evidence.into_iter().for_each(|evidence| builder.add(evidence));
        let purpose = Purpose::of(&order);
        let report = builder.report(self.header(report_id, order.trigger));
        self.conclude(report, purpose, budget).await
    }

    /// Logs the report and delivers it, if it is to be delivered.
    pub(crate) async fn conclude(
        &self,
        report: Report,
        purpose: Purpose,
        budget: &Budget,
    ) -> Result<Concluded, Box<(Report, Undelivered)>> {
        log::report(&report);
        if purpose.dry_run {
            return Ok(Concluded { report, receipt: Receipt::default() });
        }
        let is_quiet = self.settings.notify_on == NotifyOn::Problems && report.verdict == Verdict::Compliant;
        let receipt = if is_quiet {
            Receipt::default()
        } else {
            match outlets::deliver(&self.aws, &self.settings, &report, budget.end.into()).await {
                Ok(receipt) => receipt,
                Err(undelivered) => return Err(Box::new((report, undelivered))),
            }
        };
        log::concluded(&report, purpose.is_partial);
        Ok(Concluded { report, receipt })
    }

    /// Reads every target until the cut.
    async fn collect(&self, order: &Order, own_account: &str, policy: &Policy, budget: &Budget) -> Vec<Evidence> {
        let (aws, now, cut) = (self.aws.within(budget.attempt), self.now(), budget.cut.into());
        let asked = order.regions.clone().map(Regions::These);
        let regions = asked.as_ref().unwrap_or(&self.settings.regions);
        let accounts = targets::accounts(&self.settings.roles, own_account, self.settings.audit_own_account);
        // Each account is read as soon as it is open, so that one that does not open delays no other.
        let accounts = accounts.map(|account| {
            let aws = &aws;
            async move {
                let plan = targets::open(aws, account, regions, now, cut).await;
                // Boxed, since a future of so many requests is large and would be moved about.
                let reads = plan.reachable.into_iter().map(|opened| Box::pin(self.read(opened, policy, false, budget)));
                let mut evidence = join_all(reads).await;
                evidence.extend(plan.unreachable);
                evidence
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
        budget: &Budget,
    ) -> Evidence {
        let keep = Keep { emails: self.settings.include_emails, member_ids };
        collect::read(opened, &self.checks, policy, keep, budget).await
    }

    /// The settings that concern checks, and the date.
    pub(crate) fn policy(&self) -> Policy {
        Policy { today: OffsetDateTime::from(self.now()).date() }
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
