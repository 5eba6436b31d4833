//! What comes in from outside, read into the types of the crate: events, settings, and the deadline.
//!
//! Nothing else in the crate uses what is here.

pub mod bucket;
pub mod deadline;
mod endpoints;
pub mod event;
pub mod settings;
pub mod variables;
