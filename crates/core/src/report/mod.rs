//! The report: its published format, how it is put together, and the advice in it.

pub mod advice;
mod build;
mod changes;
mod exempted;
mod stored;
pub mod v1;

pub use build::{Builder, Built, Header, Terms};
pub(crate) use changes::document_of_version;
pub use changes::{Earlier, Stamp, State, Unusable};
pub use exempted::{ExemptionsSource, Ledger, suggestion};
pub use stored::Stored;
