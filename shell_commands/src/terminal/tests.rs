//! A shell at a terminal without a terminal: bytes go in, and what it prints is looked at.

use std::sync::Arc;

use devnet_virtual_file_system::{File, pipe};
use futures_lite::future;

use super::{Modes, Terminal, common_prefix, last_part, run};
use crate::context::Stream;
use crate::shell::Shell;
use crate::shell::keyboard::Keyboard;
use crate::status::Status;
use crate::testing::World;
use crate::window::{Size, Window};

struct NoModes;

impl Modes for NoModes {
    fn edit(&self, _: bool) -> Result<(), String> {
        Ok(())
    }
}

/// Someone at a terminal.
struct User {
    shown: File,
    keys: File,
    keyboard: Keyboard,
    window: Window,
}

impl User {
    async fn types(&self, text: &str) {
        self.keys.write_all(text.as_bytes()).await.unwrap();
    }

    /// All that was shown.
    async fn screen(&self) -> String {
        self.shown.seek(embedded_io_async::SeekFrom::Start(0)).unwrap();
        String::from_utf8_lossy(&self.shown.read_to_end(1 << 24).await.unwrap()).into_owned()
    }

    /// Gives the shell turns until it has shown something.
    async fn sees(&self, text: &str) {
        for _ in 0..10_000 {
            if self.screen().await.contains(text) {
                return;
            }
            future::yield_now().await;
        }
        panic!("not shown: {text:?} in\n{}", self.screen().await);
    }
}

/// A session: the status, and all that was shown.
fn session<W: Future<Output = ()>>(
    world: &World,
    change: impl FnOnce(&mut Shell),
    user: impl FnOnce(Arc<User>) -> W,
) -> (Status, String) {
    let mut shell = world.shell();
    let (reader, keys) = pipe(1 << 16);
    let window = Window::default();
    shell.streams.input = Stream::new(reader.clone(), "input").on(window.clone());
    shell.streams.error = shell.streams.output.clone();
    let terminal = Terminal {
        input: reader,
        output: shell.streams.output.file.clone(),
        window: window.clone(),
        keyboard: Keyboard::default(),
        modes: Arc::new(NoModes),
    };
    change(&mut shell);
    let keyboard = terminal.keyboard.clone();
    let user_at = Arc::new(User { shown: world.open("/.output"), keys, keyboard, window });
    let status = world.block_on(async {
        let typing = user(Arc::clone(&user_at));
        future::zip(run(&mut shell, &terminal), typing).await.0
    });
    let shown = world.block_on(user_at.screen());
    (status, shown)
}

/// What is shown when this is typed at once.
fn typed(world: &World, text: &str) -> (Status, String) {
    let text = format!("{text}\u{4}");
    session(world, |_| {}, async |user| user.types(&text).await)
}

#[test]
fn lines_typed_ahead_all_run_in_order() {
    let (status, shown) = typed(&World::new(), "echo o''ne\recho t''wo\recho th''ree\rfalse\r");
    let places: Vec<_> =
        ["\none\n", "\ntwo\n", "\nthree\n"].iter().map(|text| shown.find(text)).collect();
    assert!(places[0].is_some() && places.is_sorted() && !places.contains(&None), "{shown}");
    assert_eq!(status, Status::FAILURE);
}

#[test]
fn what_is_typed_ahead_is_there_for_the_command_that_reads() {
    let (_, shown) = typed(&World::new(), "read word\nhello\necho got $word\n");
    assert!(shown.contains("\ngot hello\n"), "{shown}");
}

#[test]
fn a_pasted_block_waits_for_enter_and_runs_whole() {
    let (_, shown) = session(
        &World::new(),
        |_| {},
        async |user| {
            user.types("\x1b[200~echo o''ne\rif true; then\recho t''wo; fi\r\x1b[201~").await;
            for _ in 0..100 {
                future::yield_now().await;
            }
            assert!(!user.screen().await.contains("\none\n"));
            user.types("\r").await;
            user.sees("\none\ntwo\n").await;
            user.types("\x04").await;
        },
    );
    assert!(shown.contains("\x1b[?2004h") && shown.contains("\x1b[?2004l"));
}

#[test]
fn an_incomplete_line_goes_on() {
    let (_, shown) = typed(&World::new(), "for x in a b; do\recho got$x\rdone\r");
    assert!(shown.contains("\ngota\ngotb\n"), "{shown}");
}

#[test]
fn ctrl_c_ends_the_command_and_the_loop_around_it_only() {
    let world = World::new();
    world.clock.stop();
    let (status, shown) = session(
        &world,
        |_| {},
        async |user| {
            user.types("while true; do echo tu''rn; sleep 9; done; echo never\r").await;
            user.sees("\nturn\n").await;
            user.keyboard.interrupt();
            user.types("echo status $?\r").await;
            user.sees("\nstatus 130\n").await;
            user.types("half\x03echo al''ive\r").await;
            user.sees("\nalive\n").await;
            user.types("\x04").await;
        },
    );
    assert_eq!(status, Status::SUCCESS);
    assert!(!shown.contains("\nnever\n") && shown.contains("^C\u{1b}"), "{shown}");
}

#[test]
fn ctrl_z_stops_a_command_and_fg_and_bg_let_it_go_on() {
    let world = World::new();
    let (status, _) = session(
        &world,
        |_| {},
        async |user| {
            user.types("cat > /temporary/heard; echo never\r").await;
            user.types("one\n").await;
            for _ in 0..200 {
                future::yield_now().await;
            }
            user.keyboard.suspend();
            user.sees("[1]  Stopped     cat\n").await;
            user.types("echo status $?\r").await;
            user.sees("\nstatus 148\n").await;
            // In the background it must not take what is typed: it stops again.
            user.types("bg; jobs\r").await;
            user.types("jobs %1 | cat; echo ag''ain; jobs\r").await;
            user.sees("\nagain\n[1]  Stopped     cat\n").await;
            user.types("fg\r").await;
            user.sees("\ncat\n").await;
            user.types("two\n").await;
            for _ in 0..200 {
                future::yield_now().await;
            }
            user.keyboard.suspend();
            user.sees("\ncat\n\n[1]  Stopped     cat\n").await;
            user.types("cat /temporary/heard; kill %1; wait; jobs; echo en''d\r").await;
            user.sees("\none\ntwo\n").await;
            user.sees("\nend\n").await;
            user.types("\x04").await;
        },
    );
    assert_eq!(status, Status::SUCCESS);
}

#[test]
fn a_pipeline_and_a_subshell_stop_as_one() {
    for line in ["sleep 9 | cat", "(while true; do sleep 9; done)"] {
        let world = World::new();
        world.clock.stop();
        session(
            &world,
            |_| {},
            async |user| {
                user.types(&format!("{line}\r")).await;
                for _ in 0..200 {
                    future::yield_now().await;
                }
                user.keyboard.suspend();
                user.sees(&format!("[1]  Stopped     {line}\n")).await;
                user.types("bg\r").await;
                user.sees(&format!("[1] {line}\n")).await;
                user.types("kill -STOP %1; jobs; kill %1; wait %1; echo st''atus $?\r").await;
                user.sees("\n[1]  Stopped").await;
                user.sees("\nstatus 143\n").await;
                user.types("\x04").await;
            },
        );
    }
}

#[test]
fn who_leaves_stopped_jobs_behind_is_told_once() {
    let world = World::new();
    world.clock.stop();
    session(
        &world,
        |_| {},
        async |user| {
            user.types("sleep 9\r").await;
            for _ in 0..200 {
                future::yield_now().await;
            }
            user.keyboard.suspend();
            user.sees("Stopped     sleep 9\n").await;
            user.types("\x04").await;
            user.sees("There are stopped jobs.\n").await;
            user.types("\x04").await;
        },
    );
}

#[test]
fn a_mistyped_name_is_asked_for() {
    let (_, shown) = typed(&World::new(), "pign\rcurl --sillent x\rcurl --max-redir 1 x\r");
    assert!(shown.contains("devnet: pign: command not found; did you mean ping?\n"), "{shown}");
    assert!(shown.contains("'--max-redir'; did you mean --max-redirs?\n"), "{shown}");
}

#[test]
fn words_are_completed_and_listed() {
    let (_, shown) = typed(&World::new(), "echo /tempo\t\r");
    assert!(shown.contains("\n/temporary/\n"), "{shown}");
    let (_, shown) = typed(&World::new(), "tracer\t\t\x15");
    assert!(shown.contains("\ntraceroute   traceroute6\r\n"), "{shown}");
    let (_, shown) = typed(&World::new(), "xyz\t\x15");
    assert!(shown.contains('\u{7}'));
}

#[test]
fn a_line_is_drawn_anew_for_another_size() {
    session(
        &World::new(),
        |_| {},
        async |user| {
            user.types(&"x".repeat(30)).await;
            user.sees(&"x".repeat(30)).await;
            user.window.set(Size { columns: 20, rows: 10 });
            // The prompt has 10 columns.
            user.sees(&format!("# {}\r\n{}", "x".repeat(10), "x".repeat(20))).await;
            user.types("\x15\x04").await;
        },
    );
}

#[test]
fn the_history_is_a_command() {
    let world = World::new();
    let (_, shown) = typed(&world, "echo a\r echo hidden\rhistory\rhistory -c\rhistory\r");
    assert!(shown.contains("\n    1  echo a\n    2  history\n"), "{shown}");
    assert!(shown.contains("\n    1  history\n"), "{shown}");
    assert_eq!(world.run("history x").status, Status::USAGE);
}

#[test]
fn the_end_of_the_terminal_ends_the_shell_with_its_traps() {
    let (status, shown) = session(
        &World::new(),
        |_| {},
        async |user| {
            user.types("trap 'echo tra''pped' HUP\r").await;
            user.sees("HUP\r").await;
            user.keyboard.end(crate::shell::signals::Signal::HANG_UP);
        },
    );
    assert_eq!(status, Status(129));
    assert!(shown.contains("trapped\n"), "{shown}");
}

#[test]
fn common_prefixes_and_last_parts() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(common_prefix(&words(&["äöa", "äöb", "äö"])), "äö");
    assert_eq!(common_prefix(&words(&["a", "b"])), "");
    assert_eq!(common_prefix(&[]), "");
    assert_eq!(last_part("/a/b/ "), "b/");
    assert_eq!(last_part("eth0 "), "eth0");
}

#[test]
fn colours_are_for_a_terminal_and_for_who_wants_them() {
    let colored = "\u{1b}[01;34mtemporary\u{1b}[0m\n";
    let world = World::new();
    let (_, shown) = session(
        &world,
        |shell| shell.streams.output.terminal = Some(Window::default()),
        async |user| user.types("ls --color /\recho en''d\r\u{4}").await,
    );
    assert!(shown.contains(colored), "{shown}");
    let (_, shown) = session(
        &world,
        |shell| shell.streams.output.terminal = Some(Window::default()),
        async |user| {
            user.types("export NO_COLOR=1; ls --color=auto /; ls --color / | cat\r\u{4}").await;
        },
    );
    assert!(shown.contains("\ntemporary\n") && !shown.contains(colored), "{shown}");
    assert!(world.output("ls --color=always /").contains(colored));
    assert!(!world.output("ls --color /; ls --color=never /").contains(colored));
    assert_eq!(world.run("ls --color=blue").status, Status::USAGE);
}

#[test]
fn long_help_comes_in_pages() {
    let change = |shell: &mut Shell| shell.streams.output.terminal = Some(Window::default());
    let (_, shown) = session(&World::new(), change, async |user| {
        user.types("help\r").await;
        user.sees("-- more").await;
        assert!(!user.screen().await.contains("\nyes "));
        user.types("\n").await;
        user.sees("\nfgrep ").await;
        user.types("q\n").await;
        user.types("echo do''ne\r").await;
        user.sees("\ndone\n").await;
        user.types("help | tail -n 1\r").await;
        user.sees("\nyes ").await;
        user.types("help pwd\r\u{4}").await;
    });
    assert_eq!(shown.matches("-- more").count(), 2, "{shown}");
}
