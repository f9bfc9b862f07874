//! WASI preview 1: files, paths, words, clocks, chance and polls. What libc makes of it stands in
//! `compiled`.

use devnet_network::TcpListener;
use devnet_network::command::socket::SocketKind;
use devnet_network::command::{Connect, CreateSocket};
use world::World;
use world::pair::hosts;
use world::puppet::{FREE, Puppet, host};

/// Where results go.
const RESULT: u32 = FREE + 1000;
const BADF: i64 = 8;
const EXIST: i64 = 20;
const FAULT: i64 = 21;
const INVAL: i64 = 28;
const ISDIR: i64 = 31;
const NAMETOOLONG: i64 = 37;
const NOENT: i64 = 44;
const NOTDIR: i64 = 54;
const NOTSUP: i64 = 58;
const SPIPE: i64 = 70;
const ROOT: u64 = 3;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 6;
const CREATE: u64 = 1;
const DIRECTORY: u64 = 2;
const EXCLUSIVE: u64 = 4;
const TRUNCATE: u64 = 8;

fn start(world: &World) -> Puppet {
    Puppet::start(world, &host(world), "allow-file /temporary:write")
}

async fn path_open(
    guest: &Puppet,
    path: &str,
    how: u64,
    rights: u64,
    flags: u64,
) -> Result<u64, i64> {
    guest.poke(FREE, path.as_bytes()).await;
    let numbers =
        [ROOT, 1, u64::from(FREE), path.len() as u64, how, rights, 0, flags, u64::from(RESULT)];
    match guest.call("path_open", &numbers).await {
        0 => Ok(u64::from(guest.number_at(RESULT).await)),
        error => Err(error),
    }
}

/// Places buffers for a scattered or gathered call: pairs of pointer and length.
async fn vectors(guest: &Puppet, parts: &[(u32, u32)]) -> [u64; 2] {
    let bytes: Vec<u8> = parts
        .iter()
        .flat_map(|(place, length)| [place.to_le_bytes(), length.to_le_bytes()].concat())
        .collect();
    guest.poke(FREE + 500, &bytes).await;
    [u64::from(FREE) + 500, parts.len() as u64]
}

#[test]
fn files_are_scattered_gathered_and_sought() {
    let world = World::new(1);
    let guest = start(&world);
    world.run(async {
        let file =
            path_open(&guest, "temporary/a", CREATE | EXCLUSIVE, READ | WRITE, 0).await.unwrap();
        assert_eq!(
            path_open(&guest, "/temporary/a", CREATE | EXCLUSIVE, READ, 0).await,
            Err(EXIST)
        );
        guest.poke(FREE, b"hello world").await;
        let [list, count] = vectors(&guest, &[(FREE, 6), (FREE + 20, 0), (FREE + 6, 5)]).await;
        let result = u64::from(RESULT);
        assert_eq!(guest.call("fd_write", &[file, list, count, result]).await, 0);
        assert_eq!(guest.number_at(RESULT).await, 11);
        assert_eq!(guest.call("fd_seek", &[file, 2, 0, result]).await, 0);
        assert_eq!(guest.call("fd_tell", &[file, result]).await, 0);
        assert_eq!(guest.number_at(RESULT).await, 2);
        let [list, count] = vectors(&guest, &[(FREE + 100, 3), (FREE + 110, 100)]).await;
        assert_eq!(guest.call("fd_read", &[file, list, count, result]).await, 0);
        assert_eq!(guest.number_at(RESULT).await, 9);
        assert_eq!(
            (guest.peek(FREE + 100, 3).await, guest.peek(FREE + 110, 6).await),
            (b"llo".to_vec(), b" world".to_vec())
        );
        // Elsewhere, and the position stays.
        assert_eq!(guest.call("fd_pread", &[file, list, count, 0, result]).await, 0);
        assert_eq!(guest.peek(FREE + 100, 3).await, b"hel");
        guest.poke(FREE + 100, b"HEL").await;
        let [list, count] = vectors(&guest, &[(FREE + 100, 3)]).await;
        assert_eq!(guest.call("fd_pwrite", &[file, list, count, 0, result]).await, 0);
        assert_eq!(guest.call("fd_tell", &[file, result]).await, 0);
        assert_eq!(guest.number_at(RESULT).await, 11);
        // Sizes and what is known of it.
        assert_eq!(guest.call("fd_filestat_set_size", &[file, 5]).await, 0);
        assert_eq!(guest.call("fd_allocate", &[file, 0, 8]).await, 0);
        assert_eq!(guest.call("fd_filestat_get", &[file, result]).await, 0);
        assert_eq!(
            (guest.number_at(RESULT + 16).await, guest.number_at(RESULT + 32).await),
            (4, 8)
        );
        for (call, numbers) in
            [("fd_sync", &[file][..]), ("fd_datasync", &[file]), ("fd_advise", &[file, 0, 0, 0])]
        {
            assert_eq!(guest.call(call, numbers).await, 0, "{call}");
        }
        assert_eq!(guest.call("fd_advise", &[file, 0, 0, 9]).await, INVAL);
        assert_eq!(guest.call("fd_filestat_set_times", &[file, 0, 0, 0]).await, NOTSUP);
        assert_eq!(guest.call("fd_fdstat_set_rights", &[file, 0, 0]).await, NOTSUP);
        // Appending, and what cannot be sought.
        let appended = path_open(&guest, "temporary/a", 0, WRITE, 1).await.unwrap();
        assert_eq!(guest.call("fd_write", &[appended, list, count, result]).await, 0);
        assert_eq!(guest.call("fd_fdstat_get", &[appended, result]).await, 0);
        assert_eq!(
            guest.number_at(RESULT).await & 0x1_00ff,
            0x1_0004,
            "a regular file that appends"
        );
        assert_eq!(guest.call("fd_fdstat_set_flags", &[appended, 0]).await, INVAL);
        assert_eq!(guest.call("fd_seek", &[1, 0, 1, result]).await, SPIPE);
        assert_eq!(guest.call("fd_renumber", &[appended, file]).await, 0);
        assert_eq!(guest.call("fd_close", &[appended]).await, BADF);
        assert_eq!(guest.call("fd_close", &[file]).await, 0);
        let emptied = path_open(&guest, "temporary/a", TRUNCATE, WRITE, 0).await.unwrap();
        assert_eq!(guest.call("fd_filestat_get", &[emptied, result]).await, 0);
        assert_eq!(guest.number_at(RESULT + 32).await, 0);
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

#[test]
fn directories_and_paths_are_those_of_posix() {
    let world = World::new(1);
    let guest = start(&world);
    world.run(async {
        let named = async |call: &str, path: &str, rest: &[u64]| {
            guest.poke(FREE, path.as_bytes()).await;
            let numbers: Vec<u64> =
                [ROOT, u64::from(FREE), path.len() as u64].iter().chain(rest).copied().collect();
            guest.call(call, &numbers).await
        };
        assert_eq!(named("path_create_directory", "temporary/d", &[]).await, 0);
        assert_eq!(named("path_create_directory", "temporary/d", &[]).await, EXIST);
        path_open(&guest, "temporary/d/long name", CREATE, WRITE, 0).await.unwrap();
        path_open(&guest, "temporary/d/x", CREATE, WRITE, 0).await.unwrap();
        assert_eq!(path_open(&guest, "temporary/d/x", DIRECTORY, READ, 0).await, Err(NOTDIR));
        assert_eq!(path_open(&guest, "temporary/none", 0, READ, 0).await, Err(NOENT));
        // libc asks for every right when it opens a directory.
        let directory = path_open(&guest, "temporary/d", DIRECTORY, u64::MAX, 0).await.unwrap();
        let list = async |room: u64, cookie: u64| {
            assert_eq!(
                guest
                    .call(
                        "fd_readdir",
                        &[directory, u64::from(FREE), room, cookie, u64::from(RESULT)]
                    )
                    .await,
                0
            );
            let length = guest.number_at(RESULT).await as usize;
            guest.peek(FREE, length).await
        };
        let all = list(900, 0).await;
        let mut names = Vec::new();
        let mut rest = &all[..];
        while !rest.is_empty() {
            let length = u32::from_le_bytes(rest[16..20].try_into().unwrap()) as usize;
            names.push((
                rest[0],
                rest[20],
                String::from_utf8(rest[24..24 + length].to_vec()).unwrap(),
            ));
            rest = &rest[24 + length..];
        }
        let expected = [(1, 3, "."), (2, 3, ".."), (3, 4, "long name"), (4, 4, "x")];
        assert_eq!(names, expected.map(|(next, kind, name)| (next, kind, name.to_owned())));
        assert_eq!(list(30, 2).await, all[51..81], "cut where the room ends");
        assert_eq!(list(900, 3).await.len(), 25);
        assert_eq!(list(900, 99).await.len(), 0);
        assert_eq!(named("path_unlink_file", "temporary/d", &[]).await, ISDIR);
        assert_eq!(named("path_remove_directory", "temporary/d/x", &[]).await, NOTDIR);
        assert_eq!(named("path_remove_directory", "temporary/d", &[]).await, 55, "ENOTEMPTY");
        assert_eq!(named("path_unlink_file", "temporary/d/x", &[]).await, 0);
        assert_eq!(
            named("path_readlink", "temporary/d", &[u64::from(RESULT), 10, u64::from(RESULT)])
                .await,
            INVAL
        );
        // Attributes by name; 1 follows links, of which there are none.
        guest.poke(FREE, b"temporary/d").await;
        assert_eq!(
            guest
                .call("path_filestat_get", &[ROOT, 1, u64::from(FREE), 11, u64::from(RESULT)])
                .await,
            0
        );
        assert_eq!(guest.number_at(RESULT + 16).await, 3);
        assert_eq!(
            guest.call("path_filestat_set_times", &[ROOT, 1, u64::from(FREE), 11, 0, 0, 0]).await,
            NOTSUP
        );
        let name = u64::from(FREE);
        assert_eq!(guest.call("path_link", &[ROOT, 1, name, 11, ROOT, name, 11]).await, NOTSUP);
        assert_eq!(guest.call("path_symlink", &[name, 11, ROOT, name, 11]).await, NOTSUP);
        guest.poke(FREE, b"temporary/dtemporary/e").await;
        assert_eq!(guest.call("path_rename", &[ROOT, name, 11, ROOT, name + 11, 11]).await, 0);
        // The directory that was opened before is looked up by its name again.
        assert_eq!(
            guest.call("fd_readdir", &[directory, name, 100, 0, u64::from(RESULT)]).await,
            NOENT
        );
        assert_eq!(guest.call("fd_prestat_get", &[ROOT, u64::from(RESULT)]).await, 0);
        assert_eq!(guest.number_at(RESULT + 4).await, 1);
        assert_eq!(
            guest.call("fd_prestat_get", &[4, u64::from(RESULT)]).await,
            BADF,
            "the end of the list"
        );
        assert_eq!(guest.call("fd_prestat_dir_name", &[ROOT, u64::from(RESULT), 1]).await, 0);
        assert_eq!(guest.peek(RESULT, 1).await, b"/");
        assert_eq!(
            guest.call("fd_prestat_dir_name", &[ROOT, u64::from(RESULT), 0]).await,
            NAMETOOLONG
        );
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

#[test]
fn words_time_and_chance() {
    let world = World::new(1);
    let guest = start(&world);
    world.run(async {
        let result = u64::from(RESULT);
        assert_eq!(guest.call("args_sizes_get", &[result, result + 4]).await, 0);
        assert_eq!((guest.number_at(RESULT).await, guest.number_at(RESULT + 4).await), (2, 12));
        assert_eq!(guest.call("args_get", &[result, result + 100]).await, 0);
        assert_eq!(guest.peek(RESULT + 100, 12).await, b"guest\0first\0");
        assert_eq!(guest.number_at(RESULT + 4).await, RESULT + 106);
        assert_eq!(guest.call("environ_sizes_get", &[result, result + 4]).await, 0);
        assert_eq!((guest.number_at(RESULT).await, guest.number_at(RESULT + 4).await), (1, 11));
        assert_eq!(guest.call("environ_get", &[result, result + 100]).await, 0);
        assert_eq!(guest.peek(RESULT + 100, 11).await, b"NAME=value\0");
        assert_eq!(guest.call("args_get", &[0xffff_ffff, 0]).await, FAULT);
        let clock = async |number: u64| {
            assert_eq!(guest.call("clock_time_get", &[number, 0, result]).await, 0);
            u64::from_le_bytes(guest.peek(RESULT, 8).await.try_into().unwrap())
        };
        assert_eq!(clock(0).await, 1_700_000_000_000_000_000);
        world.sleep(std::time::Duration::from_millis(5)).await;
        assert_eq!((clock(0).await, clock(1).await), (1_700_000_000_005_000_000, 5_000_000));
        assert_eq!(guest.call("clock_time_get", &[2, 0, result]).await, INVAL);
        assert_eq!(guest.call("clock_res_get", &[1, result]).await, 0);
        assert_eq!(guest.number_at(RESULT).await, 1000);
        assert_eq!(guest.call("random_get", &[result, 64]).await, 0);
        let first = guest.peek(RESULT, 64).await;
        assert_eq!(guest.call("random_get", &[result, 64]).await, 0);
        assert_ne!(first, guest.peek(RESULT, 64).await);
        assert_eq!(guest.call("random_get", &[0, 1 << 31]).await, FAULT);
        assert_eq!(guest.call("sched_yield", &[]).await, 0);
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}

fn subscription(user: u64, tag: u8, number: u32, timeout: u64, is_absolute: bool) -> Vec<u8> {
    let mut bytes = vec![0; 48];
    bytes[..8].copy_from_slice(&user.to_le_bytes());
    bytes[8] = tag;
    bytes[16..20].copy_from_slice(&number.to_le_bytes());
    bytes[24..32].copy_from_slice(&timeout.to_le_bytes());
    bytes[40] = u8::from(is_absolute);
    bytes
}

/// User data, error, type, bytes and flags of each event.
async fn poll(guest: &Puppet, subscriptions: &[Vec<u8>]) -> Vec<(u64, u16, u8, u64, u16)> {
    guest.poke(FREE, &subscriptions.concat()).await;
    let numbers =
        [u64::from(FREE), u64::from(RESULT), subscriptions.len() as u64, u64::from(FREE) + 900];
    assert_eq!(guest.call("poll_oneoff", &numbers).await, 0);
    let count = guest.number_at(FREE + 900).await as usize;
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    let events = guest.peek(RESULT, count * 32).await;
    let event = |one: &[u8]| {
        let short = |place: usize| u16::from_le_bytes([one[place], one[place + 1]]);
        (number(&one[..8]), short(8), one[10], number(&one[16..24]), short(24))
    };
    events.chunks(32).map(event).collect()
}

#[test]
fn a_poll_waits_for_clocks_and_files() {
    let world = World::new(1);
    let (left, right) = hosts(&world);
    let guest = Puppet::start(&world, &left, "allow-connect *");
    world.run(async {
        let listener =
            TcpListener::bind(&right.sockets(), "10.0.0.2:7".parse().unwrap(), 4).unwrap();
        let before = world.now();
        assert_eq!(
            poll(&guest, &[subscription(7, 0, 1, 1_500_000_000, false)]).await,
            [(7, 0, 0, 0, 0)]
        );
        assert_eq!(world.now().since(before).as_millis(), 1500);
        let real = 1_700_000_000_000_000_000 + (world.now().as_micros() + 250_000) * 1000;
        let before = world.now();
        assert_eq!(poll(&guest, &[subscription(8, 0, 0, real, true)]).await, [(8, 0, 0, 0, 0)]);
        assert_eq!(world.now().since(before).as_millis(), 250);
        let socket = guest.open("/devices/sockets", 3).await;
        guest.control::<CreateSocket>(socket, &SocketKind::Tcp).await.unwrap();
        guest.control::<Connect>(socket, &"10.0.0.2:7".parse().unwrap()).await.unwrap();
        let server = listener.accept().await.unwrap();
        let file = socket as u32;
        let wait = [
            subscription(1, 1, file, 0, false),
            subscription(2, 2, file, 0, false),
            subscription(3, 0, 1, 1_000_000_000_000, false),
        ];
        assert_eq!(poll(&guest, &wait).await, [(2, 0, 2, 1, 0)], "writable");
        server.write_all(b"hello").await.unwrap();
        assert_eq!(
            poll(&guest, &[subscription(1, 1, file, 0, false)]).await,
            [(1, 0, 1, 5, 0)],
            "five bytes"
        );
        drop(server);
        assert_eq!(guest.read(socket, 100).await.unwrap(), b"hello");
        let events = poll(&guest, &[subscription(1, 1, file, 0, false)]).await;
        assert_eq!((events[0].0, events[0].2), (1, 1), "the end is readable");
        // What is not open is told at once, beside a clock that is far away.
        let wrong =
            [subscription(4, 1, 99, 0, false), subscription(5, 0, 9, 1, false), wait[2].clone()];
        assert_eq!(poll(&guest, &wrong).await, [(4, 8, 1, 0, 0), (5, 28, 0, 0, 0)]);
        assert_eq!(guest.call("poll_oneoff", &[0, 0, 0, u64::from(RESULT)]).await, INVAL);
        assert_eq!(guest.call("poll_oneoff", &[0, 0, 1 << 20, u64::from(RESULT)]).await, INVAL);
        guest.poke(FREE, &subscription(1, 9, 0, 0, false)).await;
        assert_eq!(
            guest
                .call("poll_oneoff", &[u64::from(FREE), u64::from(RESULT), 1, u64::from(RESULT)])
                .await,
            INVAL
        );
    });
    assert_eq!(world.run(guest.end(0)).status(), 0);
}
