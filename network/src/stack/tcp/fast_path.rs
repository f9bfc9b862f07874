//! The fast path of most segments: a plain IP header and a known connection. It skips the input
//! validation that ran when the connection was opened.

use core::net::{IpAddr, Ipv4Addr};

use super::ingress::ports;
use super::segment::Segment;
use super::{End, Flow, Tcp};
use crate::driver::Frame;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::ip::Ip;
use crate::stack::link::Arrival;
use crate::stack::wire::checksum;
use crate::stack::wire::header::{IPV4_HEADER, IPV6_HEADER, protocol};

impl Tcp {
    /// Processes a packet that is plainly a segment of a known connection: an IP header of the
    /// common form, no fragment, a full match of addresses and ports. Input validation of source
    /// and destination ran when the connection was opened. Gives back every other packet.
    pub(crate) fn receive_fast(
        &mut self,
        cx: &mut Context,
        ip: &mut Ip,
        mut frame: Frame,
        arrival: Arrival,
    ) -> Result<(), Frame> {
        if arrival.link_broadcast || !arrival.from_wire {
            return Err(frame);
        }
        let verify = cx.needs_checksums();
        let Some((flow, start, total)) = plain(frame.bytes(), verify) else { return Err(frame) };
        let Some(index) = self.find(&flow) else { return Err(frame) };
        frame.truncate(total);
        let packet = frame.bytes().get(start..).unwrap_or_default();
        let Some(segment) = Segment::parse(packet) else { return Err(frame) };
        if verify
            && checksum::of_transport(flow.remote.ip(), flow.local.ip(), protocol::TCP, packet) != 0
        {
            return Err(frame);
        }
        cx.counters.count(flow.remote.ip().is_ipv6(), Counter::TcpFastSegs);
        self.deliver(cx, ip, index, frame, start, &segment);
        Ok(())
    }
}

/// The flow, the offset of the TCP header and the packet's length, if the IP header has the common
/// form: no options or extension headers, no fragment, a correct checksum.
fn plain(bytes: &[u8], verify: bool) -> Option<(Flow, usize, usize)> {
    let (local, remote, start, total) = match bytes {
        [0x45, _, high, low, _, _, flags, 0, _, protocol::TCP, ..] if flags & 0x3f == 0 => {
            let (header, _) = bytes.split_first_chunk::<IPV4_HEADER>()?;
            if verify && checksum::of(header) != 0 {
                return None;
            }
            let [.., a, b, c, d, e, f, g, h] = *header;
            let (source, destination) = (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h));
            (
                IpAddr::V4(destination),
                IpAddr::V4(source),
                IPV4_HEADER,
                usize::from(u16::from_be_bytes([*high, *low])),
            )
        }
        [first, _, _, _, high, low, protocol::TCP, _, rest @ ..] if first >> 4 == 6 => {
            let (source, rest) = rest.split_first_chunk::<16>()?;
            let (destination, _) = rest.split_first_chunk::<16>()?;
            let total = IPV6_HEADER + usize::from(u16::from_be_bytes([*high, *low]));
            (IpAddr::V6((*destination).into()), IpAddr::V6((*source).into()), IPV6_HEADER, total)
        }
        _ => return None,
    };
    let (from, to) = ports(bytes.get(start..total)?)?;
    Some((Flow { local: End::new(local, to), remote: End::new(remote, from) }, start, total))
}
