//! GetFindingsPublicationConfiguration and GetClassificationExportConfiguration: where findings and results go.

use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Publication, Results};
use macie_compliance_core::text::clip;

use super::walk::{Walk, Walker};
use crate::client::KeepBody;

pub(super) async fn publication(walker: &Walker<'_>) -> (Walk, Option<Publication>) {
    // The SDK takes a flag that is absent for false.
    let body = KeepBody::default();
    let call = walker.client.get_findings_publication_configuration().customize().interceptor(body.clone());
    let (mut walk, answer) = walker.ask(Api::GetFindingsPublicationConfiguration, call.send()).await;
    if answer.is_none() {
        return (walk, None);
    }
    let configuration = body.json().unwrap_or_default()["securityHubConfiguration"].take();
    let flag = |name: &str| configuration[name].as_bool();
    let flags = flag("publishPolicyFindings").zip(flag("publishClassificationFindings"));
    if flags.is_none() {
        walk.invalid("the answer does not say which findings are published");
    }
    (
        walk,
        flags
            .map(|(policy_findings, sensitive_data_findings)| Publication { policy_findings, sensitive_data_findings }),
    )
}

/// Where results go. That there is no such configuration is an answer.
pub(super) async fn results(walker: &Walker<'_>) -> (Walk, Option<Results>) {
    let call = walker.client.get_classification_export_configuration().send();
    let (mut walk, answer) = walker.ask(Api::GetClassificationExportConfiguration, call).await;
    let is_none = walk.read.failure.as_ref().is_some_and(|failure| failure.code == "ResourceNotFoundException");
    if is_none {
        walk.answered_with_nothing();
        return (walk, Some(Results { bucket: None }));
    }
    let Some(answer) = answer else { return (walk, None) };
    let destination = answer.configuration.and_then(|configuration| configuration.s3_destination);
    let bucket = destination.as_ref().and_then(|destination| destination.bucket_name());
    if destination.is_some() && bucket.is_none_or(str::is_empty) {
        walk.invalid("the destination of results has no bucket");
        return (walk, None);
    }
    (walk, Some(Results { bucket: bucket.map(clip) }))
}
