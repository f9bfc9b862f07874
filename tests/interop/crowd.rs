//! A crowd of clients of the kernel: so many connections at once, each fetches one document.
//!
//! `crowd ADDRESS:PORT PATH BYTES COUNT` prints how many answers were whole, and fails unless all
//! are.

use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_executor::Executor;
use async_io::Async;
use futures_lite::{AsyncReadExt, AsyncWriteExt, future};

/// How long one client waits.
const LIMIT: Duration = Duration::from_secs(60);

async fn fetch(server: SocketAddr, path: &str, bytes: usize) -> Result<(), String> {
    let work = async {
        let mut stream =
            Async::<TcpStream>::connect(server).await.map_err(|why| why.to_string())?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|why| why.to_string())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(|why| why.to_string())?;
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let body = head.map_or(0, |head| answer.len() - head - 4);
        if answer.starts_with(b"HTTP/1.1 200 ") && body == bytes {
            Ok(())
        } else {
            Err(format!("an answer of {} bytes", answer.len()))
        }
    };
    future::or(work, async {
        async_io::Timer::after(LIMIT).await;
        Err(String::from("no answer in time"))
    })
    .await
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap_or_default();
    let (server, path, bytes, count) = (next(), next(), next(), next());
    let (Ok(server), Ok(bytes), Ok(count)) =
        (server.parse::<SocketAddr>(), bytes.parse(), count.parse::<usize>())
    else {
        eprintln!("usage: crowd ADDRESS:PORT PATH BYTES COUNT");
        return ExitCode::FAILURE;
    };
    let (executor, path) = (Executor::new(), Arc::<str>::from(path));
    let outcomes = future::block_on(executor.run(async {
        let fetches: Vec<_> = (0..count)
            .map(|_| {
                let path = Arc::clone(&path);
                executor.spawn(async move { fetch(server, &path, bytes).await })
            })
            .collect();
        let mut outcomes = Vec::new();
        for fetch in fetches {
            outcomes.push(fetch.await);
        }
        outcomes
    }));
    let failed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
    println!("{} of {count}", count - failed.len());
    match failed.first() {
        None => ExitCode::SUCCESS,
        Some(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
