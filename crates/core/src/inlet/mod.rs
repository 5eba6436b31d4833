//! What comes in from outside, read into the types of the crate: events, settings, and the deadline.
//!
//! Nothing else in the crate uses what is here.

pub mod bucket;
pub mod deadline;
mod disabled;
mod endpoints;
pub mod event;
mod reader;
pub mod settings;
pub mod variables;
