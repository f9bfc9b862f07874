//! The DHCP service of `gateway.lan` (RFC 2131 §4.3): requests → replies over one [`Pool`].
//!
//! [`respond`] is pure; [`serve`] connects it to the socket. Nobody else assigns addresses of its
//! pool, so it refuses unknown requests for them at once, and the client restarts without waiting.
//! About other addresses it says nothing unless it is asked by its identifier.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use devnet_network::command::SetOption;
use devnet_network::command::socket::{SocketKind, SocketOption};
use devnet_network::dhcp_message::{CLIENT_PORT, DhcpMessage, MessageKind, SERVER_PORT, option};
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, File, Result};

use super::dhcp_pool::Pool;
use super::host::Host;
use crate::context::Platform;
use crate::sockets::{Sockets, receive_from, send_to};

/// The delay after an error that affects every message.
const PAUSE: Duration = Duration::from_millis(100);

/// The configuration for clients.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server's own address, its identifier.
    pub server: Ipv4Addr,
    /// The network's mask.
    pub netmask: Ipv4Addr,
    /// The router.
    pub router: Ipv4Addr,
    /// The name servers.
    pub dns_servers: Vec<Ipv4Addr>,
    /// The domain.
    pub domain: String,
    /// Seconds of a lease; 0 counts as 1.
    pub lease_seconds: u32,
}

/// Opens the socket for [`serve`].
///
/// # Errors
/// Errors of binding it.
pub async fn bind(host: &Host) -> Result<File> {
    let local = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), SERVER_PORT);
    let socket = Sockets::on(&host.files, &host.interface)?.bind(SocketKind::Udp, local).await?;
    socket.control::<SetOption>(&SocketOption::Broadcast(true)).await?;
    Ok(socket)
}

/// Serves clients until the interface is gone.
///
/// # Errors
/// `NetworkDown` then.
pub async fn serve(
    socket: File,
    platform: Platform,
    settings: Settings,
    mut pool: Pool,
) -> Result<()> {
    loop {
        match receive_from(&socket).await {
            Ok(datagram) => {
                let Ok(request) = DhcpMessage::parse(&datagram.data) else { continue };
                if let Some(reply) = respond(&settings, &mut pool, &request, platform.clock.now()) {
                    // A client without a reply retransmits.
                    let _ = send_to(&socket, reply.to_bytes(), destination(&request, &reply)).await;
                }
            }
            Err(why @ (Error::NetworkDown | Error::NoDevice)) => return Err(why),
            Err(_) => platform.clock.sleep_until(platform.clock.now().after(PAUSE)).await,
        }
    }
}

/// Returns the destination of a reply (RFC 2131 §4.1).
#[must_use]
pub fn destination(request: &DhcpMessage, reply: &DhcpMessage) -> SocketAddr {
    let to = |address, port| SocketAddr::new(IpAddr::V4(address), port);
    if !request.relay_address.is_unspecified() {
        return to(request.relay_address, SERVER_PORT);
    }
    if request.client_address.is_unspecified() || reply.kind == MessageKind::Refuse {
        return to(Ipv4Addr::BROADCAST, CLIENT_PORT);
    }
    to(request.client_address, CLIENT_PORT)
}

/// Returns the reply to a message, and updates the pool.
pub fn respond(
    settings: &Settings,
    pool: &mut Pool,
    request: &DhcpMessage,
    now: Instant,
) -> Option<DhcpMessage> {
    let client = match request.option(option::CLIENT_IDENTIFIER) {
        Some(identifier) if identifier.len() >= 2 => identifier.to_vec(),
        _ => request.hardware_address.0.to_vec(),
    };
    let wanted = request
        .address_option(option::REQUESTED_ADDRESS)
        .filter(|address| !address.is_unspecified());
    let server = request.address_option(option::SERVER_IDENTIFIER);
    match request.kind {
        MessageKind::Discover => {
            let address = pool.offer(&client, wanted, now)?;
            Some(grant(settings, request, MessageKind::Offer, address))
        }
        MessageKind::Request if server.is_some_and(|server| server != settings.server) => {
            pool.withdraw(&client, now);
            None
        }
        MessageKind::Request => {
            // A renewal has the address in ciaddr; before that it is in an option (RFC 2131
            // §4.3.2).
            let address = wanted
                .or(Some(request.client_address).filter(|address| !address.is_unspecified()))?;
            // INIT-REBOOT and REBINDING of a client that another server knows: it answers (RFC
            // 2131 §4.3.2).
            if server.is_none() && !pool.includes(address) {
                return None;
            }
            let seconds = lease_seconds(settings);
            let is_leased = match server {
                Some(_) => pool.select(&client, address, seconds, now),
                None => pool.lease(&client, address, seconds, now),
            };
            if is_leased {
                Some(grant(settings, request, MessageKind::Acknowledge, address))
            } else {
                Some(refusal(settings, request))
            }
        }
        MessageKind::Decline => {
            pool.decline(&client, wanted?, now);
            None
        }
        MessageKind::Release => {
            pool.release(&client, request.client_address, now);
            None
        }
        MessageKind::Inform => {
            let mut reply = answer(settings, request, MessageKind::Acknowledge);
            describe(settings, &mut reply);
            Some(reply)
        }
        MessageKind::Offer | MessageKind::Acknowledge | MessageKind::Refuse => None,
    }
}

const fn lease_seconds(settings: &Settings) -> u32 {
    if settings.lease_seconds == 0 { 1 } else { settings.lease_seconds }
}

fn answer(settings: &Settings, request: &DhcpMessage, kind: MessageKind) -> DhcpMessage {
    let mut reply = DhcpMessage::new(kind, request.transaction, request.hardware_address);
    reply.broadcast = request.broadcast;
    reply.relay_address = request.relay_address;
    reply.push(option::SERVER_IDENTIFIER, &settings.server.octets());
    reply
}

fn refusal(settings: &Settings, request: &DhcpMessage) -> DhcpMessage {
    let mut reply = answer(settings, request, MessageKind::Refuse);
    // A relay shall not send it to an address that the client may not use.
    reply.broadcast |= !request.relay_address.is_unspecified();
    reply.push(option::MESSAGE, b"not your address");
    reply
}

fn grant(
    settings: &Settings,
    request: &DhcpMessage,
    kind: MessageKind,
    address: Ipv4Addr,
) -> DhcpMessage {
    let mut reply = answer(settings, request, kind);
    reply.your_address = address;
    if kind == MessageKind::Acknowledge {
        reply.client_address = request.client_address;
    }
    let seconds = lease_seconds(settings);
    reply.push(option::LEASE_TIME, &seconds.to_be_bytes());
    // RFC 2131 §4.4.5: half and seven eighths.
    reply.push(option::RENEWAL_TIME, &(seconds / 2).to_be_bytes());
    reply.push(option::REBINDING_TIME, &(seconds - seconds / 8).to_be_bytes());
    describe(settings, &mut reply);
    reply
}

fn describe(settings: &Settings, reply: &mut DhcpMessage) {
    reply.push(option::SUBNET_MASK, &settings.netmask.octets());
    reply.push(option::ROUTER, &settings.router.octets());
    let servers: Vec<u8> = settings.dns_servers.iter().flat_map(Ipv4Addr::octets).collect();
    reply.push(option::DNS_SERVERS, &servers);
    reply.push(option::DOMAIN, settings.domain.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use devnet_network::address::HardwareAddress;

    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
    const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 15);

    struct Server {
        settings: Settings,
        pool: Pool,
    }

    impl Server {
        fn new() -> Self {
            let settings = Settings {
                server: SERVER,
                netmask: Ipv4Addr::new(255, 255, 255, 0),
                router: SERVER,
                dns_servers: vec![Ipv4Addr::new(10, 0, 2, 3)],
                domain: "lan".into(),
                lease_seconds: 3600,
            };
            Self {
                settings,
                pool: Pool::new(FIRST, Ipv4Addr::new(10, 0, 2, 99), SERVER, 24, &[SERVER]),
            }
        }

        fn tell(&mut self, request: &DhcpMessage) -> Option<DhcpMessage> {
            respond(&self.settings, &mut self.pool, request, Instant::ZERO)
        }
    }

    fn message(kind: MessageKind, options: &[(u8, Ipv4Addr)]) -> DhcpMessage {
        let mut message = DhcpMessage::new(kind, 9, HardwareAddress([2, 0, 0, 0, 0, 1]));
        for (code, address) in options {
            message.push(*code, &address.octets());
        }
        message
    }

    fn leased(server: &mut Server) {
        server.tell(&message(MessageKind::Discover, &[])).unwrap();
        let request = message(
            MessageKind::Request,
            &[(option::REQUESTED_ADDRESS, FIRST), (option::SERVER_IDENTIFIER, SERVER)],
        );
        assert_eq!(server.tell(&request).unwrap().kind, MessageKind::Acknowledge);
    }

    #[test]
    fn ds_04_offer_and_acknowledgement_agree() {
        let mut server = Server::new();
        server.settings.lease_seconds = 0;
        let offer = server.tell(&message(MessageKind::Discover, &[])).unwrap();
        assert_eq!(
            (offer.kind, offer.your_address, offer.transaction),
            (MessageKind::Offer, FIRST, 9)
        );
        assert_eq!(offer.seconds_option(option::LEASE_TIME), Some(1));
        assert_eq!(offer.address_option(option::ROUTER), Some(SERVER));
        let request = message(
            MessageKind::Request,
            &[(option::REQUESTED_ADDRESS, FIRST), (option::SERVER_IDENTIFIER, SERVER)],
        );
        let acknowledgement = server.tell(&request).unwrap();
        assert_eq!(acknowledgement.kind, MessageKind::Acknowledge);
        assert_eq!(acknowledgement.your_address, FIRST);
        assert_eq!(acknowledgement.options, offer.options);
    }

    #[test]
    fn ds_05_requests_are_understood_in_every_state() {
        let mut server = Server::new();
        leased(&mut server);
        // Renewing, with and without our identifier; rebooting.
        for options in [&[][..], &[(option::SERVER_IDENTIFIER, SERVER)]] {
            let mut renewal = message(MessageKind::Request, options);
            renewal.client_address = FIRST;
            let reply = server.tell(&renewal).unwrap();
            assert_eq!((reply.kind, reply.client_address), (MessageKind::Acknowledge, FIRST));
            assert_eq!(destination(&renewal, &reply).to_string(), "10.0.2.15:68");
        }
        let reboot = message(MessageKind::Request, &[(option::REQUESTED_ADDRESS, FIRST)]);
        assert_eq!(server.tell(&reboot).unwrap().kind, MessageKind::Acknowledge);
        // A client that chose another server gets no reply, nor does a request without an address.
        let other = message(
            MessageKind::Request,
            &[(option::REQUESTED_ADDRESS, FIRST), (option::SERVER_IDENTIFIER, FIRST)],
        );
        assert_eq!(server.tell(&other), None);
        assert_eq!(server.tell(&message(MessageKind::Request, &[])), None);
    }

    #[test]
    fn ds_06_answers_go_where_the_client_hears_them() {
        let mut server = Server::new();
        let mut discover = message(MessageKind::Discover, &[]);
        discover.broadcast = true;
        let offer = server.tell(&discover).unwrap();
        assert!(offer.broadcast);
        assert_eq!(destination(&discover, &offer).to_string(), "255.255.255.255:68");
        discover.relay_address = Ipv4Addr::new(10, 0, 9, 1);
        let offer = server.tell(&discover).unwrap();
        assert_eq!(destination(&discover, &offer).to_string(), "10.0.9.1:67");
        assert_eq!(offer.relay_address, discover.relay_address);
        assert!(offer.to_bytes().len() <= 576 - 28);
    }

    #[test]
    fn ds_07_an_unknown_lease_is_refused_to_everybody() {
        let mut server = Server::new();
        let mut renewal = message(MessageKind::Request, &[]);
        renewal.client_address = FIRST;
        let reply = server.tell(&renewal).unwrap();
        assert_eq!((reply.kind, reply.your_address), (MessageKind::Refuse, Ipv4Addr::UNSPECIFIED));
        assert_eq!(destination(&renewal, &reply).to_string(), "255.255.255.255:68");
    }

    #[test]
    fn clients_of_other_servers_hear_nothing() {
        let mut server = Server::new();
        leased(&mut server);
        let mut other = message(MessageKind::Request, &[]);
        other.hardware_address = HardwareAddress([2, 0, 0, 0, 0, 2]);
        // Beside the pool on the same network, and on another network.
        for address in [Ipv4Addr::new(10, 0, 2, 200), Ipv4Addr::new(192, 168, 1, 5)] {
            let mut rebooting = other.clone();
            rebooting.push(option::REQUESTED_ADDRESS, &address.octets());
            assert_eq!(server.tell(&rebooting), None, "INIT-REBOOT with {address}");
            let rebinding = DhcpMessage { client_address: address, ..other.clone() };
            assert_eq!(server.tell(&rebinding), None, "REBINDING with {address}");
            // Who asks this server gets its answer.
            rebooting.push(option::SERVER_IDENTIFIER, &SERVER.octets());
            assert_eq!(server.tell(&rebooting).unwrap().kind, MessageKind::Refuse);
        }
        // About an address of its pool it knows better: another client has it.
        let rebinding = DhcpMessage { client_address: FIRST, ..other };
        assert_eq!(server.tell(&rebinding).unwrap().kind, MessageKind::Refuse);
    }

    #[test]
    fn declines_and_releases_are_heard() {
        let mut server = Server::new();
        leased(&mut server);
        let decline = message(MessageKind::Decline, &[(option::REQUESTED_ADDRESS, FIRST)]);
        assert_eq!(server.tell(&decline), None);
        let offer = server.tell(&message(MessageKind::Discover, &[])).unwrap();
        assert_eq!(offer.your_address, Ipv4Addr::new(10, 0, 2, 16));
        let mut release = message(MessageKind::Release, &[]);
        release.client_address = FIRST;
        assert_eq!(server.tell(&release), None);
        let mut inform = message(MessageKind::Inform, &[]);
        inform.client_address = Ipv4Addr::new(10, 0, 2, 200);
        let reply = server.tell(&inform).unwrap();
        assert_eq!(
            (reply.kind, reply.seconds_option(option::LEASE_TIME)),
            (MessageKind::Acknowledge, None)
        );
        assert_eq!(server.tell(&message(MessageKind::Offer, &[])), None);
    }
}
