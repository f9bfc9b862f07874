//! The server: connections, answers, files. Used by `httpd` and by the embedded `web.lan`.
//!
//! Every connection is a task of the server's own future, so dropping that future closes them all.
//! Only regular files and directories are served; a path below the served directory cannot leave
//! it, since the file tree has no links.

use std::time::Duration;

use async_executor::Executor;
use async_lock::Semaphore;
use embedded_io_async::SeekFrom;
use network::command::Shutdown;
use network::command::socket::Direction;
use virtual_file_system::{Error, File, NodeKind, OpenFlags, Result};

use super::head::{Buffered, Found};
use super::request::{self, Refusal, Request};
use super::target;
use crate::context::{Files, Platform, Stream};
use crate::limits;
use crate::sockets::{Connection, Listener, within};

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(60);
/// How long a client may take no byte.
const STALLED: Duration = Duration::from_secs(120);
/// How long, and for how many bytes, a refused client may go on talking before the connection is
/// cut.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_READS: usize = 16;
/// How long to wait after a failure that hits every connection.
const PAUSE: Duration = Duration::from_millis(100);

/// What is served, and with what.
pub struct Server {
    /// The file tree.
    pub files: Files,
    /// The served directory, an absolute path.
    pub root: String,
    /// The clock for timeouts.
    pub platform: Platform,
    /// Where a line for each request goes.
    pub log: Option<Stream>,
}

/// A body: text of ours, or part of a file.
enum Content {
    Text(String),
    File { file: File, length: u64 },
}

struct Answer {
    line: &'static str,
    kind: &'static str,
    fields: String,
    content: Content,
}

impl Answer {
    fn text(line: &'static str, kind: &'static str, text: String) -> Self {
        Self { line, kind, fields: String::new(), content: Content::Text(text) }
    }

    fn refusal(refusal: Refusal) -> Self {
        let line = refusal.line();
        let mut answer = Self::text(line, "text/plain; charset=utf-8", format!("{line}\n"));
        if refusal == Refusal::MethodNotAllowed {
            answer.fields = String::from("Allow: GET, HEAD\r\n");
        }
        answer
    }

    const fn length(&self) -> u64 {
        match &self.content {
            Content::Text(text) => text.len() as u64,
            Content::File { length, .. } => *length,
        }
    }
}

impl Server {
    /// Serves connections until the listener fails.
    ///
    /// # Errors
    /// The listener's.
    ///
    /// # Cancel safety
    /// Dropping the future ends every connection.
    pub async fn serve(&self, listener: &Listener) -> Result<()> {
        let places = Semaphore::new(limits::HTTP_CONNECTIONS);
        let connections = Executor::new();
        let accept = async {
            loop {
                let place = places.acquire().await;
                match listener.accept().await {
                    Ok(connection) => {
                        let serve = async move {
                            let _place = place;
                            // A connection that breaks concerns nobody else.
                            let _ = self.converse(&connection).await;
                        };
                        connections.spawn(serve).detach();
                    }
                    Err(why @ (Error::NetworkDown | Error::NoDevice | Error::NotConnected)) => {
                        return Err(why);
                    }
                    Err(_) => self.pause().await,
                }
            }
        };
        connections.run(accept).await
    }

    async fn pause(&self) {
        let clock = &self.platform.clock;
        clock.sleep_until(clock.now().after(PAUSE)).await;
    }

    /// Answers the requests of one connection until one of the two ends it.
    async fn converse(&self, connection: &Connection) -> Result<()> {
        let mut buffered = Buffered::default();
        loop {
            let clock = self.platform.clock.as_ref();
            let request =
                match within(clock, Some(IDLE), buffered.find_head(&connection.file)).await? {
                    Found::End => return Ok(()),
                    Found::TooLong => Err(request::too_long(buffered.bytes())),
                    Found::Head(length) => {
                        let request =
                            request::parse(buffered.bytes().get(..length).unwrap_or_default());
                        buffered.consume(length);
                        request
                    }
                };
            let (answer, head_only, keep_alive) = match &request {
                Ok(request) => (self.answer(request).await, request.head_only, request.keep_alive),
                Err(refusal) => (Answer::refusal(*refusal), false, false),
            };
            self.log(connection, request.as_ref().ok(), &answer).await;
            self.send(&connection.file, &answer, head_only, keep_alive).await?;
            if !keep_alive {
                return self.linger(&connection.file).await;
            }
        }
    }

    async fn log(&self, connection: &Connection, request: Option<&Request>, answer: &Answer) {
        if let Some(log) = &self.log {
            let target = request.map_or("-", |request| request.target.as_str()).escape_default();
            let line =
                format!("{} {target} {} {}\n", connection.remote, answer.line, answer.length());
            log.remark(&line).await;
        }
    }

    async fn answer(&self, request: &Request) -> Answer {
        match self.find(request) {
            Ok(answer) => answer,
            Err(
                Error::NotFound | Error::NotADirectory | Error::NameTooLong | Error::InvalidInput,
            ) => Answer::refusal(Refusal::NotFound),
            Err(Error::AccessDenied | Error::PermissionDenied) => {
                Answer::refusal(Refusal::Forbidden)
            }
            Err(_) => Answer::refusal(Refusal::Failed),
        }
    }

    fn find(&self, request: &Request) -> Result<Answer> {
        let path = format!("{}/{}", self.root.trim_end_matches('/'), request.path);
        match self.files.stat(&path)?.kind {
            NodeKind::Regular if request.path.is_empty() || !ends_with_slash(&request.target) => {
                self.file(&path, request)
            }
            NodeKind::Regular | NodeKind::CharacterDevice => Err(Error::NotFound),
            NodeKind::Directory if !ends_with_slash(&request.target) => Ok(moved(&request.path)),
            NodeKind::Directory => {
                let index = format!("{}/index.html", path.trim_end_matches('/'));
                match self.files.stat(&index).map(|attributes| attributes.kind) {
                    Ok(NodeKind::Regular) => self.file(&index, request),
                    _ => self.listing(&path, request),
                }
            }
        }
    }

    fn file(&self, path: &str, request: &Request) -> Result<Answer> {
        let file = self.files.open(path, OpenFlags::READ)?;
        let size = file.stat()?.size;
        let kind = content_type(path);
        let fields = String::from("Accept-Ranges: bytes\r\n");
        let Some(range) = request.range else {
            return Ok(Answer {
                line: "200 OK",
                kind,
                fields,
                content: Content::File { file, length: size },
            });
        };
        let Some((first, length)) = range.within(size) else {
            let mut answer = Answer::text(
                "416 Range Not Satisfiable",
                "text/plain; charset=utf-8",
                String::new(),
            );
            answer.fields = format!("Content-Range: bytes */{size}\r\n");
            return Ok(answer);
        };
        file.seek(SeekFrom::Start(first))?;
        let last = first.saturating_add(length).saturating_sub(1);
        let fields = format!("{fields}Content-Range: bytes {first}-{last}/{size}\r\n");
        Ok(Answer {
            line: "206 Partial Content",
            kind,
            fields,
            content: Content::File { file, length },
        })
    }

    fn listing(&self, path: &str, request: &Request) -> Result<Answer> {
        let title = target::escape(&format!("/{}", request.path));
        let mut text = format!("<!DOCTYPE html>\n<title>{title}</title>\n<h1>{title}</h1>\n<ul>\n");
        if !request.path.is_empty() {
            text.push_str("<li><a href=\"../\">../</a></li>\n");
        }
        for entry in self.files.list(path)? {
            let slash = match entry.kind {
                NodeKind::Directory => "/",
                NodeKind::Regular => "",
                NodeKind::CharacterDevice => continue,
            };
            let (link, name) = (target::encode(&entry.name), target::escape(&entry.name));
            text.push_str(&format!("<li><a href=\"{link}{slash}\">{name}{slash}</a></li>\n"));
        }
        text.push_str("</ul>\n");
        Ok(Answer::text("200 OK", "text/html; charset=utf-8", text))
    }

    async fn send(
        &self,
        stream: &File,
        answer: &Answer,
        head_only: bool,
        keep_alive: bool,
    ) -> Result<()> {
        let Answer { line, kind, fields, content } = answer;
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let mut bytes = format!(
            "HTTP/1.1 {line}\r\nServer: devnet\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{fields}Connection: {connection}\r\n\r\n",
            answer.length()
        )
        .into_bytes();
        if let (Content::Text(text), false) = (content, head_only) {
            bytes.extend_from_slice(text.as_bytes());
        }
        self.write(stream, &bytes).await?;
        let Content::File { file, length } = content else { return Ok(()) };
        let mut left = if head_only { 0 } else { *length };
        let mut buffer = vec![0; limits::COPY_BYTES];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let count = file.read(buffer.get_mut(..wanted).unwrap_or_default()).await?;
            if count == 0 {
                // The file became shorter meanwhile: only the end of the connection can say so.
                return Err(Error::InputOutput);
            }
            self.write(stream, buffer.get(..count).unwrap_or_default()).await?;
            left = left.saturating_sub(count as u64);
        }
        Ok(())
    }

    async fn write(&self, stream: &File, bytes: &[u8]) -> Result<()> {
        within(self.platform.clock.as_ref(), Some(STALLED), stream.write_all(bytes)).await
    }

    /// Ends our direction and takes what the client still sends: closing over unread data would
    /// reset the connection, and the answer might be lost (RFC 9112 §9.6).
    async fn linger(&self, stream: &File) -> Result<()> {
        stream.control::<Shutdown>(&Direction::Write).await?;
        let drain = async {
            let mut buffer = vec![0; limits::COPY_BYTES];
            for _ in 0..LINGER_READS {
                if stream.read(&mut buffer).await? == 0 {
                    break;
                }
            }
            Ok(())
        };
        within(self.platform.clock.as_ref(), Some(LINGER), drain).await
    }
}

fn ends_with_slash(target: &str) -> bool {
    target.split(['?', '#']).next().is_some_and(|path| path.ends_with('/'))
        || !target.starts_with('/')
}

/// A directory without the final `/`, where relative links would lead elsewhere.
fn moved(path: &str) -> Answer {
    let encoded: Vec<String> = path.split('/').map(target::encode).collect();
    let mut answer =
        Answer::text("301 Moved Permanently", "text/plain; charset=utf-8", String::new());
    answer.fields = format!("Location: /{}/\r\n", encoded.join("/"));
    answer
}

fn content_type(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" | "htm" => "text/html; charset=utf-8",
        "txt" | "md" | "sh" | "log" => "text/plain; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
