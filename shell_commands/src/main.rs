//! The `devnet` program.
fn main() {}
