//! Checks of where findings and discovery results go.

use super::check::always;
use super::{Check, Judge, Problem, Scope};
use crate::api::Api;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

const PUBLICATION: &[Api] = &[Api::GetFindingsPublicationConfiguration];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "publication-policy-findings-off",
        severity: Severity::Medium,
        title: "Policy findings do not go to Security Hub",
        risk: "Whoever watches Security Hub does not learn that a bucket was opened or its encryption taken away.",
        fix: "Turn on policy findings under Publication of findings in the Macie settings, or with PutFindingsPublicationConfiguration.",
        needs: PUBLICATION,
        applies: always,
        judge: Judge::Target(|evidence, scope| {
            let is_off = evidence.publication.is_some_and(|publication| !publication.policy_findings);
            of_account(scope, ResourceType::Publication, is_off)
        }),
    },
    Check {
        id: "publication-sensitive-findings-off",
        severity: Severity::Low,
        title: "Sensitive data findings do not go to Security Hub",
        risk: "Whoever watches Security Hub does not learn of sensitive data that was found. This is how AWS sets it up.",
        fix: "Turn on sensitive data findings under Publication of findings in the Macie settings, or with PutFindingsPublicationConfiguration.",
        needs: PUBLICATION,
        applies: always,
        judge: Judge::Target(|evidence, scope| {
            let is_off = evidence.publication.is_some_and(|publication| !publication.sensitive_data_findings);
            of_account(scope, ResourceType::Publication, is_off)
        }),
    },
    Check {
        id: "results-not-kept",
        severity: Severity::Medium,
        title: "Discovery results are not kept",
        risk: "Results of sensitive data discovery are gone after 90 days, and with them the evidence of what was looked at.",
        fix: "Name a bucket under Discovery results in the Macie settings, or with PutClassificationExportConfiguration.",
        needs: &[Api::GetClassificationExportConfiguration],
        applies: always,
        judge: Judge::Target(|evidence, scope| {
            let is_missing = evidence.results.as_ref().is_some_and(|results| results.bucket.is_none());
            of_account(scope, ResourceType::Results, is_missing)
        }),
    },
];

fn of_account(scope: &Scope<'_>, kind: ResourceType, is_problem: bool) -> Vec<Problem> {
    is_problem.then(|| Problem::with(Resource::new(kind, &scope.target.account_id))).into_iter().collect()
}
