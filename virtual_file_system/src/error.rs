//! The errors of the file system, with their POSIX names.
//!
//! Every other module and every device returns these errors; guests and FUSE see their Linux
//! numbers. Each row of the table below defines one error completely. There is deliberately no
//! catch-all variant.

use core::fmt;

use embedded_io_async::ErrorKind;
use serde::{Deserialize, Serialize};

/// The result of a call on the file system.
pub type Result<T> = core::result::Result<T, Error>;

macro_rules! define_errors {
    ($(
        $variant:ident = $number:literal, $name:literal, $text:literal, $kind:ident, $std:ident;
    )+) => {
        /// The error of a call. The numbers are Linux' `errno`, the texts glibc's `strerror`.
        ///
        /// The order of the variants is part of the `postcard` encoding: append new ones.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Error {
            $(
                #[doc = concat!("`", $name, "`: ", $text, ".")]
                $variant,
            )+
        }

        impl Error {
            /// Every error, in the order of the table.
            pub const ALL: &[Error] = &[$(Error::$variant),+];

            /// Returns the Linux errno.
            #[must_use]
            pub const fn errno(self) -> u16 {
                match self {
                    $(Error::$variant => $number,)+
                }
            }

            /// Returns the POSIX name, such as `EPERM`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Error::$variant => $name,)+
                }
            }

            /// Returns the error with this Linux errno.
            #[must_use]
            pub const fn from_errno(number: u16) -> Option<Error> {
                match number {
                    $($number => Some(Error::$variant),)+
                    _ => None,
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Error::$variant => $text,)+
                }
            }

            const fn io_kind(self) -> ErrorKind {
                match self {
                    $(Error::$variant => ErrorKind::$kind,)+
                }
            }

            /// Returns the standard library's kind: that of an `io::Error` with this number on
            /// Linux, or `Other` if it has none.
            #[cfg(feature = "std")]
            #[must_use]
            pub const fn std_kind(self) -> std::io::ErrorKind {
                match self {
                    $(Error::$variant => std::io::ErrorKind::$std,)+
                }
            }
        }
    };
}

define_errors! {
    PermissionDenied = 1, "EPERM", "Operation not permitted", PermissionDenied, PermissionDenied;
    NotFound = 2, "ENOENT", "No such file or directory", NotFound, NotFound;
    NoSuchProcess = 3, "ESRCH", "No such process", NotFound, Other;
    Interrupted = 4, "EINTR", "Interrupted system call", Interrupted, Interrupted;
    InputOutput = 5, "EIO", "Input/output error", Other, Other;
    NoSuchDeviceOrAddress = 6, "ENXIO", "No such device or address", NotFound, Other;
    BadFileDescriptor = 9, "EBADF", "Bad file descriptor", InvalidInput, Other;
    WouldBlock = 11, "EAGAIN", "Resource temporarily unavailable", Other, WouldBlock;
    OutOfMemory = 12, "ENOMEM", "Cannot allocate memory", OutOfMemory, OutOfMemory;
    AccessDenied = 13, "EACCES", "Permission denied", PermissionDenied, PermissionDenied;
    Busy = 16, "EBUSY", "Device or resource busy", Other, ResourceBusy;
    AlreadyExists = 17, "EEXIST", "File exists", AlreadyExists, AlreadyExists;
    NoDevice = 19, "ENODEV", "No such device", NotFound, Other;
    NotADirectory = 20, "ENOTDIR", "Not a directory", InvalidInput, NotADirectory;
    IsADirectory = 21, "EISDIR", "Is a directory", InvalidInput, IsADirectory;
    InvalidInput = 22, "EINVAL", "Invalid argument", InvalidInput, InvalidInput;
    TooManyOpenFiles = 24, "EMFILE", "Too many open files", Other, Other;
    UnknownCommand = 25, "ENOTTY", "Inappropriate ioctl for device", Unsupported, Other;
    FileTooLarge = 27, "EFBIG", "File too large", InvalidInput, FileTooLarge;
    NoSpace = 28, "ENOSPC", "No space left on device", Other, StorageFull;
    IllegalSeek = 29, "ESPIPE", "Illegal seek", Unsupported, NotSeekable;
    ReadOnlyFileSystem = 30, "EROFS", "Read-only file system", PermissionDenied, ReadOnlyFilesystem;
    BrokenPipe = 32, "EPIPE", "Broken pipe", BrokenPipe, BrokenPipe;
    NameTooLong = 36, "ENAMETOOLONG", "File name too long", InvalidInput, InvalidFilename;
    DirectoryNotEmpty = 39, "ENOTEMPTY", "Directory not empty", Other, DirectoryNotEmpty;
    BadMessage = 74, "EBADMSG", "Bad message", InvalidData, Other;
    MessageTooLong = 90, "EMSGSIZE", "Message too long", InvalidInput, Other;
    ProtocolOptionNotAvailable = 92, "ENOPROTOOPT", "Protocol not available", Unsupported, Other;
    ProtocolNotSupported = 93, "EPROTONOSUPPORT", "Protocol not supported", Unsupported, Other;
    Unsupported = 95, "EOPNOTSUPP", "Operation not supported", Unsupported, Unsupported;
    AddressFamilyNotSupported = 97, "EAFNOSUPPORT", "Address family not supported by \
        protocol", Unsupported, Other;
    AddressInUse = 98, "EADDRINUSE", "Address already in use", AddrInUse, AddrInUse;
    AddressNotAvailable = 99, "EADDRNOTAVAIL", "Cannot assign requested address",
            AddrNotAvailable, AddrNotAvailable;
    NetworkDown = 100, "ENETDOWN", "Network is down", Other, NetworkDown;
    NetworkUnreachable = 101, "ENETUNREACH", "Network is unreachable", Other, NetworkUnreachable;
    ConnectionAborted = 103, "ECONNABORTED", "Software caused connection abort",
            ConnectionAborted, ConnectionAborted;
    ConnectionReset = 104, "ECONNRESET", "Connection reset by peer",
            ConnectionReset, ConnectionReset;
    NoBufferSpace = 105, "ENOBUFS", "No buffer space available", Other, Other;
    AlreadyConnected = 106, "EISCONN", "Transport endpoint is already connected",
            InvalidInput, Other;
    NotConnected = 107, "ENOTCONN", "Transport endpoint is not connected",
            NotConnected, NotConnected;
    TimedOut = 110, "ETIMEDOUT", "Connection timed out", TimedOut, TimedOut;
    ConnectionRefused = 111, "ECONNREFUSED", "Connection refused",
            ConnectionRefused, ConnectionRefused;
    HostDown = 112, "EHOSTDOWN", "Host is down", Other, Other;
    HostUnreachable = 113, "EHOSTUNREACH", "No route to host", Other, HostUnreachable;
    AlreadyInProgress = 114, "EALREADY", "Operation already in progress", Other, Other;
    InProgress = 115, "EINPROGRESS", "Operation now in progress", Other, Other;
    Cancelled = 125, "ECANCELED", "Operation canceled", Other, Other;
    Protocol = 71, "EPROTO", "Protocol error", InvalidData, Other;
    BadAddress = 14, "EFAULT", "Bad address", InvalidInput, Other;
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl core::error::Error for Error {}

impl embedded_io_async::Error for Error {
    fn kind(&self) -> ErrorKind {
        self.io_kind()
    }
}

#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    /// The error itself is the inner error, so downcasting recovers it. Only `WouldBlock`, which
    /// any non-blocking call may return, is a bare kind and allocates nothing.
    fn from(error: Error) -> Self {
        match error {
            Error::WouldBlock | Error::Interrupted => error.std_kind().into(),
            error => Self::new(error.std_kind(), error),
        }
    }
}

#[cfg(all(test, feature = "std", target_os = "linux"))]
mod tests {
    use std::format;

    use super::Error;

    #[test]
    fn kinds_are_those_that_the_standard_library_gives_the_numbers() {
        for error in Error::ALL {
            let theirs = std::io::Error::from_raw_os_error(i32::from(error.errno())).kind();
            // These two kinds cannot be named in stable Rust.
            match format!("{theirs:?}").as_str() {
                "Uncategorized" | "InProgress" => {
                    assert_eq!(error.std_kind(), std::io::ErrorKind::Other, "{error:?}")
                }
                _ => assert_eq!(error.std_kind(), theirs, "{error:?}"),
            }
        }
    }

    #[test]
    fn an_error_is_had_back_from_an_io_error() {
        for error in Error::ALL {
            let wrapped = std::io::Error::from(*error);
            assert_eq!(wrapped.kind(), error.std_kind());
            let inner = wrapped.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            assert_eq!(inner.is_none(), matches!(error, Error::WouldBlock | Error::Interrupted));
            assert!(inner.is_none_or(|inner| inner == error));
        }
    }
}
