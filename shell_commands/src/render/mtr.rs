//! The reports of `mtr` 0.95.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;

use super::{append, calendar};
use crate::shown::line;

/// The columns before the loss.
const COLUMNS: usize = 33;

/// What is known of a hop.
#[derive(Clone, Default, Debug)]
pub struct Hop {
    /// Who answered first.
    pub address: Option<IpAddr>,
    /// Its name.
    pub name: Option<String>,
    /// Packets that were sent to it.
    pub sent: u32,
    received: u32,
    last: f64,
    best: f64,
    worst: f64,
    mean: f64,
    /// The sum of the squares of the distances from the mean.
    squares: f64,
}

impl Hop {
    /// Somebody answered after this time.
    pub fn answered(&mut self, from: IpAddr, time: Duration) {
        self.address.get_or_insert(from);
        let millis = time.as_secs_f64() * 1000.0;
        self.received += 1;
        self.last = millis;
        self.best = if self.received == 1 { millis } else { self.best.min(millis) };
        self.worst = self.worst.max(millis);
        // Welford's method.
        let distance = millis - self.mean;
        self.mean += distance / f64::from(self.received);
        self.squares += distance * (millis - self.mean);
    }

    fn loss(&self) -> f64 {
        if self.sent == 0 {
            return 0.0;
        }
        100.0 * f64::from(self.sent.saturating_sub(self.received)) / f64::from(self.sent)
    }

    fn deviation(&self) -> f64 {
        match self.received {
            0 | 1 => 0.0,
            count => (self.squares / f64::from(count - 1)).sqrt(),
        }
    }

    /// The columns of times in milliseconds: last, mean, best, worst, deviation.
    fn times(&self) -> [f64; 5] {
        [self.last, self.mean, self.best, self.worst, self.deviation()]
    }

    fn shown(&self, both: bool) -> String {
        match (self.address, &self.name) {
            (None, _) => String::from("???"),
            (Some(address), Some(name)) if both => format!("{} ({address})", line(name)),
            (Some(_), Some(name)) => line(name).to_string(),
            (Some(address), None) => address.to_string(),
        }
    }
}

/// A report.
pub struct Report<'a> {
    /// The name of this host.
    pub host: &'a str,
    /// The host that was asked for.
    pub target: &'a str,
    /// When it began, since 1970.
    pub start: Duration,
    /// How often each hop was asked.
    pub cycles: u32,
    /// Bytes of a packet.
    pub bytes: usize,
    /// The first hop.
    pub first: u8,
    /// Names and addresses.
    pub both: bool,
    /// The hops from the first on.
    pub hops: &'a [Hop],
}

impl Report<'_> {
    fn numbered(&self) -> impl Iterator<Item = (usize, &Hop)> {
        self.hops.iter().enumerate().map(|(place, hop)| (place + usize::from(self.first), hop))
    }

    /// For people; names are whole if it is wide.
    #[must_use]
    pub fn text(&self, is_wide: bool) -> String {
        let mut width = COLUMNS;
        if is_wide {
            let names = self.hops.iter().map(|hop| 8 + hop.shown(self.both).chars().count());
            width = names.chain([6 + self.host.chars().count()]).max().unwrap_or(COLUMNS);
        }
        let mut text = format!("Start: {}\n", calendar::format(self.start, "%FT%T%z"));
        let host = format!("HOST: {}", line(self.host));
        append(
            &mut text,
            format_args!("{host:<width$.width$} Loss%   Snt   Last   Avg  Best  Wrst StDev\n"),
        );
        for (number, hop) in self.numbered() {
            let name = format!("{number:3}.|-- {}", hop.shown(self.both));
            let [last, mean, best, worst, deviation] = hop.times();
            append(
                &mut text,
                format_args!(
                    "{name:<width$.width$}{:5.1}%{:6}\
                     {last:7.1}{mean:6.1}{best:6.1}{worst:6.1}{deviation:6.1}\n",
                    hop.loss(),
                    hop.sent,
                ),
            );
        }
        text
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        let hubs: Vec<_> = self
            .numbered()
            .map(|(number, hop)| {
                let [last, mean, best, worst, deviation] = hop.times().map(rounded);
                json!({
                    "count": number,
                    "host": hop.shown(self.both),
                    "Loss%": rounded(hop.loss()),
                    "Snt": hop.sent,
                    "Last": last,
                    "Avg": mean,
                    "Best": best,
                    "Wrst": worst,
                    "StDev": deviation,
                })
            })
            .collect();
        let head = json!({
            "src": self.host,
            "dst": self.target,
            "tos": 0,
            "tests": self.cycles,
            "psize": self.bytes.to_string(),
            "bitpattern": "0x40",
        });
        format!("{:#}\n", json!({ "report": { "mtr": head, "hubs": hubs } }))
    }

    /// As values with commas between them.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "Mtr_Version,Start_Time,Status,Host,Hop,Ip,Loss%,Snt, ,Last,Avg,Best,Wrst,StDev,\n",
        );
        for (number, hop) in self.numbered() {
            let [last, mean, best, worst, deviation] = hop.times();
            append(
                &mut text,
                format_args!(
                    "MTR.0.95,{},OK,{},{number},{},{:.2},{},0,\
                     {last:.2},{mean:.2},{best:.2},{worst:.2},{deviation:.2}\n",
                    self.start.as_secs(),
                    line(self.target),
                    hop.shown(self.both),
                    hop.loss(),
                    hop.sent,
                ),
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_look_as_in_mtr() {
        let mut first = Hop { sent: 3, ..Hop::default() };
        for micros in [110, 290, 100] {
            first.answered("10.1.0.1".parse().unwrap(), Duration::from_micros(micros));
        }
        let mut last = Hop { sent: 4, name: Some("web.lan".into()), ..Hop::default() };
        for micros in [2000, 4000] {
            last.answered("10.2.0.2".parse().unwrap(), Duration::from_micros(micros));
        }
        let hops = [first, Hop { sent: 3, ..Hop::default() }, last];
        let report = Report {
            host: "vm",
            target: "10.2.0.2",
            start: Duration::from_secs(1_796_047_097),
            cycles: 3,
            bytes: 64,
            first: 1,
            both: false,
            hops: &hops,
        };
        assert_eq!(
            report.text(false),
            "Start: 2026-11-30T13:58:17+0000\n\
             HOST: vm                          Loss%   Snt   Last   Avg  Best  Wrst StDev\n  \
             1.|-- 10.1.0.1                   0.0%     3    0.1   0.2   0.1   0.3   0.1\n  \
             2.|-- ???                      100.0%     3    0.0   0.0   0.0   0.0   0.0\n  \
             3.|-- web.lan                   50.0%     4    4.0   3.0   2.0   4.0   1.4\n"
        );
        let wide = Report { both: true, ..report };
        assert!(wide.text(true).contains("\n  3.|-- web.lan (10.2.0.2) 50.0%     4"));
        let json: serde_json::Value = serde_json::from_str(&wide.json()).unwrap();
        assert_eq!(json["report"]["mtr"]["psize"], "64");
        assert_eq!(json["report"]["hubs"][2]["Loss%"], 50.0);
        assert_eq!(json["report"]["hubs"][2]["StDev"], 1.414);
        assert_eq!(
            wide.csv().lines().nth(1),
            Some("MTR.0.95,1796047097,OK,10.2.0.2,1,10.1.0.1,0.00,3,0,0.10,0.17,0.10,0.29,0.11")
        );
    }
}
