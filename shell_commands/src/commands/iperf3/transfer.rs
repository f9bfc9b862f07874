//! The streams of a test: transfer, counters, and a report every second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_executor::{Executor, Task};
use devnet_network::command::socket::Direction;
use devnet_network::command::{GetStreamStatistics, Shutdown};
use devnet_network::platform::{Clock, Instant};
use devnet_virtual_file_system::{File, Result};

use crate::context::Context;
use crate::failure::Failure;
use crate::render::iperf::{self as render, Sample};

/// The interval of reports.
const INTERVAL: Duration = Duration::from_secs(1);

/// The streams of one test.
pub(super) struct Transfer {
    streams: Vec<File>,
    tasks: Vec<Task<()>>,
    counters: Vec<Arc<AtomicU64>>,
    /// Bytes of one write.
    block: usize,
    /// The total bytes that a sender sends; 0 for no limit.
    limit: u64,
    is_sender: bool,
    started: Instant,
    last: Vec<u64>,
    last_time: Instant,
    /// One sample per stream and interval, for the report in JSON.
    pub(super) intervals: Vec<Vec<Sample>>,
}

impl Transfer {
    /// Streams waiting for the start.
    #[must_use]
    pub(super) fn new(
        streams: Vec<File>,
        is_sender: bool,
        block: u32,
        limit: u64,
        now: Instant,
    ) -> Self {
        let counters: Vec<Arc<AtomicU64>> = streams.iter().map(|_| Arc::default()).collect();
        let last = vec![0; streams.len()];
        // The client chooses it, so bound our memory.
        let block =
            usize::try_from(block).unwrap_or(usize::MAX).clamp(1, crate::limits::IPERF_BLOCK_BYTES);
        Self {
            streams,
            tasks: Vec::new(),
            counters,
            block,
            limit,
            is_sender,
            started: now,
            last,
            last_time: now,
            intervals: Vec::new(),
        }
    }

    /// True when we send.
    #[must_use]
    pub(super) const fn is_sender(&self) -> bool {
        self.is_sender
    }

    /// Starts every stream as a task of `executor`.
    pub(super) fn start(&mut self, executor: &Executor<'_>, now: Instant) {
        (self.started, self.last_time) = (now, now);
        for (place, stream) in self.streams.iter().enumerate() {
            let Some(counter) = self.counters.get(place).cloned() else { continue };
            let (stream, block, limit) = (stream.clone(), self.block, self.limit);
            let all = self.counters.clone();
            let is_sender = self.is_sender;
            let work = async move {
                // A stream's end ends its task; the control connection reports the reason.
                let _ = if is_sender {
                    send(&stream, block, limit, &counter, &all).await
                } else {
                    receive(&stream, &counter).await
                };
            };
            self.tasks.push(executor.spawn(work));
        }
    }

    /// Stops sending and shuts the streams down. The original's client reads until it sees the end
    /// of each stream, and only then continues with the control connection.
    pub(super) async fn finish(&mut self) {
        if !self.is_sender {
            return;
        }
        self.tasks.clear();
        for stream in &self.streams {
            // A stream that is gone has ended already.
            let _ = stream.control::<Shutdown>(&Direction::Write).await;
        }
    }

    /// Returns the bytes of each stream so far.
    #[must_use]
    pub(super) fn bytes(&self) -> Vec<u64> {
        self.counters.iter().map(|counter| counter.load(Ordering::Relaxed)).collect()
    }

    /// Returns the retransmitted segments of each stream; for a sender, while its streams exist.
    #[must_use]
    pub(super) fn retransmissions(&self) -> Vec<u32> {
        if !self.is_sender {
            return Vec::new();
        }
        let known = self
            .streams
            .iter()
            .map_while(|stream| stream.try_control::<GetStreamStatistics>(&()).ok());
        known.map(|statistics| statistics.retransmissions).collect()
    }

    /// Seconds since the start.
    #[must_use]
    pub(super) fn seconds(&self, now: Instant) -> f64 {
        now.since(self.started).as_secs_f64()
    }

    /// True when the requested bytes have been transferred.
    #[must_use]
    pub(super) fn is_complete(&self, bytes: u64) -> bool {
        bytes > 0 && total(&self.counters) >= bytes
    }

    /// Returns when the next report is due.
    #[must_use]
    pub(super) fn next_report(&self) -> Instant {
        self.last_time.after(INTERVAL)
    }

    /// Ends an interval and prints its lines.
    ///
    /// # Errors
    /// Errors of printing.
    pub(super) async fn report(
        &mut self,
        context: &Context,
        quiet: bool,
        now: Instant,
    ) -> core::result::Result<(), Failure> {
        if now <= self.last_time {
            return Ok(());
        }
        let (start, end) = (self.seconds(self.last_time), self.seconds(now));
        let bytes = self.bytes();
        let samples: Vec<Sample> = bytes
            .iter()
            .zip(&self.last)
            .map(|(now, before)| Sample {
                start,
                end,
                bytes: now.saturating_sub(*before),
                again: None,
            })
            .collect();
        (self.last, self.last_time) = (bytes, now);
        if !quiet {
            context.print(&render::interval(&samples)).await?;
        }
        // Bound the samples of a long test.
        if self.intervals.len() < crate::limits::IPERF_INTERVALS {
            self.intervals.push(samples);
        }
        Ok(())
    }

    /// Prints a line every second, for ever.
    ///
    /// # Errors
    /// Errors of printing.
    pub(super) async fn report_for_ever(
        &mut self,
        context: &Context,
        quiet: bool,
    ) -> core::result::Result<(), Failure> {
        let clock: &dyn Clock = context.platform.clock.as_ref();
        loop {
            clock.sleep_until(self.next_report()).await;
            self.report(context, quiet, clock.now()).await?;
        }
    }
}

fn total(counters: &[Arc<AtomicU64>]) -> u64 {
    counters.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
}

async fn send(
    stream: &File,
    block: usize,
    limit: u64,
    counter: &AtomicU64,
    all: &[Arc<AtomicU64>],
) -> Result<()> {
    // Bytes that do not repeat within a segment.
    let data: Vec<u8> = (0..block).map(|place| (place ^ (place >> 8)) as u8).collect();
    while limit == 0 || total(all) < limit {
        let count = stream.write(&data).await?;
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
    Ok(())
}

async fn receive(stream: &File, counter: &AtomicU64) -> Result<()> {
    let mut buffer = vec![0; crate::limits::COPY_BYTES];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_s_block_is_bounded_and_byte_limits_count_all_streams() {
        let transfer = Transfer::new(Vec::new(), true, u32::MAX, 0, Instant::ZERO);
        assert_eq!(transfer.block, crate::limits::IPERF_BLOCK_BYTES);
        assert_eq!(Transfer::new(Vec::new(), true, 0, 0, Instant::ZERO).block, 1);
        assert!(!transfer.is_complete(0) && !transfer.is_complete(1));
        let counters = [Arc::new(AtomicU64::new(2)), Arc::new(AtomicU64::new(3))];
        assert_eq!(total(&counters), 5);
    }
}
