//! Captures: the frames of interfaces as pcapng streams.
//!
//! A `Stream` belongs to one capturing file and is in the list of its interface, or of all, as a
//! `Tap` each. The interface records each frame there as it receives or sends it. Memory is
//! bounded: a frame without room is lost, and the next one of its interface that has room says how
//! many were. A received frame is recorded once the stack has judged it, so that its block can say
//! in a comment why it was dropped. An interface is described in the stream when it is attached, or
//! with its first frame if the stream had no room then.

pub mod pcapng;
pub mod read;

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;
use core::time::Duration;

use devnet_virtual_file_system::{Error, Lock, WakerList};

use crate::command::capture::{
    CaptureDirection, CaptureOptions, CaptureStatistics, InterfaceCapture,
};
use crate::command::drops::DropReason;
use crate::driver::Medium;
pub use crate::filter::{Filter, FilterError};
use crate::limits;
use crate::platform::{Clock, Instant};
use crate::stack::Wakes;
use crate::stack::counters::Totals;

/// Whether files can capture.
pub(crate) const HAS_CAPTURE: bool = cfg!(feature = "capture");

/// The frames for one capturing file.
pub(crate) struct Stream {
    filter: Filter,
    options: CaptureOptions,
    /// It goes on without interfaces: others may come.
    is_of_all: bool,
    clock: Arc<dyn Clock>,
    state: Lock<State>,
}

struct State {
    /// Whole blocks, up to [`limits::CAPTURE_BYTES`].
    stream: VecDeque<u8>,
    /// The interfaces that were attached, also those that are gone, up to
    /// [`limits::CAPTURE_INTERFACES`].
    sources: Vec<Source>,
    /// How many of them the stream describes.
    described: u32,
    /// Frames that were written to the file and sent.
    sent: u64,
    /// The interface is gone.
    has_ended: bool,
    readers: WakerList,
}

/// An interface of a stream.
struct Source {
    name: String,
    medium: Medium,
    /// The number of its description; none before the stream has it.
    number: Option<u32>,
    passed: u64,
    lost: u64,
    /// Lost since its last block.
    lost_since: u64,
}

impl Stream {
    /// A capture of one interface, or of all.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid filter.
    pub(crate) fn new(
        options: CaptureOptions,
        is_of_all: bool,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let filter = options.filter.parse().map_err(|_| Error::InvalidInput)?;
        let state = Lock::new(State {
            stream: pcapng::section().into(),
            sources: Vec::new(),
            described: 0,
            sent: 0,
            has_ended: false,
            readers: WakerList::new(),
        });
        Ok(Self { filter, options, is_of_all, clock, state })
    }

    pub(crate) fn statistics(&self) -> CaptureStatistics {
        self.state.with(|state| CaptureStatistics {
            passed: state.sources.iter().map(|source| source.passed).sum(),
            lost: state.sources.iter().map(|source| source.lost).sum(),
            sent: state.sent,
        })
    }

    /// What was seen of each interface.
    pub(crate) fn of_interfaces(&self) -> Vec<InterfaceCapture> {
        self.state.with(|state| {
            let of = |source: &Source| InterfaceCapture {
                interface: source.name.clone(),
                passed: source.passed,
                lost: source.lost,
            };
            state.sources.iter().map(of).collect()
        })
    }

    /// Counts a frame that was written to the file and sent.
    pub(crate) fn count_sent(&self) {
        self.state.with(|state| state.sent += 1);
    }

    /// Reads bytes of the stream; `WouldBlock` without any, and the task is woken when there are.
    ///
    /// # Errors
    /// `NetworkDown` when the interface is gone and all was read.
    pub(crate) fn read(&self, buffer: &mut [u8], waker: Option<&Waker>) -> Result<usize, Error> {
        self.state.with(|state| {
            let count = state.stream.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(state.stream.drain(..count)) {
                *to = from;
            }
            match (count, waker) {
                (0, _) if buffer.is_empty() => Ok(0),
                (0, _) if state.has_ended => Err(Error::NetworkDown),
                (0, waker) => {
                    waker.into_iter().for_each(|waker| state.readers.register(waker));
                    Err(Error::WouldBlock)
                }
                (count, _) => Ok(count),
            }
        })
    }

    /// True when a read would not wait; else the task is woken when it would not.
    pub(crate) fn is_readable(&self, waker: &Waker) -> bool {
        self.state.with(|state| {
            let is_ready = !state.stream.is_empty() || state.has_ended;
            if !is_ready {
                state.readers.register(waker);
            }
            is_ready
        })
    }

    /// Adds an interface, and returns its place; none beyond [`limits::CAPTURE_INTERFACES`].
    fn add(&self, name: &str, medium: Medium, wakes: &mut Wakes) -> Option<usize> {
        self.state.with(|state| {
            let place = state.sources.len();
            if place >= limits::CAPTURE_INTERFACES {
                return None;
            }
            let mut source = Source {
                name: name.into(),
                medium,
                number: None,
                passed: 0,
                lost: 0,
                lost_since: 0,
            };
            let mut block = Vec::new();
            self.describe(&source, &mut block);
            if state.stream.len() + block.len() <= limits::CAPTURE_BYTES {
                state.stream.extend(block);
                source.number = Some(state.described);
                state.described += 1;
                wakes.add(&mut state.readers);
            }
            state.sources.push(source);
            Some(place)
        })
    }

    fn describe(&self, source: &Source, block: &mut Vec<u8>) {
        let interface = pcapng::Interface {
            medium: source.medium,
            name: &source.name,
            snap_length: self.options.snap_length,
            filter: &self.options.filter,
        };
        pcapng::describe(block, &interface);
    }

    fn wants(&self, frame: &[u8], medium: Medium, direction: CaptureDirection) -> bool {
        let wanted = self.options.direction;
        (wanted == CaptureDirection::Both || wanted == direction)
            && self.filter.passes(frame, medium, direction)
    }

    /// The last interface of the file is gone.
    fn end(&self, wakes: &mut Wakes) {
        if !self.is_of_all {
            self.state.with(|state| {
                state.has_ended = true;
                wakes.add(&mut state.readers);
            });
        }
    }
}

/// A stream in the list of an interface.
struct Tap {
    stream: Arc<Stream>,
    medium: Medium,
    /// The place of the interface in the stream.
    source: usize,
}

impl Tap {
    /// Records a frame that passes the filter.
    fn record(
        &self,
        frame: &[u8],
        direction: CaptureDirection,
        comment: &str,
        block: &mut Vec<u8>,
        wakes: &mut Wakes,
    ) {
        let stream = &self.stream;
        if !stream.wants(frame, self.medium, direction) {
            return;
        }
        let kept = match stream.options.snap_length {
            0 => frame.len(),
            most => frame.len().min(most as usize),
        };
        let since_start = stream.clock.now().since(Instant::ZERO);
        let offset = Duration::from_micros(stream.options.clock_offset);
        let mut packet = pcapng::Packet {
            interface: 0,
            time: offset.saturating_add(since_start),
            direction,
            bytes: frame.get(..kept).unwrap_or_default(),
            length: frame.len(),
            lost: 0,
            comment,
        };
        stream.state.with(|state| {
            let State { stream: waiting, sources, described, readers, .. } = state;
            let Some(source) = sources.get_mut(self.source) else { return };
            source.passed += 1;
            packet.lost = source.lost_since;
            packet.interface = source.number.unwrap_or(*described);
            block.clear();
            if source.number.is_none() {
                stream.describe(source, block);
            }
            if waiting.len() + block.len() + pcapng::most(&packet) > limits::CAPTURE_BYTES {
                source.lost += 1;
                source.lost_since += 1;
                return;
            }
            source.lost_since = 0;
            if source.number.replace(packet.interface).is_none() {
                *described += 1;
            }
            pcapng::append(block, &packet);
            waiting.extend(block.iter());
            wakes.add(readers);
        });
    }
}

/// The captures of one interface.
#[derive(Default)]
pub(crate) struct Taps {
    taps: Vec<Tap>,
    /// The bytes of the frame that the stack or the driver is judging, and of a block; their memory
    /// is kept for the next one.
    frame: Vec<u8>,
    block: Vec<u8>,
}

impl Taps {
    pub(crate) const fn is_empty(&self) -> bool {
        !HAS_CAPTURE || self.taps.is_empty()
    }

    /// Attaches a capture, once; one beyond [`limits::CAPTURE_INTERFACES`] of a stream is none.
    ///
    /// # Errors
    /// `NoBufferSpace` when there are [`limits::CAPTURES`].
    pub(crate) fn attach(
        &mut self,
        stream: &Arc<Stream>,
        name: &str,
        medium: Medium,
        wakes: &mut Wakes,
    ) -> Result<(), Error> {
        if self.taps.iter().any(|known| Arc::ptr_eq(&known.stream, stream)) {
            return Ok(());
        }
        if self.taps.len() >= limits::CAPTURES {
            return Err(Error::NoBufferSpace);
        }
        if let Some(source) = stream.add(name, medium, wakes) {
            self.taps.push(Tap { stream: Arc::clone(stream), medium, source });
        }
        Ok(())
    }

    /// Detaches a capture; the last one takes the memory with it.
    pub(crate) fn detach(&mut self, stream: &Arc<Stream>) {
        self.taps.retain(|known| !Arc::ptr_eq(&known.stream, stream));
        if self.taps.is_empty() {
            *self = Self::default();
        }
    }

    /// The interface is gone.
    pub(crate) fn end(&mut self, wakes: &mut Wakes) {
        for tap in core::mem::take(self).taps {
            tap.stream.end(wakes);
        }
    }

    /// Keeps the bytes of a frame until it was judged: whether the stack or the driver takes it.
    pub(crate) fn keep(&mut self, frame: &[u8]) {
        self.frame.clear();
        self.frame.extend_from_slice(frame);
    }

    /// Records the received frame that was kept, with the reason why it was dropped, if it was.
    pub(crate) fn received(&mut self, before: &Totals, after: &Totals, wakes: &mut Wakes) {
        let is_it = |reason: &DropReason| {
            reason.is_received() && after.dropped(*reason) > before.dropped(*reason)
        };
        let reason = DropReason::ALL.into_iter().find(is_it);
        self.record(CaptureDirection::In, reason, wakes);
    }

    /// Records the frame that was kept, which the driver took or which is lost for a reason.
    pub(crate) fn sent(&mut self, reason: Option<DropReason>, wakes: &mut Wakes) {
        self.record(CaptureDirection::Out, reason, wakes);
    }

    fn record(
        &mut self,
        direction: CaptureDirection,
        reason: Option<DropReason>,
        wakes: &mut Wakes,
    ) {
        let comment = reason.map(|reason| format!("dropped: {reason}")).unwrap_or_default();
        for tap in &self.taps {
            tap.record(&self.frame, direction, &comment, &mut self.block, wakes);
        }
    }
}
