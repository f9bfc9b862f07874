//! The output of `iperf3`, in the original's layout, and its JSON report.

use serde_json::{Value, json};

use super::{append, units};
use crate::iperf::{Parameters, Results};
use crate::sockets::Connection;

const TITLE: &str = "[ ID] Interval           Transfer     Bitrate\n";
const TITLE_WITH_AGAIN: &str = "[ ID] Interval           Transfer     Bitrate         Retr\n";
const RULE: &str = "- - - - - - - - - - - - - - - - - - - - - - - - -\n";
/// The number of the first stream: the original prints its descriptor, which is usually 5.
const FIRST: usize = 5;

/// Bytes of one stream in one interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sample {
    /// Seconds since the start.
    pub start: f64,
    /// Seconds since the start.
    pub end: f64,
    /// Bytes transferred.
    pub bytes: u64,
    /// Retransmitted segments, if known.
    pub again: Option<u64>,
}

impl Sample {
    fn bits_per_second(self) -> f64 {
        let seconds = self.end - self.start;
        if seconds > 0.0 { self.bytes as f64 * 8.0 / seconds } else { 0.0 }
    }

    fn line(self, identifier: &str, role: &str) -> String {
        let transfer = units::scaled_fixed(self.bytes as f64, 1024.0, &["", "K", "M", "G", "T"]);
        let rate = units::scaled_fixed(self.bits_per_second(), 1000.0, &["", "K", "M", "G", "T"]);
        let again = self.again.map(|count| count.to_string()).unwrap_or_default();
        format!(
            "[{identifier:>3}] {:6.2}-{:<6.2} sec  {transfer}Bytes  {rate}bits/sec  \
             {again:>3}             {role}\n",
            self.start, self.end
        )
    }
}

/// The lines of a listening server.
#[must_use]
pub fn listening(port: u16) -> String {
    let rule = "-".repeat(59);
    format!("{rule}\nServer listening on {port}\n{rule}\n")
}

/// The lines before a test.
#[must_use]
pub fn start(connections: &[Connection]) -> String {
    let mut text = String::new();
    for (place, Connection { local, remote, .. }) in connections.iter().enumerate() {
        append(
            &mut text,
            format_args!(
                "[{:>3}] local {} port {} connected to {} port {}\n",
                identifier(place),
                local.ip(),
                local.port(),
                remote.ip(),
                remote.port()
            ),
        );
    }
    text.push_str(TITLE);
    text
}

/// The original's numbers are descriptors: 5, 7, 9 …
const fn identifier(place: usize) -> usize {
    FIRST + place * 2
}

fn sum(samples: &[Sample]) -> Option<Sample> {
    let first = samples.first()?;
    let again = samples.iter().map(|sample| sample.again).sum();
    Some(Sample { bytes: samples.iter().map(|sample| sample.bytes).sum(), again, ..*first })
}

/// The lines of one interval.
#[must_use]
pub fn interval(samples: &[Sample]) -> String {
    let mut text = String::new();
    for (place, sample) in samples.iter().enumerate() {
        text.push_str(&sample.line(&identifier(place).to_string(), ""));
    }
    if let Some(sum) = sum(samples).filter(|_| samples.len() > 1) {
        text.push_str(&sum.line("SUM", ""));
        text.push_str(RULE);
    }
    text
}

fn samples(results: &Results) -> Vec<Sample> {
    let sample = |stream: &crate::iperf::StreamResult| Sample {
        start: stream.start_time,
        end: stream.end_time,
        bytes: stream.bytes,
        again: u64::try_from(stream.retransmits)
            .ok()
            .filter(|_| results.sender_has_retransmits == 1),
    };
    results.streams.iter().map(sample).collect()
}

/// The lines after a test, of the sides that are known.
#[must_use]
pub fn summary(sender: Option<&Results>, receiver: Option<&Results>) -> String {
    let roles: Vec<(Vec<Sample>, &str)> = [(sender, "sender"), (receiver, "receiver")]
        .into_iter()
        .filter_map(|(results, role)| Some((samples(results?), role)))
        .collect();
    let is_known =
        roles.iter().any(|(samples, _)| samples.iter().any(|sample| sample.again.is_some()));
    let mut text = format!("{RULE}{}", if is_known { TITLE_WITH_AGAIN } else { TITLE });
    let count = roles.iter().map(|(samples, _)| samples.len()).max().unwrap_or(0);
    for place in 0..count {
        for (samples, role) in &roles {
            if let Some(sample) = samples.get(place) {
                text.push_str(&sample.line(&identifier(place).to_string(), role));
            }
        }
    }
    for (samples, role) in roles.iter().filter(|_| count > 1) {
        if let Some(sum) = sum(samples) {
            text.push_str(&sum.line("SUM", role));
        }
    }
    text
}

fn value(sample: Sample, socket: Option<usize>, is_sender: bool) -> Value {
    let mut value = json!({
        "start": sample.start, "end": sample.end, "seconds": sample.end - sample.start,
        "bytes": sample.bytes,
        "bits_per_second": sample.bits_per_second(), "sender": is_sender,
    });
    if let Value::Object(fields) = &mut value {
        socket
            .into_iter()
            .for_each(|socket| drop(fields.insert(String::from("socket"), json!(socket))));
        sample
            .again
            .into_iter()
            .for_each(|count| drop(fields.insert(String::from("retransmits"), json!(count))));
    }
    value
}

/// The whole report.
#[must_use]
pub fn json(
    connections: &[Connection],
    intervals: &[Vec<Sample>],
    sender: &Results,
    receiver: &Results,
    parameters: &Parameters,
) -> String {
    let connected = |(place, connection): (usize, &Connection)| {
        let Connection { local, remote, .. } = connection;
        json!({
            "socket": identifier(place),
            "local_host": local.ip().to_string(), "local_port": local.port(),
            "remote_host": remote.ip().to_string(), "remote_port": remote.port(),
        })
    };
    let per_interval = |samples: &Vec<Sample>| {
        let streams = samples.iter().enumerate();
        let streams: Vec<Value> =
            streams.map(|(place, sample)| value(*sample, Some(identifier(place)), true)).collect();
        json!({ "streams": streams, "sum": sum(samples).map(|sum| value(sum, None, true)) })
    };
    let (sent, received) = (samples(sender), samples(receiver));
    let pairs = sent.iter().zip(&received).enumerate();
    let streams: Vec<Value> = pairs
        .map(|(place, (sent, received))| {
            let socket = Some(identifier(place));
            let sender = value(*sent, socket, true);
            json!({ "sender": sender, "receiver": value(*received, socket, false) })
        })
        .collect();
    let report = json!({
        "start": {
            "connected": connections.iter().enumerate().map(connected).collect::<Vec<_>>(),
            "version": concat!("devnet ", env!("CARGO_PKG_VERSION")),
            "test_start": {
                "protocol": "TCP", "num_streams": connections.len(), "blksize": parameters.len,
                "omit": parameters.omit, "duration": parameters.time, "bytes": parameters.num,
                "blocks": parameters.blockcount, "reverse": u8::from(parameters.reverse),
            },
        },
        "intervals": intervals.iter().map(per_interval).collect::<Vec<_>>(),
        "end": {
            "streams": streams,
            "sum_sent": sum(&sent).map(|sum| value(sum, None, true)),
            "sum_received": sum(&received).map(|sum| value(sum, None, false)),
        },
    });
    format!("{report:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iperf::results;

    const SAMPLE: Sample = Sample { start: 0.0, end: 1.0, bytes: 1_081_344_000, again: None };

    #[test]
    fn lines_are_the_original_s() {
        assert_eq!(
            interval(&[SAMPLE]),
            "[  5]   0.00-1.00   sec  1.01 GBytes  8.65 Gbits/sec                  \n"
        );
        assert_eq!(
            summary(Some(&results(&[117_440_512], 10.0, &[])), None).lines().last(),
            Some("[  5]   0.00-10.00  sec   112 MBytes  94.0 Mbits/sec                  sender")
        );
        assert!(
            interval(&[SAMPLE, SAMPLE]).contains("[  7] ")
                && interval(&[SAMPLE, SAMPLE]).contains("[SUM] ")
        );
        assert!(interval(&[Sample { bytes: 0, ..SAMPLE }]).contains("0.00 Bytes  0.00 bits/sec"));
        assert_eq!(interval(&[]), "");
    }

    #[test]
    fn the_report_is_json() {
        let results = results(&[1000, 2000], 2.0, &[]);
        let text = json(&[], &[vec![SAMPLE]], &results, &results, &Parameters::default());
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["end"]["sum_received"]["bytes"], 3000);
        assert_eq!(report["end"]["sum_sent"]["bits_per_second"], 12000.0);
        assert_eq!(report["intervals"][0]["streams"][0]["socket"], 5);
    }
}
