//! `host`: what a name or an address stands for, in sentences.

use std::net::IpAddr;

use devnet_network::command::QueryRecords;
use devnet_network::command::dns::{Query, Reply};
use devnet_network::command::record::{RecordType, ResourceData};
use devnet_network::dns_message::{ResponseCode, reverse_name};
use devnet_virtual_file_system::Error;
use lexopt::prelude::*;

use super::{Asked, Family};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::render::query;
use crate::shown::line;
use crate::status::Status;

struct Options {
    record_type: Option<RecordType>,
    family: Family,
    stream: bool,
    recursion: bool,
    port: Option<u16>,
    /// Seconds to wait.
    wait: u32,
    words: Vec<String>,
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut options = Options {
        record_type: None,
        family: Family::Any,
        stream: false,
        recursion: true,
        port: None,
        wait: 10,
        words: Vec::new(),
    };
    let mut parser = lexopt::Parser::from_args(&context.arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('4') => options.family = Family::Ipv4,
            Short('6') => options.family = Family::Ipv6,
            Short('T') => options.stream = true,
            Short('U') => options.stream = false,
            Short('p') => options.port = Some(parser.value()?.parse()?),
            Short('r') => options.recursion = false,
            Short('W') => {
                options.wait = parser.value()?.parse()?;
                if !(1..=600).contains(&options.wait) {
                    return Err(Failure::usage("-W: 1 to 600 seconds"));
                }
            }
            Short('t') => {
                let word = parser.value()?.string()?;
                let unknown = |_| Failure::usage(format!("{word}: unknown type"));
                options.record_type = Some(word.parse().map_err(unknown)?);
            }
            Value(word) => options.words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

pub(in crate::commands) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let (name, server) = match options.words.as_slice() {
        [name] => (name, None),
        [name, server] => (name, Some(server)),
        _ => return Err(Failure::usage("a name is needed, and at most one server")),
    };
    let mut asked = match server {
        Some(text) => Asked::named(context, text, options.family).await?,
        None if options.family != Family::Any || options.port.is_some() => {
            return Err(Failure::usage("-4, -6 and -p need a server"));
        }
        None => Asked::configured(context)?,
    };
    if let (Some(server), Some(port)) = (&mut asked.server, options.port) {
        server.set_port(port);
    }
    if let (Some(text), Some(address)) = (server, asked.server) {
        context.print(&query::named_server(text, address)).await?;
    }
    let (name, types) = match (name.parse::<IpAddr>(), options.record_type) {
        (Ok(address), None) => (reverse_name(address), vec![RecordType::PTR]),
        (_, Some(record_type)) => (name.clone(), vec![record_type]),
        (Err(_), None) => (name.clone(), vec![RecordType::A, RecordType::AAAA, RecordType::MX]),
    };
    let is_one = types.len() == 1;
    // What an alias stands for is said with the first answer.
    let mut target = name.strip_suffix('.').unwrap_or(&name).to_owned();
    for record_type in types {
        let reply = ask(&asked, &target, record_type, &options).await?;
        let code = ResponseCode::from(reply.code);
        if code != ResponseCode::NoError {
            let why = format!("Host {} not found: {}({code})", line(&target), reply.code);
            context.print(&format!("{why}\n")).await?;
            return Ok(Status::FAILURE);
        }
        context.print(&query::sentences(&reply)).await?;
        if is_one && reply.answers.iter().all(|record| record.record_type != record_type) {
            let why = format!("{} has no {record_type} record", line(&target));
            context.print(&format!("{why}\n")).await?;
        }
        target = canonical(&reply, target);
    }
    Ok(Status::SUCCESS)
}

async fn ask(
    asked: &Asked,
    name: &str,
    record_type: RecordType,
    options: &Options,
) -> Result<Reply, Failure> {
    let mut query = Query::new(name.to_owned(), record_type);
    query.server = asked.server;
    query.stream = options.stream;
    query.search = true;
    query.recursion = options.recursion;
    query.timeout_milliseconds = options.wait * 1000;
    asked.file.control::<QueryRecords>(&query).await.map_err(|why| match why {
        Error::TimedOut => Failure::new("connection timed out; no servers could be reached"),
        Error::NetworkUnreachable if asked.server.is_none() => Failure::new("no name server"),
        why => Failure::of(name, why),
    })
}

/// The name at the end of the aliases.
fn canonical(reply: &Reply, name: String) -> String {
    let mut aliases = reply.answers.iter().filter_map(|record| match &record.data {
        ResourceData::Name(target) if record.record_type == RecordType::CNAME => Some(target),
        _ => None,
    });
    aliases.next_back().cloned().unwrap_or(name)
}
