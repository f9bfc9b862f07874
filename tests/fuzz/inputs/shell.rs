//! Lines of the shell: tokens and scripts are no larger than their text.

use devnet_shell_commands::shell::lexer::tokenize;
use devnet_shell_commands::shell::parser::{Script, parse};

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
    b"<<",
    b"1",
    b"3>",
];

/// Reads the text as a script.
pub(crate) fn check(bytes: &[u8], trace: &mut Trace) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let tokens = tokenize(text);
    if let Ok(tokens) = &tokens {
        assert!(tokens.len() <= text.len(), "more tokens than bytes");
        for token in tokens {
            trace.note(token.text());
        }
    }
    match parse(text) {
        Ok(script) => {
            assert!(tokens.is_ok(), "a script without tokens");
            measure(&script, text, trace);
            // A script twice is twice the script.
            let twice = parse(&format!("{text}\n{text}")).expect("each half is a script");
            let halves = [&script.lists[..], &script.lists].concat();
            assert_eq!(twice.lists, halves);
        }
        Err(why) => {
            assert!(!why.to_string().contains('\n'), "{why}");
            trace.note((why.to_string(), why.is_incomplete(), tokens.is_ok()));
        }
    }
}

fn measure(script: &Script, text: &str, trace: &mut Trace) {
    let mut parts = 0;
    for list in &script.lists {
        trace.note((size(list.rest.len()), list.background));
        for pipeline in list.rest.iter().map(|(_, next)| next).chain([&list.first]) {
            trace.note((pipeline.negated, size(pipeline.commands.len())));
            for command in &pipeline.commands {
                parts += command.words.len() + command.assignments.len();
                parts += command.redirections.len();
                trace.note((command.words.is_empty(), size(command.assignments.len())));
                trace.note(("redirections", size(command.redirections.len())));
                for word in &command.words {
                    trace.note((size(word.pieces.len()), word.quoted));
                }
            }
        }
    }
    assert!(parts <= text.len(), "more parts than bytes");
}
