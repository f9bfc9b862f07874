//! The dashboard: one page that shows the running stack, served by our own stack.
//!
//! | path | what it is |
//! |---|---|
//! | `/dashboard/` | the page; it loads nothing from elsewhere |
//! | `/dashboard/state` | the state of the moment as JSON, from `state` |
//! | `/dashboard/events` | the state each second, and changes: server-sent events, from `live` |
//! | `/dashboard/capture?interface=IF` | frames as pcapng, from `download` |
//! | `/dashboard/devices/NAME` | POST writes lines to a device; only if changes are allowed |
//!
//! It reads the files that every program has. Requests must name the server by an address or by a
//! local name: a page of the outside, whose name was made to lead here, gets nothing (DNS
//! rebinding). Changes need a type of content that no page of another origin can send unasked.
//! `httpd --dashboard` and `devnet --dashboard` serve it; there is no login.

mod download;
mod live;
mod query;
mod state;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devnet_network::command::GetLastError;
use devnet_network::platform::BoxFuture;
use devnet_virtual_file_system::{Error, Lock, OpenFlags};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, LOCATION, ORIGIN,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use hyper::body::Bytes;

use crate::context::{Files, Platform};
use crate::devices::{NETWORK, SOCKETS};
use crate::http::answer::Answer;
use crate::http::content::Source;
use crate::http::pages::Pages;
use crate::http::request::Request;
use crate::http::server::Server;
use crate::http::site::Site;
use crate::limits;
use crate::sockets::Sockets;
use state::Kept;

/// The first component of every path.
const ROOT: &str = "dashboard";
/// The type of lines that are written to a device.
const LINES: &str = "text/x-devnet";
/// Nothing from elsewhere, nothing inline, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// The dashboard of a system.
#[derive(Clone)]
pub struct Dashboard(Arc<Inner>);

struct Inner {
    files: Files,
    platform: Platform,
    /// Lines may be written to devices.
    is_writable: bool,
    /// Nothing else is served: `/` leads here.
    is_alone: bool,
    /// The last state, which all readers of a moment share.
    kept: Lock<Kept>,
    /// Responses that go on: events and captures.
    streams: AtomicUsize,
}

/// One of the responses that go on, while it does.
struct Place(Dashboard);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves the dashboard alone, at this address, as long as the program runs.
///
/// # Errors
/// What cannot be served, and why, in one line.
pub async fn start(address: SocketAddr, files: &Files, platform: &Platform) -> Result<(), String> {
    let named = |why: Error| format!("{address}: {why}");
    let listener = Sockets::routed(files).listen(address).await.map_err(named)?;
    let metrics = files.open(SOCKETS, OpenFlags::READ).map_err(named)?;
    let dashboard = Dashboard::new(files.clone(), platform.clone(), false, true);
    let site = Site::default().with_metrics(metrics).with_pages(Box::new(dashboard));
    let server = Server::new(site, platform.clone(), None);
    let serve = async move {
        if let Err(why) = server.serve(&listener).await {
            log::warn!(target: "devnet::dashboard", "{address}: {why}");
        }
    };
    platform.spawner.spawn(Box::pin(serve)).map_err(|why| format!("{address}: {why}"))
}

impl Dashboard {
    /// Shows what these files reach; whether lines may be written to devices; whether it is all
    /// that the server has.
    #[must_use]
    pub fn new(files: Files, platform: Platform, is_writable: bool, is_alone: bool) -> Self {
        let (kept, streams) = (Lock::new(Kept::default()), AtomicUsize::new(0));
        Self(Arc::new(Inner { files, platform, is_writable, is_alone, kept, streams }))
    }

    /// Takes one of the places for responses that go on.
    fn enter(&self) -> Option<Place> {
        let earlier = self.0.streams.fetch_add(1, Ordering::Relaxed);
        let place = Place(self.clone());
        (earlier < limits::DASHBOARD_STREAMS).then_some(place)
    }

    async fn page(&self, request: &Request, body: Bytes, remote: SocketAddr) -> Option<Answer> {
        let path = match request.path.split_once('/') {
            _ if request.path.is_empty() && self.0.is_alone => return Some(to_page()),
            None if request.path == ROOT && !request.target.ends_with('/') => {
                return Some(to_page());
            }
            None if request.path == ROOT => "",
            Some((ROOT, path)) => path,
            _ => return None,
        };
        if !is_local(&request.fields) {
            return Some(refused(
                StatusCode::MISDIRECTED_REQUEST,
                "ask by address, or by a local name such as web.lan",
            ));
        }
        let query = request.query.as_deref().unwrap_or_default();
        let answer = match path {
            "" => text("text/html; charset=utf-8", PAGE),
            "page.js" => text("text/javascript; charset=utf-8", SCRIPT),
            "page.css" => text("text/css; charset=utf-8", STYLE),
            "state" => {
                let state = self.state().await;
                Answer::new(StatusCode::OK, "application/json", Source::Text((*state).to_owned()))
            }
            "events" => self.events(request.head_only),
            "capture" => self.download(query, remote, request.head_only).await,
            path => match path.split_once('/') {
                Some(("devices", name)) if request.is_change => {
                    self.change(name, &request.fields, &body).await
                }
                Some(("devices", _)) => Answer::refusal(StatusCode::METHOD_NOT_ALLOWED),
                _ => Answer::refusal(StatusCode::NOT_FOUND),
            },
        };
        let answer = answer.with(CACHE_CONTROL, "no-store");
        let answer = answer.with(CONTENT_SECURITY_POLICY, POLICY);
        Some(answer.with(X_CONTENT_TYPE_OPTIONS, "nosniff"))
    }

    /// Writes lines to the device of an interface, or to that of all.
    async fn change(&self, name: &str, fields: &HeaderMap, body: &[u8]) -> Answer {
        if fields.get(CONTENT_TYPE).is_none_or(|kind| kind != LINES) || !is_own(fields) {
            return refused(StatusCode::FORBIDDEN, "lines are sent as text/x-devnet by the page");
        }
        if name.is_empty() || name.contains('/') || name == "." || name == ".." {
            return Answer::refusal(StatusCode::NOT_FOUND);
        }
        let path = match name {
            "sockets" => SOCKETS.to_owned(),
            name => format!("{NETWORK}/{name}"),
        };
        let file = match self.0.files.open(&path, OpenFlags::READ | OpenFlags::WRITE) {
            Ok(file) => file,
            Err(why) => return refused(StatusCode::NOT_FOUND, &format!("{name}: {why}")),
        };
        let Err(why) = file.write_all(body).await else {
            return Answer::new(StatusCode::NO_CONTENT, "text/plain", Source::Text(String::new()));
        };
        let last = file.control::<GetLastError>(&()).await.ok().flatten();
        let words = last.map_or_else(|| why.to_string(), |last| last.message);
        refused(StatusCode::UNPROCESSABLE_ENTITY, &format!("{name}: {words}"))
    }
}

impl Pages for Dashboard {
    fn takes_changes(&self, path: &str) -> bool {
        let rest = path.strip_prefix(ROOT);
        self.0.is_writable && rest.is_some_and(|rest| rest.starts_with("/devices/"))
    }

    fn answer<'a>(
        &'a self,
        request: &'a Request,
        body: Bytes,
        remote: SocketAddr,
    ) -> BoxFuture<'a, Option<Answer>> {
        Box::pin(self.page(request, body, remote))
    }
}

fn text(kind: &'static str, text: &str) -> Answer {
    Answer::new(StatusCode::OK, kind, Source::Text(text.to_owned()))
}

fn to_page() -> Answer {
    let nothing = Source::Text(String::new());
    Answer::new(StatusCode::FOUND, "text/plain", nothing).with(LOCATION, "/dashboard/")
}

fn refused(status: StatusCode, why: &str) -> Answer {
    Answer::new(status, "text/plain; charset=utf-8", Source::Text(format!("{why}\n")))
}

/// The refusal of one more response that goes on.
fn full() -> Answer {
    refused(StatusCode::SERVICE_UNAVAILABLE, "too many look at the dashboard already")
}

/// True if the request names us by an address or by a name that no outsider can have made lead
/// here: a single label, or one of a domain that is never delegated (RFC 6762, RFC 8375, RFC 6761,
/// and `.lan` and `.internal` by custom).
fn is_local(fields: &HeaderMap) -> bool {
    const DOMAINS: [&str; 6] = [".local", ".home.arpa", ".lan", ".internal", ".test", ".localhost"];
    let Some(host) = fields.get(HOST).and_then(|host| host.to_str().ok()) else {
        // Before HTTP/1.1 no browser asks, and no script.
        return true;
    };
    let inner = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if let Some((address, _)) = inner {
        return address.parse::<IpAddr>().is_ok();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || DOMAINS.iter().any(|domain| name.ends_with(domain))
}

/// True if the request comes from our own page, or from no page.
fn is_own(fields: &HeaderMap) -> bool {
    let Some(origin) = fields.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
    let host = fields.get(HOST).and_then(|host| host.to_str().ok());
    origin.is_some() && origin == host
}
