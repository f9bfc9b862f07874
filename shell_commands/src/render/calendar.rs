//! Times of the calendar, as `date` and `tcpdump` show them.

use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::time::Duration;

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

/// A time since 1970 as in strftime(3); nothing where years have no number.
#[must_use]
pub fn format(since_1970: Duration, format: &str) -> String {
    let seconds = i64::try_from(since_1970.as_secs()).ok();
    let time = seconds.and_then(|seconds| Time::of(seconds, since_1970.subsec_nanos()));
    time.map_or_else(String::new, |time| time.format(format))
}

/// The seconds since 1970 of `@SECONDS`, `YYYY-MM-DD`, or that with `hh:mm` or `hh:mm:ss` behind a
/// blank or `T`, in UTC.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let number = |text: &str, lengths: RangeInclusive<usize>, most: RangeInclusive<i64>| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| most.contains(number))?;
        (is_number && lengths.contains(&text.len())).then_some(number)
    };
    let mut date = date.split('-');
    let year = number(date.next()?, 4..=4, 0..=9999)?;
    let month = number(date.next()?, 2..=2, 1..=12)?;
    let day = number(date.next()?, 2..=2, 1..=31)?;
    let mut time = time.split(':');
    let hour = number(time.next()?, 1..=2, 0..=23)?;
    let minute = number(time.next()?, 2..=2, 0..=59)?;
    let second = time.next().map_or(Some(0), |second| number(second, 2..=2, 0..=60))?;
    if date.next().is_some() || time.next().is_some() {
        return None;
    }
    // Years begin in March, as in `Time::of`.
    let (shifted, place) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * shifted + shifted.div_euclid(4) - shifted.div_euclid(100)
        + shifted.div_euclid(400)
        + (153 * place + 2) / 5
        + day
        - 1
        - 719_468;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second;
    // A day that the month does not have is in the next one.
    let is_day = Time::of(days * 86_400, 0).is_some_and(|time| time.day == day);
    is_day.then_some(seconds)
}

/// A time of the calendar, in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Time {
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
    /// The time so many seconds after 1970, by eras of 400 years, which begin in March.
    ///
    /// `None` where years have no number.
    #[must_use]
    pub fn of(seconds: i64, nanoseconds: u32) -> Option<Self> {
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

    /// As in strftime(3).
    #[must_use]
    pub fn format(&self, format: &str) -> String {
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
