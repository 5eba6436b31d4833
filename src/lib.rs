//! Proves on a schedule that Amazon Macie watches what it should and that nobody has muted it.
//!
//! One run goes through four steps: [`targets`] and [`macie`] collect [`facts`], [`rules`] judge
//! them, [`report`] renders what was found, and [`sns`] publishes it. [`handler`] ties the steps
//! together. Judging and rendering are pure: they make no request, read no clock and cannot fail.

pub mod handler;
mod steps;

pub mod deadline;
pub mod error;
pub mod event;
pub mod settings;

pub mod aws;
pub mod facts;
pub mod macie;
pub mod targets;

pub mod rules;

pub mod report;
pub mod s3;
pub mod sns;

pub mod log;
pub mod names;
pub mod text;
