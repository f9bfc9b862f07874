//! `seq` and `yes`: lines of numbers, or the same line again and again.

use super::lines::Output;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::status::Status;

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut separator, mut pads) = (String::from("\n"), false);
    let mut words = context.arguments.as_slice();
    while let Some((word, rest)) = words.split_first() {
        match (word.as_str(), rest) {
            ("-w", rest) => (pads, words) = (true, rest),
            ("-s", [text, rest @ ..]) => (separator, words) = (text.clone(), rest),
            (word, rest) => match word.strip_prefix("-s") {
                Some(text) => (separator, words) = (text.to_owned(), rest),
                None => break,
            },
        }
    }
    let number = |text: &String| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let value = text.parse::<f64>().ok().filter(|value| is_number && value.is_finite());
        value.ok_or_else(|| Failure::of(text, "bad number"))
    };
    let (first, step, last) = match words {
        [last] => (1.0, 1.0, number(last)?),
        [first, last] => (number(first)?, 1.0, number(last)?),
        [first, step, last] => (number(first)?, number(step)?, number(last)?),
        _ => return Err(Failure::usage("one to three numbers are needed")),
    };
    if step == 0.0 {
        return Err(Failure::new("the step is 0"));
    }
    let places = |text: &String| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let digits = words.iter().take(words.len().max(2) - 1).map(places).max().unwrap_or(0);
    let digits = if words.len() == 1 { 0 } else { digits };
    let text = |value: f64| format!("{value:.digits$}");
    let width = if pads { text(first).len().max(text(last).len()) } else { 0 };
    let mut output = Output::new(context);
    let (mut index, mut is_empty) = (0_u32, true);
    loop {
        let value = f64::from(index).mul_add(step, first);
        // Half a unit of the last digit is the error of adding.
        let slack = 0.5 * 10_f64.powi(-i32::try_from(digits).unwrap_or(0) - 3);
        if (step > 0.0 && value > last + slack) || (step < 0.0 && value < last - slack) {
            break;
        }
        if !is_empty {
            output.write(separator.as_bytes()).await?;
        }
        is_empty = false;
        output.write(format!("{:0>width$}", text(value)).as_bytes()).await?;
        index = index.checked_add(1).ok_or_else(|| Failure::new("too many numbers"))?;
    }
    if !is_empty {
        output.write(b"\n").await?;
    }
    output.flush().await?;
    Ok(Status::SUCCESS)
}

/// `yes`: until nobody reads.
pub(super) async fn again(context: &Context) -> Outcome {
    let line = match context.arguments.as_slice() {
        [] => String::from("y"),
        words => words.join(" "),
    };
    let mut output = Output::new(context);
    loop {
        output.line(line.as_bytes()).await?;
    }
}
