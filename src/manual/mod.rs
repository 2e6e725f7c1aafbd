//! The manual.

#[doc = include_str!("format.md")]
pub mod format {}

#[doc = include_str!("design.md")]
pub mod design {}

#[doc = include_str!("threats.md")]
pub mod threats {}

#[doc = include_str!("c_api.md")]
pub mod c_api {}

#[doc = include_str!("versions.md")]
pub mod versions {}

#[doc = include_str!("modelling.md")]
pub mod modelling {}

#[doc = include_str!("backup.md")]
pub mod backup {}

#[doc = include_str!("from_reference.md")]
pub mod from_reference {}

#[doc = include_str!("transports.md")]
pub mod transports {}

#[doc = include_str!("dependencies.md")]
pub mod dependencies {}
