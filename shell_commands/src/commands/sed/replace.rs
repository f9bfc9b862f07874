//! The command `s` of `sed`: a text with some matches replaced.

use super::super::expression::Expression;
use super::script::Piece;
use crate::limits;

/// The text after a substitution; none if nothing matches.
pub(super) fn replace(
    text: &[u8],
    expression: &Expression,
    replacement: &[Piece],
    all: bool,
    number: usize,
) -> Option<Vec<u8>> {
    let (mut result, mut at, mut copied, mut count) = (Vec::new(), 0, 0, 0);
    let mut last_end = None;
    while let Some((start, end)) = expression.find(text, at) {
        // Directly behind a match an empty one does not count.
        let counts = start < end || last_end != Some(start);
        count += usize::from(counts);
        if counts && count >= number {
            result.extend_from_slice(text.get(copied..start)?);
            let groups = expression.groups(text, (start, end));
            for piece in replacement {
                match piece {
                    Piece::Text(bytes) => result.extend_from_slice(bytes),
                    Piece::Group(0) => result.extend_from_slice(text.get(start..end)?),
                    Piece::Group(group) => {
                        let span = groups.get(*group).copied().flatten();
                        let found = span.and_then(|span| text.get(span.start..span.end));
                        result.extend_from_slice(found.unwrap_or_default());
                    }
                }
            }
            copied = end;
            if !all || result.len() > limits::TEXT_BYTES {
                break;
            }
        }
        last_end = Some(end);
        at = if start < end { end } else { end + 1 };
    }
    if copied == 0 && result.is_empty() && (count < number || count == 0) {
        return None;
    }
    result.extend_from_slice(text.get(copied..)?);
    Some(result)
}
