use super::*;

fn words(text: &str) -> Vec<String> {
    let literal = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Variable { name, quoted: true } => format!("<\"{name}\">"),
        Piece::Variable { name, quoted: false } => format!("<{name}>"),
    };
    let shown = |token: &Token| match token {
        Token::Word(word) => word.pieces.iter().map(literal).collect(),
        Token::Redirect(descriptor, direction) => format!("{descriptor:?}{direction:?}"),
        other => other.text().to_owned(),
    };
    tokenize(text).unwrap().iter().map(shown).collect()
}

#[test]
fn words_quotes_and_escapes() {
    assert_eq!(words("echo  a\tb"), ["echo", "a", "b"]);
    assert_eq!(words(r#"'a b' "c d" e\ f g'h'"i""#), ["a b", "c d", "e f", "ghi"]);
    assert_eq!(words(r#"'' "" a"" "#), ["", "", "a"]);
    assert_eq!(words(r#""\a \" \\ \$x""#), [r#"\a " \ $x"#]);
    assert_eq!(words(r"'\n'"), [r"\n"]);
    assert_eq!(words("a\\\nb"), ["ab"]);
    assert_eq!(words("\"a\\\nb\""), ["ab"]);
}

#[test]
fn comments_begin_words_only() {
    assert_eq!(words("a # b ; c\nd"), ["a", "end of line", "d"]);
    assert_eq!(words("a#b '#' \\#"), ["a#b", "#", "#"]);
    assert_eq!(words("# only"), Vec::<String>::new());
}

#[test]
fn operators_need_no_spaces() {
    assert_eq!(words("a&&b||c|d;e&f"), ["a", "&&", "b", "||", "c", "|", "d", ";", "e", "&", "f"]);
    assert_eq!(
        words("a>b>>c<d"),
        ["a", "OutputTruncate", "b", "OutputAppend", "c", "InputRead", "d"]
    );
    assert_eq!(
        words("a 2>b 2>>c 2>&1 >&2"),
        [
            "a",
            "ErrorTruncate",
            "b",
            "ErrorAppend",
            "c",
            "ErrorDuplicate",
            "1",
            "OutputDuplicate",
            "2"
        ]
    );
    assert_eq!(
        words("a2>b"),
        ["a2", "OutputTruncate", "b"],
        "only a word of one digit is a descriptor"
    );
    assert_eq!(words("a '2'>b"), ["a", "2", "OutputTruncate", "b"]);
    assert_eq!(words("a 0<b 1>c"), ["a", "InputRead", "b", "OutputTruncate", "c"]);
}

#[test]
fn variables_become_pieces() {
    assert_eq!(
        words(r#"$a x${b}y "$c" $? $# "$@" $10 ${10} '$d' \$e"#),
        ["<a>", "x<b>y", "<\"c\">", "<?>", "<#>", "<\"@\">", "<1>0", "<10>", "$d", "$e"]
    );
    assert_eq!(words("$ a$ \"$\""), ["$", "a$", "$"]);
    assert_eq!(words("\"$a\""), ["<\"a\">"]);
}

#[test]
fn hostile_text_is_refused_or_taken_but_never_fatal() {
    for (text, incomplete) in [
        ("'", true),
        ("\"", true),
        ("\\", true),
        ("\"\\", true),
        ("echo 'a\nb", true),
        ("a\0b", false),
        ("'\0'", false),
        ("\"\0\"", false),
        ("\\\0", false),
        ("$(", false),
        ("`", false),
        ("(", false),
        (")", false),
        ("\"`\"", false),
        ("${", false),
        ("${}", false),
        ("${a", false),
        ("${a b}", false),
        ("<<x", false),
        ("3>x", false),
        ("2<x", false),
        ("9<x", false),
    ] {
        let error = tokenize(text).expect_err(text);
        assert_eq!(error.is_incomplete(), incomplete, "{text:?}");
    }
    assert_eq!(words("\u{1}\u{7f}\u{202e}é"), ["\u{1}\u{7f}\u{202e}é"]);
    let long = "x".repeat(64 * 1024);
    assert_eq!(words(&long), std::slice::from_ref(&long));
    assert_eq!(tokenize(&";".repeat(64 * 1024)).unwrap().len(), 64 * 1024);
    assert_eq!(tokenize(&"$".repeat(64 * 1024)).unwrap().len(), 1);
}
