//! `top`: a live view of interfaces, connections and drops.
//!
//! On a terminal it takes the whole window until Ctrl-C; elsewhere, or with `-b`, each state is
//! printed below the one before.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use devnet_network::command::socket::SocketStatus;
use devnet_network::command::stream::StreamStatistics;
use devnet_network::command::{GetConnection, ListDrops, ListSockets};
use devnet_network::driver::LinkState;
use devnet_network::platform::Instant;
use devnet_virtual_file_system::File;
use lexopt::prelude::*;

use super::{sleep, words};
use crate::context::Context;
use crate::devices::{self, SOCKETS, Use};
use crate::failure::{Failure, Outcome};
use crate::limits;
use crate::render::iproute::socket::state;
use crate::render::top::{self as render, Connection, History, Interface, View};
use crate::sockets::connection_name;
use crate::status::Status;
use crate::window::Window;

/// The width where there is no terminal.
const COLUMNS: u16 = 110;
/// The shortest time between two states.
const SHORTEST: Duration = Duration::from_millis(100);

struct Options {
    wait: Duration,
    count: Option<u64>,
    batch: bool,
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let mut chosen = Options { wait: Duration::from_secs(1), count: None, batch: false };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('d') => chosen.wait = sleep::parsed(&options.value()?.string()?)?,
            Short('n') => {
                chosen.count = Some(words::parse(&options.value()?.string()?, "count")?);
            }
            Short('b') => chosen.batch = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if chosen.wait < SHORTEST || chosen.count == Some(0) {
        return Err(Failure::usage("-d: 0.1 s or more; -n: 1 or more"));
    }
    Ok(chosen)
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    let window = context.streams.output.terminal.clone().filter(|_| !options.batch);
    let mut screen = match window {
        Some(window) => Some(Screen::open(context, window).await?),
        None => None,
    };
    let mut meter = Meter::default();
    let clock = context.platform.clock.clone();
    let mut left = options.count;
    loop {
        let view = meter.view(context).await?;
        match &mut screen {
            Some(screen) => screen.show(&view).await?,
            None => {
                let drawn = render::draw(&view, COLUMNS, render::needed(&view));
                context.print(&render::text(&drawn)).await?;
            }
        }
        left = left.map(|left| left - 1);
        if left == Some(0) {
            return Ok(Status::SUCCESS);
        }
        clock.sleep_until(clock.now().after(options.wait)).await;
        if screen.is_none() {
            context.print("\n").await?;
        }
    }
}

/// The whole window of a terminal, which gets back what it showed when this ends.
struct Screen<'a> {
    context: &'a Context,
    window: Window,
    has_colors: bool,
    shown: ratatui_core::buffer::Buffer,
}

impl<'a> Screen<'a> {
    async fn open(context: &'a Context, window: Window) -> Result<Self, Failure> {
        let has_colors = context.has_colors(None)?;
        let shown = render::draw(&View::default(), 0, 0);
        let screen = Self { context, window, has_colors, shown };
        // The other screen, without a cursor.
        context.print_bytes(b"\x1b[?1049h\x1b[?25l").await?;
        Ok(screen)
    }

    async fn show(&mut self, view: &View) -> Result<(), Failure> {
        let size = self.window.size();
        let wanted = render::draw(view, size.columns, size.rows);
        let mut text = String::new();
        if wanted.area != self.shown.area {
            text.push_str("\x1b[0m\x1b[2J");
            self.shown = ratatui_core::buffer::Buffer::empty(wanted.area);
        }
        text.push_str(&render::changes(&self.shown, &wanted, self.has_colors));
        self.shown = wanted;
        self.context.print_bytes(text.as_bytes()).await
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        // Ctrl-C drops the command.
        let _ = self.context.streams.output.file.try_write(b"\x1b[?25h\x1b[?1049l");
    }
}

/// Rates are the differences of two states.
#[derive(Default)]
struct Meter {
    interfaces: HashMap<u32, Counted>,
    connections: HashMap<(SocketAddr, SocketAddr), Counted>,
}

/// What was counted last, and the rates before.
#[derive(Clone, Default)]
struct Counted {
    last: Option<(Instant, u64, u64)>,
    first: History,
    second: History,
}

impl Counted {
    /// Counts bytes of two kinds; returns the bits per second of each since the last time.
    fn rates(&mut self, now: Instant, first: u64, second: u64) -> (u64, u64) {
        let Some((then, one, other)) = self.last.replace((now, first, second)) else {
            return (0, 0);
        };
        let micros = now.since(then).as_micros().max(1);
        let rate = |bytes: u64| u64::try_from(u128::from(bytes) * 8_000_000 / micros);
        let of = |new: u64, old: u64| rate(new.saturating_sub(old)).unwrap_or(u64::MAX);
        (of(first, one), of(second, other))
    }
}

impl Meter {
    async fn view(&mut self, context: &Context) -> Result<View, Failure> {
        let platform = &context.platform;
        let now = platform.clock.now();
        let mut view =
            View { now: platform.now(), uptime: now.since(Instant::ZERO), ..View::default() };
        let mut known = std::mem::take(&mut self.interfaces);
        for (interface, status) in devices::all(context).await? {
            let statistics = interface.statistics().await?;
            let mut counted = known.remove(&status.index).unwrap_or_default();
            let (received, sent) =
                counted.rates(now, statistics.received_bytes, statistics.sent_bytes);
            counted.first.push(received);
            counted.second.push(sent);
            view.interfaces.push(Interface {
                name: interface.name,
                is_up: status.enabled && status.link == LinkState::Up,
                received: counted.first.clone(),
                sent: counted.second.clone(),
                drops: statistics.received_drops.total() + statistics.sent_drops.total(),
            });
            self.interfaces.insert(status.index, counted);
        }
        let device = devices::sockets(context, Use::Show)?;
        self.connections(&device, now, &mut view).await?;
        let drops = device.control::<ListDrops>(&()).await;
        for drop in drops.map_err(|why| Failure::of(SOCKETS, why))? {
            if drop.packets > 0 {
                let reason = drop.reason.to_string();
                view.drops.push((drop.interface, reason, drop.packets));
            }
        }
        Ok(view)
    }

    async fn connections(
        &mut self,
        device: &File,
        now: Instant,
        view: &mut View,
    ) -> Result<(), Failure> {
        let sockets = device.control::<ListSockets>(&()).await;
        let sockets = sockets.map_err(|why| Failure::of(SOCKETS, why))?;
        view.sockets = sockets.len();
        let mut known = std::mem::take(&mut self.connections);
        let connected = sockets.iter().filter_map(|one| Some((one, connection_name(one)?)));
        for (socket, name) in connected.take(limits::TOP_CONNECTIONS) {
            // One that ended meanwhile is not shown.
            let Ok(statistics) = device.control::<GetConnection>(&name).await else { continue };
            let ends = (name.local, name.remote);
            let counted = known.remove(&ends).unwrap_or_default();
            let (counted, connection) = shown(counted, now, socket, name.remote, &statistics);
            self.connections.insert(ends, counted);
            view.connections.push(connection);
        }
        view.connections.sort_by_key(|one| std::cmp::Reverse(one.rate.last()));
        Ok(())
    }
}

fn shown(
    mut counted: Counted,
    now: Instant,
    socket: &SocketStatus,
    remote: SocketAddr,
    statistics: &StreamStatistics,
) -> (Counted, Connection) {
    let (sent, received) = counted.rates(now, statistics.bytes_sent, statistics.bytes_received);
    counted.first.push(sent.saturating_add(received));
    counted.second.push(statistics.congestion_window.into());
    let connection = Connection {
        ends: format!("{} {remote}", socket.local),
        state: state(socket.state).to_owned(),
        rate: counted.first.clone(),
        round_trip: Duration::from_micros(statistics.round_trip.into()),
        window: counted.second.clone(),
    };
    (counted, connection)
}
