//! Handles requests: responses with files, parts of files, listings, and errors.
//!
//! Only regular files and directories are served; a path below the served directory cannot leave
//! it, since the file tree has no links.

use std::sync::Arc;

use devnet_virtual_file_system::{Error, File, NodeKind, OpenFlags, Result};
use embedded_io_async::SeekFrom;
use http::header::{
    ACCEPT_RANGES, ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, LOCATION,
    SERVER,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::condition::{self, Wanted};
use super::content::{Content, Source};
use super::guard::Exchange;
use super::request::Request;
use super::target;
use crate::context::Files;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// A response before it is sent.
pub struct Answer {
    /// The code.
    pub status: StatusCode,
    fields: HeaderMap,
    content: Source,
}

impl Answer {
    /// An answer with content of a type.
    #[must_use]
    pub fn new(status: StatusCode, kind: &'static str, content: Source) -> Self {
        let mut answer = Self { status, fields: HeaderMap::new(), content };
        answer.fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        answer
    }

    /// The answer with a field; without it if its value cannot stand in a head.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.set(name, value);
        self
    }

    fn text(status: StatusCode, kind: &'static str, text: String) -> Self {
        Self::new(status, kind, Source::Text(text))
    }

    /// Counters (OpenMetrics 1.0).
    #[must_use]
    pub fn metrics(text: String) -> Self {
        Self::text(StatusCode::OK, METRICS, text)
    }

    /// Refuses a request with a message.
    #[must_use]
    pub fn refusal(status: StatusCode) -> Self {
        let mut answer = Self::text(status, TEXT, format!("{status}\n"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            answer.fields.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        answer
    }

    /// A status without a body, with one field.
    fn bare(status: StatusCode, name: HeaderName, value: &str) -> Self {
        Self::text(status, TEXT, String::new()).with(name, value)
    }

    fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.fields.insert(name, value);
        }
    }

    /// Bytes of the body, which HEAD leaves out; none if nobody knows yet.
    #[must_use]
    pub const fn length(&self) -> Option<u64> {
        self.content.length()
    }

    /// What stands in it.
    #[must_use]
    pub fn into_content(self) -> Source {
        self.content
    }

    /// The response for `hyper`.
    #[must_use]
    pub fn into_response(
        mut self,
        head_only: bool,
        keep_alive: bool,
        exchange: Arc<Exchange>,
    ) -> Response<Content> {
        self.fields.insert(SERVER, HeaderValue::from_static("devnet"));
        if self.status == StatusCode::NOT_MODIFIED {
            self.fields.remove(CONTENT_TYPE);
        } else if let Some(length) = self.content.length() {
            self.fields.insert(CONTENT_LENGTH, length.into());
        }
        if !keep_alive {
            self.fields.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let source = if head_only { Source::Text(String::new()) } else { self.content };
        let mut response = Response::new(Content::new(source, exchange));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.fields;
        response
    }

    /// The response as bytes, for a connection that `hyper` has abandoned.
    #[must_use]
    pub fn into_bytes(self, date: &str) -> Vec<u8> {
        let Self { status, fields, content } = self;
        let mut bytes = format!(
            "HTTP/1.1 {status}\r\nServer: devnet\r\nDate: {date}\r\nConnection: close\r\n\
             Content-Length: {}\r\n",
            content.length().unwrap_or_default()
        )
        .into_bytes();
        for (name, value) in &fields {
            let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"];
            bytes.extend(line.concat());
        }
        bytes.extend_from_slice(b"\r\n");
        if let Source::Text(text) = content {
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

/// The served directory.
pub struct Directory {
    /// The file tree.
    pub files: Files,
    /// The directory, an absolute path.
    pub root: String,
    /// Makes entity tags of this run differ from those of others.
    pub run: String,
}

impl Directory {
    /// Answers a request.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Answer {
        self.find(request).unwrap_or_else(|why| {
            Answer::refusal(match why {
                Error::NotFound
                | Error::NotADirectory
                | Error::NameTooLong
                | Error::InvalidInput => StatusCode::NOT_FOUND,
                Error::AccessDenied | Error::PermissionDenied => StatusCode::FORBIDDEN,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            })
        })
    }

    fn find(&self, request: &Request) -> Result<Answer> {
        let path = format!("{}/{}", self.root.trim_end_matches('/'), request.path);
        let is_directory = request.target.ends_with('/');
        match self.files.stat(&path)?.kind {
            NodeKind::Regular if request.path.is_empty() || !is_directory => {
                self.file(&path, request)
            }
            NodeKind::Regular | NodeKind::CharacterDevice => Err(Error::NotFound),
            NodeKind::Directory if !is_directory => Ok(moved(request)),
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
        let tag = self.tag(&file)?;
        let (status, length, part) =
            match condition::wanted(&request.fields, &tag, size, request.head_only) {
                Wanted::Whole => (StatusCode::OK, size, None),
                Wanted::Part(first, count) => {
                    file.seek(SeekFrom::Start(first))?;
                    let last = first.saturating_add(count).saturating_sub(1);
                    let part = format!("bytes {first}-{last}/{size}");
                    (StatusCode::PARTIAL_CONTENT, count, Some(part))
                }
                Wanted::Nothing(StatusCode::RANGE_NOT_SATISFIABLE) => {
                    let status = StatusCode::RANGE_NOT_SATISFIABLE;
                    return Ok(Answer::bare(status, CONTENT_RANGE, &format!("bytes */{size}")));
                }
                Wanted::Nothing(StatusCode::NOT_MODIFIED) => {
                    return Ok(Answer::bare(StatusCode::NOT_MODIFIED, ETAG, &tag));
                }
                Wanted::Nothing(status) => return Ok(Answer::refusal(status)),
            };
        let content = Source::File { file, length };
        let mut answer = Answer { status, fields: HeaderMap::new(), content };
        answer.set(CONTENT_TYPE, &content_type(path));
        answer.set(ACCEPT_RANGES, "bytes");
        answer.set(ETAG, &tag);
        if let Some(part) = part {
            answer.set(CONTENT_RANGE, &part);
        }
        Ok(answer)
    }

    /// Returns the strong validator of a file's current bytes (RFC 9110 §8.8.3).
    fn tag(&self, file: &File) -> Result<String> {
        Ok(format!("\"{}-{:x}-{:x}\"", self.run, file.stat()?.inode, file.version()?))
    }

    fn listing(&self, path: &str, request: &Request) -> Result<Answer> {
        if let Some(status) = condition::precondition(&request.fields, None) {
            return Ok(Answer::refusal(status));
        }
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
        Ok(Answer::text(StatusCode::OK, HTML, text))
    }
}

/// Redirects a directory without the final `/`, where relative links would resolve wrongly. The
/// path is rebuilt, since `//host` would lead to another server.
fn moved(request: &Request) -> Answer {
    let parts: Vec<String> = request.path.split('/').map(target::encode).collect();
    let mut location = format!("/{}/", parts.join("/"));
    if let Some(query) = &request.query {
        location = format!("{location}?{}", target::ascii(query));
    }
    Answer::bare(StatusCode::MOVED_PERMANENTLY, LOCATION, &location)
}

fn content_type(path: &str) -> String {
    let kind = mime_guess::from_path(path).first_raw().unwrap_or("application/octet-stream");
    if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind.to_owned() }
}
