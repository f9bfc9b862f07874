//! `ip monitor`: prints changes as they happen, until it is ended.
//!
//! It reads one watching file only: the device of the named interface, or that of all.

use devnet_network::command::Watch;
use devnet_network::command::watch::{Kinds, Line};

use super::super::words::{Words, abbreviates};
use super::{Options, shown};
use crate::context::Context;
use crate::devices::{self, SOCKETS, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::iproute::monitor::Monitor;

/// The objects that `ip monitor` shows when none is named.
const USUAL: Kinds = Kinds::LINK.union(Kinds::ADDRESS).union(Kinds::ROUTE).union(Kinds::NEIGHBOR);

/// Objects by name, in the order in which abbreviations are tried.
const OBJECTS: [(&str, Kinds); 9] = [
    ("link", Kinds::LINK),
    ("address", Kinds::ADDRESS),
    ("route", Kinds::ROUTE),
    ("neighbor", Kinds::NEIGHBOR),
    ("neighbour", Kinds::NEIGHBOR),
    ("dns", Kinds::DNS),
    ("dhcp", Kinds::DHCP),
    ("streams", Kinds::STREAM),
    ("lease", Kinds::LEASE),
];

/// The arguments after `monitor`.
struct Request<'a> {
    kinds: Kinds,
    labelled: bool,
    device: Option<&'a str>,
}

impl<'a> Request<'a> {
    fn parse(mut words: Words<'a>) -> Result<Self, Failure> {
        let mut request = Self { kinds: Kinds::empty(), labelled: false, device: None };
        while let Some(word) = words.next() {
            match word {
                "all" => (request.kinds, request.labelled) = (request.kinds | USUAL, true),
                "label" => request.labelled = true,
                "dev" => request.device = Some(words.value(word)?),
                word => match OBJECTS.iter().find(|(full, _)| abbreviates(word, full)) {
                    Some((_, kind)) => request.kinds |= *kind,
                    None => {
                        return Err(Failure::usage(format!(
                            "Argument \"{word}\" is unknown, try \"help ip\"."
                        )));
                    }
                },
            }
        }
        if request.kinds.is_empty() {
            request.kinds = USUAL;
        }
        Ok(request)
    }
}

pub(super) async fn run(context: &Context, options: Options, words: Words<'_>) -> Outcome {
    let request = Request::parse(words)?;
    if options.style.json {
        return Err(Failure::usage("monitor: records come one by one, which -j cannot show"));
    }
    let (name, file) = match request.device {
        Some(name) => (name, shown(context, name)?.file),
        None => (SOCKETS, devices::sockets(context, Use::Show)?),
    };
    // Separate records carry the interfaces' numbers.
    file.control::<Watch>(&(request.kinds | Kinds::INTERFACE))
        .await
        .map_err(|why| Failure::of(name, why))?;
    let mut monitor = Monitor::new(options.style, request.labelled);
    let (mut buffer, mut text, mut is_live) = (vec![0; limits::COPY_BYTES], String::new(), false);
    loop {
        let count = file.read(&mut buffer).await.map_err(|why| Failure::of(name, why))?;
        text.push_str(&String::from_utf8_lossy(buffer.get(..count).unwrap_or_default()));
        // A record longer than the buffer arrives in pieces.
        let Some(end) = text.rfind('\n') else { continue };
        let rest = text.split_off(end.saturating_add(1));
        let mut answer = String::new();
        for line in text.lines() {
            match Line::parse(line) {
                Ok(Line::Idle) => is_live = true,
                Ok(Line::Lost(count)) => {
                    is_live = false;
                    context
                        .complain(&format!(
                            "monitor: {count} changes came too fast and are not shown"
                        ))
                        .await;
                }
                Ok(Line::Record(record)) if record.kind == "interface" => monitor.learn(&record),
                Ok(Line::Record(record)) => {
                    let is_wanted =
                        Monitor::address(&record).is_none_or(|address| options.wants(address));
                    if is_live && is_wanted {
                        answer.extend(monitor.show(&record));
                    }
                }
                Err(why) => return Err(Failure::of(name, why)),
            }
        }
        context.print(&answer).await?;
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<(Kinds, bool, Option<String>), Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Request::parse(Words::new(&words))
            .map(|request| (request.kinds, request.labelled, request.device.map(str::to_owned)))
    }

    #[test]
    fn objects_are_named_as_in_iproute2() {
        assert_eq!(parsed(&[]).unwrap(), (USUAL, false, None));
        assert_eq!(parsed(&["all"]).unwrap(), (USUAL, true, None));
        assert_eq!(parsed(&["a", "r"]).unwrap(), (Kinds::ADDRESS | Kinds::ROUTE, false, None));
        assert_eq!(
            parsed(&["neigh", "dev", "eth0"]).unwrap(),
            (Kinds::NEIGHBOR, false, Some("eth0".into()))
        );
        assert_eq!(parsed(&["label", "streams"]).unwrap(), (Kinds::STREAM, true, None));
        assert!(parsed(&["weather"]).is_err() && parsed(&["dev"]).is_err());
    }
}
