//! The handshake of a connection: smoltcp's socket, which never sees a byte of data.
//!
//! The peer's SYN, SYN|ACK and RST reach it, without options that concern data and without data. What it emits is a word for
//! [`super::egress`], which builds the segment that says the same. Once the connection is open [`super::machine`] takes over, and the socket
//! serves the next handshake. So no segment from outside can panic, truncate or hijack it (`stack-pitfalls` TCP-R, TCP-S).

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{self, State};
use smoltcp::wire::{IpEndpoint, IpListenEndpoint, Ipv4Packet, Ipv6Packet, TcpPacket, TcpSeqNumber};

use super::segment::{Offer, Segment};
use super::{End, Flow};
use crate::driver::{Frame, FramePool};
use crate::platform::Instant;
use crate::stack::ip::header::{IPV4_HEADER, IPV6_HEADER};
use crate::stack::oneshot::{Emitted, OneShot};
use crate::stack::smoltcp_time;

/// Bytes of its receive buffer. It must have one (TCP-O-02), and nothing ever comes into it.
const BUFFER: usize = 4;

/// The socket, and the numbers that it does not know.
pub(crate) struct Handshake {
    set: SocketSet<'static>,
    handle: SocketHandle,
    /// Our first number on the wire; smoltcp's own can be guessed (TCP-X-01).
    pub(crate) sequence: u32,
    /// What must be added to the socket's numbers to get ours.
    offset: u32,
    /// The number after the peer's SYN.
    peer_next: u32,
    /// What the peer's SYN offered, and its window.
    pub(crate) offer: Offer,
    pub(crate) window: u16,
    /// SYNs that left, and when the first did.
    pub(crate) syns: u8,
    pub(crate) syn_at: Instant,
}

impl Handshake {
    /// A closed socket whose numbers on the wire will begin at `sequence`, made from a former one if there is one: it never met data, so what
    /// connecting and listening do not reset says nothing.
    pub(crate) fn new(sequence: u32, former: Option<Box<Self>>) -> Box<Self> {
        let mut handshake = former.unwrap_or_else(|| {
            // A set that grows by itself starts with room for four sockets.
            let mut set = SocketSet::new(Vec::with_capacity(1));
            let socket = tcp::Socket::new(tcp::SocketBuffer::new(vec![0; BUFFER]), tcp::SocketBuffer::new(vec![]));
            let handle = set.add(socket);
            Box::new(Self {
                set,
                handle,
                sequence,
                offset: 0,
                peer_next: 0,
                offer: Offer::default(),
                window: 0,
                syns: 0,
                syn_at: Instant::ZERO,
            })
        });
        handshake.socket_mut().abort();
        (handshake.sequence, handshake.offset, handshake.peer_next) = (sequence, 0, 0);
        (handshake.offer, handshake.window) = (Offer::default(), 0);
        (handshake.syns, handshake.syn_at) = (0, Instant::ZERO);
        handshake
    }

    pub(crate) fn state(&self) -> State {
        self.socket().state()
    }

    fn socket(&self) -> &tcp::Socket<'static> {
        self.set.get(self.handle)
    }

    fn socket_mut(&mut self) -> &mut tcp::Socket<'static> {
        self.set.get_mut(self.handle)
    }

    /// Begins to connect; false when smoltcp refuses the addresses.
    pub(crate) fn connect(&mut self, interface: &mut Interface, flow: &Flow) -> bool {
        let endpoint = |end: End| IpEndpoint::new(end.ip().into(), end.port());
        let listen = IpListenEndpoint::from(endpoint(flow.local));
        self.socket_mut().connect(interface.context(), endpoint(flow.remote), listen).is_ok()
    }

    /// Waits for a SYN.
    pub(crate) fn listen(&mut self, local: End) -> bool {
        self.socket_mut().listen((smoltcp::wire::IpAddress::from(local.ip()), local.port())).is_ok()
    }

    /// The attempt is over.
    pub(crate) fn abort(&mut self) {
        self.socket_mut().abort();
    }

    /// The number on the wire that stands for one of the socket's.
    pub(crate) const fn ours(&self, number: u32) -> u32 {
        number.wrapping_add(self.offset)
    }

    /// The number after the peer's SYN.
    pub(crate) const fn peer_next(&self) -> u32 {
        self.peer_next
    }

    /// Our next number, and the peer's.
    pub(crate) const fn next(&self) -> (u32, u32) {
        (self.sequence.wrapping_add(1), self.peer_next)
    }

    /// When the socket has something to say.
    pub(crate) fn deadline(&mut self, interface: &mut Interface, now: Instant) -> Option<Instant> {
        interface.poll_at(smoltcp_time(now), &self.set).map(crate::stack::our_time)
    }

    /// Lets the socket say what it has to say.
    pub(crate) fn speak(
        &mut self,
        interface: &mut Interface,
        pool: &mut FramePool,
        emitted: &mut Emitted,
        now: Instant,
    ) {
        let mut device = OneShot::sending(pool, emitted);
        interface.poll_egress(smoltcp_time(now), &mut device, &mut self.set);
    }

    /// The first SYN left with the socket's number: from here on numbers are known.
    pub(crate) fn syn_left(&mut self, number: u32, now: Instant) {
        if self.syns == 0 {
            self.offset = self.sequence.wrapping_sub(number);
            self.syn_at = now;
        }
        self.syns = self.syns.saturating_add(1);
    }

    /// True for the SYN that tells the peer's numbers; one that answers somebody else tells nothing.
    pub(crate) fn begins_with(&self, segment: &Segment) -> bool {
        let answers = |number| number == self.sequence.wrapping_add(1);
        segment.syn
            && match self.state() {
                State::Listen => true,
                State::SynSent => segment.acknowledgment.is_none_or(answers),
                _ => false,
            }
    }

    /// Learns the peer's numbers from the SYN that tells them.
    pub(crate) fn learn(&mut self, options: &[u8], segment: &Segment) {
        self.peer_next = segment.sequence.wrapping_add(1);
        self.window = segment.window;
        self.offer = super::segment::read_offer(options);
    }

    /// True for the segment that ends a handshake as it should: the answer to our SYN, with the peer's or after it. The socket would say no more.
    pub(crate) fn is_completed_by(&self, segment: &Segment) -> bool {
        let answers = !segment.rst && segment.acknowledgment == Some(self.sequence.wrapping_add(1));
        answers
            && match self.state() {
                State::SynSent => segment.syn,
                State::SynReceived => !segment.syn,
                _ => false,
            }
    }

    /// Shows the socket a segment of the handshake, whose TCP header begins at `start` of the packet; what it answers is emitted. Its data and
    /// its end are for later.
    pub(crate) fn hear(
        &mut self,
        interface: &mut Interface,
        (pool, emitted): (&mut FramePool, &mut Emitted),
        (packet, start): (&[u8], usize),
        segment: &Segment,
        now: Instant,
    ) {
        let mut copy = pool.copy_of(packet.get(..start + usize::from(segment.header)).unwrap_or_default());
        set_length(&mut copy);
        if let Some(tcp) = copy.bytes_mut().get_mut(start..) {
            let mut tcp = TcpPacket::new_unchecked(tcp);
            tcp.set_fin(false);
            tcp.set_psh(false);
            if self.state() == State::SynReceived && !segment.syn {
                // Its place in the window was judged; the socket's own is too small for that.
                tcp.set_seq_number(TcpSeqNumber(self.peer_next as i32));
            }
            if let Some(acknowledged) = segment.acknowledgment {
                tcp.set_ack_number(TcpSeqNumber(acknowledged.wrapping_sub(self.offset) as i32));
            }
        }
        let mut device = OneShot::receiving(copy.bytes(), pool, emitted);
        interface.poll_ingress_single(smoltcp_time(now), &mut device, &mut self.set);
        pool.put(copy);
    }
}

impl core::fmt::Debug for Handshake {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_tuple("Handshake").field(&self.state()).finish()
    }
}

/// Writes the packet's length into its IP header.
fn set_length(frame: &mut Frame) {
    let total = frame.len();
    match frame.bytes().first().map(|first| first >> 4) {
        // A packet that came in has a length field that fits.
        Some(6) if total >= IPV6_HEADER => {
            Ipv6Packet::new_unchecked(frame.bytes_mut()).set_payload_len((total - IPV6_HEADER) as u16);
        }
        Some(4) if total >= IPV4_HEADER => {
            Ipv4Packet::new_unchecked(frame.bytes_mut()).set_total_len(total as u16);
        }
        _ => {}
    }
}
