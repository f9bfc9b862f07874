//! A form of line, and the macro that makes the table of the [grammar](super::grammar) of them.

use devnet_virtual_file_system::Identifier;

/// One form of line.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its words.
    pub line: &'static str,
    /// What it means beyond the command: defaults and arguments. May be empty.
    pub note: &'static str,
    /// A line of this form.
    pub example: &'static str,
}

/// The lines of one command.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The command.
    pub identifier: Identifier,
    /// Its forms of line.
    pub forms: &'static [Form],
}

/// The forms of one command: written out in braces, or a list elsewhere in parentheses.
macro_rules! forms {
    ($($line:literal, $note:literal, $example:literal;)+) => {
        &[$($crate::command::form::Form { line: $line, note: $note, example: $example }),+]
    };
    ($list:path) => { $list };
}

/// Makes the rows and the match, which the compiler checks for completeness.
macro_rules! grammar {
    (
        lines {$(
            $name:ident($request:pat) $forms:tt
        )+}
        without { $($silent:ident($unused:pat),)+ }
    ) => {
        /// The lines of every command that has some, in the order of the commands.
        pub const ROWS: &[Row] = &[$(Row {
            identifier: <table::$name as devnet_virtual_file_system::ControlCommand>::IDENTIFIER,
            forms: $crate::command::form::forms! $forms,
        }),+];

        impl Request {
            /// The lines of this command; none if it has no text form.
            #[must_use]
            pub const fn grammar(&self) -> &'static [Form] {
                match self {
                    $(Self::$name($request) => $crate::command::form::forms! $forms,)+
                    $(Self::$silent($unused))|+ => &[],
                }
            }
        }
    };
}

pub(super) use {forms, grammar};
