//! ListFindingsFilters: the findings filters of the account.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Filter;
use macie_compliance_core::text::clip;

use super::walk::{PAGE, Page, Walk, Walker, id, word};
use crate::client::OrFailure;

pub(super) async fn read(walker: &Walker<'_>) -> (Walk, Vec<Filter>) {
    let ask = async |token| {
        let call = walker.client.list_findings_filters().max_results(PAGE).set_next_token(token);
        let page = call.send().await.or_failure();
        page.map(|page| Page { items: page.findings_filter_list_items, next: page.next_token })
    };
    let mut kept = Vec::new();
    let walk = walker.list(Api::ListFindingsFilters, ask, |item| {
        let filter = Filter {
            id: id(item.id.as_deref()),
            arn: item.arn.as_deref().map(clip),
            name: item.name.as_deref().map(clip),
            action: item.action.as_ref().map(|action| word(action.as_str())),
        };
        let id = filter.id.clone();
        if walker.checks.flag_filter(&filter, &walker.scope) {
            kept.push(filter);
        }
        id
    });
    (walk.await, kept)
}
