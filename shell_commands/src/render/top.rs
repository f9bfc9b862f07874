//! The view of `top`: interfaces, connections and drops, with their last values as sparklines.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};
use ratatui_core::widgets::Widget;
use ratatui_widgets::sparkline::Sparkline;

use super::{append, calendar, units};
use crate::shown;

/// Values that a sparkline shows at most.
pub const HISTORY: usize = 30;
/// The least columns with sparklines.
const WIDE: u16 = 76;
/// Columns of a sparkline.
const LINE: u16 = 14;

/// The last values of something, the newest last.
#[derive(Clone, Default, Debug)]
pub struct History(VecDeque<u64>);

impl History {
    /// Adds a value.
    pub fn push(&mut self, value: u64) {
        if self.0.len() == HISTORY {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// The newest value.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.0.back().copied().unwrap_or_default()
    }

    fn newest(&self, count: usize) -> Vec<u64> {
        self.0.iter().skip(self.0.len().saturating_sub(count)).copied().collect()
    }
}

/// An interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// It is enabled and its link is up.
    pub is_up: bool,
    /// Bits per second received.
    pub received: History,
    /// Bits per second sent.
    pub sent: History,
    /// Packets that were dropped, since it began.
    pub drops: u64,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Both ends, the local one first.
    pub ends: String,
    /// Its state.
    pub state: String,
    /// Bits per second, both ways.
    pub rate: History,
    /// The smoothed round trip.
    pub round_trip: Duration,
    /// The congestion window in bytes.
    pub window: History,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The time of day, since 1970.
    pub now: Duration,
    /// Since the system began.
    pub uptime: Duration,
    /// Interfaces in the order of their numbers.
    pub interfaces: Vec<Interface>,
    /// Connections, the busiest first.
    pub connections: Vec<Connection>,
    /// All sockets.
    pub sockets: usize,
    /// Drops by interface and reason.
    pub drops: Vec<(String, String, u64)>,
}

const HEAD: Style = Style::new().add_modifier(Modifier::REVERSED);
const GOOD: Style = Style::new().fg(Color::Green);
const BAD: Style = Style::new().fg(Color::Red);
const PLAIN: Style = Style::new();

struct Canvas<'a> {
    buffer: &'a mut Buffer,
    row: u16,
}

impl Canvas<'_> {
    const fn width(&self) -> u16 {
        self.buffer.area.width
    }

    const fn is_full(&self) -> bool {
        self.row >= self.buffer.area.height
    }

    fn put(&mut self, column: u16, text: &str, style: Style) {
        if !self.is_full() && column < self.width() {
            let room = usize::from(self.width() - column);
            self.buffer.set_stringn(column, self.row, shown::line(text), room, style);
        }
    }

    fn head(&mut self, cells: &[(u16, &str)]) {
        self.row += 1;
        self.put(0, &" ".repeat(usize::from(self.width())), HEAD);
        for (column, text) in cells {
            self.put(*column, text, HEAD);
        }
        self.row += 1;
    }

    fn sparkline(&mut self, column: u16, history: &History, style: Style) {
        if self.is_full() || column + LINE > self.width() {
            return;
        }
        let values = history.newest(usize::from(LINE));
        let area = Rect { x: column, y: self.row, width: LINE, height: 1 };
        Sparkline::default().data(&values).style(style).render(area, self.buffer);
    }
}

fn rate(bits: u64) -> String {
    units::scaled(bits as f64, 1000.0, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
}

fn uptime(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    match minutes / (24 * 60) {
        0 => format!("{}:{:02}", minutes / 60, minutes % 60),
        days => format!("{days} days, {}:{:02}", minutes / 60 % 24, minutes % 60),
    }
}

/// The rows that everything takes.
#[must_use]
pub fn needed(view: &View) -> u16 {
    let drops = if view.drops.is_empty() { 0 } else { view.drops.len() + 2 };
    let rows = 1 + 2 + view.interfaces.len() + 2 + view.connections.len() + drops;
    u16::try_from(rows).unwrap_or(u16::MAX)
}

/// Draws it in a window of this size.
#[must_use]
pub fn draw(view: &View, columns: u16, rows: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width: columns, height: rows });
    let is_wide = columns >= WIDE;
    let mut canvas = Canvas { buffer: &mut buffer, row: 0 };
    let mut title =
        format!("top - {} up {}", calendar::format(view.now, "%T"), uptime(view.uptime));
    append(
        &mut title,
        format_args!(", connections {}, sockets {}", view.connections.len(), view.sockets),
    );
    canvas.put(0, &title, PLAIN);
    canvas.row += 1;
    canvas.head(&[(0, "INTERFACE"), (18, "RECEIVED"), (46, "SENT"), (74, "DROPS")]);
    for one in &view.interfaces {
        canvas.put(0, &one.name, if one.is_up { GOOD } else { BAD });
        for (column, history) in [(18, &one.received), (46, &one.sent)] {
            canvas.put(column, &rate(history.last()), PLAIN);
            if is_wide {
                canvas.sparkline(column + 12, history, GOOD);
            }
        }
        canvas.put(74, &one.drops.to_string(), if one.drops == 0 { PLAIN } else { BAD });
        canvas.row += 1;
    }
    // The last rows are for drops, if there are any: for some of them in a small window.
    let kept = if rows >= needed(view) { view.drops.len() } else { view.drops.len().min(4) };
    let kept = u16::try_from(kept).unwrap_or(4);
    let end = rows.saturating_sub(if kept == 0 { 0 } else { kept + 2 });
    let beside = columns.saturating_sub(44 + 2 * LINE + 2);
    let ends = if is_wide { beside.max(20) } else { columns.saturating_sub(44) };
    let [state, speed, trip, window] = [ends, ends + 12, ends + 25, ends + 34].map(|at| at + 1);
    canvas.head(&[
        (0, "CONNECTION"),
        (state, "STATE"),
        (speed, "RATE"),
        (trip, "RTT"),
        (window, "CWND"),
    ]);
    for one in &view.connections {
        if canvas.row >= end {
            break;
        }
        let shown: String = one.ends.chars().take(usize::from(ends)).collect();
        canvas.put(0, &shown, PLAIN);
        canvas.put(state, &one.state, PLAIN);
        canvas.put(speed, &rate(one.rate.last()), PLAIN);
        let micros = one.round_trip.as_micros();
        canvas.put(trip, &format!("{}.{:02}ms", micros / 1000, micros % 1000 / 10), PLAIN);
        canvas.put(window, &units::bytes_for_people(one.window.last()), PLAIN);
        if is_wide {
            canvas.sparkline(window + 9, &one.rate, GOOD);
            canvas.sparkline(window + 10 + LINE, &one.window, GOOD);
        }
        canvas.row += 1;
    }
    if !view.drops.is_empty() {
        canvas.row = canvas.row.max(end);
        canvas.head(&[(0, "DROPS"), (18, "REASON"), (46, "PACKETS")]);
        for (interface, reason, packets) in &view.drops {
            canvas.put(0, interface, PLAIN);
            canvas.put(18, reason, PLAIN);
            canvas.put(46, &packets.to_string(), BAD);
            canvas.row += 1;
        }
    }
    buffer
}

/// The lines of what was drawn, without colours.
#[must_use]
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
        let line: String = row.iter().map(ratatui_core::buffer::Cell::symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    format!("{}\n", text.trim_end())
}

/// What a terminal that shows one buffer needs to show another (ECMA-48).
#[must_use]
pub fn changes(shown: &Buffer, wanted: &Buffer, has_colors: bool) -> String {
    let mut text = String::new();
    let (mut style, mut next) = (None, None);
    for (x, y, cell) in shown.diff(wanted) {
        if next != Some((x, y)) {
            append(&mut text, format_args!("\u{1b}[{};{}H", y + 1, x + 1));
        }
        let wanted = (if has_colors { cell.fg } else { Color::Reset }, cell.modifier);
        if style != Some(wanted) {
            text.push_str("\u{1b}[0");
            match wanted.0 {
                Color::Green => text.push_str(";32"),
                Color::Red => text.push_str(";31"),
                _ => {}
            }
            if wanted.1.contains(Modifier::REVERSED) {
                text.push_str(";7");
            }
            text.push('m');
            style = Some(wanted);
        }
        text.push_str(cell.symbol());
        next = Some((x + 1, y));
    }
    if style.is_some() {
        // At home the cursor stays in a window that becomes smaller, which would scroll otherwise.
        text.push_str("\u{1b}[0m\u{1b}[H");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(values: &[u64]) -> History {
        let mut history = History::default();
        values.iter().for_each(|value| history.push(*value));
        history
    }

    fn view() -> View {
        View {
            now: Duration::from_secs(1_796_005_466),
            uptime: Duration::from_secs(90_000),
            interfaces: vec![Interface {
                name: "eth0".into(),
                is_up: true,
                received: history(&[0, 500, 1_200_000]),
                sent: history(&[0, 800]),
                drops: 3,
            }],
            connections: vec![Connection {
                ends: "10.0.0.1:80 10.0.0.2:40000".into(),
                state: "ESTAB".into(),
                rate: history(&[1, 8_000_000]),
                round_trip: Duration::from_micros(12_345),
                window: history(&[14_480]),
            }],
            sockets: 2,
            drops: vec![("eth0".into(), "no-route".into(), 3)],
        }
    }

    #[test]
    fn everything_is_drawn_and_nothing_beside_the_window() {
        let text = text(&draw(&view(), 110, 20));
        let rows: Vec<_> = text.lines().collect();
        assert_eq!(rows[0], "top - 02:24:26 up 1 days, 1:00, connections 1, sockets 2");
        assert!(rows[2].starts_with("INTERFACE         RECEIVED"), "{text}");
        assert!(rows[3].starts_with("eth0              1.20 Mbit/s"), "{text}");
        assert!(rows[3].contains('█') && rows[3].ends_with('3'), "{text}");
        assert!(rows[6].starts_with("10.0.0.1:80 10.0.0.2:40000"), "{text}");
        assert!(rows[6].contains("ESTAB") && rows[6].contains("8.00 Mbit/s"), "{text}");
        assert!(rows[6].contains("12.34ms") && rows[6].contains("15K"), "{text}");
        assert_eq!(rows.last(), Some(&"eth0              no-route                    3"));
        for (columns, rows) in [(0, 0), (1, 1), (5, 3), (40, 4), (79, 7), (300, 2)] {
            let drawn = draw(&view(), columns, rows);
            assert_eq!((drawn.area.width, drawn.area.height), (columns, rows));
        }
    }

    #[test]
    fn only_changes_are_written() {
        let before = draw(&view(), 80, 12);
        let mut later = view();
        assert_eq!(changes(&before, &draw(&later, 80, 12), true), "");
        later.interfaces[0].drops = 4;
        assert_eq!(
            changes(&before, &draw(&later, 80, 12), true),
            "\u{1b}[4;75H\u{1b}[0;31m4\u{1b}[0m\u{1b}[H"
        );
        assert_eq!(
            changes(&before, &draw(&later, 80, 12), false),
            "\u{1b}[4;75H\u{1b}[0m4\u{1b}[0m\u{1b}[H"
        );
        later.drops.push(("\u{1b}[2J".into(), "x".into(), 1));
        assert!(!changes(&before, &draw(&later, 80, 12), true).contains("\u{1b}[2J"));
    }
}
