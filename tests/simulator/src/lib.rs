//! Amazon Macie on loopback, with what else an audit of Macie talks to.
//!
//! [`Simulator`] answers Macie's REST-JSON API from a [`Seed`], paging as the service does, beside
//! just enough of SNS, STS, Account,
//! Organizations and S3. It misbehaves when a [`Fault`] says so, and tells afterwards
//! what it was asked and sent. [`lambda`] is the other side of a function: a Runtime API.
//!
//! Start reading at [`seed`], which is the whole of what can be set up.

pub mod lambda;
pub mod seed;

mod account;
mod allow_lists;
mod body;
mod buckets;
mod catalog;
mod criteria;
mod discovery;
mod faults;
mod filters;
mod items;
mod jobs;
mod lists;
mod macie;
mod organizations;
mod paging;
mod record;
mod refusals;
mod routes;
mod s3;
mod server;
mod settings;
mod simulator;
mod sns;
mod statistics;
mod sts;
mod tls;
mod wire;

pub use record::{Message, Request};
pub use s3::Object;
pub use seed::{Fault, FaultKind, OrganizationSeed, Paging, Refusal, RegionSeed, RoleSeed, Seed, Spelling, TargetSeed};
pub use simulator::Simulator;
