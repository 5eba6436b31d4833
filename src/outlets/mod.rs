//! Where a report goes: one file for each outlet.
//!
//! A new outlet is a file here, a variant of `Outlet` and the lines that the compiler then asks for,
//! and its piece of the template.

mod sns;

use macie_compliance_core::failure::Failure;
use macie_compliance_core::inlet::settings::Settings;
use macie_compliance_core::report::v1::Report;
use tokio::time::Instant;

use crate::client::Aws;

/// Somewhere that reports are delivered to.
#[derive(Debug)]
enum Outlet {
    Sns(sns::Sns),
}

/// What came of a delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The ids that SNS gave, one for each part.
    pub message_ids: Vec<String>,
}

/// Why a report was not delivered whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// The messages that were delivered before.
    pub delivered: usize,
    /// The messages that there are.
    pub of: usize,
    /// Why the next was not.
    pub failure: Failure,
}

/// Delivers a report to every outlet that the settings name, until the given moment.
///
/// # Errors
/// Why the report did not reach an outlet that must have it.
pub async fn deliver(aws: &Aws, settings: &Settings, report: &Report, until: Instant) -> Result<Receipt, Undelivered> {
    let mut receipt = Receipt::default();
    for outlet in outlets(aws, settings) {
        match outlet {
            Outlet::Sns(sns) => receipt = sns.deliver(report, until).await?,
        }
    }
    Ok(receipt)
}

/// The outlets, in the order in which they are told.
fn outlets(aws: &Aws, settings: &Settings) -> Vec<Outlet> {
    vec![Outlet::Sns(sns::Sns::new(aws, &settings.topic, settings.max_parts))]
}
