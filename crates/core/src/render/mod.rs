//! The report as people and SNS get it.

mod mail;
mod messages;
mod page;
mod sent;
mod unread;
mod weight;
mod words;

pub use messages::{Attribute, LIMIT, Message, Messages};
pub use page::page;
