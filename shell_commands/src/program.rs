//! The modes of `devnet`: commands, a script, standard input, interactive.
//!
//! Called by `main.rs` with a shell on the running system. Scripts are files of the host and are
//! read whole. Standard input is read command by command, so that a command can read the input that
//! follows it.

use std::ffi::OsStr;

use devnet_virtual_file_system::{Error, OpenFlags};
use futures_lite::future;

use crate::arguments::{Arguments, Mode};
use crate::commands::run;
use crate::remote::{self, Remote};
use crate::shell::Shell;
use crate::shell::parser;
use crate::start;
use crate::status::Status;
use crate::terminal::{self, Terminal};
use crate::{dashboard, limits};

/// Runs the command line. Standard input is interactive if there is a terminal; without one, and
/// with others from afar, the end of it is no end.
pub async fn run(
    shell: &mut Shell,
    arguments: &Arguments,
    terminal: Option<&Terminal>,
    remote: Remote,
) -> Status {
    shell.stop_on_failure = arguments.stop_on_failure;
    for file in &arguments.imports {
        if let Err(why) = import(shell, file) {
            shell.complain(&why).await;
            return Status::FAILURE;
        }
    }
    start::configure(shell).await;
    let is_remote =
        remote.listen.is_some() || !remote.serial.is_empty() || arguments.dashboard.is_some();
    if let Err(why) = remote::start(remote, shell).await {
        shell.complain(&why).await;
        return Status::FAILURE;
    }
    if let Some(address) = arguments.dashboard
        && let Err(why) = dashboard::start(address, &shell.files, &shell.platform).await
    {
        shell.complain(&why).await;
        return Status::FAILURE;
    }
    let _forwarding = match (&arguments.mode, terminal) {
        // The terminal has its own way with Ctrl-C.
        (Mode::StandardInput, Some(_)) => None,
        _ => terminal::host::forward(shell.signals()),
    };
    let status = match &arguments.mode {
        Mode::Commands(commands, parameters) => {
            shell.parameters.extend_from_slice(parameters);
            shell.run(commands).await
        }
        Mode::Script(path, parameters) => run_script(shell, path, parameters).await,
        Mode::Command(words) => run_guest(shell, words).await,
        Mode::StandardInput => match terminal {
            Some(terminal) => terminal::run(shell, terminal).await,
            None => {
                let status = run_input(shell).await;
                if is_remote && shell.exit.is_none() && status.is_success() {
                    // Others are served until somebody wants an end.
                    shell.signal().await
                } else {
                    status
                }
            }
        },
        // These need no system.
        Mode::Help | Mode::Manual | Mode::Completions(_) | Mode::Version => Status::SUCCESS,
    };
    shell.exit.get_or_insert(status);
    shell.finish().await
}

async fn run_script(shell: &mut Shell, path: &OsStr, parameters: &[String]) -> Status {
    let name = path.to_string_lossy().into_owned();
    let script = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| String::from("is not text")),
        Err(why) => Err(words(&why)),
    };
    match script {
        Ok(script) => {
            shell.parameters = vec![name];
            shell.parameters.extend_from_slice(parameters);
            shell.run(&script).await
        }
        Err(why) => {
            shell.complain(&format!("{name}: {why}")).await;
            Status::USAGE
        }
    }
}

/// Converts the host's error to ours, which has the same text.
#[must_use]
pub fn words(error: &std::io::Error) -> String {
    let code = error.raw_os_error().and_then(|code| u16::try_from(code).ok());
    code.and_then(Error::from_errno).map_or_else(|| error.to_string(), |error| error.to_string())
}

/// `devnet run …`: the guest is a host file unless the tree has a file of that name.
async fn run_guest(shell: &mut Shell, words: &[String]) -> Status {
    let mut words = words.to_vec();
    let place =
        words.get(1..).and_then(|rest| run::parse(rest).ok()).map(|options| options.place + 1);
    if let Some(guest) = place.and_then(|place| words.get_mut(place))
        && shell.files.stat(guest).is_err()
        && std::path::Path::new(guest.as_str()).exists()
    {
        match import(shell, guest) {
            Ok(path) => *guest = path,
            Err(why) => {
                shell.complain(&why).await;
                return Status::FAILURE;
            }
        }
    }
    run_words(shell, &words).await
}

/// Copies a host file into the tree, `FROM` to `/binaries/NAME` or `FROM=TO` to that path, with a
/// guest's manifest. Returns the path.
///
/// # Errors
/// The file that could not be read or written, and the reason, in one line.
pub fn import(shell: &Shell, text: &str) -> Result<String, String> {
    let (from, to) = match text.rsplit_once('=') {
        Some((from, to)) => (from, to.to_owned()),
        None => {
            let name = std::path::Path::new(text)
                .file_name()
                .ok_or_else(|| format!("{text}: not a file"))?;
            (text, format!("/binaries/{}", name.to_string_lossy()))
        }
    };
    copy(shell, from, &to)?;
    let manifest = run::manifest_of(from);
    if from.ends_with(".wasm") && std::path::Path::new(&manifest).exists() {
        copy(shell, &manifest, &run::manifest_of(&to))?;
    }
    Ok(to)
}

fn copy(shell: &Shell, from: &str, to: &str) -> Result<(), String> {
    let data = std::fs::read(from).map_err(|why| format!("{from}: {}", words(&why)))?;
    let named = |why: Error| format!("{to}: {why}");
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = shell.files.open(to, flags).map_err(named)?;
    let written = file.try_write(&data).map_err(named)?;
    if written == data.len() { Ok(()) } else { Err(named(Error::NoSpace)) }
}

async fn run_words(shell: &mut Shell, words: &[String]) -> Status {
    let quoted: Vec<String> =
        words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    shell.run(&quoted.join(" ")).await
}

async fn run_input(shell: &mut Shell) -> Status {
    let mut text = String::new();
    let mut pending = Vec::new();
    loop {
        // A signal that comes meanwhile has its trap, or ends the shell.
        let signal = async {
            shell.signal().await;
            None
        };
        let read = async { Some(read_line(shell, &mut pending).await) };
        let Some(read) = future::or(read, signal).await else {
            shell.notice().await;
            match shell.exit {
                Some(status) => return status,
                None => continue,
            }
        };
        let line = match read {
            Ok(line) => line,
            Err(why) => {
                shell.complain(&format!("standard input: {why}")).await;
                return Status::FAILURE;
            }
        };
        let at_end = line.is_empty();
        text.push_str(&line);
        match parser::parse(&text) {
            Ok(script) => {
                text.clear();
                shell.execute(&script).await;
            }
            Err(error) if error.is_incomplete() && !at_end => continue,
            Err(error) => return shell.report(&error).await,
        }
        if let Some(status) = shell.exit {
            return status;
        }
        if at_end {
            return shell.status;
        }
    }
}

/// Reads the next line with its newline; empty at the end of the input. It reads single bytes: the
/// rest belongs to the commands. What was read of a line stays in `line` if the future is dropped.
async fn read_line(shell: &Shell, line: &mut Vec<u8>) -> Result<String, Error> {
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        if shell.streams.input.file.read(&mut byte).await? == 0 {
            break;
        }
        if line.len() >= limits::SCRIPT_BYTES {
            return Err(Error::FileTooLarge);
        }
        line.extend_from_slice(&byte);
    }
    String::from_utf8(std::mem::take(line)).map_err(|_| Error::InvalidInput)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn ran(world: &World, input: &str, words: &[&str]) -> (u8, String, String) {
        let mut shell = world.shell();
        world.block_on(shell.streams.input.file.write_all(input.as_bytes())).unwrap();
        shell.streams.input.file.seek(embedded_io_async::SeekFrom::Start(0)).unwrap();
        let arguments = Arguments::parse(words.iter().map(Into::into)).unwrap();
        let status = world.block_on(run(&mut shell, &arguments, None, Remote::default()));
        (status.0, world.text("/.output"), world.text("/.error"))
    }

    #[test]
    fn commands_take_arguments() {
        let world = World::new();
        assert_eq!(
            ran(&world, "", &["-c", "echo $1; false", "x"]),
            (1, "x\n".into(), String::new())
        );
        assert_eq!(
            ran(&world, "", &["-e", "-c", "false; echo a"]),
            (1, String::new(), String::new())
        );
        let missing = "run: it's: No such file or directory\n";
        assert_eq!(ran(&world, "", &["run", "it's"]), (1, String::new(), missing.into()));
    }

    #[test]
    fn standard_input_is_shared_with_the_commands() {
        let world = World::new();
        assert_eq!(
            ran(&world, "echo a\ncat\necho b\n", &[]),
            (0, "a\necho b\n".into(), String::new())
        );
        assert_eq!(ran(&world, "echo 'a\nb'\nfalse", &[]), (1, "a\nb\n".into(), String::new()));
        assert_eq!(ran(&world, "exit 3\necho a\n", &[]), (3, String::new(), String::new()));
        let (status, output, error) = ran(&world, "echo a\necho 'b\n", &[]);
        assert_eq!(
            (status, output.as_str(), error.as_str()),
            (2, "a\n", "devnet: line 1, column 6: syntax error: unterminated '\n")
        );
    }

    #[test]
    fn scripts_are_files_of_the_host() {
        let world = World::new();
        let directory =
            std::env::temp_dir().join(format!("devnet-program-test-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("script");
        std::fs::write(&path, "#!/usr/bin/env devnet\necho $# $1\n").unwrap();
        let name = path.to_str().unwrap();
        assert_eq!(ran(&world, "", &[name, "-c", "x"]), (0, "2 -c\n".into(), String::new()));
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert_eq!(
            ran(&world, "", &[name]),
            (2, String::new(), format!("devnet: {name}: is not text\n"))
        );
        std::fs::remove_dir_all(&directory).unwrap();
        assert_eq!(
            ran(&world, "", &[name]),
            (2, String::new(), format!("devnet: {name}: No such file or directory\n"))
        );
    }
}
