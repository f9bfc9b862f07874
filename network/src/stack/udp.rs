//! UDP: from a packet to the sockets that want it, and back (RFC 768).

use alloc::sync::Arc;
use core::net::{IpAddr, SocketAddr};

use virtual_file_system::Error;

use super::datagram::{Endpoint, Family, Received};
use super::ip::egress::Manner;
use super::ip::header::{Header, IPV4_HEADER, Outgoing, protocol};
use super::ip::icmp::u16_at;
use super::ip::ingress::{Arrival, Delivery};
use super::{Stack, checksum};
use crate::driver::Frame;

/// Bytes of a UDP header.
pub(crate) const UDP_HEADER: usize = 8;

/// The way of the last IPv4 datagram, which holds while addresses and bindings stand still.
#[derive(Debug)]
pub(crate) struct Train {
    /// Addresses and ports as they stand in the packet.
    ends: [u8; 12],
    generation: u32,
    remote: SocketAddr,
    local: SocketAddr,
    endpoint: Arc<Endpoint>,
}

impl Stack {
    /// Takes a packet that goes the way of the last datagram: a plain IPv4 header, the same
    /// addresses and ports, right checksums. Gives back what is anything else.
    pub(crate) fn udp_known(&mut self, frame: Frame, arrival: Arrival) -> Result<(), Frame> {
        let generation = self.host.generation();
        let train = self.datagrams.train.as_ref().filter(|train| train.generation == generation);
        let Some(train) = train else { return Err(frame) };
        if arrival.link_broadcast || !arrival.from_wire {
            return Err(frame);
        }
        let verify = self.verifies(arrival);
        let Some((class, hops, data)) = plain(frame.bytes(), train, verify) else {
            return Err(frame);
        };
        let received = Received {
            length: data.len(),
            remote: train.remote,
            local: train.local,
            interface: self.configuration.index,
            hop_limit: hops,
            traffic_class: class,
        };
        let kept = train.endpoint.push(received, data, &mut self.wakes);
        self.statistics.received_drops.full += u64::from(!kept);
        self.pool.put(frame);
        Ok(())
    }

    /// Takes a UDP packet.
    pub(crate) fn udp_input(
        &mut self,
        mut frame: Frame,
        header: &Header,
        delivery: Delivery,
        arrival: Arrival,
    ) {
        let packet = frame.bytes().get(header.length..).unwrap_or_default();
        let (Some(source), Some(destination), Some(length), Some(sum)) = (
            u16_at(packet, 0),
            u16_at(packet, 2),
            u16_at(packet, 4).map(usize::from),
            u16_at(packet, 6),
        ) else {
            self.statistics.received_drops.malformed += 1;
            return self.pool.put(frame);
        };
        if length < UDP_HEADER || length > packet.len() || destination == 0 {
            self.statistics.received_drops.malformed += 1;
            return self.pool.put(frame);
        }
        frame.truncate(header.length + length);
        let packet = frame.bytes().get(header.length..).unwrap_or_default();
        // No checksum is legal for IPv4 only (RFC 8200 §8.1).
        let is_summed = sum != 0 || header.source.is_ipv6();
        if self.verifies(arrival)
            && is_summed
            && (sum == 0
                || checksum::of_transport(header.source, header.destination, protocol::UDP, packet)
                    != 0)
        {
            self.statistics.received_drops.checksum += 1;
            return self.pool.put(frame);
        }
        let remote = SocketAddr::new(header.source, source);
        let data = packet.get(UDP_HEADER..).unwrap_or_default();
        if self.dhcp_wants(source, destination) {
            let message = data.to_vec();
            self.pool.put(frame);
            return self.dhcp_input(&message);
        }
        // While the DHCP client waits, packets to addresses that are not ours come this far.
        if delivery == Delivery::Unicast
            && arrival.from_wire
            && !self.is_loopback()
            && !self.addresses.owns(header.destination)
        {
            self.statistics.received_drops.not_for_us += 1;
            return self.pool.put(frame);
        }
        let received = Received {
            length: data.len(),
            remote,
            local: SocketAddr::new(header.destination, destination),
            interface: self.configuration.index,
            hop_limit: header.hop_limit,
            traffic_class: header.traffic_class,
        };
        let (mut found, mut kept) = (false, true);
        if delivery == Delivery::Unicast {
            if let Some(binding) = self.datagrams.udp_for(received.local, remote) {
                found = true;
                kept = binding.endpoint.push(received, data, &mut self.wakes);
                let endpoint = Arc::clone(&binding.endpoint);
                self.remember_train(header, (source, destination), arrival, endpoint);
            }
        } else {
            // Everybody who could have got it gets a copy.
            for binding in self.datagrams.at(Family::Udp, destination) {
                if binding.score(header.destination, remote).is_some() {
                    found = true;
                    kept &= binding.endpoint.push(received, data, &mut self.wakes);
                }
            }
        }
        self.statistics.received_drops.full += u64::from(!kept);
        if !found {
            self.statistics.received_drops.no_socket += 1;
            self.port_unreachable(&frame, header, delivery, arrival);
        }
        self.pool.put(frame);
    }

    /// The next datagram probably goes the same way.
    fn remember_train(
        &mut self,
        header: &Header,
        ports: (u16, u16),
        arrival: Arrival,
        endpoint: Arc<Endpoint>,
    ) {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (header.source, header.destination)
        else {
            return;
        };
        if !arrival.from_wire || !self.addresses.owns(header.destination) {
            return;
        }
        let ([a, b, c, d], [e, f, g, h]) = (source.octets(), destination.octets());
        let ([i, j], [k, l]) = (ports.0.to_be_bytes(), ports.1.to_be_bytes());
        self.datagrams.train = Some(Train {
            ends: [a, b, c, d, e, f, g, h, i, j, k, l],
            generation: self.host.generation(),
            remote: SocketAddr::new(header.source, ports.0),
            local: SocketAddr::new(header.destination, ports.1),
            endpoint,
        });
    }

    /// Sends one UDP datagram.
    ///
    /// # Errors
    /// `WouldBlock` when the driver's queue is full; `MessageTooLong`; else as [`Stack::send_as`].
    pub(crate) fn udp_send(
        &mut self,
        source: &SocketAddr,
        destination: &SocketAddr,
        manner: &Manner,
        data: &[u8],
    ) -> Result<(), Error> {
        if !self.has_room() {
            return Err(Error::WouldBlock);
        }
        let outgoing = Outgoing {
            source: source.ip(),
            destination: destination.ip(),
            protocol: protocol::UDP,
            hop_limit: manner.hop_limit,
            traffic_class: manner.traffic_class,
        };
        let length = u16::try_from(UDP_HEADER + data.len()).map_err(|_| Error::MessageTooLong)?;
        let mut frame = self.packet_for(destination.ip(), usize::from(length));
        let start = frame.len() - usize::from(length);
        let is_summed = !self.configuration.capabilities.reliable;
        emit(
            source,
            destination,
            data,
            is_summed,
            frame.bytes_mut().get_mut(start..).unwrap_or_default(),
        );
        self.send_as(frame, &outgoing, manner)
    }
}

/// Traffic class, time to live and data of a packet that goes the way of the train and is right in
/// every respect.
fn plain<'a>(bytes: &'a [u8], train: &Train, verify: bool) -> Option<(u8, u8, &'a [u8])> {
    let (header, rest) = bytes.split_first_chunk::<IPV4_HEADER>()?;
    let [0x45, class, high, low, _, _, flags, 0, hops, protocol::UDP, ..] = *header else {
        return None;
    };
    let total = usize::from(u16::from_be_bytes([high, low]));
    let packet = rest.get(..total.checked_sub(IPV4_HEADER)?)?;
    let (udp, data) = packet.split_first_chunk::<UDP_HEADER>()?;
    let [_, _, _, _, long, short, first, second] = *udp;
    let is_whole = usize::from(u16::from_be_bytes([long, short])) == packet.len();
    let is_same = bytes.get(12..24)? == train.ends.as_slice();
    if flags & 0x3f != 0 || !is_whole || !is_same || [first, second] == [0, 0] {
        return None;
    }
    if verify {
        let addresses = checksum::addresses_in::<8>(header.last_chunk()?);
        let sum = checksum::of_parts(addresses, protocol::UDP, packet.len(), 0, packet);
        if checksum::of(header) != 0 || sum != 0 {
            return None;
        }
    }
    Some((class, hops, data))
}

/// Writes header and data into `packet`, which is exactly as long as both.
pub(crate) fn emit(
    source: &SocketAddr,
    destination: &SocketAddr,
    data: &[u8],
    is_summed: bool,
    packet: &mut [u8],
) {
    // The length of what an IP packet can carry fits; longer data was refused.
    let length = u16::try_from(packet.len()).unwrap_or(u16::MAX);
    let Some((head, body)) = packet.split_first_chunk_mut::<UDP_HEADER>() else { return };
    let ([a, b], [c, d], [e, f]) =
        (source.port().to_be_bytes(), destination.port().to_be_bytes(), length.to_be_bytes());
    *head = [a, b, c, d, e, f, 0, 0];
    body.copy_from_slice(data);
    if !is_summed {
        return;
    }
    // From the numbers, as what was just written is slow to read (see `checksum`).
    let header = [source.port(), destination.port(), length]
        .map(|word| u64::from(word.to_be()))
        .iter()
        .sum();
    let addresses = checksum::addresses(&source.ip(), &destination.ip());
    let sum = match checksum::of_parts(addresses, protocol::UDP, usize::from(length), header, data)
    {
        // Zero means "not computed" (RFC 768).
        0 => 0xffff,
        sum => sum,
    };
    if let Some(field) = packet.get_mut(6..8) {
        field.copy_from_slice(&u16::to_be_bytes(sum));
    }
}
