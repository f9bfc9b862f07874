//! Faces that other crates know: the traits of `embedded-io-async` on streams.
//!
//! Implemented for references too, so that one stream can be read and written at once.

use embedded_io_async::{ErrorType, Read, Write};
use virtual_file_system::Error;

use super::TcpStream;

impl ErrorType for TcpStream {
    type Error = Error;
}

impl ErrorType for &TcpStream {
    type Error = Error;
}

impl Read for TcpStream {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        Self::read(self, buffer).await
    }
}

impl Read for &TcpStream {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        TcpStream::read(self, buffer).await
    }
}

impl Write for TcpStream {
    async fn write(&mut self, data: &[u8]) -> Result<usize, Error> {
        Self::write(self, data).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        Self::flush(self).await
    }
}

impl Write for &TcpStream {
    async fn write(&mut self, data: &[u8]) -> Result<usize, Error> {
        TcpStream::write(self, data).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        TcpStream::flush(self).await
    }
}
