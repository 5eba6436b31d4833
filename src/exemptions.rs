//! The exemptions document, read from its bucket.

use macie_compliance_core::exemptions::Document;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::report::ExemptionsSource;
use time::Date;
use tokio::time::Instant;

use crate::client::Aws;
use crate::evidence::within;
use crate::log;
use crate::store::ObjectStore;

/// What there is to exempt by, read until a moment. A document that cannot be read exempts nothing.
pub(crate) async fn read(aws: &Aws, settings: &Settings, today: Date, until: Instant) -> ExemptionsSource {
    let Some(uri) = &settings.exemptions else { return ExemptionsSource::None };
    let store = ObjectStore::new(aws, &uri.bucket, None);
    let source = uri.to_string();
    let read = match within(until, store.get(uri.key.clone())).await {
        Ok(object) => Document::parse(&object.document, today),
        Err(failure) => Err(format!("{}: {}", failure.code, failure.message)),
    };
    match read {
        Ok(document) => ExemptionsSource::Read { source, document },
        Err(error) => {
            log::exemptions_not_read(&source, &error);
            ExemptionsSource::Unreadable { source, error }
        }
    }
}
