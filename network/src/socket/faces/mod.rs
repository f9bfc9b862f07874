//! Implementations of other crates' traits for our sockets, without behaviour of their own.
//!
//! | module | feature | for |
//! |---|---|---|
//! | `embedded_io` | `tcp` | code over the traits of `embedded-io-async` |
//! | `embedded_nal` | `embedded-nal-async` | `no_std` clients that connect and look names up |
//! | `edge_nal` | `edge-nal` | `no_std` clients and servers of the `edge-net` family |
//! | `hosts` | the two above | looking names up |
//! | `futures_io` | `futures-io` | asynchronous code of any executor |
//! | `tokio` | `tokio` | asynchronous code of tokio |
//! | `end` | these two | what those two share: writing, and its end |
//! | `blocking` | `blocking` | code that was written for `std::net` |

#[cfg(feature = "blocking")]
pub mod blocking;
#[cfg(feature = "edge-nal")]
mod edge_nal;
#[cfg(feature = "tcp")]
mod embedded_io;
#[cfg(feature = "embedded-nal-async")]
pub mod embedded_nal;
#[cfg(any(feature = "futures-io", feature = "tokio"))]
mod end;
#[cfg(feature = "futures-io")]
pub mod futures_io;
#[cfg(any(feature = "edge-nal", feature = "embedded-nal-async"))]
mod hosts;
#[cfg(feature = "tokio")]
mod tokio;
