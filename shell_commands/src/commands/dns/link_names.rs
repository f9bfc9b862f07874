//! `dns multicast`, `hostname`, `publish`, `withdraw`, `browse` and `watch`: names and services of
//! the link.

use std::str::FromStr;

use devnet_network::command::event::Event;
use devnet_network::command::mdns::{
    LocalService, MulticastDnsMode, MulticastDnsOption, ServiceBrowse, ServiceChange, ServiceWatch,
};
use devnet_network::command::{
    BrowseServices, ChangeServices, ListMulticastDns, SetMulticastDns, WatchServices,
};
use devnet_virtual_file_system::{ControlCommand, File};

use crate::commands::reports::Reports;
use crate::context::Context;
use crate::devices::{self, Use};
use crate::failure::{Failure, Outcome};
use crate::render::services as render;
use crate::status::Status;

/// How long a search listens unless it is told.
const BROWSE_SECONDS: u32 = 2;

pub(super) async fn run(context: &Context, verb: &str, words: &[&str]) -> Outcome {
    match (verb, words) {
        ("multicast", []) => show(context, None).await,
        ("multicast", [interface]) => show(context, Some(interface)).await,
        ("multicast", [interface, mode]) => {
            let mode = word(mode)?;
            set(context, interface, MulticastDnsOption::Mode(mode)).await
        }
        ("hostname", [interface, name @ ..]) if name.len() <= 1 => {
            let name = name.first().copied().unwrap_or_default();
            set(context, interface, MulticastDnsOption::HostName(name.into())).await
        }
        ("publish", [interface, instance, service_type, port, text @ ..]) => {
            let service = LocalService {
                instance: (*instance).into(),
                service_type: (*service_type).into(),
                port: port.parse().map_err(|_| Failure::of(port, "bad port"))?,
                text: text.iter().map(|string| string.as_bytes().to_vec()).collect(),
            };
            change(context, interface, ServiceChange::Publish(service)).await
        }
        ("withdraw", [interface, instance, service_type]) => {
            let (instance, service_type) = ((*instance).into(), (*service_type).into());
            let withdraw = ServiceChange::Withdraw { instance, service_type };
            change(context, interface, withdraw).await
        }
        ("watch", [service_type, interface @ ..]) if interface.len() <= 1 => {
            watch(context, service_type, interface.first().copied()).await
        }
        ("browse", [service_type]) => browse(context, service_type, None, BROWSE_SECONDS).await,
        ("browse", [service_type, other]) => match other.parse() {
            Ok(seconds) => browse(context, service_type, None, seconds).await,
            Err(_) => browse(context, service_type, Some(other), BROWSE_SECONDS).await,
        },
        ("browse", [service_type, interface, time]) => {
            let seconds = time.parse().map_err(|_| Failure::of(time, "bad time"))?;
            browse(context, service_type, Some(interface), seconds).await
        }
        _ => Err(Failure::usage(format!("{verb}: wrong number of words"))),
    }
}

fn word(mode: &str) -> Result<MulticastDnsMode, Failure> {
    MulticastDnsMode::from_str(mode).map_err(|_| Failure::of(mode, "off, resolve or on"))
}

async fn ask<C: ControlCommand>(
    (name, file): (&str, File),
    request: &C::Request,
) -> Result<C::Response, Failure> {
    file.control::<C>(request).await.map_err(|why| Failure::of(name, why))
}

async fn show(context: &Context, interface: Option<&str>) -> Outcome {
    let all =
        ask::<ListMulticastDns>(devices::one_or_all(context, interface, Use::Show)?, &()).await?;
    context.answer(&render::multicast(&all)).await
}

async fn set(context: &Context, interface: &str, option: MulticastDnsOption) -> Outcome {
    let file = devices::interface(context, interface, Use::Change)?.file;
    ask::<SetMulticastDns>((interface, file), &option).await?;
    Ok(Status::SUCCESS)
}

async fn change(context: &Context, interface: &str, change: ServiceChange) -> Outcome {
    let file = devices::interface(context, interface, Use::Change)?.file;
    ask::<ChangeServices>((interface, file), &change).await?;
    Ok(Status::SUCCESS)
}

async fn browse(
    context: &Context,
    service_type: &str,
    interface: Option<&str>,
    seconds: u32,
) -> Outcome {
    let browse = ServiceBrowse {
        service_type: service_type.into(),
        milliseconds: seconds.saturating_mul(1000),
    };
    let file = devices::one_or_all(context, interface, Use::Show)?;
    let found = ask::<BrowseServices>(file, &browse).await?;
    context.answer(&render::services(&found)).await
}

/// Shows services as they come, change and go, until it is ended.
async fn watch(context: &Context, service_type: &str, interface: Option<&str>) -> Outcome {
    let (name, file) = devices::one_or_all(context, interface, Use::Show)?;
    let watch = ServiceWatch::records(service_type.into());
    file.control::<WatchServices>(&watch).await.map_err(|why| Failure::of(name, why))?;
    let mut reports = Reports::new(&file, name);
    while let Some(events) = reports.next(context).await? {
        let mut text = String::new();
        for event in events {
            if let Event::Service(change, service) = event {
                text.push_str(&render::change(change, &service));
            }
        }
        context.print(&text).await?;
    }
    Ok(Status::SUCCESS)
}
