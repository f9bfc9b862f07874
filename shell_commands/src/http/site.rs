//! What a server has: a directory of the tree, counters, pages, or nothing yet.

use std::net::SocketAddr;

use devnet_network::command::GetMetrics;
use devnet_virtual_file_system::File;
use http::StatusCode;
use hyper::body::Bytes;

use super::answer::{Answer, Directory};
use super::pages::Pages;
use super::request::Request;
use crate::context::{Files, Platform};

/// The path of the counters.
const METRICS: &str = "metrics";

/// What is served.
#[derive(Default)]
pub struct Site {
    directory: Option<Directory>,
    /// The device whose counters are at `/metrics`.
    metrics: Option<File>,
    pages: Option<Box<dyn Pages>>,
}

impl Site {
    /// The directory `root` of the tree too, an absolute path.
    #[must_use]
    pub fn with_directory(self, files: Files, root: &str, platform: &Platform) -> Self {
        // Inodes and versions restart with every run.
        let run = format!("{:x}", platform.started.as_micros());
        Self { directory: Some(Directory { files, root: root.to_owned(), run }), ..self }
    }

    /// The counters of this device too, at `/metrics`, as OpenMetrics.
    #[must_use]
    pub fn with_metrics(self, device: File) -> Self {
        Self { metrics: Some(device), ..self }
    }

    /// These pages too, before everything else of the same path.
    #[must_use]
    pub fn with_pages(self, pages: Box<dyn Pages>) -> Self {
        Self { pages: Some(pages), ..self }
    }

    /// True for a path below which something can be changed.
    #[must_use]
    pub fn takes_changes(&self, path: &str) -> bool {
        self.pages.as_ref().is_some_and(|pages| pages.takes_changes(path))
    }

    /// The answer to a request from `remote` with this body.
    pub async fn answer(&self, request: &Request, body: Bytes, remote: SocketAddr) -> Answer {
        if let Some(pages) = &self.pages
            && let Some(answer) = pages.answer(request, body, remote).await
        {
            return answer;
        }
        match (&self.metrics, &self.directory) {
            (Some(device), _) if request.path == METRICS => {
                match device.control::<GetMetrics>(&()).await {
                    Ok(text) => Answer::metrics(text),
                    Err(_) => Answer::refusal(StatusCode::INTERNAL_SERVER_ERROR),
                }
            }
            (_, Some(directory)) => directory.answer(request),
            (_, None) => Answer::refusal(StatusCode::NOT_FOUND),
        }
    }
}
