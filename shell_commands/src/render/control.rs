//! The table of a device's control commands, as `control DEVICE` prints it.

use devnet_virtual_file_system::{Authority, CommandEntry};

use super::append;

/// One row per command: identifier, authority, name, documentation, and the words of its line of
/// text if the table has them.
#[must_use]
pub fn table(rows: &[CommandEntry]) -> String {
    let mut text = String::new();
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        let authority = match row.authority {
            Authority::Read => "read ",
            Authority::Write => "write",
        };
        let documentation = row.documentation.trim();
        let line = row.text.map(|text| format!(" (line: {text})")).unwrap_or_default();
        append(
            &mut text,
            format_args!(
                "{:#010x} {authority} {:<width$} {documentation}{line}\n",
                row.identifier.raw(),
                row.name
            ),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use devnet_network::command::table::TABLE;

    #[test]
    fn rows_begin_with_what_control_takes() {
        let text = table(TABLE);
        let row = text.lines().find(|line| line.contains(" GetInterface ")).unwrap();
        let raw = u32::from_str_radix(row.split(' ').next().unwrap().trim_start_matches("0x"), 16)
            .unwrap();
        assert_eq!(
            TABLE.iter().find(|entry| entry.identifier.raw() == raw).unwrap().name,
            "GetInterface"
        );
        assert!(row.contains(" read  GetInterface "), "{row}");
        for (line, entry) in text.lines().zip(TABLE) {
            assert_eq!(line.find(entry.documentation), row.find("Returns identity"), "{line}");
        }
        assert_eq!(text.lines().count(), TABLE.len());
    }
}
