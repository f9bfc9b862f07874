//! The body of a response: a text, a part of a file, read in pieces, or what comes as time goes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use devnet_virtual_file_system::{Error, File};
use futures_lite::StreamExt;
use futures_lite::stream::Boxed;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::guard::Exchange;
use crate::limits;

/// What comes as time goes, until its end; an error ends it before.
pub type Live = Boxed<Result<Bytes, Error>>;

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
    /// Pieces as they come.
    Live(Live),
}

impl Source {
    /// Bytes in all; none if nobody knows yet.
    #[must_use]
    pub const fn length(&self) -> Option<u64> {
        match self {
            Self::Text(text) => Some(text.len() as u64),
            Self::File { length, .. } => Some(*length),
            Self::Live(_) => None,
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
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Poll::Ready(match &mut self.source {
            Source::Live(live) => {
                return live.poll_next(context).map(|piece| Some(piece?.map(Frame::data)));
            }
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
        self.source.length() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.source.length().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
