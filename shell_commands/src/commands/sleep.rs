//! `sleep`: waits for the clock of the context. A bare number means seconds, as in Unix.

use std::time::Duration;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let [text] = context.arguments.as_slice() else {
        return Err(Failure::usage("one duration is needed"));
    };
    let duration = parsed(text)?;
    let clock = &context.platform.clock;
    clock.sleep_until(clock.now().after(duration)).await;
    Ok(Status::SUCCESS)
}

/// The duration of an argument.
///
/// # Errors
/// `bad duration`.
pub(crate) fn parsed(text: &str) -> Result<Duration, Failure> {
    duration(text).ok_or_else(|| Failure::usage(format!("{text}: bad duration")))
}

/// `1`, `0.5`, `200ms`, `2s`, `3m` or `1h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let number: f64 = digits.parse().ok()?;
    Duration::try_from_secs_f64(number * unit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, milliseconds) in [
            ("1", 1000),
            ("0.25", 250),
            ("200ms", 200),
            ("2s", 2000),
            ("3m", 180_000),
            ("1h", 3_600_000),
            ("0", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "-1",
            "1x",
            "1 s",
            "nan",
            "inf",
            "1e3",
            "+1",
            "1..2",
            "999999999999999999999999999",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
