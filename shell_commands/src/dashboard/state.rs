//! The state of the moment as JSON.
//!
//! Its parts are what the commands of the devices return, as `control` shows them. Lists are
//! bounded, and say how many there are.

use std::sync::Arc;
use std::time::Duration;

use devnet_network::command::interface::InterfaceStatus;
use devnet_network::command::socket::{SocketKind, SocketStatus};
use devnet_network::command::{
    GetConnection, GetDhcp, GetStatistics, ListAddressDetails, ListDhcpLeases, ListDnsServers,
    ListDrops, ListInterfaceDetails, ListInterfaces, ListNeighbors, ListRouteDetails, ListSockets,
};
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, File, OpenFlags, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Dashboard;
use crate::devices::{NETWORK, SOCKETS};
use crate::limits;
use crate::sockets::connection_name;

/// For so long all readers get the same state.
const FRESH: Duration = Duration::from_millis(500);

/// A state, and when it was.
#[derive(Default)]
pub(super) struct Kept(Option<(Instant, Arc<str>)>);

/// What interfaces have many of.
#[derive(Default)]
struct Tables {
    neighbors: Vec<Value>,
    leases: Vec<Value>,
}

/// Sockets that carry data come first, then those that wait for it.
const fn rank(socket: &SocketStatus) -> u8 {
    match (socket.kind, socket.remote) {
        (SocketKind::Tcp, Some(_)) => 0,
        (_, Some(_)) => 1,
        (_, None) => 2,
    }
}

impl Dashboard {
    /// The state, not older than half a second.
    pub(super) async fn state(&self) -> Arc<str> {
        let now = self.0.platform.clock.now();
        let kept = self.0.kept.with(|kept| kept.0.clone());
        if let Some((_, state)) = kept.filter(|(then, _)| now.since(*then) < FRESH) {
            return state;
        }
        let mut state = Map::new();
        if let Err(why) = self.gather(&mut state).await {
            state.insert("error".into(), why.to_string().into());
        }
        let text: Arc<str> = Value::Object(state).to_string().into();
        self.0.kept.with(|kept| kept.0 = Some((now, Arc::clone(&text))));
        text
    }

    async fn gather(&self, state: &mut Map<String, Value>) -> Result<()> {
        let platform = &self.0.platform;
        let time = u64::try_from(platform.now().as_millis()).unwrap_or(u64::MAX);
        state.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        state.insert("unix_milliseconds".into(), time.into());
        let uptime = platform.clock.now().since(Instant::ZERO).as_secs();
        state.insert("uptime_seconds".into(), uptime.into());
        state.insert("is_writable".into(), self.0.is_writable.into());
        let sockets = self.0.files.open(SOCKETS, OpenFlags::READ)?;
        let interfaces = sockets.control::<ListInterfaces>(&()).await?;
        let mut shown = Vec::new();
        let mut tables = Tables::default();
        for status in interfaces.iter().take(limits::DASHBOARD_ROWS) {
            match self.interface(status, &mut tables).await {
                Ok(interface) => shown.push(interface),
                // Gone meanwhile.
                Err(Error::NotFound | Error::NoDevice) => {}
                Err(why) => return Err(why),
            }
        }
        state.insert("interfaces".into(), shown.into());
        state.insert("leases".into(), listed(&tables.leases));
        state.insert("neighbors".into(), listed(&tables.neighbors));
        state.insert("sockets".into(), socket_table(&sockets).await?);
        state.insert("routes".into(), listed(&sockets.control::<ListRouteDetails>(&()).await?));
        state.insert("servers".into(), listed(&sockets.control::<ListDnsServers>(&()).await?));
        let mut drops = sockets.control::<ListDrops>(&()).await?;
        drops.retain(|drop| drop.packets > 0);
        state.insert("drops".into(), listed(&drops));
        Ok(())
    }

    async fn interface(&self, status: &InterfaceStatus, tables: &mut Tables) -> Result<Value> {
        let device = self.0.files.open(&format!("{NETWORK}/{}", status.name), OpenFlags::READ)?;
        // What is not built into the system is not shown.
        let details = device.control::<ListInterfaceDetails>(&()).await.unwrap_or_default();
        let addresses = device.control::<ListAddressDetails>(&()).await.unwrap_or_default();
        let dhcp = device.control::<GetDhcp>(&()).await.ok();
        for lease in device.control::<ListDhcpLeases>(&()).await.unwrap_or_default() {
            tables.leases.push(json!({ "interface": status.name, "lease": lease }));
        }
        for neighbor in device.control::<ListNeighbors>(&()).await? {
            let neighbor = json!({ "interface": status.name, "neighbor": neighbor });
            tables.neighbors.push(neighbor);
        }
        Ok(json!({
            "status": status,
            "details": details.first(),
            "addresses": listed(&addresses),
            "statistics": device.control::<GetStatistics>(&()).await?,
            "dhcp": dhcp,
        }))
    }
}

/// The sockets, with the statistics of connections.
async fn socket_table(device: &File) -> Result<Value> {
    let mut sockets = device.control::<ListSockets>(&()).await?;
    let total = sockets.len();
    sockets.sort_by_key(rank);
    sockets.truncate(limits::DASHBOARD_ROWS);
    let mut shown = Vec::with_capacity(sockets.len());
    for socket in sockets {
        let statistics = match connection_name(&socket) {
            // One that ended meanwhile has none.
            Some(name) => device.control::<GetConnection>(&name).await.ok(),
            None => None,
        };
        shown.push(json!({ "socket": socket, "statistics": statistics }));
    }
    Ok(json!({ "total": total, "shown": shown }))
}

/// The first of a list, and how many there are.
fn listed<T: Serialize>(all: &[T]) -> Value {
    let shown = all.get(..limits::DASHBOARD_ROWS.min(all.len())).unwrap_or_default();
    json!({ "total": all.len(), "shown": shown })
}
