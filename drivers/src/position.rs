//! Where a simulated radio is.

use devnet_virtual_file_system::{Error, FromText, Result};
use serde::{Deserialize, Serialize};

/// Where a radio is, in meters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// To the east.
    pub x: i32,
    /// To the north.
    pub y: i32,
}

impl FromText for Position {
    /// Reads `X Y`.
    fn from_text(text: &str) -> Result<Self> {
        let (x, y) = text.split_once(' ').ok_or(Error::InvalidInput)?;
        let number = |word: &str| word.trim_ascii().parse().map_err(|_| Error::InvalidInput);
        Ok(Self { x: number(x)?, y: number(y)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_two_numbers() {
        assert_eq!(Position::from_text("3 -4"), Ok(Position { x: 3, y: -4 }));
        for text in ["", "3", "3 4 5", "x y", "3.5 1"] {
            assert_eq!(Position::from_text(text), Err(Error::InvalidInput), "{text}");
        }
    }
}
