//! The steps of a run that the state machine divides among many invocations.
//!
//! `ListTargets` finds the targets, `AuditTarget` reads one, `PublishReport` judges what all of them
//! read and delivers the report. They hand on documents in a bucket, since what one target holds can
//! be larger than Step Functions lets a state answer. A target whose document is not there is reported
//! as one that was not read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Evidence, Read, Roster, RosterAccount};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::deadline::Budget;
use macie_compliance_core::inlet::event::InvalidEvent;
use macie_compliance_core::judge::judge;
use macie_compliance_core::names::{Regions, Role, Target};
use macie_compliance_core::order::{Assignment, Order, Trigger};
use macie_compliance_core::report::Builder;
use macie_compliance_core::report::v1::Verdict;
use macie_compliance_core::text::json;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

use crate::collect::{RosterSource, Turns, targets};
use crate::error::Error;
use crate::evidence::{Conditions, within};
use crate::log;
use crate::run::{Concluded, Memory, Purpose, Runner};
use crate::store::{ObjectStore, Put};

/// Documents that are fetched at the same time, so that few of them are held before they are judged.
const FETCHING: usize = 64;

/// Accounts that are opened at the same time. What is needed to open one is let go before the next.
const OPENING: usize = 64;

/// What `ListTargets` leaves for `PublishReport`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handover {
    report_id: String,
    trigger: Trigger,
    dry_run: bool,
    is_partial: bool,
    /// What could not be read when the targets were found.
    found: Vec<Found>,
}

/// The same reads of several targets: a role that cannot be assumed closes all Regions of its account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Found {
    targets: Vec<Target>,
    reads: Vec<Read>,
}

impl Found {
    /// Adds what was found of a target, with what was found before where it is the same.
    fn add(found: &mut Vec<Found>, evidence: Evidence) {
        let Evidence { target, reads, .. } = evidence;
        match found.last_mut() {
            Some(last) if last.reads == reads => last.targets.push(target),
            _ => found.push(Found { targets: vec![target], reads }),
        }
    }
}

/// What the steps hand on, and the version of its form. Executions outlive deployments.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document<T> {
    version: u32,
    content: T,
}

/// The version of the documents. Any other is not read.
const VERSION: u32 = 3;

/// A target as the items of the map name it, and as `AuditTarget` is given it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(flatten)]
    target: Target,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region_is_unknown: Option<bool>,
}

/// One step of an execution of the state machine.
pub(crate) struct Divided<'a> {
    pub(crate) runner: &'a Runner,
    pub(crate) store: ObjectStore,
    pub(crate) execution: &'a str,
    pub(crate) own_account: &'a str,
    pub(crate) budget: &'a Budget,
}

/// What the audit of a target came to, before anything is exempted.
pub(crate) struct Audited {
    pub(crate) target: Target,
    pub(crate) verdict: Verdict,
    pub(crate) complete: bool,
}

impl Divided<'_> {
    /// Finds the targets of the order, those of `more_roles` among them, and gives their number.
    pub(crate) async fn list_targets(&self, order: Order, more_roles: Vec<Role>) -> Result<usize, Error> {
        let settings = &self.runner.settings;
        let (aws, now, cut) = (self.runner.aws.within(self.budget.attempt), self.runner.now(), self.budget.cut.into());
        let purpose = Purpose::of(&order);
        let regions = order.regions.map(Regions::These);
        let regions = regions.as_ref().unwrap_or(&settings.regions);
        let mut roles = settings.roles.clone();
        roles.extend(more_roles.into_iter().filter(|role| !settings.has_role_in(&role.account_id)));
        let accounts = targets::accounts(&roles, self.own_account, settings.audit_own_account);
        let open = async |account: (&str, Option<&'_ Role>)| {
            let role = account.1.cloned();
            (role, targets::open(&aws, account, regions, now, cut).await)
        };
        let mut opened = stream::iter(accounts).map(open).buffered(OPENING);
        let (mut items, mut found) = (Vec::new(), Vec::new());
        while let Some((role, plan)) = opened.next().await {
            for opened in plan.reachable {
                items.push(Item {
                    target: opened.evidence.target.clone(),
                    role_arn: role.as_ref().map(|role| role.arn.clone()),
                    external_id: role.as_ref().and_then(|role| role.external_id.clone()),
                    region_is_unknown: (!opened.region_is_known).then_some(true),
                });
                if !opened.evidence.reads.is_empty() {
                    Found::add(&mut found, opened.evidence);
                }
            }
            plan.unreachable.into_iter().for_each(|evidence| Found::add(&mut found, evidence));
        }
        let handover = Handover {
            report_id: order.trigger.id.clone().unwrap_or_else(|| self.execution.to_owned()),
            trigger: order.trigger,
            dry_run: purpose.dry_run,
            is_partial: purpose.is_partial,
            found,
        };
        self.put("handover.json", &Document { version: VERSION, content: handover }).await?;
        self.put("targets.json", &items).await?;
        Ok(items.len())
    }

    /// Reads one target and leaves its evidence.
    pub(crate) async fn audit_target(&self, assignment: Assignment) -> Result<Audited, Error> {
        let Assignment { target, role, region_is_unknown } = assignment;
        if role.is_none() && target.account_id != self.own_account {
            let problem = format!("target: account {} is another one, so it needs a roleArn", target.account_id);
            return Err(Error::InvalidEvent(InvalidEvent(problem)));
        }
        let aws = self.runner.aws.within(self.budget.attempt);
        let regions = Regions::These(vec![target.region.clone()]);
        let account = (target.account_id.as_str(), role.as_ref());
        let plan = targets::open(&aws, account, &regions, self.runner.now(), self.budget.cut.into()).await;
        let policy = self.runner.policy();
        let evidence = match (plan.reachable.into_iter().next(), plan.unreachable.into_iter().next()) {
            (Some(opened), _) => {
                let opened = targets::Opened { region_is_known: !region_is_unknown, ..opened };
                let turns = Turns::new(self.runner.settings.max_concurrency, 1);
                Box::pin(self.runner.read(opened, &policy, true, None, &turns, self.budget)).await
            }
            (None, Some(unread)) => unread,
            (None, None) => Evidence::new(target.clone()),
        };
        let complete = evidence.macie_not_offered || evidence.is_complete();
        let fail_on = self.runner.settings.fail_on;
        let judgement = judge(&evidence, &self.runner.checks, &policy);
        let fails = judgement.violations.iter().any(|violation| violation.severity <= fail_on);
        let audited = Audited { target, verdict: Verdict::of(fails, complete), complete };
        self.put(&name_of(&audited.target), &Document { version: VERSION, content: evidence }).await?;
        log::audited(&audited.target, audited.verdict, complete);
        Ok(audited)
    }

    /// Judges the evidence of every target and delivers the report.
    pub(crate) async fn publish_report(&self) -> Result<Concluded, Error> {
        let lost = |failure| Error::StepFailed { what: "what ListTargets found is not there".to_owned(), failure };
        let handover: Handover = self.content("handover.json").await.map_err(lost)?;
        let items: Vec<Item> = self.get("targets.json").await.map_err(lost)?;
        let mut found: BTreeMap<Target, Vec<Read>> = BTreeMap::new();
        for Found { targets, reads } in handover.found {
            found.extend(targets.into_iter().map(|target| (target, reads.clone())));
        }
        let policy = self.runner.policy();
        let purpose = Purpose { dry_run: handover.dry_run, is_partial: handover.is_partial };
        let memory = Memory::of(self.runner, self.budget);
        let mut builder = Builder::new(&self.runner.checks, &policy);
        let mut conditions = Conditions::new();
        let rosters = Rosters::new(self, &items);
        let audited: HashSet<Target> = items.iter().map(|item| item.target.clone()).collect();
        // All that is awaited of a target is awaited in here. Requests wait for each other's places, so the loop below,
        // in which none of them goes on, must not wait for one.
        let read = stream::iter(items).map(async |item| {
            let target = item.target.clone();
            let (evidence, remembered) = join(self.evidence_of(item), memory.earlier(&target)).await;
            let roster = rosters.of(&evidence).await;
            (evidence, remembered, roster)
        });
        let unread = found.extract_if(.., |target, _| !audited.contains(target)).collect::<Vec<_>>();
        drop(audited);
        let unread = stream::iter(unread).map(async |(target, reads)| {
            let remembered = memory.earlier(&target).await;
            (Evidence { reads, ..Evidence::new(target) }, remembered, None)
        });
        // In their order, so that the list of accounts is a read of the same target in each attempt.
        let mut fetched = read.buffered(FETCHING).chain(unread.buffered(FETCHING));
        let mut listed = HashSet::new();
        let fetching = async {
            while let Some((mut evidence, remembered, roster)) = fetched.next().await {
                let earlier = found.remove(&evidence.target).unwrap_or_default();
                evidence.reads.splice(0..0, earlier);
                if let Some((roster, read)) = roster {
                    evidence.roster = Some(roster.clone());
                    evidence.reads.extend(listed.insert(evidence.target.account_id.clone()).then(|| read.clone()));
                }
                conditions.extend(remembered.condition.map(|condition| (evidence.target.clone(), condition)));
                builder.add(evidence, remembered.earlier);
            }
        };
        // Beside the targets, so that one of the two that hangs costs none of them.
        let ((), (exemptions, history)) = join(fetching, join(memory.exemptions(), memory.history())).await;
        let header = self.runner.header(handover.report_id, handover.trigger);
        let built = builder.build(header, self.runner.terms(exemptions, purpose));
        let concluded = self.runner.conclude(built, purpose, &memory, (history, conditions), self.budget);
        concluded.await.map_err(Error::publish_failed)
    }

    /// What the audit of a target read, or that it left nothing.
    async fn evidence_of(&self, item: Item) -> Evidence {
        let Item { target, region_is_unknown, .. } = item;
        let failure = match self.content::<Evidence>(&name_of(&target)).await {
            Ok(evidence) if evidence.target != target => {
                Failure::invalid_response("the document is about another target")
            }
            Ok(evidence) if evidence.macie_not_offered && region_is_unknown != Some(true) => {
                Failure::invalid_response("the document says of a Region that offers Macie that it does not")
            }
            Ok(evidence) => return evidence,
            Err(failure) => failure,
        };
        Evidence::unread(target, Api::GetObject, failure)
    }

    async fn put<T: Serialize>(&self, name: &str, document: &T) -> Result<(), Error> {
        let put = self.store.put(Put::json(self.key(name), json(document)));
        let put = within(self.budget.end.into(), put).await;
        put.map_err(|failure| Error::StepFailed { what: format!("{name} could not be stored"), failure })
    }

    /// What a document of this version holds.
    async fn content<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T, Failure> {
        let Document { version, content } = self.get(name).await?;
        if version == VERSION {
            return Ok(content);
        }
        Err(Failure::invalid_response(format!("{name} has version {version}, and this function reads {VERSION}")))
    }

    async fn get<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T, Failure> {
        let object = within(self.budget.cut.into(), self.store.get(self.key(name))).await?;
        serde_json::from_slice(&object.document)
            .map_err(|error| Failure::invalid_response(format!("{name} is no such document: {error}")))
    }

    fn key(&self, name: &str) -> String {
        format!("runs/{}/{name}", self.execution)
    }
}

/// The accounts of the organizations of a divided run, each read once and left as a document, so that a retry of the
/// last step does not read it again.
struct Rosters<'a> {
    divided: &'a Divided<'a>,
    /// By account: the role, and what it lists.
    accounts: HashMap<String, (Option<Role>, OnceCell<Listed>)>,
}

/// The accounts of an organization, and the read that lists them.
type Listed = (Arc<Roster>, Read);

/// The accounts of an organization as a document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RosterDocument {
    read: Read,
    is_in_use: bool,
    accounts: Vec<RosterAccount>,
}

impl<'a> Rosters<'a> {
    fn new(divided: &'a Divided<'a>, items: &[Item]) -> Rosters<'a> {
        let role = |item: &Item| {
            let arn = item.role_arn.clone()?;
            Some(Role { external_id: item.external_id.clone(), account_id: item.target.account_id.clone(), arn })
        };
        let account = |item: &Item| (item.target.account_id.clone(), (role(item), OnceCell::new()));
        Rosters { divided, accounts: items.iter().map(account).collect() }
    }

    /// The accounts of the organization for which a target administers Macie, if it does and a rule is about them.
    async fn of(&self, evidence: &Evidence) -> Option<&Listed> {
        evidence.organization.as_ref().filter(|_| self.divided.runner.checks.need(Api::ListAccounts))?;
        let account_id = &evidence.target.account_id;
        let (role, listed) = self.accounts.get(account_id)?;
        Some(listed.get_or_init(|| self.list(account_id, role.as_ref())).await)
    }

    async fn list(&self, account_id: &str, role: Option<&Role>) -> Listed {
        let Divided { runner, budget, .. } = self.divided;
        let name = format!("roster/{account_id}.json");
        if let Ok(RosterDocument { read, is_in_use, accounts }) = self.divided.content(&name).await {
            return (Arc::new(Roster { is_in_use, is_complete: read.failure.is_none(), accounts }), read);
        }
        let (aws, cut) = (runner.aws.within(budget.attempt), budget.cut.into());
        let config = match role {
            None => Ok(aws.own().clone()),
            Some(role) => within(cut, aws.assuming(role, runner.now())).await,
        };
        let source = match config {
            Ok(config) => RosterSource::new(&config, runner.now()),
            Err(failure) => return (Arc::default(), Read::failed(Api::AssumeRole, failure)),
        };
        let (roster, read) = source.read(cut).await.clone();
        let content =
            RosterDocument { read: read.clone(), is_in_use: roster.is_in_use, accounts: roster.accounts.clone() };
        if read.failure.is_none()
            && let Err(Error::StepFailed { failure, .. }) =
                self.divided.put(&name, &Document { version: VERSION, content }).await
        {
            log::not_stored(&name, &failure);
        }
        (roster, read)
    }
}

/// The name of the document that holds the evidence of a target.
fn name_of(target: &Target) -> String {
    format!("evidence/{}-{}.json", target.account_id, target.region)
}
