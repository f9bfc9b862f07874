//! `dhcp`: gets a lease and prints it, or controls the client of an interface.
//!
//! The client belongs to the interface: it keeps trying if the waiting command is ended.

use devnet_network::command::dhcp::{DhcpOptions, DhcpStatus};
use devnet_network::command::{AwaitDhcp, GetDhcp, RenewDhcp, SetEnabled, StartDhcp, StopDhcp};
use devnet_virtual_file_system::Error;
use lexopt::prelude::*;

use super::words;
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::lease as render;
use crate::status::Status;

struct Options {
    quiet: bool,
    seconds: u32,
    hostname: Option<String>,
    words: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Outcome {
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
        [] => Err(Failure::usage("which interface?")),
        [verb, ..] => Err(Failure::usage(format!("{verb}: unknown word"))),
    }
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen =
        Options { quiet: false, seconds: limits::DHCP_SECONDS, hostname: None, words: Vec::new() };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('q') => chosen.quiet = true,
            Short('t') => {
                chosen.seconds = words::parse(&options.value()?.string()?, "number of seconds")?
            }
            Short('H') => chosen.hostname = Some(options.value()?.string()?),
            Value(word) => chosen.words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(chosen)
}

async fn start(options: &Options, interface: &Interface) -> Outcome {
    interface.ask::<SetEnabled>(&true).await?;
    let request = DhcpOptions { hostname: options.hostname.clone(), requested: None };
    interface.ask::<StartDhcp>(&request).await?;
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
        Ok(DhcpStatus { lease: None, .. }) | Err(Error::TimedOut) => return Err(none()),
        Err(why) => return Err(Failure::of(&interface.name, why)),
    }
    Ok(Status::SUCCESS)
}
