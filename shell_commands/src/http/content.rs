//! The body of a response: a text, or a part of a file, read in pieces.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use devnet_virtual_file_system::{Error, File};
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::guard::Exchange;
use crate::limits;

/// The source of a body.
pub enum Source {
    /// Text of ours.
    Text(String),
    /// A number of bytes of a file, from its current offset.
    File {
        /// The opened file.
        file: File,
        /// How many bytes of it.
        length: u64,
    },
}

impl Source {
    /// Bytes in all.
    #[must_use]
    pub const fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// A body being sent. Its drop marks the end of the response.
pub struct Content {
    source: Source,
    exchange: Arc<Exchange>,
}

impl Content {
    /// The body of the response that `exchange` waits for.
    #[must_use]
    pub const fn new(source: Source, exchange: Arc<Exchange>) -> Self {
        Self { source, exchange }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.exchange.end();
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(match &mut self.source {
            Source::Text(text) if text.is_empty() => None,
            Source::Text(text) => Some(Ok(Frame::data(std::mem::take(text).into()))),
            Source::File { length: 0, .. } => None,
            Source::File { file, length } => {
                let wanted = usize::try_from(*length).unwrap_or(usize::MAX);
                let mut buffer = vec![0; wanted.min(limits::HTTP_READ_BYTES)];
                Some(match file.try_read(&mut buffer) {
                    // The file became shorter: only closing the connection can signal that.
                    Ok(0) => Err(Error::InputOutput),
                    Ok(count) => {
                        buffer.truncate(count);
                        *length = length.saturating_sub(count as u64);
                        Ok(Frame::data(buffer.into()))
                    }
                    Err(why) => Err(why),
                })
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.source.length() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.source.length())
    }
}
