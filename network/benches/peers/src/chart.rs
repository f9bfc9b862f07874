//! The chart of idle connections, as SVG that can be read on light and on dark ground.

use std::fmt::{self, Write};

use crate::cell::{IDLE, Peer, Task};
use crate::results::Results;
use crate::workloads::measure::Workload;

const WIDTH: f64 = 796.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 236.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 56.0;
/// The powers of ten on the vertical axis.
const DECADES: (i32, i32) = (-4, 0);

const STYLE: &str = "\
  text { font: 13px system-ui, sans-serif; fill: #24292f; }\n\
  .title { font-weight: 600; font-size: 15px; }\n\
  .grid { stroke: #d0d7de; stroke-width: 1; }\n\
  .ground { fill: #ffffff; }\n\
  polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round; }\n\
  .ours { stroke-width: 4; }\n\
  @media (prefers-color-scheme: dark) {\n\
    text { fill: #e6edf3; }\n\
    .grid { stroke: #3d444d; }\n\
    .ground { fill: #0d1117; }\n\
  }\n";

/// Colours that differ on both grounds, also for those who see fewer of them; dashes help.
const fn pen(peer: Peer) -> (&'static str, &'static str) {
    match peer {
        Peer::Ours => ("#d9480f", "none"),
        Peer::OursOnTokio => ("#d9480f", "4 2"),
        Peer::Raw => ("#8c959f", "none"),
        Peer::Embassy => ("#1f9d55", "7 3"),
        Peer::TokioSmoltcp => ("#3b82f6", "2 3"),
        Peer::Ts => ("#a855f7", "9 3 2 3"),
        Peer::Kernel => ("#c29a00", "5 5"),
    }
}

/// None is one step left of a hundred, where a logarithm has it at ten.
fn across(idle: usize) -> f64 {
    let decade = (idle.max(10) as f64).log10() - 1.0;
    LEFT + decade / 3.0 * (WIDTH - LEFT - RIGHT)
}

fn down(ratio: f64) -> f64 {
    let (low, high) = (f64::from(DECADES.0), f64::from(DECADES.1));
    let share = (ratio.log10().clamp(low, high) - low) / (high - low);
    HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
}

fn grid(svg: &mut String) -> fmt::Result {
    let (start, end, bottom) = (LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM);
    for decade in DECADES.0..=DECADES.1 {
        let (y, label) = (down(10_f64.powi(decade)), 10_f64.powi(decade));
        writeln!(svg, r#"<line class="grid" x1="{start}" x2="{end}" y1="{y:.1}" y2="{y:.1}"/>"#)?;
        writeln!(
            svg,
            r#"<text x="{:.0}" y="{:.1}" text-anchor="end">{label}</text>"#,
            start - 8.0,
            y + 4.0
        )?;
    }
    for idle in IDLE {
        let (x, y) = (across(idle), bottom + 20.0);
        writeln!(svg, r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{bottom}"/>"#)?;
        writeln!(svg, r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{idle}</text>"#)?;
    }
    let middle = f64::midpoint(start, end);
    writeln!(
        svg,
        r#"<text x="{middle}" y="{}" text-anchor="middle">idle connections</text>"#,
        HEIGHT - 14.0
    )?;
    writeln!(
        svg,
        r#"<text class="title" x="{start}" y="18">Ping-pong beside idle connections</text>"#
    )?;
    writeln!(
        svg,
        "<text x=\"{start}\" y=\"36\">\
             round trips per CPU second, relative to raw smoltcp with none</text>"
    )
}

/// The names at the right, each beside the end of its line, moved apart where they would touch.
fn legend(svg: &mut String, mut ends: Vec<(f64, f64, Peer)>) -> fmt::Result {
    ends.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut last = TOP - 14.0;
    // From the lowest place upwards there must be room for those below.
    let count = ends.len();
    for (number, (y, x, peer)) in ends.into_iter().enumerate() {
        let lowest = HEIGHT - BOTTOM - 18.0 * (count - 1 - number) as f64;
        let place = y.min(lowest).max(last + 18.0);
        last = place;
        let (colour, dashes) = pen(peer);
        let (start, end) = (WIDTH - RIGHT + 8.0, WIDTH - RIGHT + 30.0);
        // A line that ends early is not led on to its name.
        let lead = if x < WIDTH - RIGHT { String::new() } else { format!("{x:.1},{y:.1} ") };
        let points = format!("{lead}{start},{place:.1} {end},{place:.1}");
        writeln!(
            svg,
            r#"<polyline points="{points}" stroke="{colour}" stroke-dasharray="{dashes}"/>"#
        )?;
        let title = peer.title().trim_end_matches(" ¹");
        writeln!(svg, r#"<text x="{}" y="{:.1}">{title}</text>"#, end + 6.0, place + 4.0)?;
    }
    Ok(())
}

/// Draws the chart.
pub(crate) fn draw(results: &Results, peers: &[Peer]) -> Result<String, fmt::Error> {
    let ping = |idle| Task::Rate(Workload::PingPong { idle });
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">"#
    )?;
    writeln!(svg, "<title>Round trips per CPU second beside idle connections</title>")?;
    writeln!(svg, "<style>\n{STYLE}</style>")?;
    writeln!(svg, r#"<rect class="ground" width="{WIDTH}" height="{HEIGHT}"/>"#)?;
    grid(&mut svg)?;
    let mut ends = Vec::new();
    for &peer in peers {
        let points: Vec<(f64, f64)> = IDLE
            .into_iter()
            .filter_map(|idle| {
                Some((idle, results.ratio((peer, ping(idle), 0), (Peer::Raw, ping(0), 0))?))
            })
            .map(|(idle, ratio)| (across(idle), down(ratio)))
            .collect();
        let Some((x, y)) = points.last().copied() else { continue };
        ends.push((y, x, peer));
        let (colour, dashes) = pen(peer);
        let class = if peer == Peer::Ours { "ours" } else { "peer" };
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        writeln!(
            svg,
            "<polyline class=\"{class}\" points=\"{path}\" \
             stroke=\"{colour}\" stroke-dasharray=\"{dashes}\"/>"
        )?;
        for (x, y) in points {
            writeln!(svg, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="{colour}"/>"#)?;
        }
    }
    legend(&mut svg, ends)?;
    svg.push_str("</svg>\n");
    Ok(svg)
}
