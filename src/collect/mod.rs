//! Collects the evidence of one target: every source that an enabled check needs, one file each.
//!
//! The session is asked first: where Macie is off, nothing else is. A new source is a file here, its
//! line in [`read`], its type in the evidence and its row in the table of APIs.

mod administrator;
mod filters;
mod invitations;
mod members;
mod session;
pub mod targets;
mod walk;

use std::time::Duration;

use aws_config::Region;
use aws_sdk_macie2::Client;
use futures_util::future::{OptionFuture, join};
use macie_compliance_core::api::Api;
use macie_compliance_core::checks::{Checks, Scope};
use macie_compliance_core::evidence::{Evidence, Session, SessionStatus};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::deadline::Budget;
use macie_compliance_core::policy::Policy;
use tokio::time::{Instant, timeout_at};

use crate::client::{UnknownHostIsFinal, retrying};
use targets::Opened;
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

/// Adds to the evidence of an opened target everything that Macie says there, the sources at the same
/// time, and stops at the cut.
pub async fn read(opened: Opened, checks: &Checks, policy: &Policy, keep: Keep, budget: &Budget) -> Evidence {
    let Opened { config, mut evidence, region_is_known } = opened;
    let target = evidence.target.clone();
    let mut builder = aws_sdk_macie2::config::Builder::from(&config).region(Region::new(target.region.clone()));
    if !region_is_known {
        builder = builder.retry_classifier(UnknownHostIsFinal);
    }
    let client = Client::from_conf(retrying!(builder).build());
    let cut = Instant::from_std(budget.cut);
    let walker = Walker { client, checks, scope: Scope { target: &target, policy }, keep, cut };

    let mut session = Box::pin(session::read(&walker));
    let head_start = cut.min(Instant::now() + HEAD_START.min(budget.attempt));
    let nothing_else = |walk: &Walk| walk.not_enabled.is_some() || (!region_is_known && is_unknown_host(walk));
    let ((walk, session), rest) = match timeout_at(head_start, session.as_mut()).await {
        Ok(session) if nothing_else(&session.0) => (session, None),
        Ok(session) => (session, Some(everything_else(&walker).await)),
        Err(_) => {
            let (session, rest) = join(session, everything_else(&walker)).await;
            (session, Some(rest))
        }
    };
    if !region_is_known && is_unknown_host(&walk) {
        return Evidence { macie_not_offered: true, ..Evidence::new(target.clone()) };
    }
    let (walks, found) = rest.unwrap_or_else(|| (Vec::new(), Evidence::new(target.clone())));
    evidence = Evidence { reads: evidence.reads, session, ..found };
    std::iter::once(walk).chain(walks).for_each(|walk| take(&mut evidence, walk, &walker));
    evidence
}

/// Every source but the session that an enabled check needs, and the administrator, which tells what
/// the account is to Macie.
async fn everything_else(walker: &Walker<'_>) -> (Vec<Walk>, Evidence) {
    let needed = |api| walker.checks.need(api);
    // Boxed, so that the memory of a source that has ended is free for those that go on.
    let administrator = Box::pin(administrator::read(walker));
    let members = OptionFuture::from(needed(Api::ListMembers).then(|| Box::pin(members::read(walker))));
    let invitations = OptionFuture::from(needed(Api::ListInvitations).then(|| Box::pin(invitations::read(walker))));
    let filters = OptionFuture::from(needed(Api::ListFindingsFilters).then(|| Box::pin(filters::read(walker))));
    let (administrator, (members, (invitations, filters))) =
        join(administrator, join(members, join(invitations, filters))).await;

    let mut walks = vec![administrator.0];
    let mut found = Evidence { administrator: administrator.1, ..Evidence::new(walker.scope.target.clone()) };
    if let Some((listed, confirmed, members)) = members {
        walks.push(listed);
        walks.extend(confirmed);
        found.members = members;
    }
    if let Some((walk, invitations)) = invitations {
        walks.push(walk);
        found.invitations = invitations;
    }
    if let Some((walk, filters)) = filters {
        walks.push(walk);
        found.filters = filters;
    }
    (walks, found)
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

fn is_unknown_host(walk: &Walk) -> bool {
    walk.read.failure.as_ref().is_some_and(|failure| failure.code == Failure::UNKNOWN_HOST)
}
