//! DescribeBuckets by error code: the buckets that Macie may not read, and how many it does not monitor.

use aws_sdk_macie2::types::BucketCriteriaAdditionalProperties;
use macie_compliance_core::api::Api;
use macie_compliance_core::evidence::{Bucket, Buckets};
use macie_compliance_core::text::clip;

use super::walk::{Page, Walk, Walker, id};
use crate::client::OrFailure;

/// Buckets on a page: what Macie gives by itself. The most is not published.
const PAGE: i32 = 50;

const DENIED: &str = "ACCESS_DENIED";
const OVER_QUOTA: &str = "BUCKET_COUNT_EXCEEDS_QUOTA";

pub(super) async fn read(walker: &Walker<'_>) -> (Walk, Buckets) {
    let by_code = BucketCriteriaAdditionalProperties::builder().eq(DENIED).eq(OVER_QUOTA).build();
    let ask = async |token| {
        let call = walker.client.describe_buckets().criteria("errorCode", by_code.clone()).max_results(PAGE);
        let page = call.set_next_token(token).send().await.or_failure();
        page.map(|page| Page { items: page.buckets, next: page.next_token })
    };
    let mut found = Buckets::default();
    let walk = walker.list(Api::DescribeBuckets, ask, |bucket| {
        let name = id(bucket.bucket_name.as_deref());
        let account_id = bucket.account_id.as_deref().map(clip);
        match bucket.error_code.as_ref().map(|code| code.as_str()) {
            Some(DENIED) if !name.is_empty() => {
                let arn = bucket.bucket_arn.as_deref().map(clip);
                found.unreadable.push(Bucket { name: name.clone(), arn, account_id });
            }
            Some(OVER_QUOTA) => {
                let owner = account_id.unwrap_or_else(|| walker.scope.target.account_id.clone());
                *found.over_quota.entry(owner).or_default() += 1;
            }
            _ => {}
        }
        name
    });
    (walk.await, found)
}
