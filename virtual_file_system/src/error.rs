//! The ways in which a call on the file system can fail, named as POSIX names them.
//!
//! Every other module and every device returns these; guests and FUSE see their Linux numbers. One row of the table
//! below is one error: nothing about an error may be written down elsewhere. There is no catch-all variant on purpose.

use core::fmt;

use embedded_io_async::ErrorKind;
use serde::{Deserialize, Serialize};

/// The outcome of a call on the file system.
pub type Result<T> = core::result::Result<T, Error>;

macro_rules! define_errors {
    ($($variant:ident = $number:literal, $name:literal, $text:literal, $kind:ident;)+) => {
        /// Why a call failed. The numbers are Linux' `errno`, the words glibc's `strerror`.
        ///
        /// The order of the variants is part of the `postcard` encoding: new ones go to the end.
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

            /// Tells the number that Linux gives this error.
            #[must_use]
            pub const fn errno(self) -> u16 {
                match self {
                    $(Error::$variant => $number,)+
                }
            }

            /// Tells the POSIX name, such as `EPERM`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Error::$variant => $name,)+
                }
            }

            /// Finds the error with this Linux number.
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
        }
    };
}

define_errors! {
    PermissionDenied = 1, "EPERM", "Operation not permitted", PermissionDenied;
    NotFound = 2, "ENOENT", "No such file or directory", NotFound;
    NoSuchProcess = 3, "ESRCH", "No such process", NotFound;
    Interrupted = 4, "EINTR", "Interrupted system call", Interrupted;
    InputOutput = 5, "EIO", "Input/output error", Other;
    NoSuchDeviceOrAddress = 6, "ENXIO", "No such device or address", NotFound;
    BadFileDescriptor = 9, "EBADF", "Bad file descriptor", InvalidInput;
    WouldBlock = 11, "EAGAIN", "Resource temporarily unavailable", Other;
    OutOfMemory = 12, "ENOMEM", "Cannot allocate memory", OutOfMemory;
    AccessDenied = 13, "EACCES", "Permission denied", PermissionDenied;
    Busy = 16, "EBUSY", "Device or resource busy", Other;
    AlreadyExists = 17, "EEXIST", "File exists", AlreadyExists;
    NoDevice = 19, "ENODEV", "No such device", NotFound;
    NotADirectory = 20, "ENOTDIR", "Not a directory", InvalidInput;
    IsADirectory = 21, "EISDIR", "Is a directory", InvalidInput;
    InvalidInput = 22, "EINVAL", "Invalid argument", InvalidInput;
    TooManyOpenFiles = 24, "EMFILE", "Too many open files", Other;
    UnknownCommand = 25, "ENOTTY", "Inappropriate ioctl for device", Unsupported;
    FileTooLarge = 27, "EFBIG", "File too large", InvalidInput;
    NoSpace = 28, "ENOSPC", "No space left on device", Other;
    IllegalSeek = 29, "ESPIPE", "Illegal seek", Unsupported;
    ReadOnlyFileSystem = 30, "EROFS", "Read-only file system", PermissionDenied;
    BrokenPipe = 32, "EPIPE", "Broken pipe", BrokenPipe;
    NameTooLong = 36, "ENAMETOOLONG", "File name too long", InvalidInput;
    DirectoryNotEmpty = 39, "ENOTEMPTY", "Directory not empty", Other;
    BadMessage = 74, "EBADMSG", "Bad message", InvalidData;
    MessageTooLong = 90, "EMSGSIZE", "Message too long", InvalidInput;
    ProtocolOptionNotAvailable = 92, "ENOPROTOOPT", "Protocol not available", Unsupported;
    ProtocolNotSupported = 93, "EPROTONOSUPPORT", "Protocol not supported", Unsupported;
    Unsupported = 95, "EOPNOTSUPP", "Operation not supported", Unsupported;
    AddressFamilyNotSupported = 97, "EAFNOSUPPORT", "Address family not supported by protocol", Unsupported;
    AddressInUse = 98, "EADDRINUSE", "Address already in use", AddrInUse;
    AddressNotAvailable = 99, "EADDRNOTAVAIL", "Cannot assign requested address", AddrNotAvailable;
    NetworkDown = 100, "ENETDOWN", "Network is down", Other;
    NetworkUnreachable = 101, "ENETUNREACH", "Network is unreachable", Other;
    ConnectionAborted = 103, "ECONNABORTED", "Software caused connection abort", ConnectionAborted;
    ConnectionReset = 104, "ECONNRESET", "Connection reset by peer", ConnectionReset;
    NoBufferSpace = 105, "ENOBUFS", "No buffer space available", Other;
    AlreadyConnected = 106, "EISCONN", "Transport endpoint is already connected", InvalidInput;
    NotConnected = 107, "ENOTCONN", "Transport endpoint is not connected", NotConnected;
    TimedOut = 110, "ETIMEDOUT", "Connection timed out", TimedOut;
    ConnectionRefused = 111, "ECONNREFUSED", "Connection refused", ConnectionRefused;
    HostDown = 112, "EHOSTDOWN", "Host is down", Other;
    HostUnreachable = 113, "EHOSTUNREACH", "No route to host", Other;
    AlreadyInProgress = 114, "EALREADY", "Operation already in progress", Other;
    InProgress = 115, "EINPROGRESS", "Operation now in progress", Other;
    Cancelled = 125, "ECANCELED", "Operation canceled", Other;
    Protocol = 71, "EPROTO", "Protocol error", InvalidData;
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
