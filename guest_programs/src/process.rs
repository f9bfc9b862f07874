//! A running guest: its driver resumes it, runs it until it blocks, awaits the call, and resumes
//! it.
//!
//! [`Process::run`] is one future that owns the guest. Dropping it ends the guest at any point and
//! closes its files. The guest yields each time it has consumed
//! [`TURN_FUEL`](crate::limits::TURN_FUEL), so a guest that never blocks starves nobody.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::time::Duration;

use devnet_network::platform::{Clock, Instant};
use devnet_virtual_file_system::{
    Credentials, File, NodeKind, OpenFlags, Path, Stored, VirtualFileSystem,
};
use futures_lite::future;
use wasmi::errors::{ErrorKind, LinkerError};
use wasmi::{ResumableCall, Store, TrapCode, Val};

use crate::account::Account;
use crate::allocation::Allocation;
use crate::descriptor::{Descriptor, Descriptors};
use crate::devices::Devices;
use crate::grants::Grants;
use crate::guest::{Guest, Supplies};
use crate::imports::call::Suspend;
use crate::instance::Instance;
use crate::limits;
use crate::namespace::{Namespace, Opened};
use crate::policy::Policy;
use crate::program::{Program, ProgramError};
use crate::table::Entry;

/// The parameters of a new guest.
#[non_exhaustive]
pub struct Launch {
    /// The program.
    pub program: Program,
    /// Its arguments; the first is its name.
    pub arguments: Vec<String>,
    /// Environment variables, each as `NAME=value`.
    pub environment: Vec<String>,
    /// Standard input, output and error.
    pub streams: [File; 3],
    /// The file system, of which the guest sees the granted part.
    pub files: VirtualFileSystem,
    /// The credentials with which it opens files.
    pub credentials: Credentials,
    /// The working directory.
    pub directory: Path,
    /// Its grants.
    pub grants: Grants,
    /// Clock and entropy.
    pub supplies: Supplies,
}

impl Launch {
    /// A guest with these standard streams that opens `files` with `credentials`: no arguments, no
    /// environment, at the root directory, and without grants.
    #[must_use]
    pub fn new(
        program: Program,
        streams: [File; 3],
        files: VirtualFileSystem,
        credentials: Credentials,
        supplies: Supplies,
    ) -> Self {
        Self {
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            streams,
            files,
            credentials,
            directory: Path::root(),
            grants: Grants::default(),
            supplies,
        }
    }
}

devnet_virtual_file_system::setters! {
    Launch {
        program: Program,
        arguments: Vec<String>,
        environment: Vec<String>,
        streams: [File; 3],
        files: VirtualFileSystem,
        credentials: Credentials,
        directory: Path,
        grants: Grants,
        supplies: Supplies,
    }
}

/// How a guest ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Exit {
    /// It exited with a status, or returned from `_start` (0).
    Status(u32),
    /// It trapped, for this reason.
    Trapped(String),
    /// It was killed.
    Killed,
}

impl Exit {
    /// The exit status as in a shell: 134 for a trap (as for SIGABRT), 143 for a kill (as for
    /// SIGTERM), otherwise the low 8 bits of the program's status.
    #[must_use]
    pub const fn status(&self) -> u8 {
        match self {
            Self::Status(status) => (*status & 0xff) as u8,
            Self::Trapped(_) => 134,
            Self::Killed => 143,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(formatter, "exit {status}"),
            Self::Trapped(why) => write!(formatter, "trapped: {why}"),
            Self::Killed => formatter.write_str("killed"),
        }
    }
}

/// A guest that is ready to run.
pub struct Process {
    store: Instance,
    start: wasmi::Func,
    account: Arc<Account>,
}

impl fmt::Debug for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Process")
            .field("burnt", &self.store.data().burnt)
            .finish_non_exhaustive()
    }
}

impl Process {
    /// Instantiates a program, in turns as it runs. Its start section runs here, with bounded fuel.
    ///
    /// # Errors
    /// Why it cannot start: more memory than granted, no `_start`, arguments that are too long, a
    /// start section that traps or blocks.
    ///
    /// # Cancel safety
    /// Dropping the future closes the guest's files.
    pub async fn new(launch: Launch) -> Result<Self, ProgramError> {
        let (program, files) = (launch.program.clone(), launch.files.clone());
        let (guest, account) = guest(launch)?;
        let (store, instance) = Instance::new(&program, guest, files)
            .await
            .map_err(|why| ProgramError::new(describe(&why)))?;
        let start = instance
            .get_func(&*store, "_start")
            .ok_or_else(|| ProgramError::new("it exports no _start"))?;
        let kind = start.ty(&*store);
        if !kind.params().is_empty() || !kind.results().is_empty() {
            return Err(ProgramError::new("its _start has parameters or results"));
        }
        Ok(Self { store, start, account })
    }

    /// Runs the guest to its end.
    ///
    /// # Cancel safety
    /// Dropping the future ends the guest and closes its files.
    pub async fn run(self) -> Exit {
        self.drive(None).await
    }

    /// Runs the guest to its end under a number in a table of programs, where it can be listed and
    /// killed.
    ///
    /// # Cancel safety
    /// As [`run`](Self::run); the number becomes free.
    pub async fn run_listed(self, entry: Entry) -> Exit {
        let killed = async {
            entry.killed().await;
            Exit::Killed
        };
        future::or(killed, self.drive(Some(&entry))).await
    }

    async fn drive(mut self, entry: Option<&Entry>) -> Exit {
        let mut throttle = Throttle::new(&self.store, self.account.limits().fuel_per_second);
        let mut given = limits::TURN_FUEL;
        // Fuel is enabled in the translator's configuration, so this cannot fail.
        let _ = self.store.set_fuel(given);
        let mut step = self.start.call_resumable(&mut *self.store, &[], &mut []);
        loop {
            let left = self.store.get_fuel().unwrap_or(0);
            self.store.data_mut().burnt += given.saturating_sub(left);
            if let Some(entry) = entry {
                entry.note(self.store.data(), &self.account);
            }
            let call = match step {
                Ok(ResumableCall::Finished) => return Exit::Status(0),
                Ok(ResumableCall::OutOfFuel(call)) => {
                    (self.store.data().supplies.idle)().await;
                    throttle.wait(self.store.data().burnt).await;
                    let price = self.store.data_mut().allocation.take_price();
                    self.pay(price, &mut throttle).await;
                    given = limits::TURN_FUEL.max(call.required_fuel());
                    let _ = self.store.set_fuel(given);
                    step = call.resume(&mut *self.store, &mut []);
                    continue;
                }
                Ok(ResumableCall::HostTrap(call)) => call,
                Err(why) => return ended(&why),
            };
            if call.host_error().downcast_ref::<Suspend>().is_none() {
                return ended(call.host_error());
            }
            let Some(mut pending) = self.store.data_mut().pending.take() else {
                return Exit::Trapped("it waits for nothing".to_string());
            };
            let mut has_waited = false;
            let completion = poll_fn(|context| {
                let outcome = pending.as_mut().poll(context);
                has_waited |= outcome.is_pending();
                outcome
            })
            .await;
            throttle.wait(self.store.data().burnt).await;
            let value = match self.store.data().memory {
                Some(memory) => {
                    let (bytes, guest) = memory.data_and_store_mut(&mut *self.store);
                    completion(guest, bytes)
                }
                None => completion(self.store.data_mut(), &mut []),
            };
            drop(pending);
            // A guest that blocked starts a new turn. One that did not block continues with the
            // fuel left of the current turn; otherwise its turn would never end.
            let guest = self.store.data_mut();
            let price = guest.take_price();
            let debt = core::mem::take(&mut guest.debt) + guest.allocation.take_price();
            given = if has_waited { limits::TURN_FUEL } else { left };
            let mut rest = given.saturating_sub(price);
            let debt = debt.saturating_add(price.saturating_sub(given));
            if debt > 0 {
                self.store.data_mut().burnt += price.min(given);
                self.pay(debt, &mut throttle).await;
                (given, rest) = (limits::TURN_FUEL, limits::TURN_FUEL);
            }
            let _ = self.store.set_fuel(rest);
            step = call.resume(&mut *self.store, &[Val::I32(value)], &mut []);
        }
    }
}

impl Process {
    /// Pays what a call cost beyond the rest of the turn: other tasks run for as many turns as it
    /// took.
    async fn pay(&mut self, mut debt: u64, throttle: &mut Throttle) {
        while debt > 0 {
            let part = debt.min(limits::TURN_FUEL);
            debt -= part;
            let guest = self.store.data_mut();
            guest.burnt += part;
            let idle = (guest.supplies.idle)();
            idle.await;
            throttle.wait(self.store.data().burnt).await;
        }
    }
}

/// Limits a guest to its fuel per second.
struct Throttle {
    rate: Option<u64>,
    clock: Arc<dyn Clock>,
    started: Instant,
}

impl Throttle {
    fn new(store: &Store<Guest>, rate: Option<u64>) -> Self {
        let clock = Arc::clone(&store.data().supplies.clock);
        let started = clock.now();
        Self { rate, clock, started }
    }

    /// Waits until the guest may have consumed this much fuel in total. A guest that was idle may
    /// catch up by at most a tenth of a second.
    async fn wait(&mut self, burnt: u64) {
        let Some(rate) = self.rate else { return };
        let micros = u128::from(burnt) * 1_000_000 / u128::from(rate.max(1));
        let due =
            self.started.after(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)));
        let now = self.clock.now();
        let idle = now.since(due);
        let most = Duration::from_millis(limits::BURST_MILLISECONDS);
        if idle > most {
            self.started = self.started.after(idle - most);
        } else if due > now {
            self.clock.sleep_until(due).await;
        }
    }
}

fn ended(why: &wasmi::Error) -> Exit {
    match why.i32_exit_status() {
        Some(status) => Exit::Status(status as u32),
        None => Exit::Trapped(describe(why)),
    }
}

/// The description of a trap, in the terms that people search for.
fn describe(why: &wasmi::Error) -> String {
    if let ErrorKind::Linker(LinkerError::MissingDefinition { name, .. }) = why.kind() {
        return alloc::format!("unknown import {}.{}", name.module(), name.name());
    }
    let text = match why.as_trap_code() {
        Some(TrapCode::UnreachableCodeReached) => "unreachable code reached",
        Some(TrapCode::MemoryOutOfBounds) => "memory access out of bounds",
        Some(TrapCode::TableOutOfBounds) => "table access out of bounds",
        Some(TrapCode::IndirectCallToNull) => "call of a null function",
        Some(TrapCode::IntegerDivisionByZero) => "division by zero",
        Some(TrapCode::IntegerOverflow) => "integer overflow",
        Some(TrapCode::BadConversionToInteger) => "a number that is no integer",
        Some(TrapCode::StackOverflow) => "stack overflow",
        Some(TrapCode::BadSignature) => "call of a function of another type",
        Some(TrapCode::OutOfFuel) => "its start section takes too long",
        _ => return why.to_string(),
    };
    text.to_string()
}

fn guest(launch: Launch) -> Result<(Guest, Arc<Account>), ProgramError> {
    let Launch {
        program,
        arguments,
        environment,
        streams,
        files,
        credentials,
        directory,
        grants,
        supplies,
    } = launch;
    let bytes: usize = arguments.iter().chain(&environment).map(|word| word.len() + 5).sum();
    if bytes > limits::ARGUMENT_BYTES {
        return Err(ProgramError::new("arguments and environment are too long"));
    }
    let allocation = Allocation::new(grants.limits.memory_bytes, program.instance_bytes());
    // What the guest creates and what grows by its writes is at its own cost.
    let files = files
        .with_account(Stored { nodes: grants.limits.nodes, bytes: grants.limits.storage_bytes });
    let streams = streams.map(|stream| files.charge_writes(&stream));
    let account = Arc::new(Account::new(grants.limits.clone(), Arc::clone(&supplies.clock)));
    let policy = Policy::new(grants.clone(), Arc::clone(&supplies.clock));
    let devices = Devices::new(files.clone(), credentials.clone(), policy, Arc::clone(&account));
    let namespace = Arc::new(Namespace::new(files, credentials, Arc::new(devices)));
    let mut descriptors = Descriptors::new(grants.limits.files.saturating_add(1).max(4));
    for file in streams {
        let kind = file.stat().map_or(NodeKind::CharacterDevice, |attributes| attributes.kind);
        descriptors
            .insert(Descriptor::new(Opened { file, guard: None }, kind, None))
            .map_err(ProgramError::new)?;
    }
    let root = Path::root();
    let opened =
        namespace.open(&root, OpenFlags::READ | OpenFlags::DIRECTORY).map_err(ProgramError::new)?;
    let root = Descriptor::new(opened, NodeKind::Directory, Some(root));
    descriptors.insert(root).map_err(ProgramError::new)?;
    let guest = Guest {
        memory: None,
        descriptors,
        namespace,
        supplies,
        directory,
        arguments,
        environment,
        pending: None,
        account: Arc::clone(&account),
        debt: 0,
        burnt: 0,
        allocation,
    };
    Ok((guest, account))
}
