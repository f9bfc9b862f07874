//! `wget`: fetches a document by HTTP. It streams: memory does not grow with the document.

use std::time::Duration;

use embedded_io_async::SeekFrom;
use lexopt::prelude::*;
use virtual_file_system::{Error, OpenFlags};

use super::sleep;
use crate::context::{Context, Stream};
use crate::failure::{Failure, Outcome};
use crate::http::body::Body;
use crate::http::head::{Buffered, Found};
use crate::http::response::Response;
use crate::http::url::Url;
use crate::render::progress::Progress;
use crate::shell::status::Status;
use crate::sockets::{self, Connection, Family, Sockets, within};

/// Redirects that are followed.
const REDIRECTS: usize = 10;
/// How long a server may say nothing, unless asked otherwise (GNU wget's is 900 s).
const PATIENCE: Duration = Duration::from_secs(60);

struct Options {
    quiet: bool,
    show_head: bool,
    resume: bool,
    output: Option<String>,
    patience: Duration,
    fields: Vec<String>,
    post: Option<String>,
    family: Family,
    url: String,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let url = Url::parse(&options.url).map_err(|why| Failure::of(&options.url, why))?;
    // The name is that of the document that was asked for, wherever redirects lead.
    let name = options.output.clone().unwrap_or_else(|| url.file_name().to_owned());
    let offset = resume_from(context, &options, &name)?;
    let mut transfer = open(context, &options, url, offset).await?;
    if offset > 0 && transfer.response.code == 416 {
        remark(context, &options, &format!("'{name}' is complete\n")).await;
        return Ok(Status::SUCCESS);
    }
    if !(200..300).contains(&transfer.response.code) {
        return Err(Failure::new(format!("server returned error: {}", transfer.response.line)));
    }
    let offset = if transfer.response.code == 206 { offset } else { 0 };
    transfer.save(context, &options, &name, offset).await?;
    Ok(Status::SUCCESS)
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options {
        quiet: false,
        show_head: false,
        resume: false,
        output: None,
        patience: PATIENCE,
        fields: Vec::new(),
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
                let text = options.value()?.string()?;
                chosen.patience = sleep::duration(&text)
                    .ok_or_else(|| Failure::usage(format!("{text}: bad duration")))?;
            }
            Long("header") => {
                let field = options.value()?.string()?;
                if !field.contains(':') || field.contains(['\r', '\n']) {
                    return Err(Failure::usage(format!("{}: bad header", field.escape_default())));
                }
                chosen.fields.push(field);
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

/// How many bytes of the document are there already.
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

/// An answer whose body is still to come.
struct Transfer {
    connection: Connection,
    buffered: Buffered,
    response: Response,
}

/// Follows redirects to the answer.
async fn open(
    context: &Context,
    options: &Options,
    mut url: Url,
    offset: u64,
) -> Result<Transfer, Failure> {
    for _ in 0..=REDIRECTS {
        let transfer = ask(context, options, &url, offset).await?;
        if options.show_head {
            let Response { line, fields, .. } = &transfer.response;
            let mut text = format!("  {line}\n");
            for (name, value) in fields {
                text.push_str(&format!("  {name}: {}\n", value.escape_default()));
            }
            context.streams.error.remark(&text).await;
        }
        let location = match transfer.response.code {
            301 | 302 | 303 | 307 | 308 => transfer.response.field("Location"),
            _ => None,
        };
        match location {
            None => return Ok(transfer),
            Some(location) => {
                url = url
                    .join(location)
                    .map_err(|why| Failure::of(location.escape_default(), why))?;
            }
        }
    }
    Err(Failure::new("too many redirections"))
}

/// Sends one request and reads the head of the answer.
async fn ask(
    context: &Context,
    options: &Options,
    url: &Url,
    offset: u64,
) -> Result<Transfer, Failure> {
    let Url { host, port, target, .. } = url;
    let clock = context.platform.clock.as_ref();
    let patience = Some(options.patience);
    let sockets = Sockets::routed(&context.files);
    let addresses = within(clock, patience, sockets.resolve(host, options.family))
        .await
        .map_err(|why| unresolved(host, why))?;
    let connect = async { Ok(sockets.connect_any(&addresses, *port).await) };
    let connection = match within(clock, patience, connect).await {
        Ok(Ok(connection)) => connection,
        Ok(Err((address, why))) => {
            return Err(Failure::new(format!("can't connect to remote host ({address}): {why}")));
        }
        Err(why) => {
            return Err(Failure::new(format!("can't connect to remote host ({host}): {why}")));
        }
    };
    // Said once it is true: a failure has one line.
    remark(context, options, &format!("Connected to {host} ({})\n", connection.remote)).await;
    let broken = |why| Failure::of(host, why);
    let request = request(options, url, target, offset);
    within(clock, patience, connection.file.write_all(&request)).await.map_err(broken)?;
    let mut buffered = Buffered::default();
    loop {
        let length = match within(clock, patience, buffered.find_head(&connection.file))
            .await
            .map_err(broken)?
        {
            Found::Head(length) => length,
            Found::End | Found::TooLong => return Err(Failure::of(host, "the answer is not HTTP")),
        };
        let head = buffered.bytes().get(..length).unwrap_or_default();
        let response =
            Response::parse(head).ok_or_else(|| Failure::of(host, "the answer is not HTTP"))?;
        buffered.consume(length);
        // Interim answers are followed by the answer (RFC 9110 §15.2).
        if !(100..200).contains(&response.code) {
            return Ok(Transfer { connection, buffered, response });
        }
    }
}

fn unresolved(host: &str, why: Error) -> Failure {
    match why {
        Error::NotFound | Error::InvalidInput => Failure::new(format!("bad address '{host}'")),
        why => Failure::new(format!("can't resolve '{host}': {}", sockets::unresolved(why))),
    }
}

fn request(options: &Options, url: &Url, target: &str, offset: u64) -> Vec<u8> {
    let verb = if options.post.is_some() { "POST" } else { "GET" };
    let mut text = format!("{verb} {target} HTTP/1.1\r\n");
    let is_given = |name: &str| {
        options.fields.iter().any(|field| {
            field.split(':').next().is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
    };
    let mut add = |name: &str, value: &str| {
        if !is_given(name) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    };
    add("Host", &url.authority());
    add("User-Agent", "devnet");
    add("Accept", "*/*");
    add("Connection", "close");
    if offset > 0 {
        add("Range", &format!("bytes={offset}-"));
    }
    if let Some(post) = &options.post {
        add("Content-Type", "application/x-www-form-urlencoded");
        add("Content-Length", &post.len().to_string());
    }
    for field in &options.fields {
        text.push_str(&format!("{field}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(options.post.as_deref().unwrap_or_default());
    text.into_bytes()
}

impl Transfer {
    async fn save(
        &mut self,
        context: &Context,
        options: &Options,
        name: &str,
        offset: u64,
    ) -> Result<(), Failure> {
        let framing =
            self.response.framing().ok_or_else(|| Failure::new("the answer contradicts itself"))?;
        let output = self.output(context, name, offset)?;
        let clock = context.platform.clock.as_ref();
        let length = self.response.field("Content-Length").and_then(|length| length.parse().ok());
        let shown = if name == "-" { "-" } else { name };
        let mut progress = Progress::new(shown, length, clock.now());
        let mut body = Body::new(framing);
        loop {
            let next = body.next(&self.connection.file, &mut self.buffered);
            let piece = within(clock, Some(options.patience), next).await;
            let Some(count) = piece
                .map_err(|why| Failure::new(format!("connection closed prematurely: {why}")))?
            else {
                break;
            };
            let bytes = self.buffered.bytes().get(..count).unwrap_or_default();
            output
                .file
                .write_all(bytes)
                .await
                .map_err(|why| Failure::of_write(&output.name, why))?;
            self.buffered.consume(count);
            if let Some(line) = progress.add(count as u64, clock.now()) {
                remark(context, options, &line).await;
            }
        }
        remark(context, options, &progress.finish(clock.now())).await;
        Ok(())
    }

    /// Opened only now, so that a failed request leaves no empty file.
    fn output(&self, context: &Context, name: &str, offset: u64) -> Result<Stream, Failure> {
        if name == "-" {
            return Ok(context.streams.output.clone());
        }
        let mut flags = OpenFlags::WRITE | OpenFlags::CREATE;
        flags.set(OpenFlags::TRUNCATE, offset == 0);
        let file = context.files.open(name, flags).map_err(|why| Failure::of(name, why))?;
        if offset > 0 {
            file.seek(SeekFrom::Start(offset)).map_err(|why| Failure::of(name, why))?;
        }
        Ok(Stream::new(file, name))
    }
}
