//! The `devnet` program: arguments, the system, the exit status.
//!
//! Defines only the order: [`Arguments`] → [`system::start`] → [`program::run`]. The library does
//! the work.
#![forbid(unsafe_code)]

mod logger;
mod system;

use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use devnet_shell_commands::arguments::{Arguments, Mode};
use devnet_shell_commands::shell::Shell;
use devnet_shell_commands::status::Status;
use devnet_shell_commands::{manual, program};

/// Guests grow without copies.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: devnet_drivers::MappingAllocator = devnet_drivers::MappingAllocator;

fn main() -> ExitCode {
    ExitCode::from(run().0)
}

fn run() -> Status {
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => return fail(&format!("{why}; try devnet --help"), Status::USAGE),
    };
    match arguments.mode {
        Mode::Help => return print(&manual::help()),
        Mode::Manual => return print(&manual::manual_page()),
        Mode::Completions(shell) => return print(&manual::completions(shell)),
        Mode::Version => return print(concat!("devnet ", env!("CARGO_PKG_VERSION"), "\n")),
        _ => {}
    }
    if let Err(why) = logger::start(arguments.log) {
        return fail(&why, Status::USAGE);
    }
    let system = match system::start(&arguments.interfaces) {
        Ok(system) => system,
        Err(why) => return fail(&why, Status::FAILURE),
    };
    let mut shell =
        Shell::new(system.files.clone(), system.streams.clone(), system.platform.clone());
    system.block_on(program::run(&mut shell, &arguments, stdin().is_terminal()))
}

/// A closed output pipe is not a failure.
fn print(text: &str) -> Status {
    let _ = stdout().write_all(text.as_bytes());
    Status::SUCCESS
}

fn fail(why: &str, status: Status) -> Status {
    let _ = writeln!(stderr(), "devnet: {why}");
    status
}
