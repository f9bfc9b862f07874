//! The language: scripts with what they print and their status, by POSIX and as ash has it.

use futures_lite::future;

use super::parser::tests::random_script;
use crate::status::Status;
use crate::testing::World;

/// A script, its output, its status.
type Row = (&'static str, &'static str, u8);

fn check(rows: &[Row]) {
    for (script, output, status) in rows {
        let world = World::new();
        let ran = world.run(script);
        let got = (ran.output.as_str(), ran.status.0);
        assert_eq!(got, (*output, *status), "{script}\n{}", ran.error);
    }
}

#[test]
fn compound_commands() {
    check(&[
        ("if false; then echo A; echo B; else echo C; fi", "C\n", 0),
        ("if true; then echo A; fi", "A\n", 0),
        ("if false; then echo A; fi", "", 0),
        ("if false; then echo A; elif true; then echo B; else echo C; fi", "B\n", 0),
        ("[ 1 = 1 ] || echo no", "", 0),
        ("[ 1 = 2 ] || echo no", "no\n", 0),
        ("for i in 1 2 3; do echo $i; done", "1\n2\n3\n", 0),
        ("for i in; do echo $i; done", "", 0),
        ("set -- a 'b c'; for i do echo \"<$i>\"; done", "<a>\n<b c>\n", 0),
        ("i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done", "0\n1\n2\n", 0),
        ("i=0; until [ $i -ge 2 ]; do i=$((i+1)); done; echo $i", "2\n", 0),
        ("while false; do :; done; echo $?", "0\n", 0),
        ("for i in 1 2 3; do if [ $i = 2 ]; then continue; fi; echo $i; done", "1\n3\n", 0),
        (
            "for i in 1 2; do for j in a b; do [ $j = b ] && break; echo $i$j; done; done",
            "1a\n2a\n",
            0,
        ),
        ("for i in 1 2; do for j in a b; do break 2; done; echo x; done; echo end", "end\n", 0),
        ("for i in 1 2; do for j in a b; do echo $i$j; continue 2; done; done", "1a\n2a\n", 0),
        ("while true; do break; done; echo $?", "0\n", 0),
        ("while ! break; do :; done; echo on", "on\n", 0),
        ("case abc in a*) echo 1;; *) echo 2;; esac", "1\n", 0),
        ("case abc in x|abc) echo 1;; esac", "1\n", 0),
        ("case 'a*' in a\\*) echo 1;; esac", "1\n", 0),
        ("case abc in 'a*') echo 1;; (*c) echo 2; esac", "2\n", 0),
        ("x='*'; case abc in \"$x\") echo 1;; $x) echo 2;; esac", "2\n", 0),
        ("case x in y) echo 1;; esac; echo $?", "0\n", 0),
        ("false; case x in x) ;; esac; echo $?", "0\n", 0),
        ("{ echo a; echo b; } | cat", "a\nb\n", 0),
        ("{ { echo a; } }", "a\n", 0),
        ("x=1; (x=2; echo $x); echo $x", "2\n1\n", 0),
        ("(exit 3); echo $?", "3\n", 0),
        ("(cd /devices; pwd); pwd", "/devices\n/\n", 0),
        ("! (exit 3); echo $?", "0\n", 0),
        ("if true\nthen\n  echo a # comment\nfi", "a\n", 0),
        ("for i in a b\ndo\necho $i\ndone | cat", "a\nb\n", 0),
        ("echo a; } ; echo b", "", 2),
    ]);
}

#[test]
fn functions() {
    check(&[
        ("f() { echo $1 $#; }; f a b", "a 2\n", 0),
        ("f() { return 3; echo no; }; f; echo $?", "3\n", 0),
        ("f() { false; return; }; f; echo $?", "1\n", 0),
        ("f() { local x=2; echo $x; }; x=1; f; echo $x", "2\n1\n", 0),
        ("f() { x=2; }; x=1; f; echo $x", "2\n", 0),
        ("f() { local x; x=5; g; }; g() { echo $x; }; f; echo -$x-", "5\n--\n", 0),
        ("f() { echo $1; shift; echo $1; }; set -- q; f a b; echo $1", "a\nb\nq\n", 0),
        ("f() { [ $1 -le 0 ] && return; echo $1; f $(($1-1)); }; f 3", "3\n2\n1\n", 0),
        ("f() (exit 4); f; echo $?", "4\n", 0),
        ("f() { echo a; } >/temporary/o; f; cat /temporary/o", "a\n", 0),
        ("f() { cat; }; echo a | f", "a\n", 0),
        ("f() { for i in 1 2; do return 7; done; }; f; echo $?", "7\n", 0),
        ("echo() { printf '%s\\n' mine; }; echo a; unset -f echo; echo a", "mine\na\n", 0),
        ("f() { echo $x; }; x=1; x=2 f; echo $x", "2\n1\n", 0),
        ("f() { f; }; f", "", 2),
    ]);
}

#[test]
fn parameters_and_quoting() {
    check(&[
        ("echo ${x:-a} ${x-b} \"${x:-c d}\"", "a b c d\n", 0),
        ("x=; echo ${x:-a} [${x-b}]", "a []\n", 0),
        ("echo ${x:=a}; echo $x", "a\na\n", 0),
        ("x=1; echo [${x:+a}] [${y:+a}] [${y+a}]", "[a] [] []\n", 0),
        ("echo ${x:?gone}; echo no", "", 2),
        (
            "x=a/b/c.tar.gz; echo ${x#*/} ${x##*/} ${x%.*} ${x%%.*}",
            "b/c.tar.gz c.tar.gz a/b/c.tar a/b/c\n",
            0,
        ),
        ("x='a*b'; echo \"${x#a\\*}\" \"${x%'*b'}\"", "b a\n", 0),
        ("x=hello; echo ${#x} ${#}", "5 0\n", 0),
        ("set -- a b c; echo $# $2 ${3} $*", "3 b c a b c\n", 0),
        ("set -- a 'b c'; for i in \"$@\"; do echo \"<$i>\"; done", "<a>\n<b c>\n", 0),
        ("set -- a 'b c'; for i in $@; do echo \"<$i>\"; done", "<a>\n<b>\n<c>\n", 0),
        ("set -- a b; IFS=-; echo \"$*\"", "a-b\n", 0),
        ("set --; for i in \"$@\"; do echo x; done; echo $#", "0\n", 0),
        ("set -- a b; echo ${1+\"$@\"}", "a b\n", 0),
        ("x='a  b'; echo $x; echo \"$x\"", "a b\na  b\n", 0),
        ("IFS=:; x=a::b:; for i in $x; do echo \"<$i>\"; done", "<a>\n<>\n<b>\n", 0),
        ("IFS=; x='a b'; for i in $x; do echo \"<$i>\"; done", "<a b>\n", 0),
        ("IFS=' :'; x='a : b'; for i in $x; do echo \"<$i>\"; done", "<a>\n<b>\n", 0),
        ("for i in ${x:-a b}; do echo $i; done", "a\nb\n", 0),
        ("for i in \"${x:-a b}\"; do echo $i; done", "a b\n", 0),
        ("echo 'a b'\"c $((1+1))\"d\\ e", "a bc 2d e\n", 0),
        ("echo \"a\\\"b\\$c\\x\"", "a\"b$c\\x\n", 0),
        ("echo '$x' \\$x \"\\$x\"", "$x $x $x\n", 0),
        ("A=1; A=2 B=3; echo $A$B", "23\n", 0),
        ("export A=1; echo $A", "1\n", 0),
        ("x='a b'; export Y=$x; echo \"$Y\"; export -p", "a b\nexport Y='a b'\n", 0),
        ("x=1; unset x; echo [$x]", "[]\n", 0),
        ("false; echo $?; echo $?", "1\n0\n", 0),
        ("echo a$ $", "a$ $\n", 0),
        ("shift 2; echo no", "no\n", 0),
    ]);
}

#[test]
fn substitutions_and_arithmetic() {
    check(&[
        ("echo $(echo a; echo b)", "a b\n", 0),
        ("echo \"$(echo a; echo b)\"", "a\nb\n", 0),
        ("echo `echo a \\`echo b\\``", "a b\n", 0),
        ("x=$(false); echo $?", "1\n", 0),
        ("x=$(exit 4) || echo $?", "4\n", 0),
        ("echo $(echo $(echo $(echo deep)))", "deep\n", 0),
        ("echo \"$(echo \"a  b\")\"", "a  b\n", 0),
        ("echo $(case x in x) echo y;; esac)", "y\n", 0),
        ("x=1; y=$(x=2; echo $x); echo $x$y", "12\n", 0),
        ("echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((7%4))", "7 9 3 3\n", 0),
        ("x=5; echo $((x+1)) $(($x*2)) $((x+=2)) $x", "6 10 7 7\n", 0),
        ("echo $((1<2)) $((2==3)) $((1&&0)) $((0||3)) $((!1)) $((5>3?10:20))", "1 0 0 1 0 10\n", 0),
        (
            "echo $((1<<4)) $((0x1f)) $((010)) $((6&3)) $((6|1)) $((6^2)) $((~0))",
            "16 31 8 2 7 4 -1\n",
            0,
        ),
        ("echo $((1/0)); echo no", "", 2),
        ("echo $(( $(echo 3) + 1 ))", "4\n", 0),
        ("echo $((1+(2*(3+4))))", "15\n", 0),
    ]);
}

#[test]
fn globs_match_files() {
    let world = World::new();
    for (script, output) in [
        (
            "cd /temporary; echo a >b.txt; echo b >a.txt; echo c >c.log; echo >.hidden; echo *",
            "a.txt b.txt c.log\n",
        ),
        ("echo /temporary/*.txt", "/temporary/a.txt /temporary/b.txt\n"),
        (
            "echo /temporary/?.log /temporary/[ab].txt",
            "/temporary/c.log /temporary/a.txt /temporary/b.txt\n",
        ),
        ("echo /temporary/[!a].txt /temporary/.h*", "/temporary/b.txt /temporary/.hidden\n"),
        ("echo /temp*/a.*", "/temporary/a.txt\n"),
        (
            "echo '/temporary/*.txt' \"/temporary/*\" /none/*",
            "/temporary/*.txt /temporary/* /none/*\n",
        ),
        ("x='/temporary/*.log'; echo $x \"$x\"", "/temporary/c.log /temporary/*.log\n"),
        ("x=/temporary/*.log; echo \"$x\"", "/temporary/*.log\n"),
        ("for f in /temporary/*.txt; do cat $f; done", "b\na\n"),
    ] {
        assert_eq!(world.output(script), output, "{script}");
    }
}

#[test]
fn redirections_and_here_documents() {
    check(&[
        ("cat <<E\na $((1+1)) $x\\$y\nE\n", "a 2 $y\n", 0),
        ("cat <<'E'\na $x `b`\nE\necho on", "a $x `b`\non\n", 0),
        ("cat <<-E\n\ta\n\t\tb\n\tE\n", "a\nb\n", 0),
        ("cat <<A; cat <<B\na\nA\nb\nB\n", "a\nb\n", 0),
        ("cat <<E | wc -l\na\nb\nE\n", "2\n", 0),
        ("while read a b; do echo \"$b-$a\"; done <<E\n1 2 3\n4\nE\n", "2 3-1\n-4\n", 0),
        ("if true; then cat <<E; fi\nx\nE\n", "x\n", 0),
        ("x=$(cat <<E\nin $((2))\nE\n); echo \"$x\"", "in 2\n", 0),
        ("echo a >/dev/null; echo $?", "0\n", 0),
        ("cat </dev/null; echo $?", "0\n", 0),
        ("cat /none 2>/dev/null; echo $?", "1\n", 0),
        ("frob 2>/dev/null >/dev/null || echo no", "no\n", 0),
        ("{ echo a; echo b >&2; } 2>/temporary/e; cat /temporary/e", "a\nb\n", 0),
        ("{ echo a; echo b >&2; } >/temporary/e 2>&1; cat /temporary/e", "a\nb\n", 0),
        ("for i in 1 2; do echo $i; done >/temporary/f; cat /temporary/f", "1\n2\n", 0),
        ("exec 3>/temporary/f; echo a >&3; echo b >&3; exec 3>&-; cat /temporary/f", "a\nb\n", 0),
        (
            "echo 'a\nb' >/temporary/f; exec 3</temporary/f; read x <&3; read y <&3; echo $y$x",
            "ba\n",
            0,
        ),
        ("echo x >&3", "", 1),
        ("exec >/temporary/f; echo a; exec >&2; cat /temporary/f", "", 0),
        ("(echo a; echo b) | while read x; do echo \"<$x>\"; done", "<a>\n<b>\n", 0),
        ("echo 'a b  c ' | { read x y; echo \"$x/$y\"; }", "a/b  c\n", 0),
        ("echo 'a\\b' | { read -r x; echo \"$x\"; }", "a\\b\n", 0),
        ("printf 'a\\\\\\nb\\n' | { read x; echo $x; }", "ab\n", 0),
        ("printf x | { read v; echo $? $v; }", "1 x\n", 0),
        ("echo a:b:c | { IFS=: read x y; echo $x $y; }", "a b:c\n", 0),
    ]);
}

#[test]
fn options_of_the_shell() {
    check(&[
        ("set -e; if false; then :; fi; false || true; ! true; echo a; false; echo b", "a\n", 1),
        ("set -e; f() { false; echo in; }; f || echo out; f; echo no", "in\n", 1),
        ("set -e; (exit 3); echo no", "", 3),
        ("set -e; while false; do :; done; echo a", "a\n", 0),
        ("set -e; x=$(false); echo no", "", 1),
        ("set -u; echo ${x:-a}; echo $x; echo no", "a\n", 2),
        ("set -u; echo \"$@\" a", "a\n", 0),
        ("false | true; echo $?; set -o pipefail; false | true; echo $?", "0\n1\n", 0),
        ("set -o pipefail; (exit 3) | (exit 4) | true; echo $?; true | true; echo $?", "4\n0\n", 0),
        ("set -eu; echo $-; set +e; false; echo on", "eu\non\n", 0),
        ("set -- -x y; echo $1 $2", "-x y\n", 0),
        ("set a b; echo $2", "b\n", 0),
        ("set -Z; echo $?", "2\n", 0),
    ]);
    let world = World::new();
    let ran = world.run("set -x; A=1 echo a; B=2");
    assert_eq!((ran.output.as_str(), ran.error.as_str()), ("a\n", "+ A=1 echo a\n+ B=2\n"));
}

#[test]
fn builtins_of_the_language() {
    check(&[
        ("printf '%s-%d|%5s|%-3s|%03d\\n' a 7 b c 5", "a-7|    b|c  |005\n", 0),
        ("printf '%s\\n' a b c", "a\nb\nc\n", 0),
        ("printf '%x %o %c %% %b\\n' 255 8 xyz 'a\\tb'", "ff 10 x % a\tb\n", 0),
        ("printf '%.2s|%*d\\n' abc 4 7", "ab|   7\n", 0),
        ("printf '%d\\n' x; echo $?", "0\n1\n", 0),
        ("printf a; printf '\\101\\n'", "aA\n", 0),
        ("test a = a && [ -n x ] && [ ! -z y ] && echo yes", "yes\n", 0),
        ("[ 1 -lt 2 -a 3 -gt 2 ] && [ 1 = 2 -o 1 = 1 ] && echo yes", "yes\n", 0),
        (
            "[ -d /temporary ] && [ ! -f /temporary ] && [ -e /dev/null ] && [ -c /dev/null ] && \
             echo yes",
            "yes\n",
            0,
        ),
        ("[ '(' = '(' ] && [ ! ] && echo yes", "yes\n", 0),
        ("[ ]; echo $?; [ a; echo $?; [ a -eq 1 ]; echo $?", "1\n2\n2\n", 0),
        ("eval 'x=1; echo $x'; eval \"echo \\$x\"", "1\n1\n", 0),
        ("eval 'if'; echo no", "", 2),
        ("eval false; echo $?; eval; echo $?", "1\n0\n", 0),
        (
            "echo 'x=5; echo $1; return 3; echo no' >/temporary/s; . /temporary/s a; echo $? $x",
            "a\n3 5\n",
            0,
        ),
        ("source /none; echo $?", "1\n", 0),
        ("trap 'echo bye' EXIT; echo a; exit 3", "a\nbye\n", 3),
        ("trap 'echo bye' EXIT; trap - EXIT; echo a", "a\n", 0),
        ("(trap 'echo in' EXIT; echo a); echo b", "a\nin\nb\n", 0),
        ("trap 'echo x' EXIT; trap; trap - 0", "trap -- 'echo x' EXIT\n", 0),
        ("trap 'x' FROB; echo $?", "1\n", 0),
        (
            "while getopts ab:c o -a -b x -cz; do echo $o $OPTARG; done 2>/dev/null; echo $OPTIND",
            "a\nb x\nc\n?\n5\n",
            0,
        ),
        (
            "set -- -v -n 3 file; while getopts vn: o; do echo $o$OPTARG; done; \
             shift $((OPTIND-1)); echo $1",
            "v\nn3\nfile\n",
            0,
        ),
        ("while getopts :a: o -a; do echo $o $OPTARG; done", ": a\n", 0),
        (": $((x=3)); echo $x", "3\n", 0),
        ("exec echo a; echo no", "a\n", 0),
        ("/none; echo $?; /temporary; echo $?", "127\n126\n", 0),
        ("exit 7 & wait $!; echo $?", "7\n", 0),
        ("false & fg; echo $?", "false\n1\n", 0),
        ("echo a & bg; wait", "a\n[1] echo a\n", 0),
        ("local x; echo $?", "2\n", 0),
        ("break; continue; echo on", "on\n", 0),
        ("return 4; echo no", "", 4),
        ("time f; echo $?", "127\n", 0),
    ]);
}

#[test]
fn a_syntax_error_runs_nothing_and_names_the_place() {
    let world = World::new();
    for (script, message) in [
        ("echo a\nif true; then echo b\n", "line 3, column 1: syntax error: fi is missing"),
        (
            "echo a\nfor i in 1; do echo $i; fi",
            "line 2, column 25: syntax error: unexpected fi, not done",
        ),
        ("echo a; echo $(echo b; done)", "line 1, column 24: syntax error: unexpected done"),
        ("echo a\ncase x in x) ;; x", "line 2, column 18: syntax error: unexpected end of text"),
        ("echo a\n(", "line 2, column 2: syntax error: unexpected end of text"),
    ] {
        let ran = world.run(script);
        assert_eq!((ran.output.as_str(), ran.status), ("", Status::USAGE), "{script}");
        assert_eq!(ran.error, format!("devnet: {message}\n"), "{script}");
    }
    let mut shell = world.shell();
    shell.parameters = vec![String::from("up.sh")];
    let ran = world.run_in(&mut shell, ")");
    assert_eq!(ran.error, "devnet: up.sh: line 1, column 1: syntax error: unexpected )\n");
}

#[test]
fn deep_nesting_is_an_error() {
    for script in [
        "f() { f; }; f".to_owned(),
        "f() { (f); }; f".to_owned(),
        "f() { x=$(f); }; f".to_owned(),
        "f() { if f; then :; fi; }; f".to_owned(),
        "f() { while f; do :; done; }; f".to_owned(),
        "f() { for i in 1; do case a in a) { f | f; };; esac; done; }; f".to_owned(),
        "x='eval \"$x\"'; eval \"$x\"".to_owned(),
        "echo '. /temporary/s' >/temporary/s; . /temporary/s".to_owned(),
        "(".repeat(100_000),
        "$(".repeat(100_000),
        "echo $((".to_owned() + &"(".repeat(100_000) + &")".repeat(100_000) + "))",
        "f() { g $(g $(f)); }; g() { time time f; }; f".to_owned(),
    ] {
        let world = World::new();
        let ran = world.run(&format!("{script}\n"));
        assert!(!ran.error.is_empty(), "{}", script.get(..40).unwrap_or(&script));
    }
}

#[test]
fn endless_loops_give_way_and_end_when_they_are_dropped() {
    for script in [
        "while true; do :; done",
        "until false; do x=$(echo a); done",
        "f() { :; }; while :; do f; done",
        "while continue; do :; done",
        "{ while :; do :; done; } | cat",
        "x=1 f | { exec >/temporary/q; set -- a; while :; do local y=2; done; }",
    ] {
        let world = World::new();
        let mut shell = world.shell();
        {
            let mut running = Box::pin(shell.run(script));
            for _ in 0..50 {
                assert_eq!(world.block_on(future::poll_once(&mut running)), None, "{script}");
            }
        }
        assert_eq!(world.run_in(&mut shell, "echo on $#; break").status, Status::SUCCESS);
        assert_eq!(world.text("/.output"), "on 0\n", "{script}");
    }
}

#[test]
fn cancelling_restores_redirections_arguments_and_variables() {
    let world = World::new();
    let mut shell = world.shell();
    let script = "f() { local a=2; set -- x; { while :; do :; done; } >/temporary/q; }; a=1; f y";
    {
        let mut running = Box::pin(shell.run(script));
        for _ in 0..20 {
            assert_eq!(world.block_on(future::poll_once(&mut running)), None);
        }
    }
    assert_eq!(world.run_in(&mut shell, "echo $a $#").output, "1 0\n");
}

#[test]
fn an_interactive_shell_goes_on_after_an_error_of_the_language() {
    let world = World::new();
    let mut shell = world.shell();
    shell.interactive = true;
    assert_eq!(world.run_in(&mut shell, "echo ${x:?gone}; echo no").error, "devnet: x: gone\n");
    assert_eq!(shell.exit, None);
    assert_eq!(world.run_in(&mut shell, "echo $?").output, "2\n");
    world.block_on(shell.interrupted());
    assert_eq!(shell.status, Status::INTERRUPTED);
    world.run_in(&mut shell, "trap 'echo int' INT");
    world.block_on(shell.interrupted());
    assert!(world.text("/.output").ends_with("int\n"));
}

#[test]
fn random_scripts_never_panic() {
    let mut seed = 0x0123_4567_89ab_cdef;
    let mut ran = 0;
    for _ in 0..3_000 {
        let script = random_script(&mut seed);
        if super::parser::parse(&script).is_err() {
            continue;
        }
        ran += 1;
        let world = World::new();
        let mut shell = world.shell();
        let mut running = Box::pin(shell.run(&script));
        for _ in 0..200 {
            if world.block_on(future::poll_once(&mut running)).is_some() {
                break;
            }
        }
    }
    assert!(ran > 20, "{ran}");
}

#[test]
fn names_have_meanings() {
    check(&[
        ("command -v cd; command -v frob; echo $?", "cd\n127\n", 0),
        (
            "f() { :; }; command -v f; type f cd export if frob",
            "f\nf is a shell function\ncd is a \
          shell builtin\nexport is a special shell builtin\nif is a shell keyword\nfrob: not \
          found\n",
            127,
        ),
        ("echo() { printf mine; }; command echo a; command -p echo b", "a\nb\n", 0),
        ("alias e='echo x'; e a; command -v e; alias", "x a\nalias e='echo x'\ne='echo x'\n", 0),
        ("alias e='echo x' l=e; l a; unalias e; e; echo $?", "x a\n127\n", 0),
        ("alias ls='ls -1'; mkdir /temporary/d; ls /temporary", "d\n", 0),
        ("alias a='echo ' b='c d'; a b", "c d\n", 0),
        ("alias w='echo a b | wc'; w -w", "2\n", 0),
        ("alias f='echo a'; f >/temporary/o; cat /temporary/o; X=1 f", "a\na\n", 0),
        ("alias i=if; echo $?; alias none; echo $?", "1\n1\n", 0),
        ("alias a=f; f() { a; }; a; echo no", "", 2),
        ("hash cd && hash frob; echo $?", "1\n", 0),
        ("umask; umask 022; umask 077; echo $?", "0022\n1\n", 0),
    ]);
}

#[test]
fn variables_can_be_read_only_and_exported() {
    check(&[
        ("readonly x=1; echo $x; x=2; echo no", "1\n", 2),
        ("readonly x=1; readonly -p; unset x; echo no", "readonly x='1'\n", 2),
        ("readonly x=1; (x=2); echo $?; echo $((x=3)); echo no", "2\n", 2),
        ("readonly x=1; read x </dev/null; echo $?", "2\n", 0),
        ("readonly x=1; for x in 1; do echo no; done; echo no", "", 2),
        ("readonly x; echo ${x:=1}; echo no", "", 2),
        ("f() { local x=2; }; readonly x=1; f; echo $?", "2\n", 0),
        ("export A=1 B; C=2; B=3; export -p", "export A='1'\nexport B='3'\n", 0),
        ("set -a; A=1; export -p", "export A='1'\n", 0),
        ("f() { local A=1; export A; }; f; export -p; X=1 true; export -p", "", 0),
    ]);
}

#[test]
fn tildes_and_lines() {
    check(&[
        ("echo ~ ~/a ~root '~' \\~ a~ \"~\"", "/ /a ~root ~ ~ a~ ~\n", 0),
        ("HOME=/h; echo ~ ~/a; x=~/b:~:c~; echo $x", "/h /h/a\n/h/b:/h:c~\n", 0),
        ("HOME=/h; export y=~/b; echo $y; x=\"~\"; echo $x ${z:-~}", "/h/b\n~ /h\n", 0),
        ("HOME='/a b'; for i in ~; do echo \"<$i>\"; done", "</a b>\n", 0),
        ("echo $LINENO\n\necho $LINENO $(echo $LINENO)", "1\n3 3\n", 0),
        ("\nf() {\n echo $LINENO\n}\nf\necho $LINENO", "2\n6\n", 0),
        ("cat <<E\n\nE\necho $LINENO", "\n4\n", 0),
        (
            "cd /devices; cd /; cd -; echo $PWD $OLDPWD; HOME=/devices; cd; pwd",
            "/devices\n/devices /\n/devices\n",
            0,
        ),
    ]);
}

#[test]
fn options_of_set() {
    check(&[
        ("set -f; echo /*; set +f", "/*\n", 0),
        (
            "echo a >/temporary/f; set -C; echo b >/temporary/f; echo $?; echo c >|/temporary/f; \
          echo d >>/temporary/f; echo e >/dev/null; cat /temporary/f",
            "1\nc\nd\n",
            0,
        ),
        (
            "set -eu; set -o",
            "allexport       off\nerrexit         on\nnoclobber       off\nnoglob          off\n\
             nounset         on\npipefail        off\nxtrace          off\n",
            0,
        ),
    ]);
}

#[test]
fn signals_run_traps_or_end_the_script() {
    check(&[
        ("trap 'echo got' TERM; kill $$; echo on", "got\non\n", 0),
        ("trap 'echo bye' EXIT; kill -INT $$; echo no", "bye\n", 130),
        ("trap '' INT; kill -2 $$; echo on; trap", "on\ntrap -- '' INT\n", 0),
        ("trap 'echo i; exit 3' INT; (kill -s INT $$; echo in; sleep 1); echo no", "i\n", 3),
        (
            "{ trap 'echo a; exit 4' TERM; while :; do :; done; } & kill %1; wait %1; echo $?",
            "a\n4\n",
            0,
        ),
        ("while :; do :; done & kill -9 %1; wait %1; echo $?", "137\n", 0),
        ("trap 'echo got' USR1; trap - USR1; kill -USR1 $$; echo no", "", 138),
        ("kill -FROB %1; echo $?; while :; do :; done & kill -0 %whi; echo $?", "2\n0\n", 0),
        ("kill -l", "HUP INT QUIT ABRT USR1 USR2 PIPE ALRM TERM WINCH KILL CONT STOP TSTP\n", 0),
    ]);
}

#[test]
fn functions_call_themselves_some_hundred_times() {
    check(&[
        ("f() { [ $1 = 0 ] || f $(($1-1)); }; f 300; echo $?", "0\n", 0),
        ("f() { if [ $1 = 0 ]; then echo end; else f $(($1-1)); fi; }; f 200", "end\n", 0),
        ("f() { [ $1 = 0 ] || f $(($1-1)) | cat; }; f 150; echo $?", "0\n", 0),
    ]);
    // A small stack is enough, and for dropping what runs, too.
    let work = || {
        let world = World::new();
        let mut shell = world.shell();
        let script = "f() { [ $1 = 0 ] && while :; do :; done; f $(($1-1)); }; f 250";
        let mut running = Box::pin(shell.run(script));
        for _ in 0..200 {
            assert_eq!(world.block_on(future::poll_once(&mut running)), None);
        }
    };
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(work).unwrap();
    thread.join().unwrap();
}
