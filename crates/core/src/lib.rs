//! The pure part of `macie-compliance`: evidence is judged by checks, and the report of it rendered.
//!
//! Nothing here makes a request, waits, reads a clock or the environment. The parts build on each
//! other in this order, and none uses one that comes after it:
//!
//! - [`text`], [`names`], [`api`], [`order`], [`failure`], [`refusal`], [`resource`] and
//!   [`severity`]: the nouns;
//! - [`criteria`]: what a findings filter matches, and how much that is;
//! - [`evidence`]: what was read, and what could not be;
//! - [`policy`] and [`checks`]: what is judged;
//! - [`exemptions`]: what breaks a rule and is accepted, by whom and until when;
//! - [`judge`]: evidence to outcomes and violations;
//! - [`report`]: the published format, how it is put together, and the advice in it;
//! - [`history`]: the last runs in a few numbers each;
//! - [`render`]: the report as people and SNS get it;
//! - [`inlet`]: events, settings and the deadline, read into the types above.

pub mod api;
pub mod failure;
pub mod names;
pub mod order;
pub mod refusal;
pub mod resource;
pub mod severity;
pub mod text;

pub mod criteria;
pub mod evidence;

pub mod checks;
pub mod policy;

pub mod exemptions;

pub mod judge;

pub mod report;

pub mod history;

pub mod render;

pub mod inlet;

#[cfg(feature = "testing")]
pub mod testing;
