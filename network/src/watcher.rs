//! Watchers: records of events between an interface and an open file.
//!
//! A [`Watcher`] belongs to one watching file and is in the list of every interface that it covers.
//! Interfaces add records when they deliver the events of a poll; the file reads them. Memory is
//! bounded: records without room are counted as lost, and the reader gets the count after the
//! records before them. Several watchers of one interface are independent.

mod form;

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::task::Waker;

use devnet_virtual_file_system::{Lock, WakerList};

pub(crate) use self::form::{Events, Form};
use crate::command::event::{Change, Event, length_of};
use crate::command::watch::{Kinds, WatchOptions};
use crate::limits;
use crate::platform::Clock;
use crate::stack::{Stack, Wakes, watched};

/// The result of a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// The number of bytes that were copied.
    Bytes(usize),
    /// No data; the task is woken when there is some.
    Nothing,
    /// All of the snapshot that was made was read, and there is more of it.
    More,
    /// All was read, and so many records were lost: a new snapshot is due. Returned once; from here
    /// on records are kept again.
    Lost(u64),
}

/// What a watcher tells, and in which form.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) options: WatchOptions,
    /// The type of services that the link is asked for.
    pub(crate) service_type: Option<String>,
}

impl From<WatchOptions> for Watched {
    fn from(options: WatchOptions) -> Self {
        Self { options, service_type: None }
    }
}

#[derive(Debug)]
struct State {
    options: WatchOptions,
    /// The type of services that is told.
    service_type: Option<String>,
    /// Events of the watched kinds so far.
    sequence: u64,
    /// A snapshot is being made: new records follow it.
    is_starting: bool,
    /// There is more of the snapshot than was made.
    has_more: bool,
    /// The snapshot, a piece at a time.
    snapshot: VecDeque<u8>,
    /// Whole records, up to [`limits::EVENT_BYTES`].
    records: VecDeque<u8>,
    /// Bytes that are left of a record that is read in pieces.
    begun: usize,
    lost: u64,
    readers: WakerList,
}

/// The records of one watching file.
pub(crate) struct Watcher {
    clock: Arc<dyn Clock>,
    state: Lock<State>,
}

impl fmt::Debug for Watcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(formatter)
    }
}

impl Watcher {
    /// A watcher, whose snapshot is due.
    pub(crate) fn new(clock: Arc<dyn Clock>, watched: Watched) -> Self {
        let state = Lock::new(State {
            options: watched.options,
            service_type: watched.service_type,
            sequence: 0,
            is_starting: true,
            has_more: false,
            snapshot: VecDeque::new(),
            records: VecDeque::new(),
            begun: 0,
            lost: 0,
            readers: WakerList::new(),
        });
        Self { clock, state }
    }

    pub(crate) fn kinds(&self) -> Kinds {
        self.state.with(|state| state.options.kinds)
    }

    /// The type of services that the link is asked for because of it.
    pub(crate) fn service_type(&self) -> Option<String> {
        self.state.with(|state| state.service_type.clone())
    }

    /// True for an event that it tells.
    fn tells(&self, event: &Event) -> bool {
        self.state.with(|state| state.tells(event))
    }

    /// The form of the records of a snapshot that is made now.
    pub(crate) fn form(&self) -> Form {
        let time = self.clock.now();
        self.state.with(|state| Form::new(state.options, state.sequence, time))
    }

    /// Restarts with other options: unread records are dropped, and a snapshot is due.
    pub(crate) fn restart(&self, watched: Watched) {
        self.state.with(|state| {
            (state.options, state.service_type) = (watched.options, watched.service_type);
            (state.is_starting, state.lost) = (true, 0);
            (state.has_more, state.begun) = (false, 0);
            state.snapshot = VecDeque::new();
            state.records.clear();
        });
    }

    /// Appends a piece of the snapshot, which is read before all records that were added meanwhile.
    pub(crate) fn present(&self, piece: Vec<u8>, has_more: bool) {
        let readers = self.state.with(|state| {
            (state.is_starting, state.has_more) = (false, has_more);
            if state.snapshot.is_empty() {
                state.snapshot = piece.into();
            } else {
                state.snapshot.extend(piece);
            }
            state.readers.take()
        });
        readers.into_iter().for_each(Waker::wake);
    }

    /// Adds events; collects the wakers of waiting readers.
    pub(crate) fn add(&self, events: &Events<'_>, lost: u64, wakes: &mut Wakes) {
        let time = self.clock.now();
        self.state.with(|state| {
            state.lost += lost;
            state.sequence += lost;
            let mut record = Vec::new();
            for (index, event) in events.events.iter().enumerate() {
                if !state.tells(event) {
                    continue;
                }
                state.sequence += 1;
                let form = Form::new(state.options, state.sequence, time);
                record.clear();
                form.put_with_line(&mut record, events.interface, event, || events.line(index));
                // After the first loss no record is kept, so that there is one gap at a known
                // place.
                if state.lost == 0 && state.records.len() + record.len() <= limits::EVENT_BYTES {
                    state.records.extend(&record);
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
        self.state.with(|state| {
            if buffer.is_empty() {
                return Found::Bytes(0);
            }
            if !state.is_starting {
                if !state.snapshot.is_empty() {
                    let count = state.take(buffer, |state| &mut state.snapshot);
                    if state.snapshot.is_empty() {
                        // Frees its memory: it may be long and is not used again.
                        state.snapshot = VecDeque::new();
                    }
                    return Found::Bytes(count);
                }
                if state.has_more {
                    return Found::More;
                }
                let count = state.take(buffer, |state| &mut state.records);
                if count > 0 {
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
        self.state.with(|state| {
            if !state.is_ready() {
                state.readers.register(waker);
            }
            state.is_ready()
        })
    }
}

impl State {
    fn tells(&self, event: &Event) -> bool {
        let is_of_type = match event {
            Event::Service(_, service) => self.service_type.as_ref() == Some(&service.service_type),
            _ => true,
        };
        is_of_type && self.options.kinds.contains(event.kind())
    }

    fn is_ready(&self) -> bool {
        let is_empty = self.snapshot.is_empty() && self.records.is_empty();
        !self.is_starting && (!is_empty || self.has_more || self.lost > 0)
    }

    /// Moves bytes into the buffer, up to the end of the last record that fits.
    fn take(
        &mut self,
        buffer: &mut [u8],
        queue: impl FnOnce(&mut Self) -> &mut VecDeque<u8>,
    ) -> usize {
        let (is_lines, begun) = (!self.options.records, self.begun);
        let queue = queue(self);
        let room = queue.len().min(buffer.len());
        for (slot, byte) in buffer.iter_mut().zip(queue.iter()) {
            *slot = *byte;
        }
        let copied = buffer.get(..room).unwrap_or_default();
        let (count, begun) =
            if is_lines { (lines(copied), 0) } else { records(queue, room, begun) };
        queue.drain(..count);
        self.begun = begun;
        count
    }
}

/// The bytes of whole lines, or all bytes of a longer one.
fn lines(copied: &[u8]) -> usize {
    copied.iter().rposition(|byte| *byte == b'\n').map_or(copied.len(), |end| end + 1)
}

/// The bytes of whole records in the first `room` bytes, `begun` of which are the rest of one, or
/// all of them for a longer one; and how many are left of it.
fn records(queue: &VecDeque<u8>, room: usize, begun: usize) -> (usize, usize) {
    let length_at = |place: usize| {
        let byte = |index: usize| queue.get(place + index).copied().unwrap_or_default();
        length_of(&[byte(0), byte(1), byte(2), byte(3)])
    };
    let mut count = begun;
    while count < room {
        let next = count.saturating_add(length_at(count));
        if next > room && count > 0 {
            break;
        }
        count = next;
    }
    (count.min(room), count.saturating_sub(room))
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
        // What that found is in the snapshot of this one.
        self.deliver_unless(stack, |known| Arc::ptr_eq(known, watcher));
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
        watched::set_kinds(stack, kinds);
        if cfg!(feature = "mdns") {
            let types = self.0.iter().filter_map(|watcher| watcher.service_type()).collect();
            stack.mdns.watch(&mut stack.context, &mut stack.ip, types);
        }
    }

    /// Delivers events and changes.
    pub(crate) fn deliver(&self, stack: &mut Stack) {
        self.deliver_unless(stack, |_| false);
    }

    fn deliver_unless(&self, stack: &mut Stack, is_left_out: impl Fn(&Arc<Watcher>) -> bool) {
        watched::note_changes(stack);
        let (events, lost) = stack.context.watch.take();
        if events.is_empty() && lost == 0 {
            return;
        }
        let events = Events::new(&stack.context.configuration.name, &events);
        for watcher in self.0.iter().filter(|watcher| !is_left_out(watcher)) {
            watcher.add(&events, lost, &mut stack.context.wakes);
        }
    }

    /// Reports the objects of a new interface to one watcher.
    pub(crate) fn report_new(&self, stack: &mut Stack, watcher: &Watcher) {
        let events = watched::snapshot(stack, Change::Added);
        let events = Events::new(&stack.context.configuration.name, &events);
        watcher.add(&events, 0, &mut stack.context.wakes);
    }

    /// The snapshot for one watcher, without sockets.
    pub(crate) fn snapshot(stack: &Stack, watcher: &Watcher, form: &Form) -> Vec<u8> {
        let mut bytes = Vec::new();
        for event in watched::snapshot(stack, Change::Present) {
            if watcher.tells(&event) {
                form.put_event(&mut bytes, &stack.context.configuration.name, &event);
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use core::net::Ipv4Addr;

    use crate::platform::{BoxFuture, Instant};

    use super::*;
    use crate::command::address::Origin;
    use crate::command::event::{EventRecord, Report};

    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> Instant {
            Instant::from_micros(1_500_000)
        }

        fn sleep_until(&self, _deadline: Instant) -> BoxFuture<'static, ()> {
            Box::pin(core::future::pending())
        }
    }

    fn events(count: u32) -> Vec<Event> {
        let server = |number| Ipv4Addr::from_bits(0x0a00_0000 | number).into();
        (100..100 + count)
            .map(|number| Event::Dns(Change::Added, server(number), Origin::Static))
            .collect()
    }

    fn add(watcher: &Watcher, events: &[Event]) {
        watcher.add(&Events::new("eth0", events), 0, &mut Wakes::default());
    }

    fn started(options: WatchOptions) -> Watcher {
        let watcher = Watcher::new(Arc::new(Stopped), options.into());
        present(&watcher);
        watcher
    }

    fn present(watcher: &Watcher) {
        let mut bytes = Vec::new();
        watcher.form().put_idle(&mut bytes);
        watcher.present(bytes, false);
    }

    /// `dns added 10.0.0.100 interface eth0 origin static`
    const LINE: usize = 50;

    #[test]
    fn reads_return_whole_records_of_the_watched_kinds() {
        let watcher = started(WatchOptions::lines(Kinds::DNS));
        let mut all = events(3);
        all.insert(1, Event::LeasesEnd);
        add(&watcher, &all);
        let mut buffer = [0; 120];
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(5));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(2 * LINE));
        assert!(
            buffer.starts_with(b"dns added 10.0.0.100 interface eth0 origin static\ndns added")
        );
        // A record longer than the buffer is read in pieces.
        assert_eq!(watcher.read(&mut buffer[..7], None), Found::Bytes(7));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(LINE - 7));
        assert_eq!(watcher.read(&mut buffer, None), Found::Nothing);
    }

    #[test]
    fn a_slow_reader_gets_a_bounded_number_of_bytes_and_a_count_of_lost_records() {
        let watcher = started(WatchOptions::lines(Kinds::all()));
        for _ in 0..60 {
            add(&watcher, &events(150));
        }
        let mut buffer = [0; 4096];
        let mut total = 0;
        let lost = loop {
            match watcher.read(&mut buffer, None) {
                Found::Bytes(count) => total += count,
                Found::Lost(lost) => break lost,
                Found::Nothing | Found::More => panic!("the loss was not told"),
            }
        };
        let kept = (total - 5) / LINE;
        assert!(total <= limits::EVENT_BYTES + 5 && total > limits::EVENT_BYTES - 2 * LINE);
        assert_eq!(lost, 9_000 - kept as u64);
        // Records that are added while the snapshot is made follow it.
        add(&watcher, &events(1));
        assert_eq!(watcher.read(&mut buffer, None), Found::Nothing);
        present(&watcher);
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(5));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(LINE));
    }

    #[test]
    fn numbers_grow_also_with_what_was_lost() {
        let options = WatchOptions { numbered: true, ..WatchOptions::lines(Kinds::DNS) };
        let watcher = started(options);
        let mut buffer = [0; 4096];
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(17));
        assert!(buffer.starts_with(b"0 1.500000s idle\n"));
        add(&watcher, &[Event::LeasesEnd]);
        watcher.add(&Events::new("eth0", &[]), 41, &mut Wakes::default());
        assert_eq!(watcher.read(&mut buffer, None), Found::Lost(41));
        present(&watcher);
        add(&watcher, &events(1));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(18));
        assert!(buffer.starts_with(b"41 1.500000s idle\n"));
        assert_eq!(watcher.read(&mut buffer, None), Found::Bytes(LINE + 13));
        assert!(buffer.starts_with(b"42 1.500000s dns added 10.0.0.100 "));
    }

    #[test]
    fn values_are_read_whole_or_in_pieces() {
        for size in 1..80 {
            let watcher = started(WatchOptions::records(Kinds::DNS));
            add(&watcher, &events(3));
            let (mut buffer, mut all) = (alloc::vec![0; size], Vec::new());
            while let Found::Bytes(count) = watcher.read(&mut buffer, None) {
                let read = buffer.get(..count).unwrap();
                let is_whole = matches!(EventRecord::parse(read), Ok(Some(_)));
                // Every record of these fits into forty bytes.
                assert!(size < 40 || is_whole, "{size}");
                all.extend_from_slice(read);
            }
            let (mut rest, mut reports) = (&all[..], Vec::new());
            while let Some((record, after)) = EventRecord::parse(rest).unwrap() {
                reports.push((record.sequence, record.report));
                rest = after;
            }
            assert!(rest.is_empty());
            let event = |(number, event)| {
                (number, Report::Event { interface: String::from("eth0"), event })
            };
            let mut expected = alloc::vec![(0, Report::Idle)];
            expected.extend((1..).zip(events(3)).map(event));
            assert_eq!(reports, expected, "{size}");
        }
    }
}
