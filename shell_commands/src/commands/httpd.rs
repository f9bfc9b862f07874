//! `httpd`: serves a directory by HTTP until it is ended.

use std::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::NodeKind;
use lexopt::prelude::*;

use super::words;
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::http::server::Server;
use crate::sockets::{Family, Sockets};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut address, mut directory, mut verbose, mut metrics) =
        (SocketAddr::new(Family::Any.unspecified(), 80), None, false, false);
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('p') => address = listen_address(&options.value()?.string()?)?,
            Short('h') => directory = Some(options.value()?.string()?),
            // It stays in the foreground; use the shell's `&` for the background.
            Short('f') => {}
            Short('v') => verbose = true,
            // The counters at `/metrics`, as `netstat --metrics` shows them.
            Long("metrics") => metrics = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let directory = directory.unwrap_or_else(|| String::from("."));
    let root = context.files.resolve(&directory).map_err(|why| Failure::of(&directory, why))?;
    match context.files.stat(root.as_str()) {
        Ok(attributes) if attributes.kind == NodeKind::Directory => {}
        Ok(_) => {
            return Err(Failure::of(&directory, devnet_virtual_file_system::Error::NotADirectory));
        }
        Err(why) => return Err(Failure::of(&directory, why)),
    }
    let listener = Sockets::routed(&context.files)
        .listen(address)
        .await
        .map_err(|why| Failure::of(address, why))?;
    let log = verbose.then(|| context.streams.error.clone());
    let mut server =
        Server::new(context.files.clone(), root.as_str(), context.platform.clone(), log);
    if metrics {
        server = server.with_metrics(devices::sockets(context, Use::Show)?);
    }
    server.serve(&listener).await.map_err(|why| Failure::of(address, why))?;
    Ok(Status::SUCCESS)
}

/// `PORT` or `ADDRESS:PORT`.
fn listen_address(text: &str) -> Result<SocketAddr, Failure> {
    match text.rsplit_once(':') {
        None => Ok(SocketAddr::new(Family::Any.unspecified(), words::parse(text, "port")?)),
        Some((address, port)) => {
            let inner = address
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .unwrap_or(address);
            let address: IpAddr = words::address(inner)?;
            Ok(SocketAddr::new(address, words::parse(port, "port")?))
        }
    }
}
