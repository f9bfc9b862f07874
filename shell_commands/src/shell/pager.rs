//! A long text on a terminal, one page after the other.
//!
//! Enter shows the next page, `q` and Enter ends it, and so does Ctrl-C. The terminal edits lines
//! meanwhile, so this needs nothing but its files and its size. Anywhere else the text is printed
//! whole.

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

/// What stands below a page.
const MORE: &str = "-- more: Enter; end: q Enter -- ";

/// Prints a text.
pub(super) async fn show(context: &Context, text: &str) -> Outcome {
    let input = &context.streams.input;
    let (Some(window), true) = (&context.streams.output.terminal, input.terminal.is_some()) else {
        return context.answer(text).await;
    };
    let mut lines = text.lines().peekable();
    while lines.peek().is_some() {
        let size = window.size();
        // The last row is for the question. A line that is longer than a row takes several.
        let (mut room, mut page) = (usize::from(size.rows.max(2)).saturating_sub(1), String::new());
        while let Some(line) = lines.peek() {
            let rows = line.chars().count().max(1).div_ceil(usize::from(size.columns.max(1)));
            if rows > room && !page.is_empty() {
                break;
            }
            room = room.saturating_sub(rows);
            page.push_str(line);
            page.push('\n');
            lines.next();
        }
        context.print(&page).await?;
        if lines.peek().is_none() {
            break;
        }
        context.streams.error.remark(MORE).await;
        let (mut byte, mut ends) = ([0], false);
        loop {
            let read = input.file.read(&mut byte).await;
            let count = read.map_err(|why| Failure::of(&input.name, why))?;
            ends |= count == 0 || byte == *b"q";
            if count == 0 || byte == *b"\n" {
                break;
            }
        }
        if ends {
            break;
        }
    }
    Ok(Status::SUCCESS)
}
