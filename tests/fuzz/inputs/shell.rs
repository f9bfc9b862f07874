//! Scripts of the shell: they are no larger than their text.

use devnet_shell_commands::shell::parser::parse;
use devnet_shell_commands::shell::syntax::{Kind, Script};

use super::{Trace, size};

pub(crate) const TOKENS: &[&[u8]] = &[
    b"echo a",
    b" && ",
    b" || ",
    b" | ",
    b" & ",
    b"; ",
    b"\n",
    b"> /x",
    b">> /x",
    b"< /x",
    b"2>&1",
    b">&2",
    b"'",
    b"\"",
    b"\\",
    b"$a",
    b"${a}",
    b"$?",
    b"$",
    b"$(",
    b"`",
    b"#",
    b"! ",
    b"a=b ",
    b"a=$b ",
    b"\0",
    b"(",
    b")",
    b"{",
    b"}",
    b"*",
    b"~",
    b"\xc3\xa4",
    b"[",
    b"if ",
    b" then ",
    b" fi",
    b"for x in ",
    b" do ",
    b" done",
    b"case a in ",
    b";;",
    b" esac",
    b"$((",
    b"${a:-",
    b"f() ",
    b"<<",
    b"1",
    b"3>",
];

/// Reads the text as a script.
pub(crate) fn check(bytes: &[u8], trace: &mut Trace) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parse(text) {
        Ok(script) => {
            let parts = measure(&script, trace);
            assert!(parts <= text.len(), "more parts than bytes");
        }
        Err(why) => {
            assert!(!why.to_string().contains('\n'), "{why}");
            trace.note((why.to_string(), why.is_incomplete()));
        }
    }
}

/// The number of words, assignments and redirections.
fn measure(script: &Script, trace: &mut Trace) -> usize {
    let mut parts = 0;
    for list in &script.lists {
        trace.note((size(list.rest.len()), list.background.is_some()));
        for pipeline in list.rest.iter().map(|(_, next)| next).chain([&list.first]) {
            trace.note((pipeline.negated, size(pipeline.commands.len())));
            for command in &pipeline.commands {
                parts += command.redirections.len();
                trace.note(("redirections", size(command.redirections.len())));
                if let Kind::Simple { assignments, words } = &command.kind {
                    parts += words.len() + assignments.len();
                    trace.note((words.is_empty(), size(assignments.len())));
                }
            }
        }
    }
    parts
}
