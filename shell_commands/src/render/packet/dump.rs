//! The bytes of a packet.

use std::fmt::Write;

use devnet_network::capture::read::Record;
use devnet_network::driver::Medium;

use super::Bytes;

/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;
const ROW: usize = 16;

pub(super) fn append(text: &mut String, record: &Record, how: Bytes) {
    let skipped = match record.medium {
        Medium::Ethernet if !how.with_link => ETHERNET,
        _ => 0,
    };
    let bytes = record.bytes.get(skipped..).unwrap_or_default();
    if how.hexadecimal {
        for (index, row) in bytes.chunks(ROW).enumerate() {
            let _ = write!(text, "\t0x{:04x}:  ", index * ROW);
            let mut hexadecimal = String::new();
            for pair in row.chunks(2) {
                pair.iter().for_each(|byte| {
                    let _ = write!(hexadecimal, "{byte:02x}");
                });
                hexadecimal.push(' ');
            }
            if how.text {
                let _ = write!(text, "{hexadecimal:40} ");
                text.extend(row.iter().map(|byte| match byte {
                    b'!'..=b'~' => char::from(*byte),
                    _ => '.',
                }));
            } else {
                text.push_str(hexadecimal.trim_end());
            }
            text.push('\n');
        }
    } else if how.text {
        text.extend(bytes.iter().map(|byte| match byte {
            b' '..=b'~' | b'\n' | b'\t' => char::from(*byte),
            b'\r' => '\r',
            _ => '.',
        }));
        text.push('\n');
    }
}
