//! A capture to download: frames of an interface for some seconds, as pcapng.
//!
//! The download itself is left out, whose frames would otherwise make frames without end.

use std::net::SocketAddr;
use std::time::Duration;

use devnet_network::capture::Filter;
use devnet_network::command::Capture;
use devnet_network::command::capture::CaptureOptions;
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{Error, File, OpenFlags, Result};
use futures_lite::{StreamExt, future, stream};
use http::StatusCode;
use http::header::CONTENT_DISPOSITION;
use hyper::body::Bytes;

use super::{Dashboard, Place, full, query, refused};
use crate::devices::NETWORK;
use crate::http::answer::Answer;
use crate::http::content::Source;
use crate::limits;

/// The seconds of a capture that says none.
const SECONDS: u64 = 10;

/// What is asked for.
struct Request {
    interface: String,
    seconds: u64,
    snap_length: u32,
    filter: String,
}

/// A capture under way.
struct Download {
    dashboard: Dashboard,
    file: File,
    end: Instant,
    /// Bytes that may still come.
    left: usize,
    /// The begin of a block whose end has not come: the capture ends between blocks.
    rest: Vec<u8>,
    _place: Place,
}

impl Request {
    fn parse(query: &str) -> std::result::Result<Self, String> {
        let mut request = Self {
            interface: String::new(),
            seconds: SECONDS,
            snap_length: 0,
            filter: String::new(),
        };
        for (name, value) in query::fields(query)? {
            let number = || value.parse::<u32>().map_err(|_| format!("{name}={value}: no number"));
            match name.as_str() {
                "interface" => request.interface = value,
                "seconds" => request.seconds = number()?.into(),
                "snap" => request.snap_length = number()?,
                "filter" => request.filter = value,
                _ => return Err(format!("{name}: not interface, seconds, snap or filter")),
            }
        }
        if request.interface.is_empty() {
            return Err(String::from("interface=NAME is needed"));
        }
        if request.interface.contains('/') || matches!(request.interface.as_str(), "." | "..") {
            return Err(format!("{}: no such interface", request.interface));
        }
        if !(1..=limits::DASHBOARD_CAPTURE_SECONDS).contains(&request.seconds) {
            let most = limits::DASHBOARD_CAPTURE_SECONDS;
            return Err(format!("seconds={}: from 1 to {most}", request.seconds));
        }
        request.filter.parse::<Filter>().map_err(|why| format!("filter: {why}"))?;
        Ok(request)
    }

    /// The filter without the connection of the download.
    fn filter(&self, remote: SocketAddr) -> String {
        let (address, port) = (remote.ip().to_canonical(), remote.port());
        let own = format!("not (host {address} and tcp port {port})");
        match self.filter.trim() {
            "" => own,
            filter => format!("{own} and ({filter})"),
        }
    }
}

impl Dashboard {
    /// The answer with the frames that a query asks for.
    pub(super) async fn download(
        &self,
        query: &str,
        remote: SocketAddr,
        head_only: bool,
    ) -> Answer {
        let request = match Request::parse(query) {
            Ok(request) => request,
            Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
        };
        let Some(place) = self.enter() else { return full() };
        let name = &request.interface;
        let file = match self.capture(&request, remote).await {
            Ok(file) => file,
            Err(why @ (Error::NotFound | Error::NoDevice)) => {
                return refused(StatusCode::NOT_FOUND, &format!("{name}: {why}"));
            }
            Err(why) => {
                return refused(StatusCode::INTERNAL_SERVER_ERROR, &format!("{name}: {why}"));
            }
        };
        let end = self.0.platform.clock.now().after(Duration::from_secs(request.seconds));
        let left = limits::DASHBOARD_CAPTURE_BYTES;
        let rest = Vec::new();
        let download = Download { dashboard: self.clone(), file, end, left, rest, _place: place };
        let source = match head_only {
            true => Source::Text(String::new()),
            false => Source::Live(stream::unfold(download, next).boxed()),
        };
        let answer = Answer::new(StatusCode::OK, "application/x-pcapng", source);
        // The name is one of a file of the tree, and has no quotation mark.
        let attached = format!("attachment; filename=\"{name}.pcapng\"");
        answer.with(CONTENT_DISPOSITION, &attached)
    }

    async fn capture(&self, request: &Request, remote: SocketAddr) -> Result<File> {
        let path = format!("{NETWORK}/{}", request.interface);
        let file = self.0.files.open(&path, OpenFlags::READ)?;
        let options = CaptureOptions {
            snap_length: request.snap_length,
            clock_offset: u64::try_from(self.0.platform.started.as_micros()).unwrap_or_default(),
            filter: request.filter(remote),
            ..CaptureOptions::default()
        };
        file.control::<Capture>(&options).await?;
        Ok(file)
    }
}

/// The next blocks of the capture, until its time is over or it has its size.
async fn next(mut download: Download) -> Option<(Result<Bytes>, Download)> {
    let clock = &download.dashboard.0.platform.clock;
    loop {
        let mut buffer = vec![0; limits::DASHBOARD_READ_BYTES];
        let over = async {
            clock.sleep_until(download.end).await;
            Ok(0)
        };
        match future::or(over, download.file.read(&mut buffer)).await {
            Ok(0) => return None,
            Ok(count) => {
                download.rest.extend_from_slice(buffer.get(..count).unwrap_or_default());
                let whole = whole_blocks(&download.rest);
                if whole > download.left {
                    return None;
                }
                if whole > 0 {
                    download.left -= whole;
                    let blocks = download.rest.drain(..whole).collect();
                    return Some((Ok(blocks), download));
                }
            }
            Err(why) => return Some((Err(why), download)),
        }
    }
}

/// The bytes of whole blocks at the begin: each says its length behind its type, in the order of
/// bytes in which we write it.
fn whole_blocks(bytes: &[u8]) -> usize {
    let mut end = 0_usize;
    while let Some(rest) = bytes.get(end..)
        && let Some(length) = rest.get(4..8).and_then(|length| length.first_chunk::<4>())
        && let length = u32::from_le_bytes(*length) as usize
        && (1..=rest.len()).contains(&length)
    {
        end += length;
    }
    end
}
