//! Prints `devnet.h`, the C header of guest programs. To renew it after a change of the command
//! table:
//!
//! `cargo run -p devnet-tests --bin c-header > /tmp/devnet.h && mv /tmp/devnet.h
//! guest_programs/sdk/c/devnet.h`

mod generate;

fn main() {
    print!("{}", generate::header());
}
