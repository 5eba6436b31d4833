//! The simulator as its clients see it.

mod client;
mod faults;
mod filters;
mod macie;
mod mutes;
mod organizations;
mod roles;
mod runtime_api;
mod s3;
mod sns;
mod tls;
