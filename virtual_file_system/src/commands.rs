//! `define_commands!`: a table of commands in one place, refused at compile time if two of them
//! clash.
//!
//! A device crate calls the macro once per table; this module holds what the generated code needs.
//! Which commands there are is none of its business.

use crate::control::CommandEntry;

/// Proves that no two rows of a table share kind and number. Meant for a constant, where a failure
/// does not compile.
///
/// # Panics
///
/// If two rows clash.
pub const fn assert_unique(table: &[CommandEntry]) {
    let mut rest = table;
    while let [first, others @ ..] = rest {
        assert_absent(first, others, "two commands of one table have the same number");
        rest = others;
    }
}

/// Proves that two tables share no pair of kind and number. Meant for a constant, where a failure
/// does not compile.
///
/// # Panics
///
/// If a row of one clashes with a row of the other.
pub const fn assert_distinct(table: &[CommandEntry], other: &[CommandEntry]) {
    let mut rest = table;
    while let [first, others @ ..] = rest {
        assert_absent(
            first,
            other,
            "a command has the same kind and number as one of another table",
        );
        rest = others;
    }
}

const fn assert_absent(row: &CommandEntry, table: &[CommandEntry], message: &str) {
    let mut rest = table;
    while let [first, others @ ..] = rest {
        let (one, two) = (row.identifier, first.identifier);
        assert!(one.kind() != two.kind() || one.number() != two.number(), "{}", message);
        rest = others;
    }
}

/// Declares a table of commands: `number => Name: Authority (Request) -> Response;`, with
/// `Authority, waits` for a command whose answer may take time.
///
/// It writes the module with one unit struct per command that implements
/// [`ControlCommand`](crate::ControlCommand), the constant `TABLE` of
/// [`CommandEntry`](crate::CommandEntry), and the enum `Request` with one variant per command and
/// `decode`, `authority`, `identifier`. The doc lines of a command become its documentation.
///
/// A device carries a request out by its `Request::timing`: the enum `Immediate` has the commands
/// that end at once, `Waiting` has those that wait. A match on each without `_` makes the table
/// total: a row that nobody carries out does not compile.
///
/// Inside the module the names around the macro are visible, so payload types are written as in the
/// surrounding code; a payload type must not have the same bare name as a command. Payload types
/// implement `Debug`, `Clone`, `PartialEq`, `Serialize` and `Deserialize`, and hold no `usize`.
///
/// The direction bits follow from the authority: `Read` is
/// [`Direction::Read`](crate::Direction::Read), `Write` is
/// [`Direction::ReadWrite`](crate::Direction::ReadWrite). The size is always
/// [`REQUEST_BYTES`](crate::limits::REQUEST_BYTES).
///
/// ```
/// virtual_file_system::define_commands! {
///     /// Commands of the example radio.
///     pub mod radio, kind b'x' {
///         /// Tunes the radio.
///         1 => Tune: Write (u32) -> bool;
///         /// Tells the frequency.
///         2 => GetFrequency: Read (()) -> u32;
///         /// Looks for the next station; waits until one is found.
///         3 => Search: Write, waits (()) -> u32;
///     }
/// }
/// virtual_file_system::define_commands! {
///     /// Commands of the clock in the radio.
///     pub mod clock, kind b'x', clashes_with [radio::TABLE] {
///         /// Tells the time.
///         4 => GetTime: Read (()) -> u32;
///     }
/// }
/// use virtual_file_system::{ControlCommand, encode};
/// # fn main() -> virtual_file_system::Result<()> {
/// let request = radio::Request::decode(radio::Tune::IDENTIFIER, &encode(&98_u32)?);
/// assert_eq!(request, Some(Ok(radio::Request::Tune(98))));
/// let search = radio::Request::Search(()).timing();
/// assert_eq!(search, radio::Timing::Waiting(radio::Waiting::Search(())));
/// # Ok(())
/// # }
/// ```
///
/// Two commands of one number do not compile:
///
/// ```compile_fail,E0080
/// virtual_file_system::define_commands! {
///     /// Commands of the example radio.
///     pub mod radio, kind b'x' {
///         /// Tunes the radio.
///         1 => Tune: Write (u32) -> bool;
///         /// Tells the frequency.
///         1 => GetFrequency: Read (()) -> u32;
///     }
/// }
/// # fn main() {}
/// ```
///
/// Nor do two tables of one kind that share a number, if one names the other:
///
/// ```compile_fail,E0080
/// virtual_file_system::define_commands! {
///     /// Commands of the example radio.
///     pub mod radio, kind b'x' {
///         /// Tunes the radio.
///         1 => Tune: Write (u32) -> bool;
///     }
/// }
/// virtual_file_system::define_commands! {
///     /// Commands of the clock in the radio.
///     pub mod clock, kind b'x', clashes_with [radio::TABLE] {
///         /// Tells the time.
///         1 => GetTime: Read (()) -> u32;
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! define_commands {
    (
        $(#[$attribute:meta])*
        $visibility:vis mod $module:ident, kind $kind:tt
        $(, clashes_with [$($other:path),* $(,)?])? {
            $(
                $(#[doc = $documentation:literal])+
                $number:literal => $name:ident : $authority:ident $(, $waits:ident)?
                    ($request:ty) -> $response:ty;
            )*
        }
    ) => {
        $(#[$attribute])*
        $visibility mod $module {
            #[allow(unused_imports, reason = "payload types are written as in the surrounding \
                code")]
            use super::*;

            /// Every command, in the order of declaration.
            pub const TABLE: &[$crate::CommandEntry] = &[
                $($crate::CommandEntry {
                    name: <$name as $crate::ControlCommand>::NAME,
                    identifier: <$name as $crate::ControlCommand>::IDENTIFIER,
                    authority: <$name as $crate::ControlCommand>::AUTHORITY,
                    waits: <$name as $crate::ControlCommand>::WAITS,
                    documentation: <$name as $crate::ControlCommand>::DOCUMENTATION,
                }),*
            ];

            const _: () = $crate::commands::assert_unique(TABLE);
            $($(const _: () = $crate::commands::assert_distinct(TABLE, $other);)*)?

            $(
                $(#[doc = $documentation])+
                #[derive(Debug, Clone, Copy, PartialEq, Eq)]
                pub struct $name;

                impl $crate::ControlCommand for $name {
                    const IDENTIFIER: $crate::Identifier = $crate::Identifier::new(
                        Self::AUTHORITY.direction(),
                        $crate::limits::REQUEST_BYTES as u16,
                        $kind,
                        $number,
                    );
                    const AUTHORITY: $crate::Authority = $crate::Authority::$authority;
                    const WAITS: bool = $crate::__command_waits!($($waits)?);
                    const NAME: &'static str = ::core::stringify!($name);
                    const DOCUMENTATION: &'static str =
                        ::core::concat!($($documentation),+).trim_ascii();
                    type Request = $request;
                    type Response = $response;
                }
            )*

            /// A decoded command of this table.
            #[derive(Debug, Clone, PartialEq)]
            pub enum Request {
                $(
                    $(#[doc = $documentation])+
                    $name($request),
                )*
            }

            $crate::__split_commands! {
                [] [] $([$($waits)?] { $(#[doc = $documentation])+ $name $request })*
            }

            impl Request {
                /// Decodes a request; `None` if the identifier is not of this table.
                ///
                /// The inner error is `BadMessage` or `MessageTooLong`, if the bytes are not
                /// exactly one request.
                #[must_use]
                pub fn decode(
                    identifier: $crate::Identifier,
                    bytes: &[u8],
                ) -> ::core::option::Option<$crate::Result<Self>> {
                    match identifier {
                        $(<$name as $crate::ControlCommand>::IDENTIFIER => {
                            ::core::option::Option::Some($crate::decode(bytes).map(Self::$name))
                        })*
                        _ => ::core::option::Option::None,
                    }
                }

                /// Tells what a command's file must have been opened for; `None` if it is not of
                /// this table.
                #[must_use]
                pub const fn authority(
                    identifier: $crate::Identifier,
                ) -> ::core::option::Option<$crate::Authority> {
                    match identifier {
                        $(<$name as $crate::ControlCommand>::IDENTIFIER => {
                            ::core::option::Option::Some(
                                <$name as $crate::ControlCommand>::AUTHORITY,
                            )
                        })*
                        _ => ::core::option::Option::None,
                    }
                }

                /// Encodes the payload, as `File::control_raw` takes it.
                ///
                /// # Errors
                ///
                /// `MessageTooLong`, `InvalidInput`: what cannot be encoded or is too long.
                pub fn encode(&self) -> $crate::Result<$crate::control::Payload> {
                    match self {
                        $(Self::$name(payload) => $crate::control::encode_request(payload),)*
                    }
                }

                /// Tells which command this is.
                #[must_use]
                pub const fn identifier(&self) -> $crate::Identifier {
                    match self {
                        $(Self::$name(_) => <$name as $crate::ControlCommand>::IDENTIFIER,)*
                    }
                }
            }
        }
    };
}

/// Whether a row says `waits`.
#[doc(hidden)]
#[macro_export]
macro_rules! __command_waits {
    () => {
        false
    };
    (waits) => {
        true
    };
}

/// Sorts the rows of a table into those that end at once and those that wait, and writes an enum
/// for each.
#[doc(hidden)]
#[macro_export]
macro_rules! __split_commands {
    ([$($immediate:tt)*] [$($waiting:tt)*] [] $row:tt $($rest:tt)*) => {
        $crate::__split_commands! { [$($immediate)* $row] [$($waiting)*] $($rest)* }
    };
    ([$($immediate:tt)*] [$($waiting:tt)*] [waits] $row:tt $($rest:tt)*) => {
        $crate::__split_commands! { [$($immediate)*] [$($waiting)* $row] $($rest)* }
    };
    (
        [$({ $(#[doc = $now:literal])+ $immediate:ident $immediate_request:ty })*]
        [$({ $(#[doc = $later:literal])+ $waiting:ident $waiting_request:ty })*]
    ) => {
        /// A command that ends at once.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Immediate {
            $($(#[doc = $now])+ $immediate($immediate_request),)*
        }

        /// A command whose answer may take time.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Waiting {
            $($(#[doc = $later])+ $waiting($waiting_request),)*
        }

        /// A command by when it ends.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Timing {
            /// At once.
            Immediate(Immediate),
            /// Perhaps later.
            Waiting(Waiting),
        }

        impl Request {
            /// Tells when the command ends.
            #[must_use]
            pub fn timing(self) -> Timing {
                match self {
                    $(Self::$immediate(request) => {
                        Timing::Immediate(Immediate::$immediate(request))
                    })*
                    $(Self::$waiting(request) => Timing::Waiting(Waiting::$waiting(request)),)*
                }
            }
        }
    };
}
