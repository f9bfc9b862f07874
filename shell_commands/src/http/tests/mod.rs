//! Whole exchanges over streams in memory.

mod client;
mod server;
