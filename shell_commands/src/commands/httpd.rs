//! `httpd`: serves a directory by HTTP until it is ended.

use std::net::{IpAddr, SocketAddr};

use devnet_virtual_file_system::NodeKind;
use lexopt::prelude::*;

use super::words;
use crate::context::Context;
use crate::dashboard::Dashboard;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::http::server::Server;
use crate::http::site::Site;
use crate::sockets::{Family, Sockets};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut address, mut directory) = (SocketAddr::new(Family::Any.unspecified(), 80), None);
    let (mut verbose, mut metrics, mut dashboard, mut writable) = (false, false, false, false);
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
            // The page at `/dashboard/`, and without a directory nothing else.
            Long("dashboard") => dashboard = true,
            Long("writable") => writable = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if writable && !dashboard {
        return Err(Failure::usage("--writable is for --dashboard"));
    }
    let root = match directory {
        None if dashboard => None,
        directory => Some(root(context, directory.as_deref().unwrap_or("."))?),
    };
    let listener = Sockets::routed(&context.files)
        .listen(address)
        .await
        .map_err(|why| Failure::of(address, why))?;
    let log = verbose.then(|| context.streams.error.clone());
    let mut site = Site::default();
    let is_alone = root.is_none();
    if let Some(root) = root {
        site = site.with_directory(context.files.clone(), &root, &context.platform);
    }
    if metrics || dashboard {
        site = site.with_metrics(devices::sockets(context, Use::Show)?);
    }
    if dashboard {
        let (files, platform) = (context.files.clone(), context.platform.clone());
        let dashboard = Dashboard::new(files, platform, writable, is_alone);
        site = site.with_pages(Box::new(dashboard));
    }
    let server = Server::new(site, context.platform.clone(), log);
    server.serve(&listener).await.map_err(|why| Failure::of(address, why))?;
    Ok(Status::SUCCESS)
}

/// The absolute path of a directory.
fn root(context: &Context, directory: &str) -> Result<String, Failure> {
    let named = |why| Failure::of(directory, why);
    let root = context.files.resolve(directory).map_err(named)?;
    match context.files.stat(root.as_str()).map_err(named)?.kind {
        NodeKind::Directory => Ok(root.as_str().to_owned()),
        _ => Err(named(devnet_virtual_file_system::Error::NotADirectory)),
    }
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
