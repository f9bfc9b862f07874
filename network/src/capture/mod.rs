//! Captures: the frames of an interface as pcapng streams.
//!
//! A `Tap` belongs to one capturing file and is in the list of its interface, which records each
//! frame there as it receives or sends it. Memory is bounded: a frame without room is lost, and the
//! next one that has room says how many were. A received frame is recorded once the stack has
//! judged it, so that its block can say in a comment why it was dropped.

pub mod filter;
pub mod pcapng;
pub mod read;

use alloc::collections::VecDeque;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::task::Waker;
use core::time::Duration;

use devnet_virtual_file_system::{Error, Lock, WakerList};

pub use self::filter::{Filter, FilterError};
use crate::command::capture::{CaptureDirection, CaptureOptions, CaptureStatistics};
use crate::command::drops::DropReason;
use crate::command::interface::Statistics;
use crate::driver::Medium;
use crate::limits;
use crate::platform::{Clock, Instant};
use crate::stack::Wakes;

/// Whether files can capture.
pub(crate) const HAS_CAPTURE: bool = cfg!(feature = "capture");

/// The frames for one capturing file.
pub(crate) struct Tap {
    filter: Filter,
    options: CaptureOptions,
    medium: Medium,
    clock: Arc<dyn Clock>,
    state: Lock<State>,
}

struct State {
    /// Whole blocks, up to [`limits::CAPTURE_BYTES`].
    stream: VecDeque<u8>,
    statistics: CaptureStatistics,
    /// Lost since the last block.
    lost: u64,
    /// The interface is gone.
    has_ended: bool,
    readers: WakerList,
}

impl Tap {
    /// A capture of an interface with this name and medium.
    ///
    /// # Errors
    /// `InvalidInput` for an invalid filter.
    pub(crate) fn new(
        name: &str,
        medium: Medium,
        options: CaptureOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let filter = options.filter.parse().map_err(|_| Error::InvalidInput)?;
        let stream = pcapng::begin(&pcapng::Interface {
            medium,
            name,
            snap_length: options.snap_length,
            filter: &options.filter,
        });
        let state = Lock::new(State {
            stream: stream.into(),
            statistics: CaptureStatistics::default(),
            lost: 0,
            has_ended: false,
            readers: WakerList::new(),
        });
        Ok(Self { filter, options, medium, clock, state })
    }

    pub(crate) fn statistics(&self) -> CaptureStatistics {
        self.state.with(|state| state.statistics)
    }

    /// Counts a frame that was written to the file and sent.
    pub(crate) fn count_sent(&self) {
        self.state.with(|state| state.statistics.sent += 1);
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

    fn wants(&self, frame: &[u8], direction: CaptureDirection) -> bool {
        let wanted = self.options.direction;
        (wanted == CaptureDirection::Both || wanted == direction)
            && self.filter.passes(frame, self.medium, direction)
    }

    /// Records a frame that passes the filter.
    fn record(
        &self,
        frame: &[u8],
        direction: CaptureDirection,
        comment: &str,
        block: &mut Vec<u8>,
        wakes: &mut Wakes,
    ) {
        if !self.wants(frame, direction) {
            return;
        }
        let kept = match self.options.snap_length {
            0 => frame.len(),
            most => frame.len().min(most as usize),
        };
        let since_start = self.clock.now().since(Instant::ZERO);
        let mut packet = pcapng::Packet {
            time: Duration::from_micros(self.options.clock_offset).saturating_add(since_start),
            direction,
            bytes: frame.get(..kept).unwrap_or_default(),
            length: frame.len(),
            lost: 0,
            comment,
        };
        self.state.with(|state| {
            state.statistics.passed += 1;
            if state.stream.len() + pcapng::most(&packet) > limits::CAPTURE_BYTES {
                state.statistics.lost += 1;
                state.lost += 1;
                return;
            }
            packet.lost = core::mem::take(&mut state.lost);
            block.clear();
            pcapng::append(block, &packet);
            state.stream.extend(block.iter());
            wakes.add(&mut state.readers);
        });
    }
}

/// The captures of one interface.
#[derive(Default)]
pub(crate) struct Taps {
    taps: Vec<Arc<Tap>>,
    /// The bytes of the frame that the stack or the driver is judging, and of a block; their memory
    /// is kept for the next one.
    frame: Vec<u8>,
    block: Vec<u8>,
}

impl Taps {
    pub(crate) const fn is_empty(&self) -> bool {
        !HAS_CAPTURE || self.taps.is_empty()
    }

    /// Attaches a capture.
    ///
    /// # Errors
    /// `NoBufferSpace` when there are [`limits::CAPTURES`].
    pub(crate) fn attach(&mut self, tap: &Arc<Tap>) -> Result<(), Error> {
        if self.taps.len() >= limits::CAPTURES {
            return Err(Error::NoBufferSpace);
        }
        self.taps.push(Arc::clone(tap));
        Ok(())
    }

    /// Detaches a capture; the last one takes the memory with it.
    pub(crate) fn detach(&mut self, tap: &Arc<Tap>) {
        self.taps.retain(|known| !Arc::ptr_eq(known, tap));
        if self.taps.is_empty() {
            *self = Self::default();
        }
    }

    /// The interface is gone.
    pub(crate) fn end(&mut self, wakes: &mut Wakes) {
        for tap in core::mem::take(self).taps {
            tap.state.with(|state| {
                state.has_ended = true;
                wakes.add(&mut state.readers);
            });
        }
    }

    /// Keeps the bytes of a frame until it was judged: whether the stack or the driver takes it.
    pub(crate) fn keep(&mut self, frame: &[u8]) {
        self.frame.clear();
        self.frame.extend_from_slice(frame);
    }

    /// Records the received frame that was kept, with the reason why it was dropped, if it was.
    pub(crate) fn received(&mut self, before: &Statistics, after: &Statistics, wakes: &mut Wakes) {
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
