//! `ps`: one line per running guest program. The first and the last column are those of every `ps`.

use devnet_guest_programs::Usage;

use super::append;
use crate::shown;

/// A heading and one line for each program, in the order given.
#[must_use]
pub fn table(programs: &[Usage]) -> String {
    let mut text = String::from("  PID  MEMORY       FUEL FILES SOCKETS STORAGE NODES COMMAND\n");
    for one in programs {
        let kibibytes = |bytes: usize| format!("{}K", bytes.div_ceil(1024));
        append(
            &mut text,
            format_args!(
                "{:>5} {:>7} {:>10} {:>5} {:>7} {:>7} {:>5} {}\n",
                one.number,
                kibibytes(one.memory_bytes),
                one.burnt,
                one.files,
                one.sockets,
                kibibytes(one.storage_bytes),
                one.nodes,
                shown::line(&one.command)
            ),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_lines() {
        let one = Usage {
            number: 7,
            command: "httpd.wasm -p 80".into(),
            burnt: 123_456,
            memory_bytes: 1 << 20,
            files: 5,
            sockets: 1,
            buffer_bytes: 131_072,
            storage_bytes: 5000,
            nodes: 2,
        };
        assert_eq!(
            table(&[one]),
            "  PID  MEMORY       FUEL FILES SOCKETS STORAGE NODES COMMAND\n    7   1024K     \
             123456     5       1      5K     2 httpd.wasm -p 80\n"
        );
    }
}
