//! `dhcp -6`: addresses, prefixes and name servers by DHCPv6, and networks of an uplink's prefixes.
//!
//! The client belongs to the interface: it keeps trying if the waiting command is ended.

use devnet_network::command::dhcp6::{Dhcp6ClientOptions, Dhcp6Mode, Downstream};
use devnet_network::command::{
    AwaitDhcp6, GetDhcp6, RenewDhcp6, SetDhcp6Client, SetDownstream, SetEnabled,
};
use devnet_virtual_file_system::Error;
use lexopt::prelude::*;

use super::words;
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::dhcp6 as render;
use crate::status::Status;

struct Options {
    quiet: bool,
    /// Without an answer the client is turned off.
    now_or_never: bool,
    seconds: u32,
    client: Dhcp6ClientOptions,
    words: Vec<String>,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["start", name] => start(&options, &devices::interface(context, name, Use::Change)?).await,
        ["stop" | "release", name] => {
            let off = Dhcp6ClientOptions::default();
            let interface = devices::interface(context, name, Use::Change)?;
            interface.ask::<SetDhcp6Client>(&off).await?;
            Ok(Status::SUCCESS)
        }
        ["renew", name] => {
            devices::interface(context, name, Use::Change)?.ask::<RenewDhcp6>(&()).await?;
            Ok(Status::SUCCESS)
        }
        ["status", name] => {
            let status = devices::interface(context, name, Use::Show)?.ask::<GetDhcp6>(&()).await?;
            context.answer(&render::status(name, &status)).await
        }
        ["downstream", name, rest @ ..] => {
            let asked = downstream(rest)?;
            let interface = devices::interface(context, name, Use::Change)?;
            interface.ask::<SetDownstream>(&asked).await?;
            Ok(Status::SUCCESS)
        }
        [name] => {
            acquire(context, &options, &devices::interface(context, name, Use::Change)?).await
        }
        [] => Err(Failure::usage("which interface?")),
        [verb, ..] => Err(Failure::usage(format!("{verb}: unknown word"))),
    }
}

/// Where networks come from: `off`, or an interface and the number of the network.
fn downstream(words: &[&str]) -> Result<Option<Downstream>, Failure> {
    match words {
        ["off"] => Ok(None),
        [uplink] => Ok(Some(Downstream::new(uplink))),
        [uplink, subnet] => {
            let subnet = words::parse(subnet, "number of a network")?;
            Ok(Some(Downstream { subnet, ..Downstream::new(uplink) }))
        }
        _ => Err(Failure::usage("downstream: which uplink?")),
    }
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mode = Dhcp6Mode::Stateful;
    let mut chosen = Options {
        quiet: false,
        now_or_never: false,
        seconds: limits::DHCP_SECONDS,
        client: Dhcp6ClientOptions { mode, ..Dhcp6ClientOptions::default() },
        words: Vec::new(),
    };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        let client = &mut chosen.client;
        match argument {
            Short('6') => {}
            Short('q') => chosen.quiet = true,
            Short('n') => chosen.now_or_never = true,
            Short('t') => {
                chosen.seconds = words::parse(&options.value()?.string()?, "number of seconds")?
            }
            Short('i') => chosen.words.push(options.value()?.string()?),
            Short('S') => client.mode = Dhcp6Mode::Stateless,
            Short('A') => client.mode = Dhcp6Mode::Auto,
            Short('P') => client.prefixes = true,
            Long("hint") => {
                client.hint = Some(words::parse(&options.value()?.string()?, "prefix")?);
                client.prefixes = true;
            }
            Long("duid") => {
                let text = options.value()?.string()?;
                client.duid = Some(words::parse(&text, "DHCP unique identifier")?);
            }
            Long("iaid") => {
                client.iaid = Some(words::parse(&options.value()?.string()?, "number")?);
            }
            Long("rapid-commit") => client.rapid_commit = true,
            Value(word) => chosen.words.push(word.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(chosen)
}

async fn start(options: &Options, interface: &Interface) -> Outcome {
    interface.ask::<SetEnabled>(&true).await?;
    interface.ask::<SetDhcp6Client>(&options.client).await?;
    Ok(Status::SUCCESS)
}

async fn acquire(context: &Context, options: &Options, interface: &Interface) -> Outcome {
    start(options, interface).await?;
    let wait = options.seconds.saturating_mul(1000);
    match interface.file.control::<AwaitDhcp6>(&wait).await {
        Ok(_) if options.quiet => {}
        Ok(status) => context.print(&render::got(&interface.name, &status)).await?,
        Err(Error::TimedOut) => {
            let refusal = interface.ask::<GetDhcp6>(&()).await?.refusal;
            if options.now_or_never {
                interface.ask::<SetDhcp6Client>(&Dhcp6ClientOptions::default()).await?;
            }
            let why = render::none(options.seconds, refusal);
            return Err(Failure::of(&interface.name, why));
        }
        Err(why) => return Err(Failure::of(&interface.name, why)),
    }
    Ok(Status::SUCCESS)
}
