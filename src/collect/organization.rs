//! DescribeOrganizationConfiguration: how Macie is set up for the organization of an administrator account.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::Organization;

use super::walk::{Walk, Walker};

/// The configuration; `None` where the account does not administer Macie for an organization, which is an answer.
pub(super) async fn read(walker: &Walker<'_>) -> (Walk, Option<Organization>) {
    let call = walker.client.describe_organization_configuration().send();
    let (mut walk, answer) = walker.ask(Api::DescribeOrganizationConfiguration, call).await;
    walk.take_that_it_is_for_others();
    let Some(answer) = answer else { return (walk, None) };
    let found = answer.auto_enable.zip(answer.max_account_limit_reached);
    if found.is_none() {
        walk.invalid("the answer does not say whether accounts are enabled by themselves and the limit is reached");
    }
    (walk, found.map(|(auto_enable, is_limit_reached)| Organization { auto_enable, is_limit_reached }))
}
