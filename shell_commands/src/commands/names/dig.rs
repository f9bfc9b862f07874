//! `dig`: asks a name server and shows its whole answer.

use std::net::SocketAddr;

use devnet_network::command::dns::{Query, SecureServer};
use devnet_network::command::record::RecordType;
use devnet_network::command::{GetDnsSecurity, QueryRecords};
use devnet_virtual_file_system::Error;

use super::words::{Lookup, Options, Words};
use super::{Asked, Family};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::query::{self, Asking, Shown};
use crate::status::Status;

/// No server answered.
const NO_REPLY: Status = Status(9);
/// Anything else that keeps it from asking.
const FAILED: Status = Status(10);

pub(in crate::commands) async fn run(context: &Context) -> Outcome {
    let words = Words::parse(&context.arguments)?;
    let mut asked = match &words.server {
        Some(text) => Asked::named(context, text, words.family)
            .await
            .map_err(|why| Failure { status: FAILED, ..why })?,
        None if words.family != Family::Any || words.port.is_some() => {
            return Err(Failure::new("-4, -6 and -p need a server: @SERVER"));
        }
        None => Asked::configured(context)?,
    };
    if let (Some(server), Some(port)) = (&mut asked.server, words.port) {
        server.set_port(port);
    }
    let mut status = Status::SUCCESS;
    for lookup in &words.lookups {
        let this = ask(context, &asked, lookup, words.options).await?;
        status = if this.is_success() { status } else { this };
    }
    Ok(status)
}

async fn ask(context: &Context, asked: &Asked, lookup: &Lookup, options: Options) -> Outcome {
    let Options { short, shown, stream, search, recursion, time, tries } = options;
    let record_type = lookup.record_type.unwrap_or(RecordType::A);
    let (clock, at) = (&context.platform.clock, context.platform.now());
    let before = clock.now();
    let name = lookup.name.strip_suffix('.').unwrap_or(&lookup.name);
    let mut query = Query::new(name.to_owned(), record_type);
    query.server = asked.server;
    query.stream = stream;
    query.search = search;
    query.recursion = recursion;
    query.timeout_milliseconds = time.saturating_mul(tries).saturating_mul(1000);
    let reply = asked.file.control::<QueryRecords>(&query).await;
    let took = clock.now().since(before);
    let arguments = context.arguments.join(" ");
    match reply {
        Ok(reply) if short => {
            context.print(&query::short(&reply)).await?;
            Ok(Status::SUCCESS)
        }
        Ok(reply) => {
            let is_told = shown.contains(Shown::STATISTICS);
            let over = if is_told { over(asked, reply.server, stream).await } else { "" };
            let asking = Asking { arguments: &arguments, record_type, over, took, at };
            context.print(&query::reply(&reply, &asking, shown)).await?;
            Ok(Status::SUCCESS)
        }
        Err(
            why @ (Error::TimedOut
            | Error::NetworkUnreachable
            | Error::ConnectionRefused
            | Error::HostUnreachable),
        ) => {
            context.print(&query::no_reply(asked.server, why, &arguments, shown)).await?;
            Ok(NO_REPLY)
        }
        Err(Error::InvalidInput) => {
            let message = format!("'{}' is not a legal name", lookup.name);
            Err(Failure { status: FAILED, message })
        }
        Err(why) => Err(Failure { status: FAILED, ..Failure::of(shown_server(asked.server), why) }),
    }
}

/// What carries messages to a server. Who may not know that sees what was asked for.
async fn over(asked: &Asked, server: SocketAddr, stream: bool) -> &'static str {
    let security = asked.file.control::<GetDnsSecurity>(&()).await.unwrap_or_default();
    let is_it = |known: &SecureServer| (known.address, known.port) == (server.ip(), server.port());
    match stream {
        _ if security.servers.iter().any(is_it) => "TLS",
        true => "TCP",
        false => "UDP",
    }
}

fn shown_server(server: Option<SocketAddr>) -> String {
    server.map_or_else(|| "the configured servers".into(), |server| server.to_string())
}
