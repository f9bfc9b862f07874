//! `nslookup`: queries the resolver, or one server, for the records of a name.

use std::net::{IpAddr, SocketAddr};

use network::command::Resolve;
use network::command::dns::{Answer, Question, RecordKind};
use virtual_file_system::{Error, File};

use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::classic::name as render;
use crate::status::Status;

/// The port of DNS servers.
const PORT: u16 = 53;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut kind, mut words) = (None, Vec::new());
    for word in &context.arguments {
        match word
            .strip_prefix("-type=")
            .or_else(|| word.strip_prefix("-query="))
            .or_else(|| word.strip_prefix("-q="))
        {
            Some(name) => kind = Some(record_kind(name)?),
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
    let file = devices::sockets(context, Use::Show)?;
    let server = match server {
        Some(text) => Some(server_address(&file, text).await?),
        None => None,
    };
    // An address has a reverse lookup only.
    let implied =
        if name.parse::<IpAddr>().is_ok() { RecordKind::Ptr } else { RecordKind::Address };
    let question = Question { name: name.to_owned(), kind: kind.unwrap_or(implied), server };
    let answer = resolve(&file, &question).await?;
    context.print(&render::answer(&answer, server)).await?;
    if answer.records.is_empty() {
        return Err(unresolved(name, "No answer"));
    }
    Ok(Status::SUCCESS)
}

fn record_kind(name: &str) -> Result<RecordKind, Failure> {
    match name.to_ascii_uppercase().as_str() {
        "A" => Ok(RecordKind::A),
        "AAAA" => Ok(RecordKind::Aaaa),
        "CNAME" => Ok(RecordKind::Cname),
        "PTR" => Ok(RecordKind::Ptr),
        _ => Err(Failure::usage(format!("{name}: unknown type"))),
    }
}

async fn resolve(file: &File, question: &Question) -> Result<Answer, Failure> {
    file.control::<Resolve>(question).await.map_err(|why| match why {
        Error::NotFound => unresolved(&question.name, "Non-existent domain"),
        Error::NetworkUnreachable if question.server.is_none() => {
            unresolved(&question.name, "no name server")
        }
        why => unresolved(&question.name, &why.to_string()),
    })
}

fn unresolved(name: &str, why: &str) -> Failure {
    Failure::new(format!("can't resolve '{name}': {why}"))
}

/// Parses the server: an address with or without port, or a name.
async fn server_address(file: &File, text: &str) -> Result<SocketAddr, Failure> {
    if let Ok(address) = text.parse() {
        return Ok(SocketAddr::new(address, PORT));
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let question = Question { name: text.to_owned(), kind: RecordKind::Address, server: None };
    let answer = resolve(file, &question).await?;
    let address = answer.addresses().next().ok_or_else(|| unresolved(text, "No answer"))?;
    Ok(SocketAddr::new(address, PORT))
}
