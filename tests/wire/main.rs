//! The function as Lambda and AWS see it: the built binary, driven over the wire by a Runtime API
//! and a simulator of Macie, SNS, STS and Account Management on loopback.

mod answers;
mod crashes;
mod deadline;
mod delivery;
mod events;
mod failures;
mod filters;
mod function;
mod logs;
mod matrix;
mod memory;
mod mutes;
mod network;
mod outcomes;
mod paging;
mod publishing;
mod rules;
mod settings;
mod steps;
mod targets;
