//! GetAdministratorAccount: the administrator of the account. GetMasterAccount is its older name, and
//! is accepted instead where only that is allowed or known.

use aws_sdk_macie2::types::Invitation;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Administrator, is_recognized};
use macie_compliance_core::failure::Failure;
use macie_compliance_core::refusal::Refusal;

use super::walk::{Walk, Walker, id, status, time};

pub(super) async fn read(walker: &Walker<'_>) -> (Walk, Option<Administrator>) {
    let client = &walker.client;
    let (mut walk, answer) = walker.ask(Api::GetAdministratorAccount, client.get_administrator_account().send()).await;
    let mut found = answer.and_then(|answer| answer.administrator);
    if walk.read.failure.as_ref().is_some_and(should_try_get_master_account) {
        let (older, answer) = walker.ask(Api::GetMasterAccount, client.get_master_account().send()).await;
        if older.read.failure.is_none() {
            found = answer.and_then(|answer| answer.master);
            walk = older;
        }
    }
    walk.read.items = found.iter().len() as u64;
    let found = found.map(administrator);
    if found.as_ref().is_some_and(|found| !is_recognized(found.status.as_deref())) {
        walk.invalid("the relationship has no status that this version knows");
    }
    if found.as_ref().is_some_and(|found| found.id.is_empty() && found.status.is_some()) {
        walk.invalid("the administrator has no account id");
    }
    // An answer that names nobody does not say that the account has an administrator.
    (walk, found.filter(|found| !found.id.is_empty() || found.status.is_some()))
}

fn should_try_get_master_account(failure: &Failure) -> bool {
    matches!(failure.refusal(), Some(Refusal::Denied(_)))
        || ["UnknownOperationException", "ResourceNotFoundException"].contains(&failure.code.as_str())
        || failure.message.starts_with("HTTP 404")
}

fn administrator(item: Invitation) -> Administrator {
    Administrator {
        id: id(item.account_id.as_deref()),
        status: status(item.relationship_status.as_ref()),
        since: time(item.invited_at.as_ref()),
    }
}
