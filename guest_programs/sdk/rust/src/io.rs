//! `embedded-io`'s blocking traits.

use embedded_io::{ErrorType, Read, Write};

use crate::{Error, File, TcpStream};

macro_rules! implement {
    ($($type:ty),+) => {$(
        impl ErrorType for $type {
            type Error = Error;
        }

        impl Read for $type {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
                <$type>::read(self, buffer)
            }
        }

        impl Write for $type {
            fn write(&mut self, data: &[u8]) -> Result<usize, Error> {
                <$type>::write(self, data)
            }

            /// Written data is already queued for sending.
            fn flush(&mut self) -> Result<(), Error> {
                Ok(())
            }
        }
    )+};
}

implement!(File, TcpStream);
