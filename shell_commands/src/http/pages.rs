//! What a server answers that is no file.

use std::net::SocketAddr;

use devnet_network::platform::BoxFuture;
use hyper::body::Bytes;

use super::answer::Answer;
use super::request::Request;

/// Pages beside the served directory, or instead of one.
pub trait Pages: Send + Sync {
    /// True for a path below which something can be changed (POST).
    fn takes_changes(&self, path: &str) -> bool;

    /// The answer to a request from `remote`, whose body is empty unless it changes something;
    /// `None` for a path of somebody else.
    fn answer<'a>(
        &'a self,
        request: &'a Request,
        body: Bytes,
        remote: SocketAddr,
    ) -> BoxFuture<'a, Option<Answer>>;
}
