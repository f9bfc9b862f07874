//! The part of `define_commands!` that tells commands that complete at once from those that may
//! block.

/// Splits the rows of a table into commands that complete at once and commands that may block, and
/// generates an enum for each.
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
        /// A command that completes at once.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Immediate {
            $($(#[doc = $now])+ $immediate($immediate_request),)*
        }

        /// A command that may block.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Waiting {
            $($(#[doc = $later])+ $waiting($waiting_request),)*
        }

        /// A command by its timing.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Timing {
            /// It completes at once.
            Immediate(Immediate),
            /// It may block.
            Waiting(Waiting),
        }

        impl Request {
            /// Returns the command by its timing.
            #[must_use]
            pub fn timing(self) -> Timing {
                match self {
                    $(Self::$immediate(request) => {
                        Timing::Immediate(Immediate::$immediate(request))
                    })*
                    $(Self::$waiting(request) => Timing::Waiting(Waiting::$waiting(request)),)*
                }
            }

            /// Returns the command by its timing; `None` for one that is not built, of which no
            /// code is left.
            #[must_use]
            pub fn timing_built<B: $crate::Build>(self) -> ::core::option::Option<Timing> {
                match self {
                    $(Self::$immediate(request)
                        if const {
                            $crate::built::is_built::<B>(
                                <$immediate as $crate::ControlCommand>::IDENTIFIER,
                            )
                        } =>
                    {
                        ::core::option::Option::Some(Timing::Immediate(
                            Immediate::$immediate(request),
                        ))
                    })*
                    $(Self::$waiting(request)
                        if const {
                            $crate::built::is_built::<B>(
                                <$waiting as $crate::ControlCommand>::IDENTIFIER,
                            )
                        } =>
                    {
                        ::core::option::Option::Some(Timing::Waiting(Waiting::$waiting(request)))
                    })*
                    _ => ::core::option::Option::None,
                }
            }
        }
    };
}
