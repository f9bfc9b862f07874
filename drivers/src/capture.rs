//! A pcapng capture around any driver: it records each frame of both directions.
//!
//! The wrapped driver behaves as it does without the capture. A write error ends the capture and
//! affects nothing else. The format is that of [`pcapng`]. The command `capture` of an interface's
//! device needs no such driver; this one records from the first frame on.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::capture::pcapng;
use devnet_network::command::capture::CaptureDirection;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, LinkSpeed, LinkState,
};
use devnet_network::platform::{Clock, Instant};

/// A driver and the capture file of its frames.
pub struct Capture<D: ?Sized> {
    recorder: Recorder,
    driver: Box<D>,
}

struct Recorder {
    /// `None` after a write error.
    file: Option<BufWriter<Box<dyn Write + Send>>>,
    /// The block of a frame; its memory is kept.
    block: Vec<u8>,
    clock: Arc<dyn Clock>,
    /// The Unix time at which the clock started.
    started: Duration,
}

impl<D: Driver + ?Sized> Capture<D> {
    /// Wraps a driver and writes the file's headers. `started` is the Unix time at which the clock
    /// started ([`Host::started`](crate::Host::started)); packet timestamps are this time plus the
    /// clock.
    ///
    /// # Errors
    /// Those of writing.
    pub fn new(
        driver: Box<D>,
        file: Box<dyn Write + Send>,
        clock: Arc<dyn Clock>,
        started: Duration,
    ) -> io::Result<Self> {
        let mut file = BufWriter::new(file);
        let medium = driver.capabilities().medium;
        let head = pcapng::Interface { medium, name: "", snap_length: 0, filter: "" };
        file.write_all(&pcapng::begin(&head))?;
        file.flush()?;
        let recorder = Recorder { file: Some(file), block: Vec::new(), clock, started };
        Ok(Self { recorder, driver })
    }
}

impl<D: ?Sized> fmt::Debug for Capture<D> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Capture")
            .field("is_writing", &self.recorder.file.is_some())
            .finish_non_exhaustive()
    }
}

impl Recorder {
    /// Makes the block of a frame.
    fn prepare(&mut self, bytes: &[u8], direction: CaptureDirection) {
        self.block.clear();
        if self.file.is_none() {
            return;
        }
        let time = self.started.saturating_add(self.clock.now().since(Instant::ZERO));
        let packet = pcapng::Packet {
            interface: 0,
            time,
            direction,
            bytes,
            length: bytes.len(),
            lost: 0,
            comment: "",
        };
        pcapng::append(&mut self.block, &packet);
    }

    /// Writes the block that was made.
    fn write(&mut self) {
        if self.file.as_mut().is_some_and(|file| file.write_all(&self.block).is_err()) {
            self.file = None;
        }
    }

    fn flush(&mut self) {
        if self.file.as_mut().is_some_and(|file| !file.buffer().is_empty() && file.flush().is_err())
        {
            self.file = None;
        }
    }
}

impl<D: Driver + ?Sized> Driver for Capture<D> {
    fn capabilities(&self) -> Capabilities {
        self.driver.capabilities()
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        self.driver.hardware_address()
    }

    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        self.driver.set_hardware_address(address)
    }

    fn link_state(&mut self) -> LinkState {
        self.driver.link_state()
    }

    fn speed(&mut self) -> Option<LinkSpeed> {
        self.driver.speed()
    }

    fn set_reception(&mut self, all_stations: bool, all_groups: bool) -> Result<(), DriverError> {
        self.driver.set_reception(all_stations, all_groups)
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        let frame = self.driver.receive(pool)?;
        self.recorder.prepare(frame.bytes(), CaptureDirection::In);
        self.recorder.write();
        Some(frame)
    }

    fn can_transmit(&mut self) -> bool {
        self.driver.can_transmit()
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        self.recorder.prepare(frame.bytes(), CaptureDirection::Out);
        let result = self.driver.transmit(frame, pool);
        // One that was refused may never be offered again.
        if result.is_ok() {
            self.recorder.write();
        }
        result
    }

    fn flush(&mut self) -> Option<Waker> {
        self.recorder.flush();
        self.driver.flush()
    }

    fn register(&mut self, waker: &Waker, room: bool) {
        self.driver.register(waker, room);
    }
}
