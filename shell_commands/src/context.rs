//! The environment of a command: everything that it may access.
//!
//! The shell builds one [`Context`] per command: its arguments, three streams, the files with the
//! caller's credentials and directory, and the platform's clock, entropy and spawner. A command
//! must not bypass it: no global state, no host file, no stack. Dropping the command's future drops
//! the context, which closes its files.

use std::sync::Arc;
use std::time::Duration;

use devnet_drivers::Host;
use devnet_guest_programs::{Idle, Programs, Supplies, Translator};
use devnet_network::platform::{Clock, Entropy, Instant, Spawner};
use devnet_virtual_file_system::{
    Attributes, Credentials, DirectoryEntry, Error, File, GroupIdentifier, Mode, NodeKind,
    OpenFlags, Path, Result, TimeSource, UserIdentifier, VirtualFileSystem,
};

use crate::failure::{Failure, Outcome};
use crate::shown;
use crate::status::Status;
use crate::typed::TypedTable;
use crate::window::Window;

/// Clock, entropy and spawner.
#[derive(Clone)]
pub struct Platform {
    /// Monotonic time.
    pub clock: Arc<dyn Clock>,
    /// Random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Runs background jobs.
    pub spawner: Arc<dyn Spawner>,
    /// The Unix time at which the clock started.
    pub started: Duration,
    /// Futures that guest programs await after each turn.
    pub idle: Idle,
    /// The translator of modules.
    pub translator: Translator,
    /// The table of guest programs.
    pub programs: Programs,
    /// Tables of commands of the embedder's devices.
    pub tables: Vec<TypedTable>,
}

impl Platform {
    /// What an ordinary program has, with a new translator and a new table of programs.
    #[must_use]
    pub fn of(host: &Host) -> Self {
        Self {
            clock: host.clock(),
            entropy: host.entropy(),
            spawner: host.spawner(),
            started: host.started(),
            idle: host.idle(),
            translator: Translator::new(),
            programs: Programs::new(),
            tables: Vec::new(),
        }
    }

    /// The same, whose shells know the types of these commands too: `control` then takes and shows
    /// them as JSON. See [`typed_table!`](crate::typed_table).
    #[must_use]
    pub fn with_table(mut self, table: TypedTable) -> Self {
        self.tables.push(table);
        self
    }

    /// Returns the time since the Unix epoch.
    #[must_use]
    pub fn now(&self) -> Duration {
        now(self.clock.as_ref(), self.started)
    }

    /// Returns what tells a tree the time.
    #[must_use]
    pub fn time_source(&self) -> TimeSource {
        let (clock, started) = (Arc::clone(&self.clock), self.started);
        Arc::new(move || now(clock.as_ref(), started))
    }

    /// Returns clock and entropy for guest programs.
    #[must_use]
    pub fn supplies(&self) -> Supplies {
        Supplies::new(Arc::clone(&self.clock), Arc::clone(&self.entropy))
            .started(self.started)
            .idle(Arc::clone(&self.idle))
    }
}

fn now(clock: &dyn Clock, started: Duration) -> Duration {
    started + clock.now().since(Instant::ZERO)
}

/// An open file with its name in errors.
#[derive(Clone)]
pub struct Stream {
    /// The file.
    pub file: File,
    /// Its path, or `standard output` and the like.
    pub name: Arc<str>,
    /// The window, if it is a terminal.
    pub terminal: Option<Window>,
}

impl Stream {
    /// Names a file.
    #[must_use]
    pub fn new(file: File, name: &str) -> Self {
        Self { file, name: Arc::from(name), terminal: None }
    }

    /// The same stream, which is a terminal with this window.
    #[must_use]
    pub fn on(self, window: Window) -> Self {
        Self { terminal: Some(window), ..self }
    }

    /// Writes a message, and ignores a failure: no further stream could report it.
    pub async fn remark(&self, text: &str) {
        let _ = self.file.write_all(shown::text(text).as_bytes()).await;
    }
}

/// The three streams of a command.
#[derive(Clone)]
pub struct Streams {
    /// What it reads.
    pub input: Stream,
    /// What it answers.
    pub output: Stream,
    /// Where it complains.
    pub error: Stream,
}

/// The file system as one caller in one directory sees it.
#[derive(Clone)]
pub struct Files {
    tree: VirtualFileSystem,
    credentials: Arc<Credentials>,
    directory: Path,
}

impl Files {
    /// The view of `credentials`, starting in the root directory.
    ///
    /// # Errors
    /// None in practice: the root is a valid path.
    pub fn new(tree: VirtualFileSystem, credentials: Credentials) -> Result<Self> {
        Ok(Self { tree, credentials: Arc::new(credentials), directory: Path::parse("/")? })
    }

    /// The whole tree and on whose behalf, for a guest program that sees a part of it.
    #[must_use]
    pub fn parts(&self) -> (VirtualFileSystem, Credentials) {
        (self.tree.clone(), Credentials::clone(&self.credentials))
    }

    /// The current directory.
    #[must_use]
    pub const fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes `text` the current directory.
    ///
    /// # Errors
    /// `NotADirectory`, and whatever looking it up gives.
    pub fn enter(&mut self, text: &str) -> Result<()> {
        let path = self.resolve(text)?;
        if self.tree.stat(&self.credentials, &path)?.kind != NodeKind::Directory {
            return Err(Error::NotADirectory);
        }
        self.directory = path;
        Ok(())
    }

    /// The absolute path that `text` means here.
    ///
    /// # Errors
    /// `InvalidInput` or `NameTooLong` for what cannot be a path.
    pub fn resolve(&self, text: &str) -> Result<Path> {
        if text.is_empty() { Err(Error::NotFound) } else { self.directory.resolve(text) }
    }

    /// Opens a file; one that is created gets mode 644.
    ///
    /// # Errors
    /// Those of the file system and of the device.
    pub fn open(&self, text: &str, flags: OpenFlags) -> Result<File> {
        self.tree.open(
            &self.credentials,
            &self.resolve(text)?,
            flags,
            Mode::from_bits_truncate(0o644),
        )
    }

    /// The entries of a directory, sorted.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn list(&self, text: &str) -> Result<Vec<DirectoryEntry>> {
        self.tree.list(&self.credentials, &self.resolve(text)?)
    }

    /// What a node is.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn stat(&self, text: &str) -> Result<Attributes> {
        self.tree.stat(&self.credentials, &self.resolve(text)?)
    }

    /// Creates a directory with mode 755.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create_directory(&self, text: &str) -> Result<()> {
        self.tree.create_directory(
            &self.credentials,
            &self.resolve(text)?,
            Mode::from_bits_truncate(0o755),
        )
    }

    /// Removes a file or an empty directory.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(&self, text: &str) -> Result<()> {
        self.tree.remove(&self.credentials, &self.resolve(text)?)
    }

    /// Changes the mode of a node.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn set_mode(&self, text: &str, mode: Mode) -> Result<()> {
        self.tree.set_mode(&self.credentials, &self.resolve(text)?, mode)
    }

    /// Changes when a node was last changed: to this time since the Unix epoch, or to now.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn set_modified(&self, text: &str, time: Option<Duration>) -> Result<()> {
        self.tree.set_modified(&self.credentials, &self.resolve(text)?, time)
    }

    /// Changes the owner of a node.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn set_owner(
        &self,
        text: &str,
        user: UserIdentifier,
        group: GroupIdentifier,
    ) -> Result<()> {
        self.tree.set_owner(&self.credentials, &self.resolve(text)?, user, group)
    }

    /// Renames a node.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.tree.rename(&self.credentials, &self.resolve(from)?, &self.resolve(to)?)
    }
}

/// All that one running command has.
#[derive(Clone)]
pub struct Context {
    /// The command's name as it was typed.
    pub name: String,
    /// How it is typed, and what it does.
    pub help: String,
    /// The words after the name.
    pub arguments: Vec<String>,
    /// The file system.
    pub files: Files,
    /// Input, output, error.
    pub streams: Streams,
    /// Time, chance and tasks.
    pub platform: Platform,
    /// The exported variables, as `NAME=VALUE`.
    pub environment: Vec<String>,
}

impl Context {
    /// Writes text to the output, [as it is shown](shown).
    ///
    /// # Errors
    /// The write's, naming the stream.
    pub async fn print(&self, text: &str) -> std::result::Result<(), Failure> {
        self.print_bytes(shown::text(text).as_bytes()).await
    }

    /// Writes bytes to the output as they are, in one call if the file takes them: a line must
    /// reach a device whole.
    ///
    /// # Errors
    /// The write's, naming the stream.
    pub async fn print_bytes(&self, data: &[u8]) -> std::result::Result<(), Failure> {
        if data.is_empty() {
            return Ok(());
        }
        let Stream { file, name, .. } = &self.streams.output;
        file.write_all(data).await.map_err(|why| Failure::of_write_to(file, name, why))
    }

    /// Prints the answer of a command that then is done.
    ///
    /// # Errors
    /// The write's, naming the stream.
    pub async fn answer(&self, text: &str) -> Outcome {
        self.print(text).await?;
        Ok(Status::SUCCESS)
    }

    /// Whether the answer has colours: `always`, `never`, or without a word as with `auto` on a
    /// terminal, unless `NO_COLOR` is set (no-color.org).
    ///
    /// # Errors
    /// Another word, status 2.
    pub fn has_colors(&self, when: Option<&str>) -> std::result::Result<bool, Failure> {
        match when {
            Some("always" | "yes" | "force") => Ok(true),
            Some("never" | "no" | "none") => Ok(false),
            None | Some("auto" | "tty" | "if-tty") => {
                let forbids = |variable: &String| {
                    variable.strip_prefix("NO_COLOR=").is_some_and(|value| !value.is_empty())
                };
                let is_terminal = self.streams.output.terminal.is_some();
                Ok(is_terminal && !self.environment.iter().any(forbids))
            }
            Some(word) => Err(Failure::usage(format!("{word}: not auto, always or never"))),
        }
    }

    /// Complains on the error stream.
    pub async fn complain(&self, message: &str) {
        self.streams.error.remark(&format!("{}: {}\n", self.name, shown::line(message))).await;
    }

    /// The options of the command as an iterator over POSIX and GNU style words.
    #[must_use]
    pub fn options(&self) -> lexopt::Parser {
        lexopt::Parser::from_args(self.arguments.iter().map(String::as_str))
    }
}
