//! `dhcp`: gets a lease and prints it, or controls the client of an interface. With `-6` it is that
//! of [`dhcp6`](super::dhcp6).
//!
//! The client belongs to the interface: it keeps trying if the waiting command is ended.

use devnet_network::command::dhcp::{DhcpClientOptions, DhcpStatus};
use devnet_network::command::dhcp_server::ClientName;
use devnet_network::command::{
    AwaitDhcp, GetDhcp, ListDhcpOptions, RenewDhcp, SetEnabled, StartDhcp, StartDhcpClient,
    StopDhcp,
};
use devnet_virtual_file_system::Error;
use lexopt::prelude::*;

use super::{dhcp6, words};
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::lease as render;
use crate::status::Status;

struct Options {
    quiet: bool,
    /// Without a lease the client is stopped.
    now_or_never: bool,
    seconds: u32,
    client: DhcpClientOptions,
    words: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Outcome {
    if context.arguments.iter().any(|argument| argument == "-6") {
        return dhcp6::run(context).await;
    }
    let options = parse(context)?;
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [name] => {
            acquire(context, &options, &devices::interface(context, name, Use::Change)?).await
        }
        ["start", name] => start(&options, &devices::interface(context, name, Use::Change)?).await,
        ["stop" | "release", name] => {
            devices::interface(context, name, Use::Change)?.ask::<StopDhcp>(&()).await?;
            Ok(Status::SUCCESS)
        }
        ["renew", name] => {
            devices::interface(context, name, Use::Change)?.ask::<RenewDhcp>(&()).await?;
            Ok(Status::SUCCESS)
        }
        ["status", name] => {
            let status = devices::interface(context, name, Use::Show)?.ask::<GetDhcp>(&()).await?;
            context.answer(&render::status(name, &status)).await
        }
        ["options", name] => {
            let interface = devices::interface(context, name, Use::Show)?;
            let options = interface.ask::<ListDhcpOptions>(&()).await?;
            context.answer(&render::options(&options)).await
        }
        [] => Err(Failure::usage("which interface?")),
        [verb, ..] => Err(Failure::usage(format!("{verb}: unknown word"))),
    }
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        quiet: false,
        now_or_never: false,
        seconds: limits::DHCP_SECONDS,
        client: DhcpClientOptions::default(),
        words: Vec::new(),
    };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        let client = &mut chosen.client;
        match argument {
            Short('q') => chosen.quiet = true,
            Short('n') => chosen.now_or_never = true,
            Short('t') => {
                chosen.seconds = words::parse(&options.value()?.string()?, "number of seconds")?
            }
            Short('i') => chosen.words.push(options.value()?.string()?),
            Short('H') => client.hostname = Some(options.value()?.string()?),
            Short('r') => {
                client.requested = Some(words::parse(&options.value()?.string()?, "address")?)
            }
            Short('V') => client.vendor_class = Some(options.value()?.string()?),
            Short('O') => {
                client.request.push(words::parse(&options.value()?.string()?, "option number")?)
            }
            Short('x') => send(client, &options.value()?.string()?)?,
            Long("client-id") => {
                let name: ClientName = words::parse(&options.value()?.string()?, "client")?;
                client.identifier = Some(name.identifier());
            }
            Long("ipv6-only") => client.ipv6_only = true,
            Short('s') => {
                let why = "no script is run: the interface is configured by itself";
                return Err(Failure::usage(format!("-s: {why}")));
            }
            Value(word) => chosen.words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(chosen)
}

/// `hostname:NAME`, or `NUMBER:HEXADECIMAL`.
fn send(client: &mut DhcpClientOptions, text: &str) -> Result<(), Failure> {
    match text.strip_prefix("hostname:") {
        Some(name) => client.hostname = Some(name.to_owned()),
        None => client.send.push(words::parse(text, "option")?),
    }
    Ok(())
}

async fn start(options: &Options, interface: &Interface) -> Outcome {
    interface.ask::<SetEnabled>(&true).await?;
    // The older command says as much, and devices of an older stack have it.
    match options.client.plain() {
        Some(plain) => interface.ask::<StartDhcp>(&plain).await?,
        None => interface.ask::<StartDhcpClient>(&options.client).await?,
    };
    Ok(Status::SUCCESS)
}

async fn acquire(context: &Context, options: &Options, interface: &Interface) -> Outcome {
    start(options, interface).await?;
    let none =
        || Failure::of(&interface.name, format!("no lease after {} seconds", options.seconds));
    let wait = options.seconds.saturating_mul(1000);
    match interface.file.control::<AwaitDhcp>(&wait).await {
        Ok(DhcpStatus { lease: Some(lease), .. }) if options.quiet => drop(lease),
        Ok(DhcpStatus { lease: Some(lease), .. }) => {
            context.print(&render::bound(&interface.name, &lease)).await?
        }
        Ok(DhcpStatus { lease: None, .. }) | Err(Error::TimedOut) => {
            if options.now_or_never {
                interface.ask::<StopDhcp>(&()).await?;
            }
            return Err(none());
        }
        Err(why) => return Err(Failure::of(&interface.name, why)),
    }
    Ok(Status::SUCCESS)
}
