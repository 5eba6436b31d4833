//! DescribeBuckets.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::criteria::{Criteria, Fields, flatten};
use crate::items::{LONG_AGO, Place, RECENTLY, expand, object};
use crate::lists::Lists;
use crate::wire::ServiceError;

/// How many buckets there are on a page if the request does not say.
const DEFAULT_SIZE: usize = 50;

/// The buckets of a target, each with the fields that criteria can ask for.
#[derive(Debug)]
pub(crate) struct Buckets(Vec<(Fields, String)>);

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    criteria: Option<Value>,
    max_results: Option<usize>,
    next_token: Option<String>,
    sort_criteria: Option<Value>,
}

impl Buckets {
    pub(crate) fn render(seeds: &[Value], place: &Place) -> Buckets {
        let buckets = expand(seeds, "bucketName", |number| format!("bucket-{number}"), |name, _| bucket(place, name));
        let fields = |bucket: &Value| bucket.as_object().map(flatten).unwrap_or_default();
        Buckets(buckets.iter().map(|bucket| (fields(bucket), bucket.to_string())).collect())
    }

    /// The answer to DescribeBuckets, in the order of the seed whatever the order that was asked for.
    pub(crate) fn list(&self, lists: &Lists<'_>) -> Result<String, ServiceError> {
        let Asked { criteria, max_results, next_token, sort_criteria } = lists.call.json_or_default()?;
        let size = max_results.unwrap_or(DEFAULT_SIZE);
        if size == 0 {
            return Err(ServiceError::validation("maxResults is not positive"));
        }
        let conditions = criteria.as_ref().and_then(Value::as_object).into_iter().flat_map(Map::values);
        if conditions.filter_map(|condition| condition.get("prefix")).next().is_some() {
            return Err(ServiceError::validation("The simulator has no prefix"));
        }
        let wanted = Criteria::read(criteria.as_ref())?;
        let buckets: Vec<_> =
            self.0.iter().filter(|(fields, _)| wanted.match_fields(fields)).map(|(_, text)| text).collect();
        let parameters = format!("{criteria:?} {max_results:?} {sort_criteria:?}");
        lists.page("buckets", &buckets, size, next_token.as_deref(), parameters)
    }
}

fn bucket(place: &Place, name: &str) -> Map<String, Value> {
    object(json!({
        "accountId": place.account,
        "automatedDiscoveryMonitoringStatus": "MONITORED",
        "bucketArn": format!("arn:aws:s3:::{name}"),
        "bucketCreatedAt": LONG_AGO,
        "bucketName": name,
        "classifiableObjectCount": 1,
        "classifiableSizeInBytes": 1,
        "lastUpdated": RECENTLY,
        "objectCount": 1,
        "region": place.region,
        "sensitivityScore": 1,
        "sizeInBytes": 1,
        "tags": [],
    }))
}
