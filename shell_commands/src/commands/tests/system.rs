//! What the system says of itself.

use super::{failed, world};
use crate::status::Status;

#[test]
fn df_counts_what_files_store() {
    let (world, _) = world();
    let used = |world: &crate::testing::World, line: &str| {
        let output = world.output(line);
        let line = output.lines().nth(1).unwrap().to_owned();
        line.split_whitespace().nth(2).unwrap().parse::<u64>().unwrap()
    };
    let before = used(&world, "df");
    world.run("seq 1 100000 >/temporary/numbers");
    let after = used(&world, "df -k /temporary/numbers");
    assert!((575..650).contains(&(after - before)), "{before} {after}");
    let output = world.output("df -h /");
    assert!(output.starts_with("Filesystem      Size  Used Avail Use% Mounted on\n"), "{output}");
    assert!(output.contains("1.0G"), "{output}");
    let nodes = used(&world, "df -i");
    world.run("touch /temporary/a /temporary/b");
    assert_eq!(used(&world, "df -i"), nodes + 2);
    let ran = world.run("df /nosuch /");
    assert_eq!(ran.status, Status::FAILURE);
    assert_eq!(ran.error, "df: /nosuch: No such file or directory\n");
    assert_eq!(ran.output.lines().count(), 2);
    assert_eq!(failed(&world, "df /nosuch").0, 1);
    assert_eq!(failed(&world, "df -T").0, 2);
}

#[test]
fn free_shows_what_is_counted_and_no_more() {
    let (world, _) = world();
    let output = world.output("free");
    let lines: Vec<Vec<&str>> =
        output.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["total", "used", "free"]);
    assert_eq!((lines[1][0], lines[1][1]), ("Files:", "1048576"));
    let usage = crate::render::samples::usage();
    let tcp = &usage[0];
    assert_eq!(lines[2][0], "TCP:");
    assert_eq!(lines[2][1], (tcp.tcp_memory_limit / 1024).to_string());
    assert_eq!(lines[2][2], (tcp.tcp_memory_of_system / 1024).to_string());
    assert_eq!(lines[3], ["Guests:", "-", "0", "-"]);
    assert!(world.output("free -b").contains("1073741824"));
    assert!(world.output("free -m").contains("Files:          1024 "));
    assert!(world.output("free -h").contains("Files:         1.0Gi "));
    assert_eq!(failed(&world, "free -t").0, 2);
}

#[test]
fn the_hostname_is_what_the_file_says() {
    let (world, _) = world();
    assert_eq!(world.output("hostname"), "localhost\n");
    assert_eq!(
        failed(&world, "hostname box"),
        (1, "hostname: /configuration/hostname: No such file or directory\n".into())
    );
    world.output("mkdir /configuration; hostname box.example.org");
    assert_eq!(world.output("hostname; hostname -s"), "box.example.org\nbox\n");
    assert_eq!(world.output("cat /configuration/hostname"), "box.example.org\n");
    world.output("printf '# our name\\n\\nhere\\n' >/temporary/name; hostname -F /temporary/name");
    assert_eq!(world.output("hostname"), "here\n");
    assert_eq!(
        failed(&world, "hostname 'a b'"),
        (1, "hostname: the specified hostname is invalid\n".into())
    );
    assert_eq!(failed(&world, "hostname -s a").0, 2);
    assert_eq!(world.output("ifconfig eth0 10.0.0.2/24; hostname -I"), "10.0.0.2 \n");
}
