//! The options of `curl`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use devnet_virtual_file_system::OpenFlags;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, HOST, RANGE, REFERER, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use lexopt::prelude::*;

use super::super::sleep;
use super::failed;
use crate::context::Context;
use crate::failure::Failure;
use crate::limits;
use crate::sockets::Family;

/// The status of a wrong command line.
const USAGE: u8 = 2;

#[derive(Default)]
pub(super) struct Options {
    pub(super) urls: Vec<String>,
    /// Where each document goes, in the order of the URLs.
    pub(super) outputs: Vec<Output>,
    pub(super) silent: bool,
    pub(super) show_error: bool,
    pub(super) fails: bool,
    pub(super) include_head: bool,
    pub(super) head_only: bool,
    pub(super) follows: bool,
    pub(super) redirects: usize,
    pub(super) method: Option<Method>,
    pub(super) data: Option<Vec<u8>>,
    /// The data belongs into the query.
    pub(super) in_query: bool,
    pub(super) fields: HeaderMap,
    /// Fields that are not sent.
    pub(super) dropped: Vec<HeaderName>,
    pub(super) longest: Option<Duration>,
    pub(super) connect_longest: Option<Duration>,
    pub(super) write_out: String,
    pub(super) verbose: bool,
    pub(super) family: Family,
}

/// Where a document goes.
#[derive(Clone)]
pub(super) enum Output {
    /// `-o`
    File(String),
    /// `-O`: a file of the document's name.
    SameName,
}

pub(super) async fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options { redirects: 50, ..Options::default() };
    let mut options = context.options();
    while let Some(argument) = options.next().map_err(usage)? {
        // What takes a value.
        let name = match &argument {
            Short(letter) => letter.to_string(),
            Long(name) => (*name).to_owned(),
            Value(url) => {
                chosen.urls.push(url.clone().string().map_err(usage)?);
                continue;
            }
        };
        let is_known = chosen.switch(&name);
        if !is_known {
            let unknown = argument.unexpected();
            if !VALUED.contains(&name.as_str()) {
                return Err(usage(unknown));
            }
            let value = options.value().and_then(|value| value.string()).map_err(usage)?;
            chosen.set(context, &name, value).await?;
        }
    }
    if chosen.urls.is_empty() {
        return Err(failed(USAGE, "no URL specified"));
    }
    if chosen.data.is_some() && chosen.head_only && !chosen.in_query {
        return Err(failed(USAGE, "-I and -d exclude each other, but for -G"));
    }
    Ok(chosen)
}

fn usage(why: lexopt::Error) -> Failure {
    failed(USAGE, why.to_string())
}

/// Options with a value.
const VALUED: [&str; 26] = [
    "o",
    "output",
    "X",
    "request",
    "d",
    "data",
    "data-raw",
    "data-binary",
    "H",
    "header",
    "A",
    "user-agent",
    "e",
    "referer",
    "u",
    "user",
    "m",
    "max-time",
    "connect-timeout",
    "w",
    "write-out",
    "max-redirs",
    "r",
    "range",
    "data-ascii",
    "url",
];

impl Options {
    /// True for an option without a value.
    fn switch(&mut self, name: &str) -> bool {
        match name {
            "s" | "silent" => self.silent = true,
            "S" | "show-error" => self.show_error = true,
            "f" | "fail" => self.fails = true,
            "i" | "include" => self.include_head = true,
            "I" | "head" => self.head_only = true,
            "L" | "location" => self.follows = true,
            "G" | "get" => self.in_query = true,
            "v" | "verbose" => self.verbose = true,
            "O" | "remote-name" => self.outputs.push(Output::SameName),
            "4" | "ipv4" => self.family = Family::V4,
            "6" | "ipv6" => self.family = Family::V6,
            // There is no progress meter, no configuration, and HTTP is 1.1.
            "no-progress-meter" | "q" | "disable" | "http1.1" => {}
            _ => return false,
        }
        true
    }

    async fn set(&mut self, context: &Context, name: &str, value: String) -> Result<(), Failure> {
        let bad = || failed(USAGE, format!("{}: bad value of {name}", value.escape_default()));
        let text = || HeaderValue::from_str(&value).map_err(|_| bad());
        match name {
            "url" => self.urls.push(value),
            "o" | "output" => self.outputs.push(Output::File(value)),
            "X" | "request" => self.method = Some(value.parse().map_err(|_| bad())?),
            "H" | "header" => self.header(&value).ok_or_else(bad)?,
            "A" | "user-agent" => drop(self.fields.insert(USER_AGENT, text()?)),
            "e" | "referer" => drop(self.fields.insert(REFERER, text()?)),
            "r" | "range" => {
                let range = format!("bytes={value}").parse().map_err(|_| bad())?;
                self.fields.insert(RANGE, range);
            }
            "u" | "user" => {
                if !value.contains(':') {
                    return Err(failed(USAGE, "-u: a password is needed: USER:PASSWORD"));
                }
                let secret = format!("Basic {}", STANDARD.encode(&value));
                let mut secret: HeaderValue = secret.parse().map_err(|_| bad())?;
                secret.set_sensitive(true);
                self.fields.insert(AUTHORIZATION, secret);
            }
            "m" | "max-time" => self.longest = Some(sleep::duration(&value).ok_or_else(bad)?),
            "connect-timeout" => {
                self.connect_longest = Some(sleep::duration(&value).ok_or_else(bad)?);
            }
            "w" | "write-out" => self.write_out = value,
            "max-redirs" => self.redirects = value.parse().map_err(|_| bad())?,
            _ => self.add_data(context, name, &value).await?,
        }
        Ok(())
    }

    /// `NAME: VALUE`, `NAME;` for an empty one, and `NAME:` for none.
    fn header(&mut self, text: &str) -> Option<()> {
        let (name, value) = match text.split_once(':') {
            Some(pair) => pair,
            None => (text.strip_suffix(';')?, ""),
        };
        let name: HeaderName = name.trim().parse().ok()?;
        // A body whose framing is not its own would be another request on the wire.
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
            return None;
        }
        let value = value.trim();
        if value.is_empty() && text.contains(':') {
            self.fields.remove(&name);
            self.dropped.push(name);
            return Some(());
        }
        let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
        if name == HOST {
            self.fields.insert(name, value);
        } else {
            self.fields.append(name, value);
        }
        Some(())
    }

    /// Adds data behind that of other options; `@FILE` is the content of a file.
    async fn add_data(
        &mut self,
        context: &Context,
        name: &str,
        value: &str,
    ) -> Result<(), Failure> {
        let mut bytes = match value.strip_prefix('@').filter(|_| name != "data-raw") {
            None => value.as_bytes().to_vec(),
            Some(path) => {
                let unreadable = |why| failed(26, format!("{path}: {why}"));
                let file = match path {
                    "-" => context.streams.input.file.clone(),
                    path => context.files.open(path, OpenFlags::READ).map_err(unreadable)?,
                };
                file.read_to_end(limits::HTTP_BODY_BYTES).await.map_err(unreadable)?
            }
        };
        if value.starts_with('@') && name != "data-binary" && name != "data-raw" {
            bytes.retain(|byte| !matches!(byte, b'\r' | b'\n'));
        }
        match &mut self.data {
            Some(data) => {
                data.push(b'&');
                data.extend_from_slice(&bytes);
            }
            none => *none = Some(bytes),
        }
        Ok(())
    }
}
