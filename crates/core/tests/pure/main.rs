//! The pure crate from outside: what it takes, what it judges, and what it tells people.

mod boundaries;
mod changes;
mod checks;
mod criteria;
mod docs;
mod exempted;
mod exemptions;
mod filters;
mod golden;
mod mail;
mod messages;
mod mutes;
mod news;
mod outcomes;
mod page;
mod papers;
mod parts;
mod program;
mod properties;
mod refusal;
mod repository;
mod settings;
mod unread;
