//! `define_commands!`: declares a table of commands, and rejects conflicting numbers at compile
//! time.
//!
//! A device crate calls the macro once per table; this module holds what the generated code uses.
//! It does not know any commands.

use crate::control::CommandEntry;

/// Asserts that no two rows of a table share kind and number. Use it in a constant, so that a
/// failure does not compile.
///
/// # Panics
///
/// If two rows conflict.
pub const fn assert_unique(table: &[CommandEntry]) {
    let mut rest = table;
    while let [first, others @ ..] = rest {
        assert_absent(first, others, "two commands of one table have the same number");
        rest = others;
    }
}

/// Asserts that two tables share no pair of kind and number. Use it in a constant, so that a
/// failure does not compile.
///
/// # Panics
///
/// If a row of one conflicts with a row of the other.
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
/// `Authority, waits` for a command that may block, and `, text "words"` behind the response for
/// one that is a line of text too: these words, then the request as
/// [`FromText`](crate::FromText) reads it.
///
/// It generates the module with one unit struct per command that implements
/// [`ControlCommand`](crate::ControlCommand), the constant `TABLE` of
/// [`CommandEntry`](crate::CommandEntry), the function `visit` that calls a
/// [`CommandVisitor`](crate::CommandVisitor) with a command's type, and the enum `Request` with one
/// variant per command and `decode`, `parse`, `authority`, `identifier`. The doc lines of a command
/// become its documentation.
///
/// A device that executes only some of the commands decodes with `Request::decode_built` and a
/// [`Build`](crate::Build): the others are `Unsupported`, and nothing that reads their requests is
/// built.
///
/// A device dispatches a request by its `Request::timing`: the enum `Immediate` has the commands
/// that complete at once, `Waiting` has those that may block. Match both without `_`: a row without
/// its arm then does not compile.
///
/// The names around the macro are visible inside the module, so payload types are written as in the
/// surrounding code; a payload type must not have the same bare name as a command. Payload types
/// implement `Debug`, `Clone`, `PartialEq`, `Serialize` and `Deserialize`, and contain no `usize`.
///
/// The direction bits follow from the authority: `Read` is
/// [`DataDirection::Read`](crate::DataDirection::Read), `Write` is
/// [`DataDirection::ReadWrite`](crate::DataDirection::ReadWrite). The size is always
/// [`IDENTIFIER_SIZE`](crate::limits::IDENTIFIER_SIZE): requests have no fixed one.
///
/// ```
/// devnet_virtual_file_system::define_commands! {
///     /// Commands of the example radio.
///     pub mod radio, kind b'x' {
///         /// Tunes the radio.
///         1 => Tune: Write (u32) -> bool, text "tune to";
///         /// Tells the frequency.
///         2 => GetFrequency: Read (()) -> u32;
///         /// Looks for the next station; waits until one is found.
///         3 => Search: Write, waits (()) -> u32;
///     }
/// }
/// devnet_virtual_file_system::define_commands! {
///     /// Commands of the clock in the radio.
///     pub mod clock, kind b'x', clashes_with [radio::TABLE] {
///         /// Tells the time.
///         4 => GetTime: Read (()) -> u32;
///     }
/// }
/// use devnet_virtual_file_system::{ControlCommand, encode};
/// # fn main() -> devnet_virtual_file_system::Result<()> {
/// let request = radio::Request::decode(radio::Tune::IDENTIFIER, &encode(&98_u32)?);
/// assert_eq!(request, Some(Ok(radio::Request::Tune(98))));
/// assert_eq!(radio::Request::parse("tune to 98"), Some(Ok(radio::Request::Tune(98))));
/// assert_eq!(radio::Request::parse("tune in"), None);
/// let search = radio::Request::Search(()).timing();
/// assert_eq!(search, radio::Timing::Waiting(radio::Waiting::Search(())));
/// # Ok(())
/// # }
/// ```
///
/// Two commands with the same number do not compile:
///
/// ```compile_fail,E0080
/// devnet_virtual_file_system::define_commands! {
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
/// Two tables of one kind that share a number do not compile either, if one names the other:
///
/// ```compile_fail,E0080
/// devnet_virtual_file_system::define_commands! {
///     /// Commands of the example radio.
///     pub mod radio, kind b'x' {
///         /// Tunes the radio.
///         1 => Tune: Write (u32) -> bool;
///     }
/// }
/// devnet_virtual_file_system::define_commands! {
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
                    ($request:ty) -> $response:ty $(, text $text:literal)?;
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
                    text: $crate::__command_text!($($text)?),
                }),*
            ];

            /// Gives a visitor the type of a command; `None` if the identifier is not in this
            /// table.
            pub fn visit<V: $crate::CommandVisitor>(
                identifier: $crate::Identifier,
                visitor: V,
            ) -> ::core::option::Option<V::Output> {
                match identifier {
                    $(<$name as $crate::ControlCommand>::IDENTIFIER => {
                        ::core::option::Option::Some(visitor.visit::<$name>())
                    })*
                    _ => ::core::option::Option::None,
                }
            }

            const _: () = $crate::commands::assert_unique(TABLE);
            $($(const _: () = $crate::commands::assert_distinct(TABLE, $other);)*)?

            $(
                $(#[doc = $documentation])+
                #[derive(Debug, Clone, Copy, PartialEq, Eq)]
                pub struct $name;

                impl $crate::ControlCommand for $name {
                    const IDENTIFIER: $crate::Identifier = $crate::Identifier::new(
                        Self::AUTHORITY.direction(),
                        $crate::limits::IDENTIFIER_SIZE,
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
                /// Decodes a request; `None` if the identifier is not in this table.
                ///
                /// The inner error is `BadMessage` or `MessageTooLong`, if the bytes are not
                /// exactly one request.
                #[must_use]
                pub fn decode(
                    identifier: $crate::Identifier,
                    bytes: &[u8],
                ) -> ::core::option::Option<$crate::Result<Self>> {
                    Self::decode_built::<$crate::Everything>(identifier, bytes)
                }

                /// Decodes a request of a build that may have left commands out; `None` if the
                /// identifier is not in this table.
                ///
                /// The inner error is that of `decode`, or `Unsupported` for a command that is not
                /// built.
                #[must_use]
                pub fn decode_built<B: $crate::Build>(
                    identifier: $crate::Identifier,
                    bytes: &[u8],
                ) -> ::core::option::Option<$crate::Result<Self>> {
                    match identifier {
                        $(<$name as $crate::ControlCommand>::IDENTIFIER => {
                            let is_built = const {
                                $crate::built::is_built::<B>(
                                    <$name as $crate::ControlCommand>::IDENTIFIER,
                                )
                            };
                            ::core::option::Option::Some(if is_built {
                                $crate::decode(bytes).map(Self::$name)
                            } else {
                                ::core::result::Result::Err($crate::Error::Unsupported)
                            })
                        })*
                        _ => ::core::option::Option::None,
                    }
                }

                /// Parses a line of text; `None` if it begins with the words of no command.
                ///
                /// The inner error is that of [`FromText`]($crate::FromText).
                #[must_use]
                pub fn parse(line: &str) -> ::core::option::Option<$crate::Result<Self>> {
                    $($(
                        if let ::core::option::Option::Some(rest) =
                            $crate::text::strip_words(line, $text)
                        {
                            let request = <$request as $crate::FromText>::from_text(rest);
                            return ::core::option::Option::Some(request.map(Self::$name));
                        }
                    )?)*
                    let _ = line;
                    ::core::option::Option::None
                }

                /// Returns the authority that a command requires of its file; `None` if it is not
                /// in this table.
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

                /// Encodes the payload for `File::control_raw`.
                ///
                /// # Errors
                ///
                /// `MessageTooLong` or `InvalidInput` if it is too long or cannot be encoded.
                pub fn encode(&self) -> $crate::Result<$crate::control::Payload> {
                    match self {
                        $(Self::$name(payload) => $crate::control::encode_request(payload),)*
                    }
                }

                /// Returns the command's identifier.
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

/// True if a row has `waits`.
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

/// The words of a row's text form.
#[doc(hidden)]
#[macro_export]
macro_rules! __command_text {
    () => {
        ::core::option::Option::None
    };
    ($text:literal) => {
        ::core::option::Option::Some($text)
    };
}
