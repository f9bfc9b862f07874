//! `ip`: options and object → the file of that object.
//!
//! Words may be abbreviated as in iproute2: the first object or verb of its list with that prefix
//! matches.

mod address;
mod link;
mod maddress;
mod monitor;
mod neighbor;
mod next_hops;
mod proxy;
mod route;
mod route_get;

use std::net::IpAddr;

use super::words::{Words, abbreviates};
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::render::color;
use crate::render::iproute::Style;
use crate::status::Status;
use devnet_virtual_file_system::Error;

/// The options before the object.
#[derive(Clone, Copy, Default)]
struct Options {
    style: Style,
    /// `-4` is true, `-6` false.
    ipv4: Option<bool>,
    /// `-d`.
    details: bool,
    /// `-c`.
    colors: bool,
}

/// Prints an answer, with colours if they are asked for; JSON has none.
async fn answer(context: &Context, options: Options, text: &str) -> Outcome {
    if options.colors && !options.style.json {
        let text = color::iproute(&crate::shown::text(text));
        context.print_bytes(text.as_bytes()).await?;
        return Ok(Status::SUCCESS);
    }
    context.answer(text).await
}

impl Options {
    /// True if addresses of this family are shown.
    fn wants(self, address: IpAddr) -> bool {
        self.ipv4.is_none_or(|ipv4| ipv4 == address.is_ipv4())
    }
}

pub(super) async fn run(context: &Context) -> Outcome {
    let mut words = Words::new(&context.arguments);
    let mut options = Options::default();
    while let Some(word) = words.peek().filter(|word| word.starts_with('-')) {
        words.next();
        match word.trim_start_matches('-') {
            "4" => options.ipv4 = Some(true),
            "6" => options.ipv4 = Some(false),
            "f" | "family" => options.ipv4 = family(words.value(word)?)?,
            "br" | "brief" => options.style.brief = true,
            "o" | "oneline" => options.style.oneline = true,
            "j" | "json" => options.style.json = true,
            "s" | "stats" | "statistics" => {
                options.style.detailed = options.style.statistics;
                options.style.statistics = true;
            }
            "d" | "details" => options.details = true,
            "c" | "color" => options.colors = context.has_colors(None)?,
            word if word.starts_with("c=") || word.starts_with("color=") => {
                let when = word.split_once('=').map(|(_, when)| when);
                options.colors = context.has_colors(when)?;
            }
            // Pretty printing has no effect, and numbers are shown as numbers anyway.
            "p" | "pretty" | "n" | "N" | "numeric" | "Numeric" => {}
            _ => {
                return Err(Failure::usage(format!(
                    "Option \"{word}\" is unknown, try \"help ip\"."
                )));
            }
        }
    }
    let object = words.next().ok_or_else(|| {
        Failure::usage("which object? address, link, route, neigh, maddr or monitor")
    })?;
    let objects =
        ["address", "maddress", "route", "link", "neighbor", "neighbour", "monitor", "help"];
    match objects.into_iter().find(|full| abbreviates(object, full)) {
        Some("address") => address::run(context, options, words).await,
        Some("route") => route::run(context, options, words).await,
        Some("link") => link::run(context, options, words).await,
        Some("neighbor" | "neighbour") => neighbor::run(context, options, words).await,
        Some("maddress") => maddress::run(context, options, words).await,
        Some("monitor") => monitor::run(context, options, words).await,
        Some(_) => context.answer(&context.help).await,
        None => Err(Failure::usage(format!("Object \"{object}\" is unknown, try \"help ip\"."))),
    }
}

fn family(name: &str) -> Result<Option<bool>, Failure> {
    match name {
        "inet" => Ok(Some(true)),
        "inet6" => Ok(Some(false)),
        _ => Err(Failure::usage(format!("{name}: unknown family"))),
    }
}

/// Finds the verb that `word` abbreviates; without a word it is `show`. `list` and `lst` mean
/// `show` too.
fn verb(word: Option<&str>, verbs: &[&'static str], object: &str) -> Result<&'static str, Failure> {
    let Some(word) = word else { return Ok("show") };
    let found = verbs.iter().copied().find(|full| abbreviates(word, full));
    match found {
        Some("list" | "lst") => Ok("show"),
        Some("delete") => Ok("del"),
        Some(verb) => Ok(verb),
        None => Err(Failure::usage(format!(
            "Command \"{word}\" is unknown, try \"help ip\" for {object}."
        ))),
    }
}

/// Opens an interface to show it, with iproute2's errors.
fn shown(context: &Context, name: &str) -> Result<Interface, Failure> {
    devices::open(context, name, Use::Show).map_err(|why| match why {
        Error::NoDevice => Failure::new(format!("Device \"{name}\" does not exist.")),
        why => Failure::of(name, why),
    })
}

/// Opens an interface to change it, with iproute2's errors.
fn changed(context: &Context, name: &str) -> Result<Interface, Failure> {
    devices::open(context, name, Use::Change).map_err(|why| match why {
        Error::NoDevice => Failure::new(format!("Cannot find device \"{name}\"")),
        why => Failure::of(name, why),
    })
}

/// An unexpected argument.
fn garbage(word: &str) -> Failure {
    Failure::usage(format!("either \"dev\" is duplicate, or \"{word}\" is a garbage."))
}

/// Returns the interface, which must be named.
fn required(device: Option<&str>) -> Result<&str, Failure> {
    device.ok_or_else(|| Failure::usage("Not enough information: \"dev\" argument is required."))
}
