//! Events as records: lines, or values, with a number and a time or without.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use crate::command::event::{Event, EventRecord, Report};
use crate::command::watch::WatchOptions;
use crate::platform::Instant;

/// Where records are in time, and their form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) options: WatchOptions,
    sequence: u64,
    time: Instant,
}

impl Form {
    pub(super) const fn new(options: WatchOptions, sequence: u64, time: Instant) -> Self {
        Self { options, sequence, time }
    }

    /// Appends a record: what it says as a value, or its line.
    fn put<L: AsRef<str>>(
        &self,
        bytes: &mut Vec<u8>,
        report: impl FnOnce() -> Report,
        line: impl FnOnce() -> L,
    ) {
        let Self { options, sequence, time } = *self;
        if options.records {
            let record = EventRecord { sequence, time, report: report() };
            // Every record of ours can be encoded.
            return bytes.extend(record.to_bytes().unwrap_or_default());
        }
        if options.numbered {
            bytes.extend(alloc::format!("{sequence} {time} ").bytes());
        }
        bytes.extend(line().as_ref().bytes());
    }

    pub(super) fn put_with_line<L: AsRef<str>>(
        &self,
        bytes: &mut Vec<u8>,
        interface: &str,
        event: &Event,
        line: impl FnOnce() -> L,
    ) {
        let report = || Report::Event { interface: interface.into(), event: event.clone() };
        self.put(bytes, report, line);
    }

    /// Appends an event.
    pub(crate) fn put_event(&self, bytes: &mut Vec<u8>, interface: &str, event: &Event) {
        self.put_with_line(bytes, interface, event, || written(event, interface));
    }

    /// Appends the end of the snapshot.
    pub(crate) fn put_idle(&self, bytes: &mut Vec<u8>) {
        self.put(bytes, || Report::Idle, || "idle\n");
    }

    /// Appends how many records were lost.
    pub(crate) fn put_lost(&self, bytes: &mut Vec<u8>, count: u64) {
        self.put(bytes, || Report::Lost(count), || alloc::format!("lost {count}\n"));
    }
}

/// The line of an event.
fn written(event: &Event, interface: &str) -> String {
    let mut line = String::new();
    #[cfg(feature = "commands-as-text")]
    event.write(&mut line, interface);
    #[cfg(not(feature = "commands-as-text"))]
    let _ = (event, interface, &mut line);
    line
}

/// Events of one interface, for watchers of every form.
#[derive(Debug)]
pub(crate) struct Events<'a> {
    pub(super) interface: &'a str,
    pub(super) events: &'a [Event],
    /// Their lines, once somebody wants them.
    lines: OnceCell<Vec<String>>,
}

impl<'a> Events<'a> {
    pub(crate) fn new(interface: &'a str, events: &'a [Event]) -> Self {
        Self { interface, events, lines: OnceCell::new() }
    }

    pub(super) fn line(&self, index: usize) -> &str {
        let lines = || self.events.iter().map(|event| written(event, self.interface)).collect();
        self.lines.get_or_init(lines).get(index).map_or("", String::as_str)
    }
}
