//! The host: its executor, its clock, its random bytes, and the standard streams. These tests use
//! real time, as little as possible.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use devnet_drivers::Host;
use devnet_drivers::host::{random_hardware_address, terminal};
use devnet_drivers::limits::DISPOSED;
use devnet_virtual_file_system::{Credentials, Error, Mode, OpenFlags, Path, VirtualFileSystem};
use futures_lite::future;

#[test]
fn block_on_runs_the_tasks_beside_the_future() {
    let host = Host::new();
    let (sender, receiver) = mpsc::channel();
    host.spawner().spawn(Box::pin(async move { sender.send(7).unwrap() })).unwrap();
    assert!(receiver.try_recv().is_err());
    host.block_on(future::yield_now());
    host.block_on(async {
        while receiver.try_recv() != Ok(7) {
            future::yield_now().await;
        }
    });
}

#[test]
fn the_background_thread_runs_tasks_and_ends_with_the_host() {
    struct Sends(mpsc::Sender<&'static str>);
    impl Drop for Sends {
        fn drop(&mut self) {
            self.0.send("dropped").unwrap();
        }
    }
    let (sender, receiver) = mpsc::channel();
    let host = Host::new();
    host.run_in_background().unwrap();
    host.clone().run_in_background().unwrap();
    let (spawner, kept) = (host.spawner(), host.spawner());
    let waits = async move {
        let sends = Sends(sender);
        sends.0.send("started").unwrap();
        // It holds a spawner, as every system does, and never ends by itself.
        future::pending::<()>().await;
        drop((sends, kept));
    };
    spawner.spawn(Box::pin(waits)).unwrap();
    assert_eq!(receiver.recv(), Ok("started"));
    drop(host);
    assert_eq!(receiver.recv(), Ok("dropped"));
    assert!(spawner.spawn(Box::pin(async {})).is_err());
}

#[test]
fn the_clock_moves_forward_and_sleeps_long_enough() {
    let host = Host::new();
    let clock = host.clock();
    let deadline = clock.now().after(Duration::from_millis(2));
    host.block_on(clock.sleep_until(deadline));
    assert!(clock.now() >= deadline);
    host.block_on(clock.sleep_until(deadline));
    let never = clock.sleep_until(devnet_network::platform::Instant::from_micros(u64::MAX));
    assert!(host.block_on(future::poll_once(never)).is_none());
    assert!(host.started() > Duration::from_secs(1_600_000_000));
}

#[test]
fn random_addresses_differ_and_belong_to_one_station() {
    let entropy = Host::new().entropy();
    let addresses: Vec<_> = (0..16).map(|_| random_hardware_address(&*entropy).unwrap()).collect();
    assert!(addresses.iter().all(|address| address.is_unicast() && address.0[0] & 2 == 2));
    assert!(addresses.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Freeing 64 MiB keeps a thread for milliseconds: not this one.
#[test]
fn hold_14_large_things_are_dropped_on_another_thread() {
    struct Tells(mpsc::Sender<std::thread::ThreadId>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.send(std::thread::current().id()).unwrap();
        }
    }
    let disposer = Host::new().disposer().unwrap();
    let (sender, receiver) = mpsc::channel();
    disposer(Box::new(Tells(sender.clone())));
    let dropped_by = receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    assert_ne!(dropped_by, std::thread::current().id());
    // It waits for nobody: with a full queue the caller drops.
    let (hold, held) = mpsc::channel::<()>();
    struct Waits(mpsc::Receiver<()>);
    impl Drop for Waits {
        fn drop(&mut self) {
            let _ = self.0.recv();
        }
    }
    disposer(Box::new(Waits(held)));
    for _ in 0..DISPOSED + 2 {
        disposer(Box::new(Tells(sender.clone())));
    }
    assert_eq!(receiver.try_recv(), Ok(std::thread::current().id()));
    drop(hold);
    drop(sender);
    assert!(receiver.iter().count() > DISPOSED);
}

#[test]
fn the_streams_have_names_and_directions() {
    let (files, root) = (VirtualFileSystem::new(), Credentials::root());
    terminal::mount(&files).unwrap();
    let open = |name: &str, flags| {
        let path = Path::parse(terminal::DIRECTORY).unwrap().join(name).unwrap();
        files.open(&root, &path, flags, Mode::empty()).map(drop)
    };
    assert_eq!(open("input", OpenFlags::READ), Ok(()));
    assert_eq!(open("output", OpenFlags::WRITE), Ok(()));
    assert_eq!(open("error", OpenFlags::WRITE), Ok(()));
    assert_eq!(open("input", OpenFlags::WRITE), Err(Error::InvalidInput));
    assert_eq!(open("output", OpenFlags::READ), Err(Error::InvalidInput));
    assert_eq!(terminal::mount(&files), Err(Error::AlreadyExists));
}

/// The child process of the tests below: copies standard input to standard error through files.
#[test]
fn copying_child() {
    if std::env::var_os("DEVNET_TEST_COPIES").is_none() {
        return;
    }
    let host = Host::new();
    let (input, _, output) = terminal::standard_streams().unwrap();
    let greeting = output.clone();
    host.spawner().spawn(Box::pin(async move { _ = greeting.write_all(b"ready ").await })).unwrap();
    host.block_on(async {
        let mut buffer = [0; 64];
        loop {
            match input.read(&mut buffer).await.unwrap() {
                0 => break,
                count => match output.write_all(&buffer[..count]).await {
                    Ok(()) => {}
                    Err(Error::BrokenPipe) => std::process::exit(32),
                    Err(error) => panic!("{error:?}"),
                },
            }
        }
    });
}

fn child() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["host::copying_child", "--exact", "--nocapture"]).env("DEVNET_TEST_COPIES", "1");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn a_pipe_and_a_regular_file_are_read_to_their_end() {
    let mut piped = child().stdin(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (piped.stdin.take().unwrap(), piped.stderr.take().unwrap());
    let mut buffer = [0; 6];
    // Another task runs while the child waits for input.
    output.read_exact(&mut buffer).unwrap();
    assert_eq!(buffer, *b"ready ");
    input.write_all(b"first ").unwrap();
    input.write_all(b"second").unwrap();
    drop(input);
    let mut copied = String::new();
    output.read_to_string(&mut copied).unwrap();
    assert!(piped.wait().unwrap().success());
    assert_eq!(copied, "first second");
    let path = std::env::temp_dir().join(format!("devnet-drivers-{}", std::process::id()));
    std::fs::write(&path, vec![b'x'; 1000]).unwrap();
    let regular = child().stdin(std::fs::File::open(&path).unwrap()).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    let copied = regular.stderr.iter().filter(|byte| **byte == b'x').count();
    assert_eq!((regular.status.success(), copied), (true, 1000));
}

#[test]
fn a_reader_that_left_is_a_broken_pipe() {
    let mut piped = child().stdin(Stdio::piped()).spawn().unwrap();
    drop(piped.stderr.take());
    // The child may exit before all is written.
    let _ = piped.stdin.take().unwrap().write_all(b"nobody reads this");
    assert_eq!(piped.wait().unwrap().code(), Some(32));
}
