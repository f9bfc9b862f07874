//! `df`: the table of file systems with their only one, in coreutils' layout.

use super::units;

/// What the amounts are counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// This many bytes, with the letter of them.
    Bytes(u64, char),
    /// What is easily read.
    ForPeople,
}

impl Unit {
    /// 1024 bytes.
    pub const KIBIBYTES: Self = Self::Bytes(1024, 'K');
    /// 1,048,576 bytes.
    pub const MEBIBYTES: Self = Self::Bytes(1024 * 1024, 'M');

    /// An amount of bytes, rounded up.
    fn amount(self, bytes: u64) -> String {
        match self {
            Self::Bytes(size, _) => bytes.div_ceil(size).to_string(),
            Self::ForPeople => units::bytes_for_people(bytes),
        }
    }
}

/// The table of bytes.
#[must_use]
pub fn bytes(limit: usize, used: usize, unit: Unit, portable: bool) -> String {
    let size = match unit {
        Unit::ForPeople => String::from("Size"),
        Unit::Bytes(size, _) if portable => format!("{size}-blocks"),
        Unit::Bytes(_, letter) => format!("1{letter}-blocks"),
    };
    let available = if unit == Unit::ForPeople && !portable { "Avail" } else { "Available" };
    let percent = if portable { "Capacity" } else { "Use%" };
    table([&size, "Used", available, percent], limit, used, |number| unit.amount(number))
}

/// The table of nodes, which count as inodes.
#[must_use]
pub fn nodes(limit: usize, used: usize, unit: Unit) -> String {
    table(["Inodes", "IUsed", "IFree", "IUse%"], limit, used, |number| match unit {
        // Numbers of inodes have powers of 1024, too.
        Unit::ForPeople => units::bytes_for_people(number),
        Unit::Bytes(..) => number.to_string(),
    })
}

/// The heading, and the line of the tree.
fn table(heading: [&str; 4], limit: usize, used: usize, amount: impl Fn(u64) -> String) -> String {
    let free = limit.saturating_sub(used);
    let percent = (used as u128 * 100).div_ceil((limit as u128).max(1));
    let line =
        [amount(limit as u64), amount(used as u64), amount(free as u64), format!("{percent}%")];
    let (mut above, mut below) = (format!("{:<14}", "Filesystem"), format!("{:<14}", "tree"));
    for (place, (title, value)) in heading.iter().zip(&line).enumerate() {
        let least = if place == 3 { 4 } else { 5 };
        let width = title.len().max(value.len()).max(least);
        above.push_str(&format!(" {title:>width$}"));
        below.push_str(&format!(" {value:>width$}"));
    }
    format!("{above} Mounted on\n{below} /\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_one_line() {
        assert_eq!(
            bytes(1 << 30, 5000, Unit::KIBIBYTES, false),
            "Filesystem     1K-blocks  Used Available Use% Mounted on\n\
             tree             1048576     5   1048572   1% /\n"
        );
        assert_eq!(
            bytes(1 << 30, 1 << 30, Unit::ForPeople, false),
            "Filesystem      Size  Used Avail Use% Mounted on\n\
             tree            1.0G  1.0G     0 100% /\n"
        );
        assert_eq!(
            bytes(1 << 30, 0, Unit::MEBIBYTES, true),
            "Filesystem     1048576-blocks  Used Available Capacity Mounted on\n\
             tree                     1024     0      1024       0% /\n"
        );
        assert_eq!(
            nodes(99_999, 12, Unit::KIBIBYTES),
            "Filesystem     Inodes IUsed IFree IUse% Mounted on\n\
             tree            99999    12 99987    1% /\n"
        );
    }
}
