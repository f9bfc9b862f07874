//! The documents of `web.lan`: a page, and files of known sizes for measurements.

use std::net::SocketAddr;

use devnet_virtual_file_system::{OpenFlags, Result};

use crate::context::{Files, Platform};
use crate::http::server::Server;
use crate::http::site::Site;
use crate::sockets::{Family, Listener, Sockets};

/// The served directory.
const ROOT: &str = "/web";
const PORT: u16 = 80;
const PAGE: &str = "\
<!DOCTYPE html>
<title>web.lan</title>
<h1>It works</h1>
<p>This page was sent by a stack of our own, and received by another one.
<p><a href=\"/1M\">1 MiB to measure with</a>
";

/// Documents by name, with their bytes.
const DOCUMENTS: [(&str, usize); 3] = [("1K", 1 << 10), ("64K", 1 << 16), ("1M", 1 << 20)];

/// Writes the files and listens.
///
/// # Errors
/// Errors of the file tree and of the listener.
pub async fn bind(files: &Files) -> Result<Listener> {
    files.create_directory(ROOT)?;
    write(files, "index.html", PAGE.as_bytes()).await?;
    for (name, bytes) in DOCUMENTS {
        write(files, name, &pattern(bytes)).await?;
    }
    Sockets::routed(files).listen(SocketAddr::new(Family::Any.unspecified(), PORT)).await
}

/// Serves the files.
///
/// # Errors
/// Errors of the listener.
pub async fn serve(listener: Listener, files: Files, platform: Platform) -> Result<()> {
    let site = Site::default().with_directory(files, ROOT, &platform);
    Server::new(site, platform, None).serve(&listener).await
}

async fn write(files: &Files, name: &str, bytes: &[u8]) -> Result<()> {
    let file = files.open(&format!("{ROOT}/{name}"), OpenFlags::WRITE | OpenFlags::CREATE)?;
    file.write_all(bytes).await
}

/// Bytes that do not repeat every 256, so that a swapped segment is detected.
fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| (place ^ (place >> 8) ^ (place >> 16)) as u8).collect()
}
