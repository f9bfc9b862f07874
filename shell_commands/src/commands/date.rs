//! `date`: the time of the clock, in UTC; there are no time zones.

use std::fmt::Write as _;

use crate::context::Context;
use crate::failure::{Failure, Outcome};

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) async fn run(context: &Context) -> Outcome {
    let (mut format, mut given) = (None, None);
    let mut words = context.arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            // It is UTC anyway.
            "-u" => {}
            "-R" => format = Some("%a, %d %b %Y %H:%M:%S +0000"),
            "-I" => format = Some("%F"),
            "-Iseconds" => format = Some("%FT%T+00:00"),
            "-d" => {
                given = Some(words.next().ok_or_else(|| Failure::usage("-d: a time is missing"))?)
            }
            "-s" => return Err(Failure::new("the clock is the host's, and cannot be set here")),
            word if word.starts_with('+') => format = word.get(1..),
            word => return Err(Failure::usage(format!("{word}: unknown argument"))),
        }
    }
    let platform = &context.platform;
    let now = platform.started + std::time::Duration::from_micros(platform.clock.now().as_micros());
    let (seconds, nanoseconds) = match given {
        Some(text) => {
            let bad = || Failure::of(text, "bad time, not @SECONDS");
            (text.strip_prefix('@').ok_or_else(bad)?.parse::<i64>().map_err(|_| bad())?, 0)
        }
        None => (i64::try_from(now.as_secs()).unwrap_or(i64::MAX), now.subsec_nanos()),
    };
    let time = Time::of(seconds, nanoseconds).ok_or_else(|| Failure::new("the time is too far"))?;
    let text = time.format(format.unwrap_or("%a %b %e %H:%M:%S %Z %Y"));
    context.answer(&format!("{text}\n")).await
}

/// A time of the calendar.
struct Time {
    seconds: i64,
    nanoseconds: u32,
    year: i64,
    month: i64,
    day: i64,
    of_day: i64,
    /// Days since 1970-01-01.
    days: i64,
}

impl Time {
    /// The civil calendar by eras of 400 years, which begin in March.
    fn of(seconds: i64, nanoseconds: u32) -> Option<Self> {
        let days = seconds.div_euclid(86_400);
        let shifted = days.checked_add(719_468).filter(|days| days.unsigned_abs() < 1 << 40)?;
        let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let part = (5 * day + 2) / 153;
        let month = if part < 10 { part + 3 } else { part - 9 };
        Some(Self {
            seconds,
            nanoseconds,
            year: year + era * 400 + i64::from(month <= 2),
            month,
            day: day - (153 * part + 2) / 5 + 1,
            of_day: seconds.rem_euclid(86_400),
            days,
        })
    }

    fn day_of_year(&self) -> i64 {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let before = (153 * ((self.month + 9) % 12) + 2) / 5;
        let from_january =
            if self.month > 2 { before + 59 + i64::from(leap) } else { before - 306 };
        from_january + self.day
    }

    fn format(&self, format: &str) -> String {
        let name = |names: &'static [&'static str], index: i64| {
            usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or("")
        };
        let (hour, minute, second) = (self.of_day / 3600, self.of_day / 60 % 60, self.of_day % 60);
        let weekday = (self.days + 4).rem_euclid(7);
        let (day, month) = (name(&DAYS, weekday), name(&MONTHS, self.month - 1));
        let short = |name: &'static str| name.get(..3).unwrap_or(name);
        let of_half = (hour + 11) % 12 + 1;
        let mut text = String::new();
        let mut characters = format.chars();
        while let Some(character) = characters.next() {
            if character != '%' {
                text.push(character);
                continue;
            }
            // Writing to a string cannot fail.
            let _ = match characters.next() {
                Some('Y') => write!(text, "{}", self.year),
                Some('C') => write!(text, "{:02}", self.year / 100),
                Some('y') => write!(text, "{:02}", self.year.rem_euclid(100)),
                Some('m') => write!(text, "{:02}", self.month),
                Some('d') => write!(text, "{:02}", self.day),
                Some('e') => write!(text, "{:2}", self.day),
                Some('H') => write!(text, "{hour:02}"),
                Some('k') => write!(text, "{hour:2}"),
                Some('I') => write!(text, "{of_half:02}"),
                Some('l') => write!(text, "{of_half:2}"),
                Some('M') => write!(text, "{minute:02}"),
                Some('S') => write!(text, "{second:02}"),
                Some('N') => write!(text, "{:09}", self.nanoseconds),
                Some('p') => write!(text, "{}", if hour < 12 { "AM" } else { "PM" }),
                Some('s') => write!(text, "{}", self.seconds),
                Some('j') => write!(text, "{:03}", self.day_of_year()),
                Some('u') => write!(text, "{}", (weekday + 6) % 7 + 1),
                Some('w') => write!(text, "{weekday}"),
                Some('a') => write!(text, "{}", short(day)),
                Some('A') => write!(text, "{day}"),
                Some('b' | 'h') => write!(text, "{}", short(month)),
                Some('B') => write!(text, "{month}"),
                Some('F') => write!(text, "{}", self.format("%Y-%m-%d")),
                Some('T' | 'X') => write!(text, "{}", self.format("%H:%M:%S")),
                Some('R') => write!(text, "{}", self.format("%H:%M")),
                Some('D' | 'x') => write!(text, "{}", self.format("%m/%d/%y")),
                Some('c') => write!(text, "{}", self.format("%a %b %e %T %Y")),
                Some('Z') => write!(text, "UTC"),
                Some('z') => write!(text, "+0000"),
                Some('n') => writeln!(text),
                Some('t') => write!(text, "\t"),
                Some('%') => write!(text, "%"),
                Some(other) => write!(text, "%{other}"),
                None => write!(text, "%"),
            };
        }
        text
    }
}
