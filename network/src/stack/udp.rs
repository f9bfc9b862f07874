//! UDP: from a packet to the sockets that want it, and back (RFC 768).

use core::net::SocketAddr;

use virtual_file_system::Error;

use super::datagram::{Family, Received};
use super::ip::egress::Manner;
use super::ip::header::{Header, Outgoing, protocol};
use super::ip::icmp::u16_at;
use super::ip::ingress::{Arrival, Delivery};
use super::{Stack, checksum};
use crate::driver::Frame;

/// Bytes of a UDP header.
pub(crate) const UDP_HEADER: usize = 8;

impl Stack {
    /// Takes a UDP packet.
    pub(crate) fn udp_input(&mut self, mut frame: Frame, header: &Header, delivery: Delivery, arrival: Arrival) {
        let packet = frame.bytes().get(header.length..).unwrap_or_default();
        let (Some(source), Some(destination), Some(length), Some(sum)) =
            (u16_at(packet, 0), u16_at(packet, 2), u16_at(packet, 4).map(usize::from), u16_at(packet, 6))
        else {
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
            && (sum == 0 || checksum::of_transport(header.source, header.destination, protocol::UDP, packet) != 0)
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

    /// Sends one UDP datagram.
    ///
    /// # Errors
    /// `WouldBlock` when the driver's queue is full; `MessageTooLong`; else as [`Stack::send_as`].
    pub(crate) fn udp_send(
        &mut self,
        source: SocketAddr,
        destination: SocketAddr,
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
        emit(source, destination, data, is_summed, frame.bytes_mut().get_mut(start..).unwrap_or_default());
        self.send_as(frame, &outgoing, manner)
    }
}

/// Writes header and data into `packet`, which is exactly as long as both.
pub(crate) fn emit(source: SocketAddr, destination: SocketAddr, data: &[u8], is_summed: bool, packet: &mut [u8]) {
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
    let header = [source.port(), destination.port(), length].map(|word| u64::from(word.to_be())).iter().sum();
    let ends = (source.ip(), destination.ip());
    let sum = match checksum::of_parts(ends, protocol::UDP, usize::from(length), header, data) {
        // Zero means "not computed" (RFC 768).
        0 => 0xffff,
        sum => sum,
    };
    if let Some(field) = packet.get_mut(6..8) {
        field.copy_from_slice(&u16::to_be_bytes(sum));
    }
}
