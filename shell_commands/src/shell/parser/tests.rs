use super::*;

#[test]
fn a_script_has_the_shape_it_was_typed_in() {
    let script = parse("a 1 | b && c || d & e; f\n\n g").unwrap();
    assert_eq!(script.lists.len(), 4);
    let first = &script.lists[0];
    assert_eq!(first.background.as_deref(), Some("a 1 | b && c || d"));
    assert_eq!(first.first.commands.len(), 2);
    let connectors: Vec<_> = first.rest.iter().map(|(connector, _)| *connector).collect();
    assert_eq!(connectors, [Connector::And, Connector::Or]);
    assert_eq!(parse("a &&\n\n b |\n c").unwrap().lists.len(), 1);
    assert_eq!(parse("\n\n# nothing\n").unwrap(), Script::default());
}

#[test]
fn wrong_scripts_are_refused_with_place_and_reason() {
    for (text, place, message, incomplete) in [
        ("&& a", (1, 1), "unexpected &&", false),
        ("a &&", (1, 5), "unexpected end of text", true),
        ("a |\n", (2, 1), "unexpected end of text", true),
        ("a | | b", (1, 5), "unexpected |", false),
        ("a && || b", (1, 6), "unexpected ||", false),
        (";", (1, 1), "unexpected ;", false),
        ("a ;; b", (1, 3), "unexpected ;;", false),
        ("&", (1, 1), "unexpected &", false),
        ("a & ; b", (1, 5), "unexpected ;", false),
        ("a >", (1, 4), "unexpected end of text", true),
        ("a > ; b", (1, 5), "unexpected ;", false),
        ("!", (1, 2), "unexpected end of text", true),
        ("echo a\nfi", (2, 1), "unexpected fi", false),
        ("if true; then echo a", (1, 21), "fi is missing", true),
        ("if true\nthen", (2, 5), "unexpected end of text", true),
        ("if true; fi", (1, 10), "unexpected fi, not then", false),
        ("if; then a; fi", (1, 3), "unexpected ;", false),
        ("while true; do done", (1, 16), "unexpected done", false),
        ("for 1 in a; do b; done", (1, 5), "unexpected 1", false),
        ("for i in a; echo; done", (1, 13), "unexpected echo, not do", false),
        ("case x in\n", (2, 1), "unexpected end of text", true),
        ("case x in a b) c;; esac", (1, 13), "unexpected b", false),
        ("{ echo a;", (1, 10), "} is missing", true),
        ("( echo a", (1, 9), "unexpected end of text", true),
        (")", (1, 1), "unexpected )", false),
        ("()", (1, 2), "unexpected )", false),
        ("f() echo", (1, 5), "a function needs { after ()", false),
        ("1f() { a; }", (1, 3), "unexpected (", false),
        ("a (b)", (1, 4), "unexpected b", false),
        ("echo $(if)", (1, 10), "unexpected )", false),
        ("echo $(a", (1, 6), "unterminated $(", true),
        ("echo `a", (1, 6), "unterminated `", true),
        ("echo `if`", (1, 6), "unexpected end of text", false),
        ("echo ${a b}", (1, 6), "bad substitution ${", false),
        ("echo ${}", (1, 6), "bad substitution ${", false),
        ("echo ${#a:-b}", (1, 6), "bad substitution ${", false),
        ("echo ${a", (1, 6), "unterminated ${", true),
        ("echo ${a:-b", (1, 11), "unterminated ${", true),
        ("echo $((1", (1, 9), "unterminated $((", true),
        ("echo $((1) )", (1, 10), "unexpected ) in $((", false),
        ("'", (1, 1), "unterminated '", true),
        ("\"", (1, 2), "unterminated \"", true),
        ("\\", (1, 1), "nothing after \\", true),
        ("a\0b", (1, 2), "a NUL character", false),
        ("'\0'", (1, 2), "a NUL character", false),
        ("cat <<E\na", (2, 1), "here-document without its end E", true),
        ("cat <<E", (1, 8), "here-document without its end E", true),
        ("cat <<'a\nb'\n", (3, 1), "here-document without its end a\\u000ab", true),
        ("cat <<E\n$(fi)\nE\n", (2, 1), "unexpected fi", false),
        ("12>x", (1, 1), "descriptors are 0 to 9", false),
        ("[[ a = a ]]", (1, 1), "[[: there is no such compound command", false),
        ("function f { a; }", (1, 1), "function: there is no such compound command", false),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(error.message, message, "{text:?}");
        assert_eq!(error.is_incomplete(), incomplete, "{text:?}");
        assert_eq!(error.place, place, "{text:?}");
    }
}

#[test]
fn the_place_of_an_error_is_line_and_column() {
    for (text, place) in
        [("a | | b", (1, 5)), ("echo a\nfi", (2, 1)), ("é ;; b", (1, 3)), ("\n\n  )", (3, 3))]
    {
        assert_eq!(parse(text).expect_err(text).place, place, "{text:?}");
    }
    let text = parse("a\n;").expect_err("").to_string();
    assert_eq!(text, "line 2, column 1: syntax error: unexpected ;");
}

#[test]
fn reserved_words_are_words_elsewhere() {
    for text in
        ["echo if then }", "'if' a", "\\if", "ping -c 1 in", "a=if b", "case in in in) ;; esac"]
    {
        assert!(parse(text).is_ok(), "{text:?} {:?}", parse(text));
    }
}

#[test]
fn nesting_and_length_are_bounded() {
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("{ ", "; }"),
        ("if ", "; then a; fi"),
        ("while ", "; do a; done"),
        ("f() { ", "; }"),
        ("echo \"$(", ")\""),
        ("echo ${a:-", "}"),
        ("echo $((", "))"),
        ("case $(", ") in *) ;; esac"),
        ("! ", ""),
    ] {
        let few = open.repeat(10) + "a" + &close.repeat(10);
        if open != "$(" || close != ")" {
            assert!(parse(&few).is_ok(), "{few} {:?}", parse(&few));
        }
        let text = open.repeat(20_000) + "a" + &close.repeat(20_000);
        let result = parse(&text);
        assert!(open == "! " || result.is_err(), "{open}");
        // Without an end, too.
        assert!(parse(&open.repeat(20_000)).is_err(), "{open}");
    }
    assert!(parse(&"`".repeat(20_000)).is_ok());
    let most = "a|".repeat(limits::STAGES - 1) + "a";
    assert_eq!(parse(&most).unwrap().lists[0].first.commands.len(), limits::STAGES);
    assert_eq!(parse(&(most + "|a")).unwrap_err().message, "too many commands in a pipeline");
    let long = " ".repeat(limits::SCRIPT_BYTES + 1);
    assert_eq!(parse(&long).unwrap_err().message, "the script is too long");
}

/// Token sequences in an order that nobody would type.
#[expect(clippy::too_many_lines, reason = "most of it is the list of pieces")]
pub(in crate::shell) fn random_script(seed: &mut u64) -> String {
    const PARTS: [&str; 60] = [
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "for",
        "in",
        "do",
        "done",
        "while",
        "until",
        "case",
        "esac",
        "{",
        "}",
        "(",
        ")",
        ";",
        ";;",
        "&&",
        "||",
        "|",
        "!",
        "\n",
        "echo",
        "true",
        "false",
        "a",
        "a=1",
        "$a",
        "\"$@\"",
        "'x'",
        "\"",
        "'",
        "`",
        "$(",
        "$((",
        "))",
        "${a",
        "${a:-b}",
        "}",
        ":",
        "+",
        "1",
        "<<E",
        "\nE\n",
        ">/temporary/x",
        "2>&1",
        "<&3",
        "f()",
        "f",
        "break",
        "return",
        "set",
        "-e",
        "*",
        "[",
        "]",
        "\\",
        "shift",
    ];
    let mut next = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    };
    let mut text = String::new();
    for _ in 0..next() % 24 + 1 {
        let index = usize::try_from(next() % 60).unwrap();
        text.push_str(PARTS[index]);
        if next() % 8 > 0 {
            text.push(' ');
        }
    }
    text
}

#[test]
fn random_tokens_never_panic() {
    let mut seed = 0x1234_5678_9abc_def1;
    for _ in 0..20_000 {
        let _ = parse(&random_script(&mut seed));
    }
}
