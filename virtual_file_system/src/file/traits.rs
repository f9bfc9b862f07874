//! The `embedded-io-async` traits of an open file, for generic code.
//!
//! They only forward; [`File`] documents the calls.

use embedded_io_async::{ErrorType, Read, Seek, SeekFrom, Write};

use super::File;
use crate::error::{Error, Result};

macro_rules! forward {
    ($($face:ty),+) => {$(
        impl ErrorType for $face {
            type Error = Error;
        }

        impl Read for $face {
            async fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
                File::read(self, buffer).await
            }
        }

        impl Write for $face {
            async fn write(&mut self, data: &[u8]) -> Result<usize> {
                File::write(self, data).await
            }

            async fn flush(&mut self) -> Result<()> {
                // Written data needs no flush.
                Ok(())
            }

            async fn write_all(&mut self, data: &[u8]) -> Result<()> {
                File::write_all(self, data).await
            }
        }

        impl Seek for $face {
            async fn seek(&mut self, to: SeekFrom) -> Result<u64> {
                File::seek(self, to)
            }
        }
    )+};
}

forward!(File, &File);
