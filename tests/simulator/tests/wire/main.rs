//! The simulator as its clients see it.

mod client;
mod faults;
mod macie;
mod runtime_api;
mod sns;
mod tls;
