//! The table of running programs: their numbers, their resource usage, and how to kill them.
//!
//! The starter of a guest enters it here; `ps` lists guests and `kill` ends them. The running guest
//! holds an [`Entry`]; dropping the entry removes the guest from the table.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::Poll;
use core::task::Waker;

use devnet_virtual_file_system::{Error, Lock, Result};

use crate::account::Account;
use crate::guest::Guest;
use crate::limits;

/// The resource usage of a running program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Its number.
    pub number: u32,
    /// Its name and arguments.
    pub command: String,
    /// Fuel consumed, about one unit per instruction.
    pub burnt: u64,
    /// Bytes of its memory.
    pub memory_bytes: usize,
    /// Open files.
    pub files: usize,
    /// Sockets.
    pub sockets: usize,
    /// Bytes of its sockets' buffers.
    pub buffer_bytes: usize,
    /// Bytes that it stores in files, with their overhead.
    pub storage_bytes: usize,
    /// Files and directories that it created.
    pub nodes: usize,
}

#[derive(Default)]
struct Line {
    usage: Usage,
    is_killed: bool,
    waiting: Option<Waker>,
}

#[derive(Default)]
struct Lines {
    last: u32,
    lines: BTreeMap<u32, Line>,
}

/// The table of running programs; clones share it.
#[derive(Clone, Default)]
pub struct Programs(Arc<Lock<Lines>>);

impl Programs {
    /// Creates an empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Assigns a number to a program, starting at 1. A number is reused only after all others were
    /// used.
    ///
    /// # Errors
    /// `WouldBlock` (EAGAIN, as for fork) beyond [`PROGRAMS`](limits::PROGRAMS).
    pub fn enter(&self, command: &str) -> Result<Entry> {
        let number = self.0.with(|table| {
            if table.lines.len() >= limits::PROGRAMS {
                return Err(Error::WouldBlock);
            }
            let mut number = table.last;
            loop {
                number = number.checked_add(1).unwrap_or(1);
                if !table.lines.contains_key(&number) {
                    break;
                }
            }
            table.last = number;
            let usage = Usage { number, command: command.into(), ..Usage::default() };
            table.lines.insert(number, Line { usage, ..Line::default() });
            Ok(number)
        })?;
        Ok(Entry { programs: self.clone(), number })
    }

    /// Lists the running programs, in the order of their numbers.
    #[must_use]
    pub fn list(&self) -> Vec<Usage> {
        self.0.with(|table| table.lines.values().map(|line| line.usage.clone()).collect())
    }

    /// Kills a program.
    ///
    /// # Errors
    /// `NoSuchProcess` if no program has that number.
    pub fn kill(&self, number: u32) -> Result<()> {
        let waiting = self.0.with(|table| {
            let line = table.lines.get_mut(&number).ok_or(Error::NoSuchProcess)?;
            line.is_killed = true;
            Ok(line.waiting.take())
        })?;
        if let Some(waker) = waiting {
            waker.wake();
        }
        Ok(())
    }
}

/// A running program's entry in the table.
pub struct Entry {
    programs: Programs,
    number: u32,
}

impl Entry {
    /// The program's number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    fn with<T: Default>(&self, action: impl FnOnce(&mut Line) -> T) -> T {
        self.programs
            .0
            .with(|table| table.lines.get_mut(&self.number).map_or_else(T::default, action))
    }

    /// Records the resource usage of the guest.
    pub(crate) fn note(&self, guest: &Guest, account: &Account) {
        let memory_bytes = guest.allocation.used();
        let (sockets, buffer_bytes) = account.usage();
        let stored = guest.namespace.stored();
        let (burnt, files) = (guest.burnt, guest.descriptors.count());
        self.with(|line| {
            let usage = &mut line.usage;
            (usage.burnt, usage.memory_bytes, usage.files) = (burnt, memory_bytes, files);
            (usage.sockets, usage.buffer_bytes) = (sockets, buffer_bytes);
            (usage.nodes, usage.storage_bytes) = (stored.nodes, stored.bytes);
        });
    }

    /// Waits until the program is killed.
    pub(crate) async fn killed(&self) {
        poll_fn(|context| {
            let (is_killed, former) = self.with(|line| {
                let former = line.waiting.replace(context.waker().clone());
                (line.is_killed, former)
            });
            drop(former);
            if is_killed { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let line = self.programs.0.with(|table| table.lines.remove(&self.number));
        drop(line);
    }
}
