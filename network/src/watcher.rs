//! Watchers: records of events between an interface and an open file.
//!
//! A [`Watcher`] belongs to one watching file and is in the list of every interface that it covers.
//! Interfaces add records when they deliver the events of a poll; the file reads them. Memory is
//! bounded: records without room are counted as lost, and the reader gets the count after the
//! records before them. Several watchers of one interface are independent.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;

use devnet_virtual_file_system::{Lock, WakerList};

use crate::command::watch::Kinds;
use crate::limits;
use crate::stack::watch::{Change, Event};
use crate::stack::{Stack, Wakes};

/// The result of a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// The number of bytes that were copied.
    Bytes(usize),
    /// No data; the task is woken when there is some.
    Nothing,
    /// All was read, and so many records were lost: a new snapshot is due. Returned once; from here
    /// on records are kept again.
    Lost(u64),
}

#[derive(Debug)]
struct State {
    kinds: Kinds,
    /// A snapshot is being made: new records follow it.
    is_starting: bool,
    /// The snapshot; bounded by the tables that it lists.
    snapshot: VecDeque<u8>,
    /// Whole records, up to [`limits::EVENT_BYTES`].
    records: VecDeque<u8>,
    lost: u64,
    readers: WakerList,
}

/// The records of one watching file.
#[derive(Debug)]
pub(crate) struct Watcher(Lock<State>);

impl Watcher {
    /// A watcher of some kinds, whose snapshot is due.
    pub(crate) fn new(kinds: Kinds) -> Self {
        Self(Lock::new(State {
            kinds,
            is_starting: true,
            snapshot: VecDeque::new(),
            records: VecDeque::new(),
            lost: 0,
            readers: WakerList::new(),
        }))
    }

    pub(crate) fn kinds(&self) -> Kinds {
        self.0.with(|state| state.kinds)
    }

    /// Restarts with other kinds: unread records are dropped, and a snapshot is due.
    pub(crate) fn restart(&self, kinds: Kinds) {
        self.0.with(|state| {
            (state.kinds, state.is_starting, state.lost) = (kinds, true, 0);
            state.snapshot = VecDeque::new();
            state.records.clear();
        });
    }

    /// Sets the snapshot, which is read before all records that were added meanwhile.
    pub(crate) fn start(&self, snapshot: String) {
        let readers = self.0.with(|state| {
            (state.is_starting, state.snapshot) = (false, snapshot.into_bytes().into());
            state.readers.take()
        });
        readers.into_iter().for_each(Waker::wake);
    }

    /// Adds records; collects the wakers of waiting readers.
    fn add(&self, records: &[(Kinds, String)], lost: u64, wakes: &mut Wakes) {
        self.0.with(|state| {
            state.lost += lost;
            for (kind, record) in records.iter().filter(|(kind, _)| state.kinds.contains(*kind)) {
                debug_assert!(
                    !kind.is_empty() && record.ends_with('\n'),
                    "a record is a line of one kind"
                );
                // After the first loss no record is kept, so that there is one gap at a known
                // place.
                if state.lost == 0 && state.records.len() + record.len() <= limits::EVENT_BYTES {
                    state.records.extend(record.as_bytes());
                } else {
                    state.lost += 1;
                }
            }
            if state.is_ready() {
                wakes.add(&mut state.readers);
            }
        });
    }

    /// Reads whole records, as many as fit; a record longer than the buffer is read in pieces.
    pub(crate) fn read(&self, buffer: &mut [u8], waker: Option<&Waker>) -> Found {
        self.0.with(|state| {
            if buffer.is_empty() {
                return Found::Bytes(0);
            }
            if !state.is_starting {
                let queue = if state.snapshot.is_empty() {
                    &mut state.records
                } else {
                    &mut state.snapshot
                };
                let count = take(queue, buffer);
                if count > 0 {
                    if state.snapshot.is_empty() {
                        // Frees its memory: it may be long and is not used again.
                        state.snapshot = VecDeque::new();
                    }
                    return Found::Bytes(count);
                }
                if state.lost > 0 {
                    state.is_starting = true;
                    return Found::Lost(core::mem::take(&mut state.lost));
                }
            }
            if let Some(waker) = waker {
                state.readers.register(waker);
            }
            Found::Nothing
        })
    }

    /// True when there is something to read; else the task is woken when there is.
    pub(crate) fn is_readable(&self, waker: &Waker) -> bool {
        self.0.with(|state| {
            if !state.is_ready() {
                state.readers.register(waker);
            }
            state.is_ready()
        })
    }
}

impl State {
    fn is_ready(&self) -> bool {
        !self.is_starting
            && (!self.snapshot.is_empty() || !self.records.is_empty() || self.lost > 0)
    }
}

/// Moves bytes into the buffer, up to the end of the last line that fits.
fn take(queue: &mut VecDeque<u8>, buffer: &mut [u8]) -> usize {
    let mut count = queue.len().min(buffer.len());
    for (slot, byte) in buffer.iter_mut().zip(queue.iter()) {
        *slot = *byte;
    }
    let copied = buffer.get(..count).unwrap_or_default();
    if let Some(end) = copied.iter().rposition(|byte| *byte == b'\n') {
        count = end + 1;
    }
    queue.drain(..count);
    count
}

/// The watchers of one interface.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Vec<Arc<Watcher>>);

impl Watchers {
    /// Attaches a watcher unless it is attached; true when it is new. The present state counts as
    /// reported.
    pub(crate) fn attach(&mut self, stack: &mut Stack, watcher: &Arc<Watcher>) -> bool {
        // Earlier changes go to the other watchers first.
        self.deliver(stack);
        let is_new = !self.0.iter().any(|known| Arc::ptr_eq(known, watcher));
        if is_new {
            self.0.push(Arc::clone(watcher));
        }
        self.update_kinds(stack);
        is_new
    }

    /// Detaches a watcher.
    pub(crate) fn detach(&mut self, stack: &mut Stack, watcher: &Arc<Watcher>) {
        self.deliver(stack);
        self.0.retain(|known| !Arc::ptr_eq(known, watcher));
        self.update_kinds(stack);
    }

    /// Detaches all: the interface is gone.
    pub(crate) fn clear(&mut self, stack: &mut Stack) {
        self.0.clear();
        self.update_kinds(stack);
    }

    fn update_kinds(&self, stack: &mut Stack) {
        let kinds = self.0.iter().fold(Kinds::empty(), |kinds, watcher| kinds | watcher.kinds());
        stack.set_watched(kinds);
    }

    /// Delivers events and changes.
    pub(crate) fn deliver(&self, stack: &mut Stack) {
        stack.note_changes();
        let (events, lost) = stack.context.watch.take();
        if events.is_empty() && lost == 0 {
            return;
        }
        let records = written(&events, &stack.context.configuration.name);
        for watcher in &self.0 {
            watcher.add(&records, lost, &mut stack.context.wakes);
        }
    }

    /// Reports the objects of a new interface to one watcher.
    pub(crate) fn report_new(&self, stack: &mut Stack, watcher: &Watcher) {
        let events = stack.snapshot(Change::Added);
        watcher.add(
            &written(&events, &stack.context.configuration.name),
            0,
            &mut stack.context.wakes,
        );
    }

    /// The snapshot for one watcher.
    pub(crate) fn snapshot(stack: &Stack, kinds: Kinds) -> String {
        let mut text = String::new();
        for event in
            stack.snapshot(Change::Present).iter().filter(|event| kinds.contains(event.kind()))
        {
            event.write(&mut text, &stack.context.configuration.name);
        }
        text
    }
}

fn written(events: &[Event], name: &str) -> Vec<(Kinds, String)> {
    let record = |event: &Event| {
        let mut text = String::new();
        event.write(&mut text, name);
        (event.kind(), text)
    };
    events.iter().map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(count: usize) -> Vec<(Kinds, String)> {
        (0..count)
            .map(|number| (Kinds::LINK, alloc::format!("link changed eth{number:03}\n")))
            .collect()
    }

    fn started(kinds: Kinds) -> Watcher {
        let watcher = Watcher::new(kinds);
        watcher.start(String::from("idle\n"));
        watcher
    }

    #[test]
    fn reads_return_whole_records_of_the_watched_kinds() {
        let watcher = started(Kinds::LINK);
        let mut all = records(3);
        all.insert(1, (Kinds::DNS, String::from("dns added\n")));
        watcher.add(&all, 0, &mut Wakes::default());
        let mut buffer = [0; 50];
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(5));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(40));
        assert!(buffer.starts_with(b"link changed eth000\nlink changed eth001\n"));
        // A record longer than the buffer is read in pieces.
        assert_eq!(watcher.read(&mut buffer[..7], None), Found::Bytes(7));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(13));
        assert_eq!(watcher.read(&mut buffer, None), Found::Nothing);
    }

    #[test]
    fn a_slow_reader_gets_a_bounded_number_of_bytes_and_a_count_of_lost_records() {
        let watcher = started(Kinds::all());
        for _ in 0..10 {
            watcher.add(&records(1000), 0, &mut Wakes::default());
        }
        let mut buffer = [0; 4096];
        let mut total = 0;
        let lost = loop {
            match watcher.read(&mut buffer, None) {
                Found::Bytes(count) => total += count,
                Found::Lost(lost) => break lost,
                Found::Nothing => panic!("the loss was not told"),
            }
        };
        let kept = limits::EVENT_BYTES / 20;
        assert_eq!((total, lost), (5 + kept * 20, (10_000 - kept) as u64));
        // Records that are added while the snapshot is made follow it.
        watcher.add(&records(1), 0, &mut Wakes::default());
        assert_eq!(watcher.read(&mut buffer, None), Found::Nothing);
        watcher.start(String::from("idle\n"));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(5));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(20));
    }
}
