//! A pcapng capture around any driver: it records each frame of both directions.
//!
//! The wrapped driver behaves as it does without the capture. A write error ends the capture and
//! affects nothing else. Blocks follow draft-ietf-opsawg-pcapng: section header, interface
//! description, then one enhanced packet block per frame.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, LinkState, Medium,
};
use devnet_network::platform::{Clock, Instant};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// LINKTYPE_ETHERNET and LINKTYPE_RAW.
const LINK_ETHERNET: u16 = 1;
const LINK_RAW: u16 = 101;
/// The packet option for the direction, and its values.
const PACKET_FLAGS: u16 = 2;
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// A driver and the capture file of its frames.
pub struct Capture<D: ?Sized> {
    recorder: Recorder,
    /// The next frame was refused before and is already in the file.
    is_recorded: bool,
    driver: Box<D>,
}

struct Recorder {
    /// `None` after a write error.
    file: Option<BufWriter<Box<dyn Write + Send>>>,
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
        let link = match driver.capabilities().medium {
            Medium::Ethernet => LINK_ETHERNET,
            Medium::Ip => LINK_RAW,
        };
        let mut section = Vec::from(BYTE_ORDER.to_le_bytes());
        // Version 1.0, and an unknown section length.
        section.extend([1, 0, 0, 0]);
        section.extend((-1_i64).to_le_bytes());
        write_block(&mut file, SECTION_HEADER, &[&section])?;
        let mut interface = Vec::from(link.to_le_bytes());
        // Reserved, and a snapshot length without limit. Timestamps are in microseconds, the
        // default.
        interface.extend([0; 6]);
        write_block(&mut file, INTERFACE_DESCRIPTION, &[&interface])?;
        file.flush()?;
        Ok(Self {
            recorder: Recorder { file: Some(file), clock, started },
            is_recorded: false,
            driver,
        })
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
    fn record(&mut self, bytes: &[u8], direction: u32) {
        let Some(file) = &mut self.file else { return };
        let time = self.started.saturating_add(self.clock.now().since(Instant::ZERO));
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        let [high, low] = [(micros >> 32) as u32, micros as u32].map(u32::to_le_bytes);
        let head = [0_u32.to_le_bytes(), high, low, length, length].concat();
        let padding = [0; 3];
        let padding = padding.get(..bytes.len().wrapping_neg() % 4).unwrap_or_default();
        // One option of four bytes, then the end of options.
        let mut options = Vec::from(PACKET_FLAGS.to_le_bytes());
        options.extend(4_u16.to_le_bytes());
        options.extend(direction.to_le_bytes());
        options.extend([0; 4]);
        if write_block(file, ENHANCED_PACKET, &[&head, bytes, padding, &options]).is_err() {
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

/// Writes one block; the total length of its parts is a multiple of four bytes.
fn write_block(file: &mut impl Write, kind: u32, parts: &[&[u8]]) -> io::Result<()> {
    let content: usize = parts.iter().map(|part| part.len()).sum();
    // Type, and the length before and after the content.
    let length = u32::try_from(content.saturating_add(12)).map_err(io::Error::other)?.to_le_bytes();
    file.write_all(&kind.to_le_bytes())?;
    file.write_all(&length)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.write_all(&length)
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

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        let frame = self.driver.receive(pool)?;
        self.recorder.record(frame.bytes(), INBOUND);
        Some(frame)
    }

    fn can_transmit(&mut self) -> bool {
        self.driver.can_transmit()
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        if !std::mem::take(&mut self.is_recorded) {
            self.recorder.record(frame.bytes(), OUTBOUND);
        }
        let result = self.driver.transmit(frame, pool);
        self.is_recorded = result.is_err();
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
