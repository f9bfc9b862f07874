//! The body of a response: text of ours, or a part of a file, read a piece at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use virtual_file_system::{Error, File};

use super::guard::Exchange;
use crate::limits;

/// What a body is made of.
pub enum Source {
    /// Text of ours.
    Text(String),
    /// So many bytes of a file, from its position on.
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

/// A body on its way. Its drop says that the response ends with what was given out.
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
                let mut buffer = vec![0; wanted.min(limits::COPY_BYTES)];
                Some(match file.try_read(&mut buffer) {
                    // The file became shorter: only the end of the connection can say so.
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
