//! `wget`: fetches a document by HTTP. It streams: memory does not grow with the document.

use std::sync::Arc;
use std::time::Duration;

use devnet_virtual_file_system::{Error, OpenFlags};
use embedded_io_async::SeekFrom;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, RANGE, TRANSFER_ENCODING, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;
use lexopt::prelude::*;

use super::sleep;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::http::client::{self, Response};
use crate::http::redirect::Hop;
use crate::http::replace::Replaced;
use crate::http::resume::{self, Place, Placed, Requested, ResumeError};
use crate::http::url::Url;
use crate::render::progress::Progress;
use crate::shown;
use crate::sockets::{self, Connection, Family, Sockets, within};
use crate::status::Status;

/// The limit of redirects.
const REDIRECTS: usize = 10;
/// The default read timeout (GNU wget's is 900 s).
const READ_TIMEOUT: Duration = Duration::from_secs(60);

struct Options {
    quiet: bool,
    show_head: bool,
    resume: bool,
    output: Option<String>,
    read_timeout: Duration,
    fields: HeaderMap,
    post: Option<String>,
    family: Family,
    url: String,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let url = Url::parse(&options.url).map_err(|why| Failure::of(&options.url, why))?;
    // The name is that of the requested document, wherever redirects lead.
    let name = options.output.clone().unwrap_or_else(|| url.file_name().to_owned());
    let offset = resume_from(context, &options, &name)?;
    let mut response = open(context, &options, url, offset).await?;
    match place(&options, &response, offset)? {
        Placed::At(place) => {
            let output = output(context, &name, place, offset)?;
            save(context, &options, &mut response, &name, output, place).await?;
        }
        Placed::Complete => remark(context, &options, &format!("'{name}' is complete\n")).await,
    }
    Ok(Status::SUCCESS)
}

/// Finds the destination of the body.
fn place(options: &Options, response: &Response, offset: u64) -> Result<Placed, Failure> {
    let requested = Requested {
        offset,
        has_range: options.fields.contains_key(RANGE),
        has_coding: options.fields.contains_key(ACCEPT_ENCODING),
    };
    resume::placed(response.status, &response.fields, &requested).map_err(|why| match why {
        ResumeError::Refused => Failure::new(format!("{why}: {}", shown::line(&response.line))),
        why => Failure::new(why.to_string()),
    })
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        quiet: false,
        show_head: false,
        resume: false,
        output: None,
        read_timeout: READ_TIMEOUT,
        fields: HeaderMap::new(),
        post: None,
        family: Family::Any,
        url: String::new(),
    };
    let mut urls = Vec::new();
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('q') => chosen.quiet = true,
            Short('S') => chosen.show_head = true,
            Short('c') => chosen.resume = true,
            Short('4') => chosen.family = Family::V4,
            Short('6') => chosen.family = Family::V6,
            Short('O') => chosen.output = Some(options.value()?.string()?),
            Short('T') => {
                chosen.read_timeout = sleep::parsed(&options.value()?.string()?)?;
            }
            Long("header") => {
                let text = options.value()?.string()?;
                let (name, value) = field(&text).ok_or_else(|| {
                    Failure::usage(format!("{}: bad header", text.escape_default()))
                })?;
                // A body whose framing is not its own would be another request on the wire.
                if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
                    return Err(Failure::usage(format!("{name}: follows from the body")));
                }
                // One name, one server (RFC 9112 §3.2).
                if name == HOST && chosen.fields.contains_key(HOST) {
                    return Err(Failure::usage(format!("{name}: given twice")));
                }
                chosen.fields.append(name, value);
            }
            Long("post-data") => chosen.post = Some(options.value()?.string()?),
            Value(url) => urls.push(url.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    match <[String; 1]>::try_from(urls) {
        Ok([url]) => Ok(Options { url, ..chosen }),
        Err(_) => Err(Failure::usage("one URL is needed")),
    }
}

/// `NAME: VALUE`.
fn field(text: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = text.split_once(':')?;
    Some((name.trim().parse().ok()?, HeaderValue::from_bytes(value.trim().as_bytes()).ok()?))
}

/// Returns the size of the existing part.
fn resume_from(context: &Context, options: &Options, name: &str) -> Result<u64, Failure> {
    if !options.resume || name == "-" {
        return Ok(0);
    }
    match context.files.stat(name) {
        Ok(attributes) => Ok(attributes.size),
        Err(Error::NotFound) => Ok(0),
        Err(why) => Err(Failure::of(name, why)),
    }
}

async fn remark(context: &Context, options: &Options, text: &str) {
    if !options.quiet {
        context.streams.error.remark(text).await;
    }
}

/// Draws the progress in place of the one before.
async fn redraw(context: &Context, options: &Options, line: &str) {
    // As elsewhere, only who looks at it sees it.
    if !options.quiet && context.streams.error.terminal.is_some() {
        let _ = context.streams.error.file.write_all(line.as_bytes()).await;
    }
}

/// Follows redirects to the final response.
async fn open(
    context: &Context,
    options: &Options,
    url: Url,
    offset: u64,
) -> Result<Response, Failure> {
    let body = options.post.clone().map(Bytes::from);
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let mut hop = Hop { url, method, body, fields: options.fields.clone() };
    for _ in 0..=REDIRECTS {
        let response = ask(context, options, &hop, offset).await?;
        if options.show_head {
            context.streams.error.remark(&head_lines(&response)).await;
        }
        match hop.next(response.status, &response.fields) {
            Ok(None) => return Ok(response),
            Ok(Some(next)) => hop = next,
            Err((location, why)) => return Err(Failure::of(location, why)),
        }
    }
    Err(Failure::new("too many redirections"))
}

/// The head of a response as `-S` shows it.
fn head_lines(response: &Response) -> String {
    let mut text = format!("  {}\n", shown::line(&response.line));
    for (name, value) in &response.fields {
        text.push_str(&format!("  {}: {}\n", title(name), value.as_bytes().escape_ascii()));
    }
    text
}

/// The name of a field as it is usually written.
pub(super) fn title(name: &HeaderName) -> String {
    name.as_str().split('-').map(capitalized).collect::<Vec<_>>().join("-")
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Sends one request and reads the head of the response.
async fn ask(
    context: &Context,
    options: &Options,
    hop: &Hop,
    offset: u64,
) -> Result<Response, Failure> {
    let host = hop.url.host();
    let clock = context.platform.clock.as_ref();
    let connection = connect(context, options, &host, hop.url.port()).await?;
    // Print this only after success: a failure prints one line.
    remark(context, options, &format!("Connected to {host} ({})\n", connection.remote)).await;
    let request = request(hop, offset).map_err(|why| Failure::of(hop.url.target(), why))?;
    // The limit is for the whole head, interim responses included.
    let exchange = async { Ok(client::send(connection.file, request).await) };
    let response = within(clock, Some(options.read_timeout), exchange).await;
    response.map_err(|why| Failure::of(&host, why))?.map_err(|why| Failure::of(&host, why))
}

async fn connect(
    context: &Context,
    options: &Options,
    host: &str,
    port: u16,
) -> Result<Connection, Failure> {
    let clock = context.platform.clock.as_ref();
    let read_timeout = Some(options.read_timeout);
    let (sockets, name) =
        Sockets::routed(&context.files).zoned(host).await.map_err(|why| unresolved(host, why))?;
    let addresses = within(clock, read_timeout, sockets.resolve(&name, options.family))
        .await
        .map_err(|why| unresolved(host, why))?;
    let connect = async { Ok(sockets.connect_any(&addresses, port).await) };
    let refused =
        |who: &str, why| Failure::new(format!("can't connect to remote host ({who}): {why}"));
    match within(clock, read_timeout, connect).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err((address, why))) => Err(refused(&address.to_string(), why)),
        Err(why) => Err(refused(host, why)),
    }
}

fn unresolved(host: &str, why: Error) -> Failure {
    match why {
        Error::NotFound | Error::InvalidInput => Failure::new(format!("bad address '{host}'")),
        why => Failure::new(format!("can't resolve '{host}': {}", sockets::unresolved(why))),
    }
}

fn request(hop: &Hop, offset: u64) -> http::Result<Request<Full<Bytes>>> {
    let mut fields = HeaderMap::new();
    fields.insert(HOST, HeaderValue::from_str(&hop.url.authority())?);
    fields.insert(USER_AGENT, HeaderValue::from_static("devnet"));
    fields.insert(ACCEPT, HeaderValue::from_static("*/*"));
    // Save the document itself, not an encoding of it.
    fields.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    fields.insert(CONNECTION, HeaderValue::from_static("close"));
    // Only GET has ranges (RFC 9110 §14.2).
    if offset > 0 && hop.method == Method::GET {
        fields.insert(RANGE, HeaderValue::from_str(&format!("bytes={offset}-"))?);
    }
    hop.request(fields)
}

async fn save(
    context: &Context,
    options: &Options,
    response: &mut Response,
    name: &str,
    output: Output,
    place: Place,
) -> Result<(), Failure> {
    let Output { name: target, mut file } = output;
    let failed = |why| Failure::of_write(&target, why);
    let clock = context.platform.clock.as_ref();
    let length = client::content_length(&response.fields);
    let mut progress = Progress::new(name, length, clock.now());
    let mut left = place.count;
    loop {
        let piece = within(clock, Some(options.read_timeout), response.next()).await;
        let Some(bytes) =
            piece.map_err(|why| Failure::new(format!("connection closed prematurely: {why}")))?
        else {
            break;
        };
        if let Some(left) = &mut left {
            *left = left
                .checked_sub(bytes.len() as u64)
                .ok_or_else(|| Failure::new("the server sent more than it said"))?;
        }
        file.write(&bytes).await.map_err(failed)?;
        if let Some(line) = progress.add(bytes.len() as u64, clock.now()) {
            redraw(context, options, &line).await;
        }
    }
    if left.is_some_and(|left| left > 0) {
        return Err(Failure::new("the server sent less than it said"));
    }
    file.finish().map_err(failed)?;
    redraw(context, options, &progress.finish(clock.now())).await;
    let end = place.offset.saturating_add(place.count.unwrap_or_default());
    match place.total {
        Some(total) if end < total => {
            Err(Failure::new(format!("the server sent {end} of {total} bytes: not complete")))
        }
        _ => Ok(()),
    }
}

/// Where the document goes.
struct Output {
    /// As messages call it.
    name: Arc<str>,
    file: Replaced,
}

/// Open it only now, so that a failed request leaves no empty file. `size` bytes of it are resumed.
fn output(context: &Context, name: &str, place: Place, size: u64) -> Result<Output, Failure> {
    if name == "-" {
        let Stream { name, file, .. } = context.streams.output.clone();
        return Ok(Output { name, file: Replaced::new(file, 0) });
    }
    let mut flags = OpenFlags::WRITE | OpenFlags::CREATE;
    // A whole document in place of a part is compared with it.
    let old = if place.offset == 0 { size } else { 0 };
    flags.set(OpenFlags::READ, old > 0);
    flags.set(OpenFlags::TRUNCATE, size == 0);
    let file = context.files.open(name, flags).map_err(|why| Failure::of(name, why))?;
    if place.offset > 0 {
        file.seek(SeekFrom::Start(place.offset)).map_err(|why| Failure::of(name, why))?;
    }
    Ok(Output { name: name.into(), file: Replaced::new(file, old) })
}
