//! `nslookup`: queries the resolver, or one server, for the records of a name.

use std::net::{IpAddr, SocketAddr};

use devnet_network::command::dns::{Query, Question, RecordKind};
use devnet_network::command::record::RecordType;
use devnet_network::command::{ListDnsServers, QueryRecords};
use devnet_network::dns_message::ResponseCode;
use devnet_virtual_file_system::File;

use super::{Asked, Family, failed, resolve, unresolved};
use crate::context::Context;
use crate::devices;
use crate::failure::{Failure, Outcome};
use crate::render::classic::name as render;
use crate::status::Status;

pub(in crate::commands) async fn run(context: &Context) -> Outcome {
    let (mut kind, mut words) = (None, Vec::new());
    for word in &context.arguments {
        match word
            .strip_prefix("-type=")
            .or_else(|| word.strip_prefix("-query="))
            .or_else(|| word.strip_prefix("-q="))
        {
            Some(name) => {
                let unknown = |_| Failure::usage(format!("{name}: unknown type"));
                kind = Some(name.parse::<RecordType>().map_err(unknown)?);
            }
            None if word.starts_with('-') => {
                return Err(Failure::usage(format!("{word}: unknown option")));
            }
            None => words.push(word.as_str()),
        }
    }
    let (name, server) = match words.as_slice() {
        [name] => (*name, None),
        [name, server] => (*name, Some(*server)),
        _ => return Err(Failure::usage("a name is needed, and at most one server")),
    };
    let Asked { file, server, zone } = match server {
        Some(text) => Asked::named(context, text, Family::Any).await?,
        None => Asked::configured(context)?,
    };
    let kind = match kind {
        // An address has a reverse lookup only.
        None if name.parse::<IpAddr>().is_ok() => RecordKind::Ptr,
        None => RecordKind::Address,
        Some(RecordType::A) => RecordKind::A,
        Some(RecordType::AAAA) => RecordKind::Aaaa,
        Some(RecordType::CNAME) => RecordKind::Cname,
        Some(RecordType::PTR) => RecordKind::Ptr,
        Some(other) => return records(context, &file, name, other, server, zone).await,
    };
    let question = Question { name: name.to_owned(), kind, server };
    let answer = resolve(&file, &question).await?;
    let zone = match (zone, answer.server.or(server)) {
        (None, Some(server)) => zone_of(&file, server.ip()).await?,
        (zone, _) => zone,
    };
    context.print(&render::answer(&answer, server, zone.as_deref())).await?;
    if answer.records.is_empty() {
        return Err(unresolved(name, "No answer"));
    }
    Ok(Status::SUCCESS)
}

/// Records of any type.
async fn records(
    context: &Context,
    file: &File,
    name: &str,
    record_type: RecordType,
    server: Option<SocketAddr>,
    zone: Option<String>,
) -> Outcome {
    let query = Query { server, search: true, ..Query::new(name.to_owned(), record_type) };
    let reply =
        file.control::<QueryRecords>(&query).await.map_err(|why| failed(name, server, why))?;
    let zone = match zone {
        Some(zone) => Some(zone),
        None => zone_of(file, reply.server.ip()).await?,
    };
    context.print(&render::records(&reply, zone.as_deref())).await?;
    match ResponseCode::from(reply.code) {
        ResponseCode::NameError => Err(unresolved(name, "Non-existent domain")),
        ResponseCode::NoError if reply.answers.is_empty() => Err(unresolved(name, "No answer")),
        ResponseCode::NoError => Ok(Status::SUCCESS),
        code => Err(unresolved(name, &code.to_string())),
    }
}

/// The interface that has a link-local server.
async fn zone_of(file: &File, server: IpAddr) -> Result<Option<String>, Failure> {
    if !matches!(server, IpAddr::V6(server) if server.is_unicast_link_local()) {
        return Ok(None);
    }
    let known = file
        .control::<ListDnsServers>(&())
        .await
        .map_err(|why| Failure::of(devices::SOCKETS, why))?;
    // One address on two links is two servers, and the answer does not say which one answered.
    let mut having = known.into_iter().filter(|known| known.address == server);
    Ok(having.next().filter(|_| having.next().is_none()).map(|known| known.interface))
}
