//! A build without any feature refuses the commands of each with `Unsupported`, as values and as
//! lines of text: nothing is accepted and ignored. Status 0 says so.
#![no_std]
#![no_main]

extern crate alloc;

#[path = "../board/mod.rs"]
mod board;
#[path = "../runtime/mod.rs"]
mod runtime;

use devnet_network::command::address::NewAddress;
use devnet_network::command::dns::{Question, RecordKind};
use devnet_network::command::multicast::Membership;
use devnet_network::command::socket::SocketKind;
use devnet_network::command::watch::Kinds;
use devnet_network::command::wireless::RadioSwitch;
use devnet_network::command::{
    AddAddress, AddDnsServer, AwaitDhcp, CreateSocket, FindRoute, GetDhcp, GetLastError,
    GetMetrics, GetOptions, GetStatistics, GetSynCookies, JoinGroup, ListAddresses, ListDhcpLeases,
    ListDnsServers, ListNeighbors, ListRouteDetails, ListRoutes, ListSockets, RemoveRoutes,
    ReplaceAddresses, Resolve, SetEnabled, SetMtu, StartDhcp, StartDhcpServer, SwitchRadio,
    Watch,
};
use devnet_virtual_file_system::{ControlCommand, Error};

use self::board::Board;

fn is_refused<C: ControlCommand>(board: &Board, request: &C::Request) -> bool {
    let outcome = board.core.manager().execute::<C>("eth0", request).now();
    let is_refused = matches!(outcome, Err(Error::Unsupported));
    #[cfg(target_os = "linux")]
    if !is_refused {
        runtime::linux::print(C::NAME);
        runtime::linux::print(" is not refused\n");
    }
    is_refused
}

fn refusals() -> Option<bool> {
    let board = Board::new()?;
    let manager = board.core.manager();
    // What belongs to no protocol works.
    manager.execute::<SetEnabled>("eth0", &true).now().ok()?;
    manager.execute::<SetMtu>("eth0", &1400).now().ok()?;
    let ipv4 = NewAddress { prefix: "10.0.0.1/24".parse().ok()?, broadcast: None };
    manager.execute::<AddAddress>("eth0", &ipv4).now().ok()?;
    manager.execute::<ListAddresses>("eth0", &()).now().ok()?;

    let kinds = [
        SocketKind::Tcp,
        SocketKind::Udp,
        SocketKind::Icmp,
        SocketKind::Raw(17),
        SocketKind::Raw6(17),
    ];
    let question = Question { name: "web.lan".into(), kind: RecordKind::Address, server: None };
    let ipv6 = NewAddress { prefix: "fd00::1/64".parse().ok()?, broadcast: None };
    let group = Membership { group: "239.0.0.1".parse().ok()?, interface: "eth0".into() };
    let device = manager.open("eth0").ok()?;
    let checks = [
        kinds.iter().all(|kind| is_refused::<CreateSocket>(&board, kind)),
        is_refused::<GetSynCookies>(&board, &()),
        is_refused::<Resolve>(&board, &question),
        is_refused::<ListDnsServers>(&board, &()),
        is_refused::<AddDnsServer>(&board, &"10.0.0.9".parse().ok()?),
        is_refused::<StartDhcp>(&board, &Default::default()),
        is_refused::<GetDhcp>(&board, &()),
        is_refused::<AwaitDhcp>(&board, &1000),
        is_refused::<StartDhcpServer>(&board, &Default::default()),
        is_refused::<SwitchRadio>(&board, &RadioSwitch::Station(Default::default())),
        is_refused::<ListDhcpLeases>(&board, &()),
        is_refused::<AddAddress>(&board, &ipv6),
        is_refused::<FindRoute>(&board, &"fd00::2".parse().ok()?),
        is_refused::<JoinGroup>(&board, &group),
        is_refused::<Watch>(&board, &Kinds::all()),
        is_refused::<GetMetrics>(&board, &()),
        is_refused::<GetLastError>(&board, &()),
        is_refused::<GetOptions>(&board, &()),
        is_refused::<GetStatistics>(&board, &()),
        is_refused::<ListNeighbors>(&board, &()),
        is_refused::<ListRouteDetails>(&board, &()),
        is_refused::<ListRoutes>(&board, &()),
        is_refused::<ListSockets>(&board, &()),
        is_refused::<RemoveRoutes>(&board, &Default::default()),
        is_refused::<ReplaceAddresses>(&board, &alloc::vec![ipv4]),
        device.try_write(b"link down") == Err(Error::Unsupported),
        device.try_read(&mut [0; 64]) == Err(Error::Unsupported),
        manager.configure("eth0", "link down").is_err_and(|it| it.error() == Error::Unsupported),
    ];
    Some(checks.iter().all(|is_fine| *is_fine))
}

fn run() -> bool {
    refusals() == Some(true)
}
