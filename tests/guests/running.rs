//! How guests start, run beside each other and end.

use devnet_guest_programs::{Exit, Programs, Translator};
use world::puppet::{Puppet, program, silent};
use world::{Host, World};

/// Runs the text of a module to its end; tells how, and what it printed.
fn run(text: &str, lines: &str) -> Result<(Exit, String), String> {
    let world = World::new(1);
    let host = Host::new(&world);
    let (process, output) =
        silent(&world, &host, lines, &program(text)).map_err(|why| why.to_string())?;
    world.run(async {
        let exit = process.run().await;
        let printed = output.read_to_end(1 << 16).await.unwrap();
        Ok((exit, String::from_utf8(printed).unwrap()))
    })
}

fn exit(text: &str) -> Exit {
    run(text, "").unwrap().0
}

fn trap(text: &str) -> String {
    match exit(text) {
        Exit::Trapped(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_ends_by_coming_to_its_end_by_saying_so_or_by_a_trap() {
    assert_eq!(exit("(module (func (export \"_start\")))"), Exit::Status(0));
    let exits = |status: u32| {
        format!(
            "(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
               (func (export \"_start\") (call $exit (i32.const {status}))))"
        )
    };
    assert_eq!(exit(&exits(0)), Exit::Status(0));
    assert_eq!(exit(&exits(300)), Exit::Status(300));
    assert_eq!(exit(&exits(300)).status(), 44);
    let body = |body: &str| format!("(module (memory 1) (func $f (export \"_start\") {body}))");
    assert_eq!(trap(&body("unreachable")), "unreachable code reached");
    assert_eq!(trap(&body("(drop (i32.load (i32.const 65533)))")), "memory access out of bounds");
    assert_eq!(trap(&body("(drop (i32.div_s (i32.const 1) (i32.const 0)))")), "division by zero");
    assert_eq!(trap(&body("(call $f)")), "stack overflow");
    assert_eq!(Exit::Trapped(String::new()).status(), 134);
}

#[test]
fn words_reach_a_program() {
    let text = "(module
        (import \"wasi_snapshot_preview1\" \"args_get\"
            (func $arguments (param i32 i32) (result i32)))
        (import \"wasi_snapshot_preview1\" \"environ_get\"
            (func $environment (param i32 i32) (result i32)))
        (import \"vfs\" \"write\" (func $write (param i32 i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (func (export \"_start\")
          (drop (call $arguments (i32.const 0) (i32.const 100)))
          (drop (call $environment (i32.const 50) (i32.const 112)))
          (drop (call $write (i32.const 1) (i32.const 100) (i32.const 23)))))";
    assert_eq!(run(text, "").unwrap(), (Exit::Status(0), "guest\0first\0NAME=value\0".into()));
}

#[test]
fn what_cannot_run_says_why() {
    let refused = |text: &str| run(text, "").unwrap_err();
    assert_eq!(refused("(module)"), "it exports no _start");
    assert_eq!(
        refused("(module (func (export \"_start\") (param i32)))"),
        "its _start has parameters or results"
    );
    assert_eq!(
        refused("(module (import \"env\" \"x\" (func)) (func (export \"_start\")))"),
        "unknown import env.x"
    );
    assert!(
        refused("(module (import \"vfs\" \"open\" (func)) (func (export \"_start\")))")
            .contains("open"),
        "an import of another type"
    );
    assert!(
        refused("(module (memory 2000) (func (export \"_start\")))").contains("memory"),
        "more than granted"
    );
    assert_eq!(
        refused("(module (func $s (loop $l (br $l))) (start $s) (func (export \"_start\")))"),
        "its start section takes too long"
    );
    let waits = "(module (import \"vfs\" \"poll\" (func $poll (param i32 i32 i32) (result i32)))
        (memory (export \"memory\") 1)
        (func $s (drop (call $poll (i32.const 0) (i32.const 0) (i32.const -1))))
        (start $s) (func (export \"_start\")))";
    assert_eq!(refused(waits), "a call that waits, where none may");
    assert!(Translator::new().translate(b"\0asm nonsense").is_err());
    assert!(Translator::new().translate(&[]).is_err());
    // A valid module on which wasmi 2.0.0 panics (found by the fuzzer of modules): a float stored
    // far off, both operands in registers.
    let far = "(module (memory 4) (func (export \"_start\") (local $i i32) (local $f f64)
        (f64.store offset=100000 (i32.add (local.get $i) (i32.const 1))
            (f64.add (local.get $f) (local.get $f)))))";
    if let Err(why) = Translator::new().translate(&wat::parse_str(far).unwrap()) {
        assert!(why.to_string().starts_with("the translator failed on it"), "{why}");
    }
    let large = vec![0; devnet_guest_programs::limits::MODULE_BYTES + 1];
    assert_eq!(
        Translator::new().translate(&large).unwrap_err().to_string(),
        "the module is too large"
    );
}

#[test]
fn guests_are_listed_and_killed() {
    let world = World::new(1);
    let host = Host::new(&world);
    let programs = Programs::new();
    let first = Puppet::start_listed(&world, &host, "", &programs);
    let second = Puppet::start_listed(&world, &host, "", &programs);
    world.run(async {
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!(first.call("sched_yield", &[]).await, 0);
        second.spin().await;
        // Time stands still while somebody computes, so others get turns instead.
        for _ in 0..100 {
            futures_lite::future::yield_now().await;
        }
        let list = programs.list();
        assert_eq!(list.iter().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
        assert!(
            list.iter().all(|one| one.files == 4
                && one.memory_bytes == 2 * 65536
                && one.command == "puppet")
        );
        assert!(list[1].burnt > 0);
        assert!(programs.kill(7).is_err());
        // One waits in a call, the other computes.
        programs.kill(1).unwrap();
        programs.kill(2).unwrap();
        assert_eq!((first.exit.await, second.exit.await), (Exit::Killed, Exit::Killed));
        assert!(programs.list().is_empty());
        let third = programs.enter("third").unwrap();
        assert_eq!(third.number(), 3);
    });
}

#[test]
fn fuel_per_second_slows_a_guest_down() {
    let seconds = |lines: &str| {
        let world = World::new(1);
        let host = Host::new(&world);
        // A million turns of a few units each.
        let text = "(module (func (export \"_start\") (local $i i32)
            (loop $l (br_if $l (i32.lt_u
                (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000000))))))";
        let (process, _output) = silent(&world, &host, lines, &program(text)).unwrap();
        assert_eq!(world.run(process.run()), Exit::Status(0));
        world.now().as_micros() as f64 / 1e6
    };
    assert_eq!(seconds(""), 0.0);
    let slow = seconds("limit-fuel 1M");
    let slower = seconds("limit-fuel 512K");
    assert!(slow > 1.0 && slow < 10.0, "{slow} s");
    assert!((slower / slow - 2.0).abs() < 0.1, "{slower} s is not twice {slow} s");
}
