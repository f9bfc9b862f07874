//! Ethernet frames (tap) and IP packets (tun) to and from the Linux kernel.
//!
//! The descriptor is non-blocking and wakes the runner through `async-io`; there is no busy
//! polling. The user configures the state, addresses and MTU of the kernel interface: this driver
//! reads the MTU once, and derives the link state from the descriptor. A full kernel queue causes
//! back-pressure; any other refusal counts as a loss.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Waker;

use devnet_network::address::HardwareAddress;
use devnet_network::driver::{
    Capabilities, Driver, DriverError, Frame, FramePool, Kind, LinkState, Medium,
};
use devnet_virtual_file_system::CharacterDevice;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::controller::{Controlled, Controller, DriverInformation};
use crate::counters::{Counters, DriverCounters};
use crate::descriptor::Descriptor;
use crate::entropy::SystemEntropy;
use crate::host::random_hardware_address;
use crate::limits::{ETHERNET_HEADER, KERNEL_NAME_BYTES};

/// The frame format of the kernel interface.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TapKind {
    /// Ethernet frames.
    Tap,
    /// IP packets.
    Tun,
}

/// The options of a [`Tap`]. Every default is automatic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct TapOptions {
    /// Our hardware address; random by default. It is not the kernel interface's own.
    pub hardware: Option<HardwareAddress>,
    /// The largest IP packet in bytes; the kernel interface's MTU by default.
    pub mtu: Option<usize>,
}

devnet_virtual_file_system::setters! {
    TapOptions {
        hardware: Option<HardwareAddress>,
        mtu: Option<usize>,
    }
}

/// An open tap or tun interface. Dropping it closes it.
#[derive(Debug)]
pub struct Tap {
    descriptor: Descriptor,
    name: String,
    kind: TapKind,
    mtu: usize,
    hardware: HardwareAddress,
    /// A full-length buffer for the next read.
    spare: Option<Frame>,
    state: State,
    counters: Arc<Counters>,
}

/// The state of the kernel side, from the last calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Up,
    /// Its queue is full.
    Full,
    /// The kernel interface is down; the descriptor becomes writable when it comes up.
    Down,
    /// The kernel interface was deleted. The descriptor would report that for ever, so nothing
    /// waits on it.
    Gone,
}

impl Tap {
    /// Attaches to the kernel interface `name`, and creates it if it does not exist. This needs
    /// `CAP_NET_ADMIN`, or an interface that belongs to the caller.
    ///
    /// # Errors
    /// `InvalidInput` for a name that is empty, longer than 15 bytes or malformed; errors of the
    /// kernel.
    pub fn open(name: &str, kind: TapKind, options: TapOptions) -> io::Result<Self> {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic() && !b"/:%".contains(&byte));
        if name.is_empty()
            || name.len() > KERNEL_NAME_BYTES
            || !is_plain
            || name == "."
            || name == ".."
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an interface name is 1 to 15 plain characters",
            ));
        }
        if options.hardware.is_some_and(|address| !address.is_unicast()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the address is not one of a single station",
            ));
        }
        let descriptor = system::attach(name, kind)?;
        let mtu = match options.mtu {
            Some(mtu) => mtu,
            None => system::mtu(name)?,
        };
        let hardware = match options.hardware {
            Some(address) => address,
            None => random_hardware_address(&SystemEntropy).map_err(io::Error::other)?,
        };
        let descriptor = Descriptor::new(descriptor)?;
        let state = if descriptor.is_writable() { State::Up } else { State::Down };
        let counters = Arc::default();
        Ok(Self {
            descriptor,
            name: name.to_owned(),
            kind,
            mtu,
            hardware,
            spare: None,
            state,
            counters,
        })
    }

    /// Returns the device that answers [`controller_commands`](crate::controller_commands) about
    /// this driver.
    #[must_use]
    pub fn controller(&self) -> Arc<dyn CharacterDevice> {
        let kind = if self.kind == TapKind::Tap { "tap" } else { "tun" };
        let information = DriverInformation::new(kind, self.name.as_str(), self.mtu);
        Arc::new(Controller::new(Arc::new(DriverControl {
            information,
            counters: Arc::clone(&self.counters),
        })))
    }

    const fn longest(&self) -> usize {
        match self.kind {
            TapKind::Tap => self.mtu.saturating_add(ETHERNET_HEADER),
            TapKind::Tun => self.mtu,
        }
    }

    /// Checks whether the queue has room or the interface is up again.
    fn refresh(&mut self) {
        if matches!(self.state, State::Full | State::Down) && self.descriptor.is_writable() {
            self.state = State::Up;
        }
    }

    /// Reads one frame into the spare buffer, and keeps the buffer if there is no frame.
    fn read(&mut self, pool: &mut FramePool) -> Option<Frame> {
        let longest = self.longest();
        // One byte more than the longest frame, so that a longer one is detected and not truncated.
        let mut buffer = self.spare.take().unwrap_or_else(|| pool.take(longest.saturating_add(1)));
        let result = loop {
            match rustix::io::read(&self.descriptor, buffer.bytes_mut()) {
                Err(Errno::INTR) => {}
                result => break result,
            }
        };
        let length = match result {
            Ok(length) => length,
            Err(errno) => {
                self.spare = Some(buffer);
                if errno != Errno::AGAIN {
                    self.counters.failed();
                    self.state = State::Gone;
                }
                return None;
            }
        };
        if self.state == State::Down {
            self.state = State::Up;
        }
        if length.saturating_mul(2) < longest {
            // Copying a short frame costs less than a new full-length buffer.
            let frame = buffer.bytes().get(..length).map(|bytes| pool.copy_of(bytes));
            self.spare = Some(buffer);
            frame
        } else {
            buffer.truncate(length);
            Some(buffer)
        }
    }
}

/// The descriptor, to wait for frames in a loop of one's own. Reading or writing it takes frames
/// from the driver.
impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Driver for Tap {
    fn capabilities(&self) -> Capabilities {
        let (kind, medium) = match self.kind {
            TapKind::Tap => (Kind::Ethernet, Medium::Ethernet),
            TapKind::Tun => (Kind::Tunnel, Medium::Ip),
        };
        Capabilities::new(kind, medium, self.mtu)
    }

    fn hardware_address(&self) -> Option<HardwareAddress> {
        (self.kind == TapKind::Tap).then_some(self.hardware)
    }

    fn set_hardware_address(&mut self, address: HardwareAddress) -> Result<(), DriverError> {
        if self.kind != TapKind::Tap || !address.is_unicast() {
            return Err(DriverError::Unsupported);
        }
        self.hardware = address;
        Ok(())
    }

    fn link_state(&mut self) -> LinkState {
        if self.state == State::Down {
            self.refresh();
        }
        if matches!(self.state, State::Up | State::Full) { LinkState::Up } else { LinkState::Down }
    }

    fn set_reception(&mut self, _: bool, _: bool) -> Result<(), DriverError> {
        // The kernel hands over everything that it sends to the interface.
        Ok(())
    }

    fn receive(&mut self, pool: &mut FramePool) -> Option<Frame> {
        while self.state != State::Gone {
            let frame = self.read(pool)?;
            if frame.len() <= self.longest() {
                self.counters.received(frame.len());
                return Some(frame);
            }
            self.counters.dropped(frame.len());
            pool.put(frame);
        }
        None
    }

    fn can_transmit(&mut self) -> bool {
        if self.state == State::Full {
            self.refresh();
        }
        self.state != State::Full
    }

    fn transmit(&mut self, frame: Frame, pool: &mut FramePool) -> Result<(), Frame> {
        if !self.can_transmit() {
            return Err(frame);
        }
        let length = frame.len();
        if self.state == State::Gone || length > self.longest() {
            self.counters.dropped(length);
            pool.put(frame);
            return Ok(());
        }
        let result = loop {
            match rustix::io::write(&self.descriptor, frame.bytes()) {
                Err(Errno::INTR) => {}
                result => break result,
            }
        };
        match result {
            Ok(_) => {
                self.state = State::Up;
                self.counters.sent(length);
            }
            Err(Errno::AGAIN) => {
                self.state = State::Full;
                return Err(frame);
            }
            Err(errno) => {
                self.counters.failed();
                self.counters.dropped(length);
                match errno {
                    Errno::IO | Errno::NETDOWN => self.state = State::Down,
                    Errno::BADFD | Errno::NODEV | Errno::BADF => self.state = State::Gone,
                    // A malformed frame, or no kernel memory: only this frame is lost.
                    _ => {}
                }
            }
        }
        pool.put(frame);
        Ok(())
    }

    fn register(&mut self, waker: &Waker, room: bool) {
        if self.state == State::Gone {
            return;
        }
        self.descriptor.wake_when_readable(waker);
        if room || self.state == State::Down {
            self.descriptor.wake_when_writable(waker);
        }
    }
}

struct DriverControl {
    information: DriverInformation,
    counters: Arc<Counters>,
}

impl Controlled for DriverControl {
    fn information(&self) -> DriverInformation {
        self.information.clone()
    }

    fn counters(&self) -> DriverCounters {
        self.counters.read()
    }
}

/// The three `ioctl` calls (Linux' `Documentation/networking/tuntap.rst`, `netdevice(7)`).
mod system {
    use std::ffi::c_int;

    use rustix::ioctl::{IntegerSetter, Opcode, Updater, ioctl, opcode};
    use rustix::net::{AddressFamily, SocketType, socket};

    use super::{Errno, KERNEL_NAME_BYTES, Mode, OFlags, OwnedFd, TapKind, io};

    const TUNSETIFF: Opcode = opcode::write::<c_int>(b'T', 202);
    const TUNSETOFFLOAD: Opcode = opcode::write::<c_int>(b'T', 208);
    const SIOCGIFMTU: Opcode = 0x8921;
    const IFF_TUN: c_int = 0x0001;
    const IFF_TAP: c_int = 0x0002;
    const IFF_NO_PI: c_int = 0x1000;

    /// Linux' `struct ifreq`: a name, and a union of at most 24 bytes, of which these calls use one
    /// number.
    #[repr(C)]
    struct InterfaceRequest {
        name: [u8; KERNEL_NAME_BYTES + 1],
        value: Value,
    }

    /// The union as these calls use it: a number in the first bytes.
    #[repr(C, align(8))]
    #[derive(Clone, Copy)]
    struct Value([u8; 24]);

    impl InterfaceRequest {
        fn new(name: &str) -> Self {
            let mut request = Self { name: [0; KERNEL_NAME_BYTES + 1], value: Value([0; 24]) };
            // The last byte stays the terminator.
            request
                .name
                .iter_mut()
                .take(KERNEL_NAME_BYTES)
                .zip(name.bytes())
                .for_each(|(to, from)| *to = from);
            request
        }
    }

    /// Opens the clone device and attaches it to the interface `name`, without packet information
    /// and without offloads.
    pub(super) fn attach(name: &str, kind: TapKind) -> io::Result<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let descriptor = rustix::fs::open("/dev/net/tun", flags, Mode::empty())?;
        let wanted = IFF_NO_PI | if kind == TapKind::Tap { IFF_TAP } else { IFF_TUN };
        let mut request = InterfaceRequest::new(name);
        let wanted = (wanted as u16).to_ne_bytes();
        request.value.0.iter_mut().zip(wanted).for_each(|(to, from)| *to = from);
        // SAFETY: TUNSETIFF reads and writes one `struct ifreq`, and `request` is at least as large
        // as that.
        unsafe { ioctl(&descriptor, Updater::<TUNSETIFF, InterfaceRequest>::new(&mut request)) }?;
        // A persistent interface keeps the offloads of its last user and would then pass frames
        // without checksums. SAFETY: TUNSETOFFLOAD takes its flags as a number and accesses no
        // memory of ours.
        unsafe { ioctl(&descriptor, IntegerSetter::<TUNSETOFFLOAD>::new_usize(0)) }?;
        Ok(descriptor)
    }

    /// Reads the kernel interface's MTU.
    pub(super) fn mtu(name: &str) -> io::Result<usize> {
        let any = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
        let mut request = InterfaceRequest::new(name);
        // SAFETY: SIOCGIFMTU reads and writes one `struct ifreq`, and `request` is at least as
        // large as that.
        unsafe { ioctl(&any, Updater::<SIOCGIFMTU, InterfaceRequest>::new(&mut request)) }?;
        let Value([a, b, c, d, ..]) = request.value;
        usize::try_from(i32::from_ne_bytes([a, b, c, d])).map_err(|_| Errno::IO.into())
    }
}
