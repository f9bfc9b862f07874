//! The traits of `embedded-io-async` on streams and their halves.
//!
//! Implemented for references too, so that one stream can be read and written at once.

use devnet_virtual_file_system::Error;
use embedded_io_async::{ErrorType, Read, Write};

use crate::socket::{TcpReadHalf, TcpStream, TcpWriteHalf};

macro_rules! errors {
    ($($end:ty),+) => {
        $(impl ErrorType for $end {
            type Error = Error;
        })+
    };
}

macro_rules! read {
    ($end:ident: $($face:ty),+) => {
        $(impl Read for $face {
            async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
                $end::read(self, buffer).await
            }
        })+
    };
}

macro_rules! write {
    ($end:ident: $($face:ty),+) => {
        $(impl Write for $face {
            async fn write(&mut self, data: &[u8]) -> Result<usize, Error> {
                $end::write(self, data).await
            }

            async fn flush(&mut self) -> Result<(), Error> {
                $end::flush(self).await
            }
        })+
    };
}

errors!(TcpStream, &TcpStream, TcpReadHalf, &TcpReadHalf, TcpWriteHalf, &TcpWriteHalf);
read!(TcpStream: TcpStream, &TcpStream);
read!(TcpReadHalf: TcpReadHalf, &TcpReadHalf);
write!(TcpStream: TcpStream, &TcpStream);
write!(TcpWriteHalf: TcpWriteHalf, &TcpWriteHalf);
