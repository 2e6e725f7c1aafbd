//! The manual: the format in bytes, the reasons for the design, and what an attacker may do.

#[doc = include_str!("format.md")]
pub mod format {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("threats.md")]
pub mod threats {}
