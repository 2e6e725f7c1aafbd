//! The manual: the format in bytes, the reasons for the design, what an attacker may do, and the C interface.

#[doc = include_str!("format.md")]
pub mod format {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("threats.md")]
pub mod threats {}

#[doc = include_str!("c_api.md")]
pub mod c_api {}
