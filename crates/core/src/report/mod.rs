//! The report: its published format, how it is put together, and the advice in it.

pub mod advice;
mod build;
pub mod v1;

pub use build::{Builder, Header};
