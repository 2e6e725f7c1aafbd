//! The manual: pages that show how to do something, then the reference.

#[doc = include_str!("first_app.md")]
///
/// # The program
///
#[cfg_attr(all(feature = "http", feature = "sqlite"), doc = "````no_run")]
#[cfg_attr(not(all(feature = "http", feature = "sqlite")), doc = "````text")]
#[doc = include_str!("../../examples/notes.rs")]
/// ````
pub mod first_app {}

#[doc = include_str!("keys.md")]
pub mod keys {}

#[doc = include_str!("clocks.md")]
pub mod clocks {}

#[doc = include_str!("modelling.md")]
pub mod modelling {}

#[doc = include_str!("backup.md")]
pub mod backup {}

#[doc = include_str!("relay.md")]
pub mod relay {}

#[doc = include_str!("from_reference.md")]
pub mod from_reference {}

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

#[doc = include_str!("transports.md")]
pub mod transports {}

#[doc = include_str!("dependencies.md")]
pub mod dependencies {}
