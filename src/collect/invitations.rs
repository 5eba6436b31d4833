//! ListInvitations: the membership invitations that the account received.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Invitation;

use super::walk::{PAGE, Page, Walk, Walker, id, status, time};
use crate::client::OrFailure;

pub(super) async fn read(walker: &Walker<'_>) -> (Walk, Vec<Invitation>) {
    let ask = async |token| {
        let call = walker.client.list_invitations().max_results(PAGE).set_next_token(token);
        call.send().await.or_failure().map(|page| Page { items: page.invitations, next: page.next_token })
    };
    let mut kept = Vec::new();
    let walk = walker.list(Api::ListInvitations, ask, |item| {
        let invitation = Invitation {
            sender_id: id(item.account_id.as_deref()),
            status: status(item.relationship_status.as_ref()),
            since: time(item.invited_at.as_ref()),
        };
        let id = invitation.sender_id.clone();
        if walker.checks.flag_invitation(&invitation, &walker.scope) {
            kept.push(invitation);
        }
        id
    });
    (walk.await, kept)
}
