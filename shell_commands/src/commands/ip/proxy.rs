//! `ip neigh ... proxy`: addresses of others that an interface answers for.

use std::net::IpAddr;

use devnet_network::command::{AddProxy, ListProxies, RemoveProxy};
use devnet_virtual_file_system::Error;

use super::{Options, answer, changed, required, shown};
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::iproute::neighbor as render;
use crate::status::Status;

pub(super) async fn run(
    context: &Context,
    options: Options,
    verb: &str,
    address: Option<IpAddr>,
    device: Option<&str>,
) -> Outcome {
    match verb {
        "show" => show(context, options, address, device).await,
        "get" | "flush" => Err(Failure::of(format!("{verb} proxy"), Error::Unsupported)),
        verb => {
            let usage = || Failure::usage("Device and destination are required arguments.");
            let address = address.ok_or_else(usage)?;
            let interface = changed(context, required(device)?)?;
            let what = address.to_string();
            if verb == "del" {
                interface.change::<RemoveProxy>(&what, &address).await?;
            } else {
                // One that is there stays, whatever the verb, as with Linux.
                interface.change::<AddProxy>(&what, &address).await?;
            }
            Ok(Status::SUCCESS)
        }
    }
}

async fn show(
    context: &Context,
    options: Options,
    address: Option<IpAddr>,
    device: Option<&str>,
) -> Outcome {
    if let Some(name) = device {
        shown(context, name)?;
    }
    let listed = devices::sockets(context, Use::Show)?.control::<ListProxies>(&()).await;
    let mut proxies = listed.map_err(|why| Failure::of(devices::SOCKETS, why))?;
    proxies.retain(|entry| {
        options.wants(entry.address)
            && address.is_none_or(|address| address == entry.address)
            && device.is_none_or(|name| name == entry.interface)
    });
    // Linux lists those of IPv4 first.
    proxies.sort_by_key(|entry| entry.address.is_ipv6());
    let text = render::proxies(&proxies, options.style, device.is_some());
    answer(context, options, &text).await
}
