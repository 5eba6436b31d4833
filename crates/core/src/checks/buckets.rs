//! Checks of buckets that Macie cannot look into.

use super::check::always;
use super::{Check, Judge, Problem};
use crate::api::Api;
use crate::resource::{Resource, ResourceType};
use crate::severity::Severity;

const NEEDS: &[Api] = &[Api::DescribeBuckets];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "bucket-not-readable",
        severity: Severity::Medium,
        title: "Macie may not read a bucket",
        risk: "Macie can neither look for sensitive data in the bucket nor evaluate its security and access control.",
        fix: "Allow the service-linked role AWSServiceRoleForAmazonMacie in the bucket policy, or take out the statement that denies it.",
        needs: NEEDS,
        applies: always,
        judge: Judge::Target(|evidence, _| {
            let buckets = evidence.buckets.unreadable.iter();
            buckets
                .map(|bucket| {
                    Problem::with(Resource {
                        arn: bucket.arn.clone(),
                        name: Some(bucket.name.clone()),
                        ..Resource::new(ResourceType::Bucket, &bucket.name)
                    })
                })
                .collect()
        }),
    },
    Check {
        id: "bucket-not-monitored",
        severity: Severity::High,
        title: "Account has more buckets than Macie monitors",
        risk: "Buckets beyond the quota are not monitored at all: there are no policy findings and no sensitive data findings for them.",
        fix: "Delete buckets that are not needed, or move buckets to another account.",
        needs: NEEDS,
        applies: always,
        judge: Judge::Target(|evidence, _| {
            let owners = evidence.buckets.over_quota.iter();
            owners
                .map(|(owner, buckets)| Problem {
                    status: Some(format!("{buckets} not monitored")),
                    ..Problem::with(Resource::new(ResourceType::Account, owner))
                })
                .collect()
        }),
    },
];
