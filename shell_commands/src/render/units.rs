//! Numbers with units.

/// Bytes in units of 1024, in three or four digits.
#[must_use]
pub fn bytes(number: f64) -> String {
    scaled(number, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
}

/// Bytes as `ls -h` has them: up to 1023 as they are, else rounded up in units of 1024.
#[must_use]
pub fn bytes_for_people(number: u64) -> String {
    let mut whole = number;
    let mut unit = 1_u64;
    for letter in ["", "K", "M", "G", "T"] {
        if whole < 1024 || letter == "T" {
            let tenths = (u128::from(number) * 10).div_ceil(u128::from(unit));
            return if letter.is_empty() || tenths > 99 {
                format!("{whole}{letter}")
            } else {
                format!("{}.{}{letter}", tenths / 10, tenths % 10)
            };
        }
        unit *= 1024;
        whole = number.div_ceil(unit);
    }
    number.to_string()
}

/// The number in the largest unit in which it is not below 1.
#[must_use]
pub fn scaled(number: f64, step: f64, units: &[&str]) -> String {
    let mut value = number;
    let mut rest = units.iter();
    let mut unit = rest.next().copied().unwrap_or_default();
    for larger in rest {
        // A number that would be rounded up to the next unit is shown in that unit.
        if value < step - 0.5 {
            break;
        }
        value /= step;
        unit = larger;
    }
    let decimals = if unit == units.first().copied().unwrap_or_default() && value.fract() == 0.0
        || value >= 99.95
    {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.decimals$} {unit}")
}

/// The number in four columns with the prefix of its unit, as `iperf3` shows it.
#[must_use]
pub fn scaled_fixed(number: f64, step: f64, prefixes: &[&str]) -> String {
    let mut value = number;
    let mut rest = prefixes.iter();
    let mut prefix = rest.next().copied().unwrap_or_default();
    for larger in rest {
        if value < step {
            break;
        }
        value /= step;
        prefix = larger;
    }
    let decimals = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:4.decimals$} {prefix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        for (number, text) in [
            (0.0, "0 B"),
            (999.0, "999 B"),
            (1023.0, "1023 B"),
            (1024.0, "1.00 KiB"),
            (15_000.0, "14.6 KiB"),
            (1_048_575.9, "1.00 MiB"),
            (3.5e9, "3.26 GiB"),
        ] {
            assert_eq!(bytes(number), text, "{number}");
        }
    }
}
