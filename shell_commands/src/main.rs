//! The `devnet` program: arguments, the system, the exit status.
//!
//! Defines only the order: [`Arguments`] → [`system::start`] → [`program::run`]. The library does
//! the work.
#![forbid(unsafe_code)]

mod certificates;
mod console;
mod logger;
mod system;

use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;

use devnet_shell_commands::arguments::{Arguments, Mode};
use devnet_shell_commands::commands::table::COMMANDS;
use devnet_shell_commands::shell::Shell;
use devnet_shell_commands::status::Status;
use devnet_shell_commands::window::Window;
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
        Mode::Manual => return print(&manual::manual_page(COMMANDS)),
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
    let window = Window::default();
    let streams = console::streams(system.streams.clone(), &window, stdin().is_terminal());
    let mut shell = Shell::new(system.files.clone(), streams, system.platform.clone());
    if let Ok(value) = std::env::var("NO_COLOR") {
        shell.export("NO_COLOR", &value);
    }
    let is_interactive = matches!(arguments.mode, Mode::StandardInput);
    let attached = is_interactive.then(|| console::attach(&shell, &window)).flatten();
    if attached.is_some() {
        let (history, outcome) = console::history();
        shell.history = history;
        if let Err(why) = outcome {
            system.block_on(shell.complain(&format!("history: {why}")));
        }
    }
    let (remote, _lines) = match console::remote(&arguments) {
        Ok(remote) => remote,
        Err(why) => return fail(&why, Status::FAILURE),
    };
    let terminal = attached.as_ref().map(|attached| &attached.terminal);
    system.block_on(program::run(&mut shell, &arguments, terminal, remote))
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
