//! `od`: rows of bytes in one or more types, in coreutils' layout.

/// The radix of the addresses at the beginning of rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Radix {
    /// Seven octal digits.
    Octal,
    /// Seven decimal digits.
    Decimal,
    /// Six hexadecimal digits.
    Hexadecimal,
    /// No addresses.
    No,
}

impl Radix {
    fn address(self, address: u64) -> String {
        match self {
            Self::Octal => format!("{address:07o}"),
            Self::Decimal => format!("{address:07}"),
            Self::Hexadecimal => format!("{address:06x}"),
            Self::No => String::new(),
        }
    }
}

/// What bytes are taken for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Names of characters (ISO 646).
    Name,
    /// Characters, with the escapes of C.
    Character,
    /// Octal numbers.
    Octal,
    /// Numbers without a sign.
    Unsigned,
    /// Numbers with a sign.
    Signed,
    /// Hexadecimal numbers.
    Hexadecimal,
}

/// How bytes are shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Type {
    /// What they are taken for.
    pub kind: Kind,
    /// Bytes of one number: 1, 2, 4 or 8.
    pub size: usize,
    /// With the characters at the end of the row.
    pub with_text: bool,
}

impl Type {
    /// A type without text.
    #[must_use]
    pub const fn new(kind: Kind, size: usize) -> Self {
        Self { kind, size, with_text: false }
    }

    /// Columns of the longest value, without a space.
    const fn width(self) -> usize {
        match (self.kind, self.size) {
            (Kind::Name | Kind::Character, _) => 3,
            (Kind::Octal, 1) => 3,
            (Kind::Octal, 2) => 6,
            (Kind::Octal, 4) => 11,
            (Kind::Octal, _) => 22,
            (Kind::Hexadecimal, size) => 2 * size,
            (Kind::Unsigned, 1) => 3,
            (Kind::Unsigned, 2) => 5,
            (Kind::Unsigned, 4) => 10,
            (Kind::Unsigned, _) => 20,
            (Kind::Signed, 1) => 4,
            (Kind::Signed, 2) => 6,
            (Kind::Signed, 4) => 11,
            (Kind::Signed, _) => 20,
        }
    }

    /// One value; missing bytes at the end count as zeros.
    fn value(self, bytes: &[u8]) -> String {
        let mut whole = [0; 8];
        for (place, byte) in whole.iter_mut().zip(bytes) {
            *place = *byte;
        }
        let number = u64::from_le_bytes(whole);
        let width = self.width();
        match self.kind {
            Kind::Name => name(whole[0]),
            Kind::Character => character(whole[0]),
            Kind::Octal => format!("{number:0width$o}"),
            Kind::Hexadecimal => format!("{number:0width$x}"),
            Kind::Unsigned => number.to_string(),
            Kind::Signed => {
                // The sign is the highest bit of the size.
                let unused = 64_usize.saturating_sub(self.size.saturating_mul(8));
                let shifted = number.unbounded_shl(unused as u32).cast_signed();
                shifted.unbounded_shr(unused as u32).to_string()
            }
        }
    }
}

fn name(byte: u8) -> String {
    const NAMES: [&str; 33] = [
        "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr",
        "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub",
        "esc", "fs", "gs", "rs", "us", "sp",
    ];
    // The highest bit does not count.
    match byte & 0x7f {
        0x7f => String::from("del"),
        byte => NAMES
            .get(usize::from(byte))
            .map_or_else(|| char::from(byte).to_string(), |name| (*name).to_owned()),
    }
}

fn character(byte: u8) -> String {
    match byte {
        0 => String::from("\\0"),
        7 => String::from("\\a"),
        8 => String::from("\\b"),
        b'\t' => String::from("\\t"),
        b'\n' => String::from("\\n"),
        11 => String::from("\\v"),
        12 => String::from("\\f"),
        b'\r' => String::from("\\r"),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => format!("{byte:03o}"),
    }
}

/// A dump in the making.
pub struct Dump {
    radix: Radix,
    types: Vec<Type>,
    row: usize,
    all: bool,
    address: u64,
    held: Vec<u8>,
    last: Option<Vec<u8>>,
    repeats: bool,
}

impl Dump {
    /// A dump with rows of so many bytes, a multiple of every type's size. Rows that repeat are
    /// left out unless `all` are wanted.
    #[must_use]
    pub const fn new(radix: Radix, types: Vec<Type>, row: usize, all: bool) -> Self {
        Self { radix, types, row, all, address: 0, held: vec![], last: None, repeats: false }
    }

    /// Leaves out bytes before the first one.
    pub const fn skip(&mut self, bytes: u64) {
        self.address = self.address.saturating_add(bytes);
    }

    /// Takes bytes, and appends the rows that they complete.
    pub fn push(&mut self, bytes: &[u8], text: &mut String) {
        for byte in bytes {
            self.held.push(*byte);
            if self.held.len() < self.row {
                continue;
            }
            let row = std::mem::take(&mut self.held);
            let is_same = !self.all && self.last.as_ref() == Some(&row);
            if !is_same {
                self.show(&row, text);
            } else if !self.repeats {
                text.push_str("*\n");
            }
            self.repeats = is_same;
            self.address = self.address.saturating_add(row.len() as u64);
            self.last = Some(row);
        }
    }

    /// The last row, and the address of the end.
    #[must_use]
    pub fn end(mut self) -> String {
        let mut text = String::new();
        let row = std::mem::take(&mut self.held);
        if !row.is_empty() {
            self.show(&row, &mut text);
        }
        if self.radix != Radix::No {
            text.push_str(&self.radix.address(self.address.saturating_add(row.len() as u64)));
            text.push('\n');
        }
        text
    }

    /// A line for each type. All are as wide as the widest, with the space between the values.
    fn show(&self, row: &[u8], text: &mut String) {
        let natural = |one: &Type| (one.width() + 1) * (self.row / one.size.max(1));
        let widest = self.types.iter().map(natural).max().unwrap_or(0);
        let mut address = self.radix.address(self.address);
        for one in &self.types {
            text.push_str(&address);
            address = " ".repeat(address.len());
            let fields = (self.row / one.size.max(1)).max(1);
            let pad = widest - natural(one);
            // Where a value ends: spare columns are spread over all, the larger shares first.
            let end = |place: usize| {
                let place = place + 1;
                (one.width() + 1) * place + pad - pad * (fields - place) / fields
            };
            let mut column = 0;
            for (place, bytes) in row.chunks(one.size.max(1)).enumerate() {
                let width = end(place) - column;
                let value = one.value(bytes);
                text.push_str(&format!("{value:>width$}"));
                column = end(place);
            }
            if one.with_text {
                text.push_str(&" ".repeat(widest - column));
                text.push_str("  >");
                text.extend(row.iter().map(|byte| match byte {
                    b' '..=b'~' => char::from(*byte),
                    _ => '.',
                }));
                text.push('<');
            }
            text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dumped(radix: Radix, types: &[Type], bytes: &[u8]) -> String {
        let mut dump = Dump::new(radix, types.to_vec(), 16, false);
        let mut text = String::new();
        dump.push(bytes, &mut text);
        text + &dump.end()
    }

    #[test]
    fn types_of_different_widths_stand_below_each_other() {
        let types = [Type::new(Kind::Signed, 1), Type::new(Kind::Hexadecimal, 4)];
        assert_eq!(
            dumped(Radix::Hexadecimal, &types, b"ab\xffc"),
            "000000   97   98   -1   99\n                  63ff6261\n000004\n"
        );
        let mut names = Type::new(Kind::Name, 1);
        names.with_text = true;
        assert_eq!(
            dumped(Radix::No, &[names], b"\x80 a"),
            format!(" nul  sp   a{}  >. a<\n", " ".repeat(13 * 4))
        );
    }
}
