//! `free`: accounts of memory in the columns of procps that mean something here.

use super::append;

/// What the amounts are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// 1024 bytes.
    Kibibytes,
    /// 1,048,576 bytes.
    Mebibytes,
    /// What is easily read.
    ForPeople,
}

impl Unit {
    /// An amount of bytes, rounded down as by procps.
    fn amount(self, bytes: u64) -> String {
        match self {
            Self::Bytes => bytes.to_string(),
            Self::Kibibytes => (bytes / 1024).to_string(),
            Self::Mebibytes => (bytes / (1024 * 1024)).to_string(),
            Self::ForPeople => for_people(bytes),
        }
    }
}

/// At most four digits, with one decimal below ten: `9.5Mi`, `21Gi`.
fn for_people(bytes: u64) -> String {
    let mut unit = 1_u64;
    for letter in ["B", "Ki", "Mi", "Gi"] {
        if bytes / unit < 1024 {
            let tenths = (u128::from(bytes) * 10).div_euclid(u128::from(unit));
            return if unit == 1 || tenths >= 100 {
                format!("{}{letter}", bytes / unit)
            } else {
                format!("{}.{}{letter}", tenths / 10, tenths % 10)
            };
        }
        unit = unit.saturating_mul(1024);
    }
    let tenths = u128::from(bytes) * 10 / u128::from(unit);
    format!("{}.{}Ti", tenths / 10, tenths % 10)
}

/// What an account holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// Whose memory it is.
    pub name: &'static str,
    /// The most bytes, if there is one limit of all.
    pub limit: Option<u64>,
    /// Bytes that are used.
    pub used: u64,
}

/// The heading and a line for each account; `-` for what has no limit.
#[must_use]
pub fn table(accounts: &[Account], unit: Unit) -> String {
    let mut text = format!("{:>20}{:>12}{:>12}\n", "total", "used", "free");
    for Account { name, limit, used } in accounts {
        let [total, free] = [*limit, limit.map(|limit| limit.saturating_sub(*used))]
            .map(|bytes| bytes.map_or_else(|| String::from("-"), |bytes| unit.amount(bytes)));
        let (label, used) = (format!("{name}:"), unit.amount(*used));
        append(&mut text, format_args!("{label:<8}{total:>12}{used:>12}{free:>12}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: [Account; 2] = [
        Account { name: "Files", limit: Some(1 << 30), used: 3_500_000 },
        Account { name: "Guests", limit: None, used: 65_536 },
    ];

    #[test]
    fn accounts_are_lines() {
        assert_eq!(
            table(&ACCOUNTS, Unit::Kibibytes),
            "               total        used        free\n\
             Files:       1048576        3417     1045158\n\
             Guests:            -          64           -\n"
        );
        assert_eq!(
            table(&ACCOUNTS, Unit::ForPeople),
            "               total        used        free\n\
             Files:         1.0Gi       3.3Mi      1020Mi\n\
             Guests:            -        64Ki           -\n"
        );
    }

    #[test]
    fn amounts_keep_their_digits() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.0Ki"),
            (1024 * 1024, "1.0Mi"),
            (22 << 30, "22Gi"),
            (5 << 40, "5.0Ti"),
        ] {
            assert_eq!(for_people(bytes), text);
        }
        assert_eq!(Unit::Bytes.amount(1025), "1025");
        assert_eq!(Unit::Mebibytes.amount((2 << 20) - 1), "1");
    }
}
