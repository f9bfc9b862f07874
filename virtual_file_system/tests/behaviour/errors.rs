//! The table of errors: complete, unique, and with the texts of Linux and glibc.

use std::collections::HashSet;

use devnet_virtual_file_system::{Error, decode, encode};
use embedded_io_async::{Error as _, ErrorKind};

/// POSIX names and Linux numbers, repeated here on purpose.
const LINUX: &[(&str, u16)] = &[
    ("EPERM", 1),
    ("ENOENT", 2),
    ("ESRCH", 3),
    ("EINTR", 4),
    ("EIO", 5),
    ("ENXIO", 6),
    ("EBADF", 9),
    ("EAGAIN", 11),
    ("ENOMEM", 12),
    ("EACCES", 13),
    ("EBUSY", 16),
    ("EEXIST", 17),
    ("ENODEV", 19),
    ("ENOTDIR", 20),
    ("EISDIR", 21),
    ("EINVAL", 22),
    ("EMFILE", 24),
    ("ENOTTY", 25),
    ("EFBIG", 27),
    ("ENOSPC", 28),
    ("ESPIPE", 29),
    ("EROFS", 30),
    ("EPIPE", 32),
    ("ENAMETOOLONG", 36),
    ("ENOTEMPTY", 39),
    ("EBADMSG", 74),
    ("EMSGSIZE", 90),
    ("ENOPROTOOPT", 92),
    ("EPROTONOSUPPORT", 93),
    ("EOPNOTSUPP", 95),
    ("EAFNOSUPPORT", 97),
    ("EADDRINUSE", 98),
    ("EADDRNOTAVAIL", 99),
    ("ENETDOWN", 100),
    ("ENETUNREACH", 101),
    ("ECONNABORTED", 103),
    ("ECONNRESET", 104),
    ("ENOBUFS", 105),
    ("EISCONN", 106),
    ("ENOTCONN", 107),
    ("ETIMEDOUT", 110),
    ("ECONNREFUSED", 111),
    ("EHOSTDOWN", 112),
    ("EHOSTUNREACH", 113),
    ("EALREADY", 114),
    ("EINPROGRESS", 115),
    ("ECANCELED", 125),
    ("EPROTO", 71),
    ("EFAULT", 14),
];

#[test]
fn names_and_numbers_are_linux_own() {
    let table: Vec<_> = Error::ALL.iter().map(|error| (error.name(), error.errno())).collect();
    assert_eq!(table, LINUX);
}

#[test]
fn numbers_are_unique_and_round_trip_and_no_other_is_known() {
    let numbers: HashSet<u16> = Error::ALL.iter().map(|error| error.errno()).collect();
    assert_eq!(numbers.len(), Error::ALL.len());
    for number in 0..=u16::MAX {
        let error = Error::from_errno(number);
        assert_eq!(error.map(Error::errno), numbers.contains(&number).then_some(number));
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn words_are_those_of_the_c_library() {
    for error in Error::ALL {
        let number = error.errno();
        let system = std::io::Error::from_raw_os_error(i32::from(number)).to_string();
        assert_eq!(format!("{error} (os error {number})"), system);
    }
}

#[test]
fn permission_and_access_are_told_apart() {
    assert_eq!(Error::PermissionDenied.to_string(), "Operation not permitted");
    assert_eq!(Error::AccessDenied.to_string(), "Permission denied");
}

#[test]
fn generic_code_learns_the_kind() {
    assert_eq!(Error::ConnectionReset.kind(), ErrorKind::ConnectionReset);
    assert_eq!(Error::BadMessage.kind(), ErrorKind::InvalidData);
    assert_eq!(Error::NetworkDown.kind(), ErrorKind::Other);
}

#[test]
fn errors_travel_as_one_byte_in_table_order() {
    for (index, error) in Error::ALL.iter().enumerate() {
        let bytes = encode(error).unwrap();
        assert_eq!(bytes, [u8::try_from(index).unwrap()]);
        assert_eq!(decode(&bytes), Ok(*error));
    }
}
