//! GetMacieSession: whether Macie is enabled or paused.

use aws_sdk_macie2::types::MacieStatus;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Session, SessionStatus};

use super::walk::{Walk, Walker, time, word};

pub(super) async fn read(walker: &Walker<'_>) -> (Walk, Option<Session>) {
    let (mut walk, answer) = walker.ask(Api::GetMacieSession, walker.client.get_macie_session().send()).await;
    let Some(answer) = answer else { return (walk, None) };
    if !matches!(answer.status, Some(MacieStatus::Enabled | MacieStatus::Paused)) {
        walk.invalid("the answer has no session status that this version knows");
    }
    let status = answer.status.map_or(SessionStatus::Absent, |status| SessionStatus::Is(word(status.as_str())));
    (walk, Some(Session { status, since: time(answer.updated_at.as_ref()) }))
}
