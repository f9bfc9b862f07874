//! `curl`: fetches documents by HTTP, with the options, messages and statuses of curl 7.88. It
//! streams: memory does not grow with the document.

mod options;

use std::time::Duration;

use devnet_virtual_file_system::{Error, File, OpenFlags};
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;

use self::options::{Options, Output};
use super::wget::title;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::http::client::{self, Response};
use crate::http::redirect::Hop;
use crate::http::url::{Url, UrlError};
use crate::render::meter::{self, Meter};
use crate::shown;
use crate::sockets::{Connection, Sockets, within};
use crate::status::Status;

/// A failure with curl's number before its message.
fn failed(status: u8, message: impl Into<String>) -> Failure {
    let message = match status {
        2 => message.into(),
        status => format!("({status}) {}", message.into()),
    };
    Failure { status: Status(status), message }
}

/// What `-w` can tell of a transfer.
#[derive(Default)]
struct Transfer {
    code: u16,
    bytes: u64,
    redirects: usize,
    url: String,
    remote: Option<std::net::SocketAddr>,
    content_type: String,
    took: Duration,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = options::parse(context).await?;
    let mut status = Status::SUCCESS;
    for (place, url) in options.urls.iter().enumerate() {
        let mut transfer = Transfer::default();
        let clock = context.platform.clock.as_ref();
        let before = clock.now();
        let fetched = async { Ok(fetch(context, &options, url, place, &mut transfer).await) };
        let fetched = within(clock, options.longest, fetched).await;
        transfer.took = clock.now().since(before);
        let fetched = fetched.unwrap_or_else(|_| {
            let (millis, bytes) = (transfer.took.as_millis(), transfer.bytes);
            let what = format!("Operation timed out after {millis} milliseconds");
            Err(failed(28, format!("{what} with {bytes} bytes received")))
        });
        if !options.write_out.is_empty() {
            context.print(&told(&options.write_out, &transfer)).await?;
        }
        if let Err(why) = fetched {
            status = why.status;
            if !options.silent || options.show_error {
                context.complain(&why.message).await;
            }
        }
    }
    Ok(status)
}

/// Fetches one document, with redirects if they are followed.
async fn fetch(
    context: &Context,
    options: &Options,
    text: &str,
    place: usize,
    transfer: &mut Transfer,
) -> Result<(), Failure> {
    let mut text = text.to_owned();
    if let Some(data) = options.data.as_ref().filter(|_| options.in_query) {
        let mark = if text.contains('?') { '&' } else { '?' };
        text = format!("{text}{mark}{}", String::from_utf8_lossy(data));
    }
    let url = Url::parse(&text).map_err(|why| match why {
        UrlError::Scheme => failed(1, "Protocol not supported: only http is"),
        UrlError::Malformed => failed(3, "URL using bad/illegal format or missing URL"),
    })?;
    let file = match options.outputs.get(place) {
        None => None,
        Some(Output::File(name)) if name == "-" => None,
        Some(Output::File(name)) => Some(name.clone()),
        Some(Output::SameName) => Some(url.file_name().to_owned()),
    };
    let body = options.data.clone().filter(|_| !options.in_query).map(Bytes::from);
    let method = options.method.clone().unwrap_or(match &body {
        _ if options.head_only => Method::HEAD,
        Some(_) => Method::POST,
        None => Method::GET,
    });
    let mut hop = Hop { url, method, body, fields: options.fields.clone() };
    let mut output = None;
    loop {
        transfer.url = format!("http://{}{}", hop.url.authority(), hop.url.target());
        let mut response = ask(context, options, &hop, transfer).await?;
        transfer.code = response.status.as_u16();
        let kind = response.fields.get(CONTENT_TYPE);
        transfer.content_type = kind.map_or_else(String::new, shown_value);
        let next = match options.follows {
            true => hop.next(response.status, &response.fields).map_err(|(location, why)| {
                failed(3, format!("redirected to {}: {why}", shown::line(&location)))
            })?,
            false => None,
        };
        if options.fails && response.status.as_u16() >= 400 {
            let what = format!("The requested URL returned error: {}", transfer.code);
            return Err(failed(22, what));
        }
        if options.include_head || options.head_only {
            let head = head(&response);
            write(context, file.as_deref(), &mut output, head.as_bytes()).await?;
        }
        match next {
            Some(_) if transfer.redirects >= options.redirects => {
                let what = format!("Maximum ({}) redirects followed", options.redirects);
                return Err(failed(47, what));
            }
            Some(next) => {
                transfer.redirects += 1;
                hop = next;
            }
            None => {
                let mut shown = Shown::new(context, options, file.is_some(), &response).await;
                let saved = save(
                    context,
                    file.as_deref(),
                    &mut output,
                    &mut response,
                    transfer,
                    &mut shown,
                );
                let outcome = saved.await;
                shown.finish(context).await;
                return outcome;
            }
        }
    }
}

/// The meter, which is for somebody at a terminal whom the document does not disturb.
struct Shown(Option<Meter>);

impl Shown {
    async fn new(context: &Context, options: &Options, is_file: bool, response: &Response) -> Self {
        let crate::context::Streams { output, error, .. } = &context.streams;
        let is_apart = is_file || output.terminal.is_none();
        if options.silent || error.terminal.is_none() || !is_apart || options.head_only {
            return Self(None);
        }
        let _ = error.file.write_all(meter::HEAD.as_bytes()).await;
        let total = client::content_length(&response.fields);
        Self(Some(Meter::new(total, context.platform.clock.now())))
    }

    async fn draw(context: &Context, row: &str) {
        // The return that begins a row is no text.
        let _ = context.streams.error.file.write_all(row.as_bytes()).await;
    }

    async fn add(&mut self, context: &Context, bytes: u64) {
        let now = context.platform.clock.now();
        if let Some(row) = self.0.as_mut().and_then(|meter| meter.add(bytes, now)) {
            Self::draw(context, &row).await;
        }
    }

    async fn finish(self, context: &Context) {
        if let Some(meter) = self.0 {
            Self::draw(context, &meter.finish(context.platform.clock.now())).await;
        }
    }
}

async fn save(
    context: &Context,
    name: Option<&str>,
    output: &mut Option<File>,
    response: &mut Response,
    transfer: &mut Transfer,
    shown: &mut Shown,
) -> Result<(), Failure> {
    loop {
        match response.next().await {
            Ok(Some(bytes)) => {
                shown.add(context, bytes.len() as u64).await;
                transfer.bytes += bytes.len() as u64;
                write(context, name, output, &bytes).await?;
            }
            // An empty document makes an empty file.
            Ok(None) => return write(context, name, output, b"").await,
            Err(Error::ConnectionReset) => {
                let what = "transfer closed with outstanding read data remaining";
                return Err(failed(18, what));
            }
            Err(why) => return Err(failed(56, format!("Recv failure: {why}"))),
        }
    }
}

/// Writes to the output, or to a file that is opened with the first bytes.
async fn write(
    context: &Context,
    name: Option<&str>,
    output: &mut Option<File>,
    bytes: &[u8],
) -> Result<(), Failure> {
    let Some(name) = name else { return context.print_bytes(bytes).await };
    let failed = |why| failed(23, format!("Failed writing {name}: {why}"));
    let file = match output {
        Some(file) => file,
        none => {
            let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
            none.insert(context.files.open(name, flags).map_err(failed)?)
        }
    };
    file.write_all(bytes).await.map_err(failed)
}

/// Sends one request and reads the head of the response.
async fn ask(
    context: &Context,
    options: &Options,
    hop: &Hop,
    transfer: &mut Transfer,
) -> Result<Response, Failure> {
    let host = hop.url.host();
    let clock = context.platform.clock.as_ref();
    let before = clock.now();
    let connecting = async { Ok(connect(context, options, &host, hop.url.port()).await) };
    let connection = match within(clock, options.connect_longest, connecting).await {
        Ok(connection) => connection?,
        Err(_) => {
            let millis = clock.now().since(before).as_millis();
            return Err(failed(28, format!("Connection timed out after {millis} milliseconds")));
        }
    };
    transfer.remote = Some(connection.remote);
    let request = request(hop, options)
        .map_err(|_| failed(3, "URL using bad/illegal format or missing URL"))?;
    if options.verbose {
        let target = format!("{} {} HTTP/1.1", request.method(), hop.url.target());
        let text = lines("> ", &shown::line(&target), request.headers());
        context.streams.error.remark(&text).await;
    }
    let response = client::send(connection.file, request).await.map_err(|why| match why {
        client::ClientError::Stream(why) => failed(56, format!("Recv failure: {why}")),
        client::ClientError::NotHttp => {
            failed(52, "Empty reply from server, or one that is no HTTP")
        }
        why => failed(8, format!("Weird server reply: {why}")),
    })?;
    if options.verbose {
        let text = lines("< ", &shown::line(&response.line), &response.fields);
        context.streams.error.remark(&text).await;
    }
    Ok(response)
}

async fn connect(
    context: &Context,
    options: &Options,
    host: &str,
    port: u16,
) -> Result<Connection, Failure> {
    let unresolved = |_| failed(6, format!("Could not resolve host: {host}"));
    let routed = Sockets::routed(&context.files);
    let (sockets, name) = routed.zoned(host).await.map_err(unresolved)?;
    let addresses = sockets.resolve(&name, options.family).await.map_err(unresolved)?;
    let clock = context.platform.clock.as_ref();
    let before = clock.now();
    sockets.connect_any(&addresses, port).await.map_err(|(_, why)| {
        let after = format!("after {} ms: {why}", clock.now().since(before).as_millis());
        failed(7, format!("Failed to connect to {host} port {port} {after}"))
    })
}

fn request(hop: &Hop, options: &Options) -> http::Result<Request<Full<Bytes>>> {
    let mut fields = HeaderMap::new();
    fields.insert(HOST, HeaderValue::from_str(&hop.url.authority())?);
    let agent = concat!("curl/7.88 (devnet ", env!("CARGO_PKG_VERSION"), ")");
    fields.insert(USER_AGENT, HeaderValue::from_static(agent));
    fields.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let mut request = hop.request(fields)?;
    for name in options.dropped.iter().filter(|name| !hop.fields.contains_key(*name)) {
        request.headers_mut().remove(name);
    }
    // One request for one connection.
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

fn shown_value(value: &HeaderValue) -> String {
    shown::line(&String::from_utf8_lossy(value.as_bytes())).into_owned()
}

/// The head of a response as it came, but for the case of names.
fn head(response: &Response) -> String {
    let mut text = format!("{}\r\n", shown::line(&response.line));
    for (name, value) in &response.fields {
        text.push_str(&format!("{}: {}\r\n", title(name), shown_value(value)));
    }
    text + "\r\n"
}

/// A head with a mark before each line; secrets are not shown.
fn lines(mark: &str, first: &str, fields: &HeaderMap) -> String {
    let mut text = format!("{mark}{first}\n");
    for (name, value) in fields {
        if value.is_sensitive() {
            text.push_str(&format!("{mark}{}: (secret)\n", title(name)));
        } else {
            text.push_str(&format!("{mark}{}: {}\n", title(name), shown_value(value)));
        }
    }
    text + mark + "\n"
}

/// `-w`: variables in `%{…}`, and `\n`, `\r`, `\t`.
fn told(format: &str, transfer: &Transfer) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, behind)) = rest.split_once(['%', '\\']) {
        text.push_str(before);
        let is_escape = rest.as_bytes().get(before.len()) == Some(&b'\\');
        let mut characters = behind.chars();
        rest = behind;
        if is_escape {
            let escaped = match characters.next() {
                Some('n') => "\n",
                Some('r') => "\r",
                Some('t') => "\t",
                Some('\\') => "\\",
                _ => {
                    text.push('\\');
                    continue;
                }
            };
            text.push_str(escaped);
            rest = characters.as_str();
        } else if let Some((name, behind)) =
            behind.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        {
            text.push_str(&variable(name, transfer));
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix('%') {
            text.push('%');
            rest = behind;
        } else {
            text.push('%');
        }
    }
    text + rest
}

fn variable(name: &str, transfer: &Transfer) -> String {
    match name {
        "http_code" | "response_code" => format!("{:03}", transfer.code),
        "size_download" => transfer.bytes.to_string(),
        "num_redirects" => transfer.redirects.to_string(),
        "url" | "url_effective" => transfer.url.clone(),
        "content_type" => transfer.content_type.clone(),
        "time_total" => format!("{:.6}", transfer.took.as_secs_f64()),
        "remote_ip" => transfer.remote.map_or_else(String::new, |remote| remote.ip().to_string()),
        "remote_port" => transfer.remote.map_or(0, |remote| remote.port()).to_string(),
        other => format!("(unknown variable {other})"),
    }
}
