//! Six behaviours that programs rely on without asking, because the kernel's sockets have them.

use std::time::Duration;

use futures_lite::future;

use crate::workloads::contender::{Contender, End, Outcome, establish, read_exact, write_all};
use crate::workloads::{IDLE_BUFFER, PORT, Setup};

/// How long something may take that takes no time.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a call may wait before it is given up.
const MOMENT: Duration = Duration::from_millis(20);
/// Bytes that are written before a drop.
const LENGTH: usize = 4_000;

/// A behaviour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Probe {
    ShortLivedClient,
    ClientAfterIt,
    AcceptAfterCancelledAccept,
    SmallerReadAfterCancelledRead,
    StackLivesAfterCancelledReceive,
    DropDelivers,
}

impl Probe {
    pub(crate) const ALL: [Self; 6] = [
        Self::ShortLivedClient,
        Self::ClientAfterIt,
        Self::AcceptAfterCancelledAccept,
        Self::SmallerReadAfterCancelledRead,
        Self::StackLivesAfterCancelledReceive,
        Self::DropDelivers,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ShortLivedClient => "short_lived_client_is_accepted",
            Self::ClientAfterIt => "client_after_it_is_accepted",
            Self::AcceptAfterCancelledAccept => "accept_after_cancelled_accept",
            Self::SmallerReadAfterCancelledRead => "smaller_read_after_cancelled_read",
            Self::StackLivesAfterCancelledReceive => "stack_lives_after_cancelled_recv",
            Self::DropDelivers => "drop_delivers_data_and_fin",
        }
    }

    /// Whether the contender behaves so, and what happened if not.
    pub(crate) fn run<C: Contender>(self) -> Outcome<()> {
        let contender = C::new(&Setup::usual(0));
        let probe = async {
            match self {
                Self::ShortLivedClient => short_lived_client(&contender).await,
                Self::ClientAfterIt => client_after_it(&contender).await,
                Self::AcceptAfterCancelledAccept => accept_after_cancelled_accept(&contender).await,
                Self::SmallerReadAfterCancelledRead => {
                    smaller_read_after_cancelled_read(&contender).await
                }
                Self::StackLivesAfterCancelledReceive => {
                    stack_lives_after_cancelled_receive(&contender).await
                }
                Self::DropDelivers => drop_delivers(&contender).await,
            }
        };
        contender.run(within(&contender, PATIENCE * 2, probe))
    }
}

async fn within<C: Contender, T>(
    contender: &C,
    time: Duration,
    work: impl Future<Output = Outcome<T>>,
) -> Outcome<T> {
    let late = async {
        contender.sleep(time).await;
        Err("nothing happened".into())
    };
    future::or(work, late).await
}

async fn listen<C: Contender>(contender: &C) -> Outcome<C::Listener> {
    contender.listen(PORT, IDLE_BUFFER, 1).await
}

fn check(is_so: bool, otherwise: &str) -> Outcome<()> {
    if is_so { Ok(()) } else { Err(otherwise.into()) }
}

/// Reads to the end.
async fn read_all<C: Contender>(stream: &mut C::Stream) -> Outcome<Vec<u8>> {
    let (mut all, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        match C::read(stream, &mut buffer).await? {
            0 => return Ok(all),
            got => all.extend_from_slice(&buffer[..got]),
        }
    }
}

/// A client that connects, writes and closes before anybody accepts it.
async fn short_client<C: Contender>(contender: &C) -> Outcome<()> {
    let mut client = within(contender, PATIENCE / 2, contender.connect(PORT, IDLE_BUFFER)).await?;
    write_all::<C>(&mut client, b"short").await?;
    // Some stacks report only after the peer has closed too that a stream is closed.
    _ = within(contender, MOMENT, C::close(client)).await;
    contender.sleep(MOMENT).await;
    Ok(())
}

async fn short_lived_client<C: Contender>(contender: &C) -> Outcome<()> {
    let mut listener = listen(contender).await?;
    short_client(contender).await?;
    let mut server = within(contender, PATIENCE, contender.accept(&mut listener)).await?;
    check(
        within(contender, PATIENCE, read_all::<C>(&mut server)).await? == b"short",
        "other bytes arrived",
    )
}

/// The next client of the same listener, whatever became of the first.
async fn client_after_it<C: Contender>(contender: &C) -> Outcome<()> {
    let mut listener = listen(contender).await?;
    _ = short_client(contender).await;
    let serving = async {
        let mut buffer = [0; 5];
        while &buffer != b"hello" {
            let mut server = contender.accept(&mut listener).await?;
            read_exact::<C>(&mut server, &mut buffer, 5).await?;
        }
        Ok(())
    };
    let asking = async {
        let mut client = contender.connect(PORT, IDLE_BUFFER).await?;
        write_all::<C>(&mut client, b"hello").await?;
        Ok(client)
    };
    within(contender, PATIENCE, future::try_zip(serving, asking)).await.map(drop)
}

/// A connection that works.
async fn exchange<C: Contender>(contender: &C, listener: &mut C::Listener) -> Outcome<()> {
    let work = async {
        let (mut client, mut server) = establish(contender, listener, PORT, IDLE_BUFFER).await?;
        write_all::<C>(&mut client, b"hello").await?;
        let mut buffer = [0; 5];
        read_exact::<C>(&mut server, &mut buffer, 5).await?;
        check(&buffer == b"hello", "other bytes arrived")
    };
    within(contender, PATIENCE, work).await
}

async fn accept_after_cancelled_accept<C: Contender>(contender: &C) -> Outcome<()> {
    let mut listener = listen(contender).await?;
    check(
        within(contender, MOMENT, contender.accept(&mut listener)).await.is_err(),
        "accepted nobody",
    )?;
    exchange(contender, &mut listener).await
}

async fn smaller_read_after_cancelled_read<C: Contender>(contender: &C) -> Outcome<()> {
    let mut listener = listen(contender).await?;
    let (mut client, mut server) = establish(contender, &mut listener, PORT, IDLE_BUFFER).await?;
    let mut large = [0; 64];
    check(
        within(contender, MOMENT, C::read(&mut server, &mut large)).await.is_err(),
        "read nothing",
    )?;
    let sent: Vec<u8> = (0..32).collect();
    write_all::<C>(&mut client, &sent).await?;
    contender.sleep(MOMENT).await;
    let mut received = Vec::new();
    while received.len() < sent.len() {
        let mut small = [0; 8];
        let got = within(contender, PATIENCE / 2, C::read(&mut server, &mut small)).await?;
        check(got > 0, "the stream ended")?;
        received.extend_from_slice(&small[..got]);
    }
    check(received == sent, "other bytes arrived")
}

async fn stack_lives_after_cancelled_receive<C: Contender>(contender: &C) -> Outcome<()> {
    let mut listener = listen(contender).await?;
    let mut socket = contender.bind(End::Right, PORT).await?;
    let mut buffer = [0; 64];
    check(
        within(contender, MOMENT, C::receive(&mut socket, &mut buffer)).await.is_err(),
        "received nothing",
    )?;
    drop(socket);
    contender.sleep(MOMENT).await;
    exchange(contender, &mut listener).await
}

async fn drop_delivers<C: Contender>(contender: &C) -> Outcome<()> {
    let mut listener = listen(contender).await?;
    let (mut client, mut server) = establish(contender, &mut listener, PORT, IDLE_BUFFER).await?;
    write_all::<C>(&mut client, &[7; LENGTH]).await?;
    drop(client);
    let all = within(contender, PATIENCE, read_all::<C>(&mut server)).await?;
    check(all == [7; LENGTH], "bytes are missing")
}
