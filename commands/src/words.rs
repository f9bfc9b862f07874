//! One word per value, for text commands, status text and records of events, in both directions.

/// Implements the words of an enumeration. Each variant has exactly one, and parsing it returns the
/// variant.
macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl core::fmt::Display for $type {
            /// The value in one word, as text commands and status text have it.
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $word,)+
                })
            }
        }

        impl core::str::FromStr for $type {
            type Err = devnet_virtual_file_system::Error;

            /// Reads the word; `InvalidInput` for any other.
            fn from_str(word: &str) -> core::result::Result<Self, Self::Err> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(devnet_virtual_file_system::Error::InvalidInput),
                }
            }
        }
    };
}

pub(crate) use words;
