//! The program's own terminal, if standard input is one.
//!
//! Standard output, or else standard error, must be one too: the line is drawn there. Its history
//! is in a file of the user; what cannot be read is reported, and the shell has none over restarts.

use std::env;
use std::io::{IsTerminal, stderr, stdout};
use std::sync::Arc;

use devnet_drivers::host::console::Console;
use devnet_shell_commands::arguments::Arguments;
use devnet_shell_commands::context::Streams;
use devnet_shell_commands::program::words;
use devnet_shell_commands::remote::{Credentials, Remote};
use devnet_shell_commands::shell::Shell;
use devnet_shell_commands::shell::history::{self, History};
use devnet_shell_commands::shell::keyboard::Keyboard;
use devnet_shell_commands::terminal::host::{self, Forwarding};
use devnet_shell_commands::terminal::{Modes, Terminal};
use devnet_shell_commands::window::{Size, Window};

/// The modes of the program's terminal.
struct Own(Console);

impl Modes for Own {
    fn edit(&self, is_editing: bool) -> Result<(), String> {
        self.0.take_keys(is_editing).map_err(|why| words(&why))
    }
}

/// A terminal, while its signals are passed on.
pub(crate) struct Attached {
    pub(crate) terminal: Terminal,
    _signals: Forwarding,
}

/// The streams as they are: those that are terminals have its window.
pub(crate) fn streams(streams: Streams, window: &Window, reads: bool) -> Streams {
    let Streams { input, output, error } = streams;
    Streams {
        input: if reads { input.on(window.clone()) } else { input },
        output: if stdout().is_terminal() { output.on(window.clone()) } else { output },
        error: if stderr().is_terminal() { error.on(window.clone()) } else { error },
    }
}

/// The terminal at which somebody types, if there is one.
pub(crate) fn attach(shell: &Shell, window: &Window) -> Option<Attached> {
    let console = Arc::new(Own(Console::standard_input()?));
    // A terminal that only prints has no cursor to move.
    if env::var_os("TERM").is_none_or(|kind| kind == "dumb") {
        return None;
    }
    let output = match (stdout().is_terminal(), stderr().is_terminal()) {
        (true, _) => &shell.streams.output,
        (_, true) => &shell.streams.error,
        _ => return None,
    };
    let keyboard = Keyboard::default();
    let (changing, seen) = (Arc::clone(&console), window.clone());
    let measure = move || {
        let (columns, rows) = changing.0.window();
        seen.set(Size { columns, rows });
    };
    measure();
    let signals = host::press(keyboard.clone(), measure)?;
    let terminal = Terminal {
        input: shell.streams.input.file.clone(),
        output: output.file.clone(),
        window: window.clone(),
        keyboard,
        modes: console,
    };
    Some(Attached { terminal, _signals: signals })
}

/// From where else the shell is reached, and the lines, whose modes are restored at the end.
///
/// # Errors
/// The file or the line, and why, in one line.
pub(crate) fn remote(arguments: &Arguments) -> Result<(Remote, Vec<Console>), String> {
    let mut remote = Remote { listen: arguments.listen, ..Remote::default() };
    if let Some(path) = &arguments.credentials {
        let named = |why: String| format!("{}: {why}", path.to_string_lossy());
        let text = std::fs::read_to_string(path).map_err(|why| named(words(&why)))?;
        remote.credentials = Some(Credentials::parse(&text).map_err(named)?);
    }
    let mut lines = Vec::new();
    for path in &arguments.serial {
        let name = path.to_string_lossy().into_owned();
        let opened = Console::open(path.as_ref()).map_err(|why| words(&why));
        let (console, file) = opened.map_err(|why| format!("{name}: {why}"))?;
        lines.push(console);
        remote.serial.push((name, file));
    }
    Ok((remote, lines))
}

/// The history of the user; and what is wrong with its file.
pub(crate) fn history() -> (History, Result<(), String>) {
    match history::file(|name| env::var_os(name).map(Into::into)) {
        Some(path) => History::open(&path),
        None => (History::default(), Ok(())),
    }
}
