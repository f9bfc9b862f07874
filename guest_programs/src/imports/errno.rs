//! WASI's error numbers (preview 1, type `errno`). [`Error`] itself has Linux' numbers.

use devnet_virtual_file_system::Error;

/// Returns the WASI errno of an error. There is no catch-all arm, so a new error cannot be
/// forgotten here.
pub(crate) const fn wasi(error: Error) -> u16 {
    match error {
        Error::AccessDenied => 2,
        Error::AddressInUse => 3,
        Error::AddressNotAvailable => 4,
        Error::AddressFamilyNotSupported => 5,
        Error::WouldBlock => 6,
        Error::AlreadyInProgress => 7,
        Error::BadFileDescriptor => 8,
        Error::BadMessage => 9,
        Error::Busy => 10,
        Error::Cancelled => 11,
        Error::ConnectionAborted => 13,
        Error::ConnectionRefused => 14,
        Error::ConnectionReset => 15,
        Error::AlreadyExists => 20,
        Error::BadAddress => 21,
        Error::FileTooLarge => 22,
        // WASI has no EHOSTDOWN.
        Error::HostUnreachable | Error::HostDown => 23,
        Error::InProgress => 26,
        Error::Interrupted => 27,
        Error::InvalidInput => 28,
        Error::InputOutput => 29,
        Error::AlreadyConnected => 30,
        Error::IsADirectory => 31,
        Error::TooManyOpenFiles => 33,
        Error::MessageTooLong => 35,
        Error::NameTooLong => 37,
        Error::NetworkDown => 38,
        Error::NetworkUnreachable => 40,
        Error::NoBufferSpace => 42,
        Error::NoDevice => 43,
        Error::NotFound => 44,
        Error::OutOfMemory => 48,
        Error::ProtocolOptionNotAvailable => 50,
        Error::NoSpace => 51,
        Error::NotConnected => 53,
        Error::NotADirectory => 54,
        Error::DirectoryNotEmpty => 55,
        Error::Unsupported => 58,
        Error::UnknownCommand => 59,
        Error::NoSuchDeviceOrAddress => 60,
        Error::PermissionDenied => 63,
        Error::BrokenPipe => 64,
        Error::Protocol => 65,
        Error::ProtocolNotSupported => 66,
        Error::ReadOnlyFileSystem => 69,
        Error::IllegalSeek => 70,
        Error::NoSuchProcess => 71,
        Error::TimedOut => 73,
    }
}
