//! The report as people and SNS get it.

mod mail;
mod messages;

pub use messages::{Attribute, LIMIT, Message, Messages};
