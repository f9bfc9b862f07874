//! `netconfig`: the configuration of the network as a text: shown, checked, applied, kept; and
//! waiting for what it brings.

use std::time::Duration;

use devnet_network::command::address::{AddressState, Scope};
use devnet_network::command::configuration::{ConfigurationOutcome, ConfigurationText};
use devnet_network::command::watch::Kinds;
use devnet_network::command::{
    ApplyConfiguration, CheckConfiguration, ExportConfiguration, ListAddresses, ListDnsServers,
    ListRoutes, Watch,
};
use devnet_network::limits::CONFIGURATION_BYTES;
use devnet_virtual_file_system::{ControlCommand, Error, File, OpenFlags};
use futures_lite::future;
use lexopt::prelude::*;

use super::sleep;
use crate::context::Context;
use crate::devices::{self, Interface, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::status::Status;

/// Where the configuration is kept.
pub(crate) const FILE: &str = "/configuration/network";

pub(super) async fn run(context: &Context) -> Outcome {
    let words: Vec<&str> = context.arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["export"] => export(context, None).await,
        ["export", interface] => export(context, Some(interface)).await,
        ["apply", path] => {
            let outcome = send_file::<ApplyConfiguration>(context, path, Use::Change).await?;
            for note in notes(path, &outcome) {
                context.complain(&note).await;
            }
            context.answer(&shown(&outcome)).await
        }
        ["check", path] => {
            let outcome = send_file::<CheckConfiguration>(context, path, Use::Show).await?;
            for note in notes(path, &outcome) {
                context.complain(&note).await;
            }
            Ok(Status::SUCCESS)
        }
        ["diff", path] => {
            let outcome = send_file::<CheckConfiguration>(context, path, Use::Show).await?;
            context.answer(&shown(&outcome)).await?;
            // As `diff` does.
            if outcome.changes.is_empty() {
                Ok(Status::SUCCESS)
            } else {
                Err(Failure::silent(Status::FAILURE))
            }
        }
        ["save"] => save(context, FILE).await,
        ["save", path] => save(context, path).await,
        ["wait", ..] => wait(context).await,
        [] => Err(Failure::usage("export, apply, check, diff, save or wait?")),
        [verb @ ("apply" | "check" | "diff")] => {
            Err(Failure::usage(format!("{verb}: which file?")))
        }
        [word, ..] => Err(Failure::usage(format!("{word}: unknown word"))),
    }
}

/// The text of the system or of one interface.
async fn exported(context: &Context, interface: Option<&str>) -> Result<String, Failure> {
    let (name, file) = devices::one_or_all(context, interface, Use::Show)?;
    file.control::<ExportConfiguration>(&false).await.map_err(|why| Failure::of(name, why))
}

async fn export(context: &Context, interface: Option<&str>) -> Outcome {
    context.answer(&exported(context, interface).await?).await
}

async fn save(context: &Context, path: &str) -> Outcome {
    let text = exported(context, None).await?;
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = context.files.open(path, flags).map_err(|why| Failure::of(path, why))?;
    file.write_all(text.as_bytes()).await.map_err(|why| Failure::of(path, why))?;
    Ok(Status::SUCCESS)
}

/// Sends a file, or standard input for `-`.
async fn send_file<C>(
    context: &Context,
    path: &str,
    usage: Use,
) -> Result<ConfigurationOutcome, Failure>
where
    C: ControlCommand<Request = ConfigurationText, Response = ConfigurationOutcome>,
{
    let source = match path {
        "-" => context.streams.input.file.clone(),
        path => context.files.open(path, OpenFlags::READ).map_err(|why| Failure::of(path, why))?,
    };
    let bytes = source.read_to_end(CONFIGURATION_BYTES).await;
    let bytes = bytes.map_err(|why| Failure::of(path, why))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::of(path, "is not text"))?;
    let device = devices::sockets(context, usage)?;
    send::<C>(&device, &text).await.map_err(|why| Failure::of_write_to(&device, path, why))
}

/// Sends a text, in as many requests as it needs.
pub(crate) async fn send<C>(device: &File, text: &str) -> Result<ConfigurationOutcome, Error>
where
    C: ControlCommand<Request = ConfigurationText, Response = ConfigurationOutcome>,
{
    let mut rest = text;
    while rest.len() > limits::CONFIGURATION_PIECE_BYTES {
        let end = rest.floor_char_boundary(limits::CONFIGURATION_PIECE_BYTES);
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        device.control::<C>(&ConfigurationText { text: piece.into(), has_more: true }).await?;
        rest = after;
    }
    device.control::<C>(&ConfigurationText { text: rest.into(), has_more: false }).await
}

/// The changes, as `diff` shows them.
fn shown(outcome: &ConfigurationOutcome) -> String {
    let mut text = String::new();
    for change in &outcome.changes {
        let title = match change.interface.as_str() {
            "" => String::from("system"),
            name => format!("interface {name}"),
        };
        let lines = [(' ', &vec![title]), ('-', &change.removed), ('+', &change.added)];
        for (sign, lines) in lines {
            for line in lines {
                text.push(sign);
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

/// What is allowed and may not be meant.
pub(crate) fn notes(path: &str, outcome: &ConfigurationOutcome) -> impl Iterator<Item = String> {
    outcome.notes.iter().map(move |note| {
        let words = note.kind.words();
        format!("{path}: line {}: note: {words}", note.line)
    })
}

/// What is waited for.
struct Wanted {
    name: String,
    has_link: bool,
    has_address: bool,
    has_dns: bool,
    is_online: bool,
    timeout: Option<Duration>,
}

fn wanted(context: &Context) -> Result<Wanted, Failure> {
    let mut wanted = Wanted {
        name: String::new(),
        has_link: false,
        has_address: false,
        has_dns: false,
        is_online: false,
        timeout: None,
    };
    let mut options = context.options();
    // The verb.
    options.next()?;
    while let Some(argument) = options.next()? {
        match argument {
            Long("link") => wanted.has_link = true,
            Long("address") => wanted.has_address = true,
            Long("dns") => wanted.has_dns = true,
            Long("online") => wanted.is_online = true,
            Long("timeout") | Short('t') => {
                let text = options.value()?.string()?;
                let bad = || Failure::of(&text, "bad time");
                wanted.timeout = Some(sleep::duration(&text).ok_or_else(bad)?);
            }
            Value(word) if wanted.name.is_empty() => wanted.name = word.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    if wanted.name.is_empty() {
        return Err(Failure::usage("wait: which interface?"));
    }
    wanted.is_online |= !(wanted.has_link || wanted.has_address || wanted.has_dns);
    Ok(wanted)
}

/// What is missing of what is waited for; none when all of it is there.
async fn missing(interface: &Interface, wanted: &Wanted) -> Result<Option<&'static str>, Failure> {
    let status = interface.status().await?;
    if (wanted.has_link || wanted.is_online)
        && !status.flags.contains(devnet_network::command::interface::InterfaceFlags::RUNNING)
    {
        return Ok(Some("link"));
    }
    if wanted.has_address || wanted.is_online {
        let addresses = interface.ask::<ListAddresses>(&()).await?;
        let is_usable = |state| matches!(state, AddressState::Preferred | AddressState::Deprecated);
        if !addresses.iter().any(|one| is_usable(one.state) && one.scope != Scope::Link) {
            return Ok(Some("address"));
        }
    }
    if wanted.is_online {
        let routes = interface.ask::<ListRoutes>(&()).await?;
        if !routes.iter().any(|route| route.usable && route.destination.length() == 0) {
            return Ok(Some("default route"));
        }
    }
    if wanted.has_dns && interface.ask::<ListDnsServers>(&()).await?.is_empty() {
        return Ok(Some("DNS server"));
    }
    Ok(None)
}

async fn wait(context: &Context) -> Outcome {
    let wanted = wanted(context)?;
    let name = &wanted.name;
    let interface = devices::interface(context, name, Use::Show)?;
    // Watched before the first look, so that no change is missed.
    let events = devices::interface(context, name, Use::Show)?;
    let kinds = Kinds::LINK | Kinds::ADDRESS | Kinds::ROUTE | Kinds::DNS;
    events.ask::<Watch>(&kinds).await?;
    let deadline = wanted.timeout.map(|wait| context.platform.clock.now().after(wait));
    let mut buffer = vec![0; limits::COPY_BYTES];
    loop {
        let Some(what) = missing(&interface, &wanted).await? else { return Ok(Status::SUCCESS) };
        let changed = async {
            let read = events.file.read(&mut buffer).await;
            read.map(drop).map_err(|why| Failure::of(name, why))
        };
        let over = async {
            match deadline {
                Some(deadline) => context.platform.clock.sleep_until(deadline).await,
                None => future::pending().await,
            }
            Err(Failure::of(name, format!("no {what} in time")))
        };
        future::or(changed, over).await?;
    }
}
