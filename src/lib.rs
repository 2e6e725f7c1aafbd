//! A secure, offline-first synchronization core.
#![warn(missing_docs)]
