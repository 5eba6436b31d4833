//! Proves on a schedule that Amazon Macie watches what it should and that nobody has muted it.
//!
//! This crate is what talks: to Lambda ([`handler`]), to Macie ([`collect`]), to SNS ([`outlets`]), to
//! a bucket, and to the log. What it finds is judged and rendered by `macie-compliance-core`, which is
//! pure. [`run`] goes through the steps of a run, and `divided` through those of one that a state
//! machine divides.

mod divided;
pub mod error;
mod evidence;
mod exemptions;
pub mod handler;
pub mod run;

pub mod client;
pub mod collect;
pub mod outlets;
mod store;

pub mod log;
