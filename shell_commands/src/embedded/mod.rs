//! The embedded network: three hosts on one switch, so that everything can be tried without
//! privileges.
//!
//! | file | owns |
//! |---|---|
//! | [`host`] | one host: its file tree, its manager, its addresses |
//! | [`dns_server`] | the name service of `dns.lan` |
//! | [`wireless`] | the wireless networks beside it, for those who have a radio |
//! | [`web`] | the files of `web.lan`, served by [`http::server`](crate::http::server) |
//!
//! The hosts share only the switch with the user's system; the caller owns it and creates its
//! ports. Services are ordinary programs over open files; the DHCP server of `gateway.lan` is that
//! of its interface.

pub mod dns_server;
pub mod host;
pub mod web;
pub mod wireless;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use devnet_network::address::HardwareAddress;
use devnet_network::driver::Driver;

use self::host::Host;
use crate::context::Platform;

/// The router: 10.0.2.2.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
/// The router's IPv6 address.
pub const GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 2, 0, 0, 0, 0, 0, 2);
/// The prefix that the router advertises.
pub const PREFIX_V6: &str = "fd00:2::/64";
/// The name server: 10.0.2.3.
pub const DNS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);
/// The name server's IPv6 address.
pub const DNS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 2, 0, 0, 0, 0, 0, 3);
/// The web server: 10.0.2.4.
pub const WEB: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 4);
/// The web server's IPv6 address.
pub const WEB_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 2, 0, 0, 0, 0, 0, 4);
/// The first and the last address that the DHCP server hands out.
pub const POOL: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(10, 0, 2, 15), Ipv4Addr::new(10, 0, 2, 99));
/// The domain of all names.
pub const DOMAIN: &str = "lan";
/// Seconds of a lease.
pub const LEASE_SECONDS: u32 = 3600;
/// The hardware address of the user's `eth0`, fixed like those of the hosts, so that runs are
/// reproducible.
pub const USER: HardwareAddress = hardware_address(15);

/// Locally administered; the last byte is that of the IPv4 address.
const fn hardware_address(last: u8) -> HardwareAddress {
    HardwareAddress([0x02, 0, 10, 0, 2, last])
}

/// The hosts' names and addresses.
pub const HOSTS: [(&str, IpAddr); 6] = [
    ("gateway.lan", IpAddr::V4(GATEWAY)),
    ("gateway.lan", IpAddr::V6(GATEWAY_V6)),
    ("dns.lan", IpAddr::V4(DNS)),
    ("dns.lan", IpAddr::V6(DNS_V6)),
    ("web.lan", IpAddr::V4(WEB)),
    ("web.lan", IpAddr::V6(WEB_V6)),
];

/// The running hosts; dropping it leaves them running, since their tasks belong to the platform.
pub struct Network {
    /// The router.
    pub gateway: Host,
    /// The name server.
    pub dns: Host,
    /// The web server.
    pub web: Host,
}

/// Starts the three hosts on ports that `connect` creates. Every service listens when it returns.
///
/// # Errors
/// The host that failed and the reason, in one line.
pub async fn start(
    platform: &Platform,
    mut connect: impl FnMut(HardwareAddress) -> Box<dyn Driver>,
) -> Result<Network, String> {
    let mut host = |name: &str, v4: Ipv4Addr, v6: Ipv6Addr| {
        let [.., last] = v4.octets();
        let port = connect(hardware_address(last));
        Host::start(platform, name, port, &[IpAddr::V4(v4), IpAddr::V6(v6)])
            .map_err(|why| format!("{name}.{DOMAIN}: {why}"))
    };
    let gateway = host("gateway", GATEWAY, GATEWAY_V6)?;
    let dns = host("dns", DNS, DNS_V6)?;
    let web = host("web", WEB, WEB_V6)?;
    let network = Network { gateway, dns, web };
    network.serve(platform).await?;
    Ok(network)
}

impl Network {
    async fn serve(&self, platform: &Platform) -> Result<(), String> {
        let Self { gateway, dns, web } = self;
        let named = |service: &'static str| move |why| format!("{service}: {why}");
        gateway.advertise(PREFIX_V6, DNS_V6).map_err(|why| format!("router: {why}"))?;
        // Nobody else is on the switch who could use an address, so that none is checked.
        let lines = format!(
            "dhcp server start {}-{} lease {LEASE_SECONDS} router {GATEWAY} dns {DNS} domain \
             {DOMAIN} check off",
            POOL.0, POOL.1
        );
        let lines = format!("{lines}\ndhcp6 server on dns {DNS_V6} domains {DOMAIN}");
        gateway.write(&lines).map_err(named("DHCP server"))?;
        gateway.keep(platform)?;
        let (socket, listener) =
            dns_server::bind(&dns.files).await.map_err(named("name server"))?;
        dns.spawn(platform, dns_server::serve_datagrams(socket, platform.clone()))?;
        dns.spawn(platform, dns_server::serve_streams(listener, platform.clone()))?;
        let listener = web::bind(&web.files).await.map_err(named("web server"))?;
        web.spawn(platform, web::serve(listener, web.files.clone(), platform.clone()))
    }
}
