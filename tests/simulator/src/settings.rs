//! Settings of an account that are one answer each: publication, the export of results, the organization.

use serde_json::{Map, Value, json};

use crate::items::{Place, filled, object};

/// What GetFindingsPublicationConfiguration answers.
pub(crate) fn publication(seed: &Map<String, Value>) -> String {
    let both = || object(json!({"publishClassificationFindings": true, "publishPolicyFindings": true}));
    json!({"securityHubConfiguration": filled(seed.clone(), both)}).to_string()
}

/// What GetClassificationExportConfiguration answers.
pub(crate) fn export(seed: &Value, place: &Place) -> String {
    let Place { account, region } = place;
    let Value::Object(seed) = seed else {
        return "{}".to_owned();
    };
    let destination = filled(seed.clone(), || {
        object(json!({
            "bucketName": format!("macie-results-{account}"),
            "kmsKeyArn": format!("arn:aws:kms:{region}:{account}:key/00000000-0000-4000-8000-000000000000"),
        }))
    });
    json!({"configuration": {"s3Destination": destination}}).to_string()
}

/// What DescribeOrganizationConfiguration answers the administrator.
pub(crate) fn organization(seed: Option<&Map<String, Value>>) -> String {
    let clean = || object(json!({"autoEnable": true, "maxAccountLimitReached": false}));
    Value::Object(filled(seed.cloned().unwrap_or_default(), clean)).to_string()
}
