//! `getent`: what the system knows of hosts, the hosts table first.

use std::net::IpAddr;

use devnet_network::command::dns::{Question, RecordData, RecordKind};
use devnet_network::command::{ListHosts, Resolve};
use devnet_virtual_file_system::{Error, File};

use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::query;
use crate::status::Status;

/// A key is not known, as of `getent`.
const NOT_FOUND: Status = Status(2);
/// The database cannot be listed.
const NO_LIST: Status = Status(3);

pub(in crate::commands) async fn run(context: &Context) -> Outcome {
    let [database, keys @ ..] = context.arguments.as_slice() else {
        return Err(Failure::new("which database?"));
    };
    let kinds: &[RecordKind] = match database.as_str() {
        // IPv6 addresses if there are any, else IPv4.
        "hosts" => &[RecordKind::Aaaa, RecordKind::A],
        "ahosts" => &[RecordKind::Address],
        "ahostsv4" => &[RecordKind::A],
        "ahostsv6" => &[RecordKind::Aaaa],
        other => return Err(Failure::new(format!("{other}: unknown database"))),
    };
    let is_stream = database != "hosts";
    let file = devices::sockets(context, Use::Show)?;
    if keys.is_empty() {
        if is_stream {
            let message = format!("{database}: cannot be listed");
            return Err(Failure { status: NO_LIST, message });
        }
        let hosts = file.control::<ListHosts>(&()).await;
        let hosts = hosts.map_err(|why| Failure::of(devices::SOCKETS, why))?;
        for host in hosts {
            context.print(&query::host(host.address, &host.names)).await?;
        }
        return Ok(Status::SUCCESS);
    }
    let mut status = Status::SUCCESS;
    for key in keys {
        let found = lookup(&file, key, kinds).await.map_err(|why| Failure::of(key, why))?;
        if found.is_empty() {
            status = NOT_FOUND;
        }
        for (place, (address, name)) in found.iter().enumerate() {
            let text = if is_stream {
                query::socket_types(*address, if place == 0 { name } else { "" })
            } else {
                query::host(*address, std::slice::from_ref(name))
            };
            context.print(&text).await?;
        }
    }
    Ok(status)
}

/// The addresses of a key of the first kind that has any, each with the name.
async fn lookup(
    file: &File,
    key: &str,
    kinds: &[RecordKind],
) -> Result<Vec<(IpAddr, String)>, Error> {
    if let (Ok(address), [RecordKind::Aaaa, RecordKind::A]) = (key.parse::<IpAddr>(), kinds) {
        let records = records(file, key, RecordKind::Ptr).await?;
        let name = records.into_iter().find_map(|(_, data)| match data {
            RecordData::Ptr(name) => Some(name),
            RecordData::Address(_) | RecordData::Cname(_) => None,
        });
        return Ok(name.map(|name| (address, name)).into_iter().collect());
    }
    for kind in kinds {
        let records = records(file, key, *kind).await?;
        let found: Vec<_> = records
            .into_iter()
            .filter_map(|(name, data)| match data {
                RecordData::Address(address) => Some((address, name)),
                RecordData::Cname(_) | RecordData::Ptr(_) => None,
            })
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

async fn records(
    file: &File,
    key: &str,
    kind: RecordKind,
) -> Result<Vec<(String, RecordData)>, Error> {
    let question = Question { name: key.to_owned(), kind, server: None };
    match file.control::<Resolve>(&question).await {
        Ok(answer) => {
            Ok(answer.records.into_iter().map(|record| (record.name, record.data)).collect())
        }
        Err(Error::NotFound) => Ok(Vec::new()),
        Err(why) => Err(why),
    }
}
