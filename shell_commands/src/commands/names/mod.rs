//! Commands that ask name servers: `nslookup`, `dig`, `host`, `getent`, and what they share.

pub(super) mod dig;
pub(super) mod getent;
pub(super) mod host;
pub(super) mod nslookup;
mod words;

use std::net::{IpAddr, SocketAddr};

use devnet_network::command::Resolve;
use devnet_network::command::dns::{Answer, Question, RecordKind};
use devnet_virtual_file_system::{Error, File};

use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::Failure;
use crate::sockets::{Sockets, bad_zone};

/// The port of DNS servers.
const PORT: u16 = 53;

async fn resolve(file: &File, question: &Question) -> Result<Answer, Failure> {
    let answer = file.control::<Resolve>(question).await;
    answer.map_err(|why| failed(&question.name, question.server, why))
}

fn failed(name: &str, server: Option<SocketAddr>, why: Error) -> Failure {
    match why {
        Error::NotFound => unresolved(name, "Non-existent domain"),
        Error::NetworkUnreachable if server.is_none() => unresolved(name, "no name server"),
        why => unresolved(name, &why.to_string()),
    }
}

fn unresolved(name: &str, why: &str) -> Failure {
    Failure::new(format!("can't resolve '{name}': {why}"))
}

/// The family of a server's address.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Any,
    Ipv4,
    Ipv6,
}

impl Family {
    const fn has(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Ipv4 => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        }
    }
}

/// Where to ask.
struct Asked {
    file: File,
    /// The server, if one is named.
    server: Option<SocketAddr>,
    /// Its interface, if it is named with a zone.
    zone: Option<String>,
}

impl Asked {
    /// The configured servers.
    fn configured(context: &Context) -> Result<Self, Failure> {
        Ok(Self { file: devices::sockets(context, Use::Show)?, server: None, zone: None })
    }

    /// A server by its address, with or without port and zone, or by its name.
    async fn named(context: &Context, text: &str, family: Family) -> Result<Self, Failure> {
        let routed = Sockets::routed(&context.files);
        let (sockets, name) =
            routed.zoned(text).await.map_err(|why| Failure::of(text, bad_zone(why)))?;
        match sockets.interface().map(str::to_owned) {
            Some(interface) => {
                let file = devices::interface(context, &interface, Use::Show)?.file;
                let server = server_address(&file, &name, family).await?;
                Ok(Self { file, server: Some(server), zone: Some(interface) })
            }
            None => {
                let file = devices::sockets(context, Use::Show)?;
                let server = server_address(&file, text, family).await?;
                Ok(Self { file, server: Some(server), zone: None })
            }
        }
    }
}

/// Parses the server: an address with or without port, or a name.
async fn server_address(file: &File, text: &str, family: Family) -> Result<SocketAddr, Failure> {
    let given =
        text.parse().map(|address| SocketAddr::new(address, PORT)).or_else(|_| text.parse());
    if let Ok(address) = given {
        if family.has(address.ip()) {
            return Ok(address);
        }
        return Err(unresolved(text, "Address family for hostname not supported"));
    }
    let question = Question { name: text.to_owned(), kind: RecordKind::Address, server: None };
    let answer = resolve(file, &question).await?;
    let address = answer.addresses().find(|address| family.has(*address));
    Ok(SocketAddr::new(address.ok_or_else(|| unresolved(text, "No answer"))?, PORT))
}
