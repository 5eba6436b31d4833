//! Collects the evidence of one target: every source that an enabled check needs, one file each.
//!
//! The session is asked first: where Macie is off, nothing else is. A new source is a file here, its
//! method in `Gathering`, its type in the evidence and its row in the table of APIs.

mod administrator;
mod allow_lists;
mod buckets;
mod delivery;
mod discovery;
mod filters;
mod invitations;
mod jobs;
mod members;
mod organization;
mod roster;
mod scope;
mod session;
pub mod targets;
mod template;
mod walk;

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_macie2::Client;
use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, join3, select};
use macie_compliance_core::api::{Api, Audience};
use macie_compliance_core::checks::{Checks, Scope};
use macie_compliance_core::evidence::{AccountRole, Evidence, Session, SessionStatus};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::deadline::Budget;
use macie_compliance_core::names::has_allow_lists;
use macie_compliance_core::policy::Policy;
use tokio::sync::{Semaphore, SemaphorePermit, SetOnce};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::client::{UnknownHostIsFinal, retrying};
pub use roster::RosterSource;
use targets::Opened;
use template::Template;
use walk::{Walk, Walker};

/// The longest that everything else waits for the session. One that is throttled or that hangs must
/// not cost the run its time.
const HEAD_START: Duration = Duration::from_secs(2);

/// What is kept beside what a check has something to say about.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// The e-mail addresses of flagged members.
    pub emails: bool,
    /// The ids of all members, by their status.
    pub member_ids: bool,
}

/// The turns of the sources of all targets that are read at the same time, beside the session, the organization and the
/// lists that grow with one: members, accounts without discovery, buckets.
///
/// A run is over when its longest lists are, and each source that is read beside them takes memory. So as many go on
/// as take, with a list of each target, half of the requests that may be in flight.
#[derive(Debug)]
pub struct Turns {
    turns: Semaphore,
    /// Whether the administrator account is asked for in turn as well. Over many targets it would take too long for
    /// those that wait for the answer.
    for_administrators: bool,
    /// How many times the requests that may be in flight it takes to ask each target for one thing.
    rounds: u32,
}

impl Turns {
    /// The turns of a run over so many targets.
    pub fn new(max_concurrency: usize, targets: usize) -> Turns {
        let half = max_concurrency / 2;
        let turns = Semaphore::new(half.saturating_sub(targets).max(half / 4).max(1));
        let rounds = targets.div_ceil(max_concurrency.max(1)).max(1);
        Turns { turns, for_administrators: targets <= half, rounds: rounds.try_into().unwrap_or(u32::MAX) }
    }
}

/// Adds to the evidence of an opened target everything that Macie says there, and stops at the cut.
pub async fn read(
    opened: Opened,
    checks: &Checks,
    policy: &Policy,
    keep: Keep,
    roster: Option<&RosterSource>,
    turns: &Turns,
    budget: &Budget,
) -> Evidence {
    let Opened { config, mut evidence, region_is_known } = opened;
    let target = evidence.target.clone();
    let checks = &checks.offered_in(&target.region);
    let client = client(&config, &target.region, region_is_known);
    // Its memory is for what follows.
    drop(config);
    let cut = Instant::from_std(budget.cut);
    let scope = Scope { target: &target, role: None, policy };
    let walker = Walker { client, checks, scope, keep, cut, patience: budget.patience, roster };
    let everything_else = || everything_else(&walker, turns, budget.attempt / 2);

    let mut reading = Box::pin(session::read(&walker));
    let head_start = cut.min(Instant::now() + HEAD_START.min(budget.attempt));
    let nothing_else = |walk: &Walk| walk.not_enabled.is_some() || (!region_is_known && is_unknown_host(walk));
    let ((walk, session), rest) = match timeout_at(head_start, reading.as_mut()).await {
        Ok(session) => {
            // Its memory is for those that go on.
            drop(reading);
            let rest = if nothing_else(&session.0) { None } else { Some(everything_else().await) };
            (session, rest)
        }
        Err(_) => {
            let (session, rest) = join(reading, everything_else()).await;
            (session, Some(rest))
        }
    };
    if !region_is_known && is_unknown_host(&walk) {
        return Evidence { macie_not_offered: true, ..Evidence::new(target.clone()) };
    }
    let (walks, found) = rest.unwrap_or_else(|| (Vec::new(), Evidence::new(target.clone())));
    evidence = Evidence { reads: evidence.reads, session, ..found };
    let refused = walks.iter().filter_map(|walk| Some((walk.read.api, walk.for_others.clone()?))).collect();
    std::iter::once(walk).chain(walks).for_each(|walk| take(&mut evidence, walk, &walker));
    settle(&mut evidence, refused);
    evidence
}

fn client(config: &SdkConfig, region: &str, region_is_known: bool) -> Client {
    let mut builder = aws_sdk_macie2::config::Builder::from(config).region(Region::new(region.to_owned()));
    if !region_is_known {
        builder = builder.retry_classifier(UnknownHostIsFinal);
    }
    Client::from_conf(retrying!(builder).build())
}

/// What the sources have found so far, and what has become known of the account, which decides who is asked what.
struct Gathering<'a> {
    walker: &'a Walker<'a>,
    found: Mutex<(Vec<Walk>, Evidence)>,
    /// Whether the account has an administrator. One of which that could not be read is asked as if it had none.
    is_member: SetOnce<bool>,
    /// Whether it administers Macie for an organization; `None` where that was not asked or could not be read.
    administers_organization: SetOnce<Option<bool>>,
    /// Whether it has members; `None` where that could not be read.
    has_members: SetOnce<Option<bool>>,
    /// Set by the first answer to anything that was asked together with the administrator.
    answered: SetOnce<()>,
    /// Set by the answer about discovery, which is asked for after the organization.
    discovery_answered: SetOnce<()>,
    /// The longest that a source waits for each of these.
    longest: Duration,
    /// How long sources wait to know what the account is once anything else was answered. Over many targets the answer
    /// can take longer although nothing hangs.
    patience: Duration,
    /// Until when a source that is for everyone waits for what the account is.
    early: Instant,
    turns: &'a Turns,
}

/// Every source but the session that an enabled check needs, and the administrator, which tells what
/// the account is to Macie. Each starts when what it waits for is known and it is its turn.
async fn everything_else(walker: &Walker<'_>, turns: &Turns, longest: Duration) -> (Vec<Walk>, Evidence) {
    let patience = walker.patience.saturating_mul(turns.rounds).min(longest);
    let gathering = Gathering {
        walker,
        found: Mutex::new((Vec::new(), Evidence::new(walker.scope.target.clone()))),
        is_member: SetOnce::new(),
        administers_organization: SetOnce::new(),
        has_members: SetOnce::new(),
        answered: SetOnce::new(),
        discovery_answered: SetOnce::new(),
        longest,
        patience,
        early: Instant::now() + patience,
        turns,
    };
    join_all([
        gathering.administrator().boxed_local(),
        gathering.members().boxed_local(),
        gathering.organization().boxed_local(),
        gathering.invitations().boxed_local(),
        gathering.filters().boxed_local(),
        gathering.accounts_without_discovery().boxed_local(),
        gathering.discovery().boxed_local(),
        gathering.scope().boxed_local(),
        gathering.allow_lists().boxed_local(),
        gathering.buckets().boxed_local(),
        gathering.publication().boxed_local(),
        gathering.results().boxed_local(),
    ])
    .await;
    let (mut walks, found) = gathering.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    walks.sort_by_key(|walk| walk.read.api);
    (walks, found)
}

impl Gathering<'_> {
    fn needs(&self, api: Api) -> bool {
        self.walker.checks.need(api)
    }

    fn add(&self, walks: impl IntoIterator<Item = Walk>, take: impl FnOnce(&mut Evidence)) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0.extend(walks);
        take(&mut found.1);
        let _ = self.answered.set(());
    }

    /// Whether an operation that is for accounts without an administrator is needed and has to be asked. Where the
    /// administrator is not known in time it is asked.
    async fn needs_of_no_member(&self, api: Api) -> bool {
        self.needs(api) && self.known(&self.is_member, &self.answered).await != Some(true)
    }

    /// What becomes known by one request; `None` where it is late: another that was sent at about the same time was
    /// answered some time ago. So one read that hangs takes no other with it, and one that only waits for its turn is
    /// waited for.
    async fn known<T: Copy>(&self, value: &SetOnce<T>, beside: &SetOnce<()>) -> Option<T> {
        let late = timeout(self.longest, async {
            beside.wait().await;
            sleep(self.patience).await;
        });
        match select(pin!(value.wait()), pin!(late)).await {
            Either::Left((value, _)) => Some(*value),
            Either::Right(_) => None,
        }
    }

    /// Reads a source in its turn, which comes when it is known what the account is. One that has waited some time goes
    /// on without, so that those that hang delay the others by no more.
    async fn in_turn<F: Future>(&self, read: impl FnOnce() -> F) -> F::Output {
        let _ = timeout_at(self.early, self.is_member.wait()).await;
        let _turn = self.turn().await;
        // Made when its turn has come and boxed, so that one that waits or has ended takes no memory.
        Box::pin(read()).await
    }

    /// The same for an operation that is for accounts without an administrator, where it has to be asked.
    async fn in_turn_of_no_member<F: Future>(&self, api: Api, read: impl FnOnce() -> F) -> Option<F::Output> {
        if !self.needs_of_no_member(api).await {
            return None;
        }
        let _turn = self.turn().await;
        // It may have become known meanwhile.
        if self.is_member.get() == Some(&true) {
            return None;
        }
        Some(Box::pin(read()).await)
    }

    /// A turn; none if it has not come for some time.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turn_within(self.walker.patience).await
    }

    async fn turn_within(&self, patience: Duration) -> Option<SemaphorePermit<'_>> {
        timeout(patience, self.turns.turns.acquire()).await.ok()?.ok()
    }

    async fn administrator(&self) {
        let turn = self.turn_within(self.walker.patience / 8);
        let turn = if self.turns.for_administrators { turn.await } else { None };
        let mut reading = Box::pin(administrator::read(self.walker));
        let (walk, administrator) = match timeout(self.walker.patience, reading.as_mut()).await {
            Ok(read) => read,
            // One that hangs keeps no turn from those that no longer wait for it.
            Err(_) => {
                drop(turn);
                reading.await
            }
        };
        let _ = self.is_member.set(administrator.is_some());
        self.add([walk], |found| found.administrator = administrator);
    }

    async fn members(&self) {
        if !self.needs(Api::ListMembers) {
            let _ = self.has_members.set(None);
            return;
        }
        let first = || {
            let _ = self.has_members.set(Some(true));
            let _ = self.answered.set(());
        };
        let (listed, confirmed, members) = Box::pin(members::read(self.walker, first)).await;
        let _ = self.has_members.set(listed.read.failure.is_none().then_some(false));
        self.add([listed].into_iter().chain(confirmed), |found| found.members = members);
    }

    async fn invitations(&self) {
        if self.needs(Api::ListInvitations) {
            let (walk, invitations) = self.in_turn(|| invitations::read(self.walker)).await;
            self.add([walk], |found| found.invitations = invitations);
        }
    }

    async fn filters(&self) {
        if self.needs(Api::ListFindingsFilters) {
            let (walks, filters) = self.in_turn(|| filters::read(self.walker)).await;
            self.add(walks, |found| found.filters = filters);
        }
    }

    /// The organization and its accounts.
    async fn organization(&self) {
        let mut is_administrator = None;
        if self.needs_of_no_member(Api::DescribeOrganizationConfiguration).await {
            let (walk, organization) = organization::read(self.walker).await;
            is_administrator = walk.read.failure.is_none().then_some(organization.is_some());
            self.add([walk], |found| found.organization = organization);
        }
        let _ = self.administers_organization.set(is_administrator);
        if let Some(source) = self.walker.roster.filter(|_| is_administrator == Some(true)) {
            let (roster, _) = Box::pin(source.read(self.walker.cut)).await;
            self.add([], |found| found.roster = Some(roster.clone()));
        }
    }

    /// The accounts for which discovery is off, which only an administrator is asked for. That it is one shows by the
    /// organization's configuration, and otherwise by its members. Where neither tells, it is asked.
    async fn accounts_without_discovery(&self) {
        if !self.needs_of_no_member(Api::ListAutomatedDiscoveryAccounts).await {
            return;
        }
        let of_organization = self.known(&self.administers_organization, &self.discovery_answered).await;
        let is_administrator = match of_organization.flatten() {
            Some(true) => Some(true),
            Some(false) => *self.has_members.wait().await,
            None if !self.needs(Api::DescribeOrganizationConfiguration) => *self.has_members.wait().await,
            None => None,
        };
        if is_administrator != Some(false) {
            let (walk, accounts) = Box::pin(discovery::disabled_accounts(self.walker)).await;
            self.add([walk], |found| found.discovery.disabled_accounts = accounts);
        }
    }

    async fn discovery(&self) {
        let read = || discovery::configuration(self.walker);
        let configuration = self.in_turn_of_no_member(Api::GetAutomatedDiscoveryConfiguration, read).await;
        if let Some((walk, status, auto_enable_members)) = configuration {
            self.add([walk], |found| {
                found.discovery.status = status;
                found.discovery.auto_enable_members = auto_enable_members;
            });
            let _ = self.discovery_answered.set(());
        }
    }

    async fn scope(&self) {
        let read = || scope::read(self.walker);
        if let Some((walks, buckets)) = self.in_turn_of_no_member(Api::ListClassificationScopes, read).await {
            self.add(walks, |found| found.discovery.excluded_buckets = buckets);
        }
    }

    /// What automated discovery and the jobs leave out, and the allow lists that they name.
    async fn allow_lists(&self) {
        let template = async {
            let read = || template::read(self.walker);
            let template = self.in_turn_of_no_member(Api::ListSensitivityInspectionTemplates, read).await;
            let Some((walks, Template { excluded, allow_lists })) = template else { return Vec::new() };
            self.add(walks, |found| found.discovery.excluded_identifiers = excluded);
            allow_lists
        };
        let jobs = async {
            if !self.needs(Api::ListClassificationJobs) {
                return Vec::new();
            }
            let (walks, jobs) = self.in_turn(|| jobs::read(self.walker)).await;
            let allow_lists = jobs.iter().flat_map(|job| job.allow_lists.clone()).collect();
            self.add(walks, |found| found.jobs = jobs);
            allow_lists
        };
        let lists = async {
            let has_lists = has_allow_lists(&self.walker.scope.target.region);
            if !self.needs(Api::ListAllowLists) || !has_lists {
                return None;
            }
            Some(self.in_turn(|| allow_lists::list(self.walker)).await)
        };
        let (of_template, of_jobs, lists) = join3(template, jobs, lists).await;
        if let Some((listed, known)) = lists {
            let used = of_template.into_iter().chain(of_jobs).collect();
            let (walk, lists) = Box::pin(allow_lists::read(self.walker, used, known)).await;
            self.add([listed].into_iter().chain(walk), |found| found.allow_lists = lists);
        }
    }

    async fn buckets(&self) {
        if self.needs(Api::DescribeBuckets) {
            let (walk, buckets) = Box::pin(buckets::read(self.walker)).await;
            self.add([walk], |found| found.buckets = buckets);
        }
    }

    async fn publication(&self) {
        if self.needs(Api::GetFindingsPublicationConfiguration) {
            let (walk, publication) = self.in_turn(|| delivery::publication(self.walker)).await;
            self.add([walk], |found| found.publication = publication);
        }
    }

    async fn results(&self) {
        if self.needs(Api::GetClassificationExportConfiguration) {
            let (walk, results) = self.in_turn(|| delivery::results(self.walker)).await;
            self.add([walk], |found| found.results = results);
        }
    }
}

/// Takes what a walk came to. Each of them may have been answered that Macie is not enabled. Where a session
/// says something else that a check has something to say about, or no check is about that answer, it is no
/// answer to what was asked.
fn take(evidence: &mut Evidence, mut walk: Walk, walker: &Walker<'_>) {
    if let Some(failure) = walk.not_enabled.take() {
        let off = Session { status: SessionStatus::NotEnabled, since: None };
        let flagged = |session: &Session| walker.checks.flag_session(session, &walker.scope);
        match &evidence.session {
            Some(session) if session.status != off.status && (flagged(session) || !flagged(&off)) => {
                walk.read.failure = Some(failure);
            }
            _ => evidence.session = Some(off),
        }
    }
    evidence.reads.push(walk.read);
}

/// Looks once more at what was asked before it was known what the account is to Macie, now that it may be: what is not
/// for the account is not missing, and that something is for others is no answer to one whom it is for.
fn settle(evidence: &mut Evidence, refused: Vec<(Api, Failure)>) {
    let others: Vec<Api> =
        evidence.reads.iter().map(|read| read.api).filter(|api| evidence.is_for_others(*api)).collect();
    evidence.reads.retain(|read| read.failure.is_none() || !others.contains(&read.api));
    let is_for = |api: Api| match api.row().audience {
        // Nothing is for an account where Macie is off, and it has no role.
        _ if evidence.is_macie_off() => false,
        Audience::Everyone => true,
        // By this one the service says who administers an organization.
        _ if api == Api::DescribeOrganizationConfiguration => false,
        Audience::NotMembers => matches!(evidence.role(), Some(AccountRole::Administrator | AccountRole::Standalone)),
        Audience::Administrators => evidence.role() == Some(AccountRole::Administrator),
    };
    let mut wrong: Vec<(Api, Failure)> = refused.into_iter().filter(|(api, _)| is_for(*api)).collect();
    let discovery = &evidence.discovery;
    if evidence.role() == Some(AccountRole::Administrator)
        && discovery.status.as_deref() == Some("ENABLED")
        && discovery.auto_enable_members.is_none()
    {
        let failure = Failure::invalid_response("the answer does not say for which accounts discovery is enabled");
        wrong.push((Api::GetAutomatedDiscoveryConfiguration, failure));
    }
    for (api, failure) in wrong {
        for read in evidence.reads.iter_mut().filter(|read| read.api == api) {
            read.failure.get_or_insert(failure.clone());
        }
    }
}

fn is_unknown_host(walk: &Walk) -> bool {
    walk.read.failure.as_ref().is_some_and(|failure| failure.code == Failure::UNKNOWN_HOST)
}
