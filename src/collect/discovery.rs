//! GetAutomatedDiscoveryConfiguration: whether automated sensitive data discovery is on; and
//! ListAutomatedDiscoveryAccounts, for which accounts it is off.

use macie_compliance_core::api::Api;

use super::walk::{PAGE, Page, Walk, Walker, id, word};
use crate::client::OrFailure;

/// The status, and for which accounts discovery is enabled by itself.
pub(super) async fn configuration(walker: &Walker<'_>) -> (Walk, Option<String>, Option<String>) {
    let call = walker.client.get_automated_discovery_configuration().send();
    let (mut walk, answer) = walker.ask(Api::GetAutomatedDiscoveryConfiguration, call).await;
    walk.take_that_it_is_for_others();
    let Some(answer) = answer else { return (walk, None, None) };
    let status = answer.status.map(|status| word(status.as_str()));
    if !matches!(status.as_deref(), Some("ENABLED" | "DISABLED")) {
        walk.invalid("the answer has no status that this version knows");
    }
    (walk, status, answer.auto_enable_organization_members.map(|setting| word(setting.as_str())))
}

/// The ids of the accounts for which discovery is off.
pub(super) async fn disabled_accounts(walker: &Walker<'_>) -> (Walk, Vec<String>) {
    let ask = async |token| {
        let call = walker.client.list_automated_discovery_accounts().max_results(PAGE).set_next_token(token);
        call.send().await.or_failure().map(|page| Page { items: page.items, next: page.next_token })
    };
    let (mut disabled, mut is_unknown) = (Vec::new(), false);
    let walk = walker.list(Api::ListAutomatedDiscoveryAccounts, ask, |item| {
        let id = id(item.account_id.as_deref());
        match item.status.as_ref().map(|status| status.as_str()) {
            Some("ENABLED") => {}
            Some("DISABLED") => disabled.push(id.clone()),
            _ => is_unknown = true,
        }
        id
    });
    let mut walk = walk.await;
    if is_unknown {
        walk.invalid("an account has no status that this version knows");
    }
    walk.take_that_it_is_for_others();
    (walk, disabled)
}
