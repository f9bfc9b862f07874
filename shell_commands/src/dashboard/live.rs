//! Server-sent events (HTML standard §9.2): the state each second, and each change as it comes.
//!
//! `state` has the JSON of [`state`](Dashboard::state), `change` a line of `watch` with its time,
//! `lost` how many lines came too fast. A reader that stops reading costs what its connection
//! keeps, and one watching file, which is bounded.

use std::time::Duration;

use devnet_network::command::Watch;
use devnet_network::command::watch::{Kinds, Line};
use devnet_network::platform::Instant;
use devnet_virtual_file_system::{File, OpenFlags, Result};
use futures_lite::{StreamExt, future, stream};
use http::StatusCode;
use hyper::body::Bytes;
use serde_json::json;

use super::{Dashboard, Place, full, refused};
use crate::devices::SOCKETS;
use crate::http::answer::Answer;
use crate::http::content::{Live, Source};
use crate::limits;

/// The time between two states.
const PERIOD: Duration = Duration::from_secs(1);

/// A reader of events.
struct Reader {
    dashboard: Dashboard,
    file: File,
    /// The begin of a line whose end has not come.
    rest: Vec<u8>,
    /// The snapshot is over: what comes now are changes.
    is_live: bool,
    /// When the next state is due.
    due: Instant,
    _place: Place,
}

impl Dashboard {
    /// The stream of events.
    pub(super) fn events(&self, head_only: bool) -> Answer {
        let Some(place) = self.enter() else { return full() };
        let file = match self.0.files.open(SOCKETS, OpenFlags::READ) {
            Ok(file) => file,
            Err(why) => {
                let why = format!("{SOCKETS}: {why}");
                return refused(StatusCode::INTERNAL_SERVER_ERROR, &why);
            }
        };
        let source = match head_only {
            true => Source::Text(String::new()),
            false => Source::Live(self.read_events(file, place)),
        };
        Answer::new(StatusCode::OK, "text/event-stream", source)
    }

    fn read_events(&self, file: File, place: Place) -> Live {
        let reader = Reader {
            dashboard: self.clone(),
            file,
            rest: Vec::new(),
            is_live: false,
            due: self.0.platform.clock.now(),
            _place: place,
        };
        let begun = stream::once_future(async move {
            reader.file.control::<Watch>(&Kinds::USUAL).await?;
            Ok(reader)
        });
        let events = begun.flat_map(|reader: Result<Reader>| match reader {
            Ok(reader) => stream::unfold(reader, next).boxed(),
            Err(why) => stream::once(Err(why)).boxed(),
        });
        events.boxed()
    }
}

/// What comes next: a state that is due, or changes.
async fn next(mut reader: Reader) -> Option<(Result<Bytes>, Reader)> {
    loop {
        let clock = &reader.dashboard.0.platform.clock;
        if clock.now() >= reader.due {
            reader.due = clock.now().after(PERIOD);
            let state = reader.dashboard.state().await;
            return Some((Ok(Bytes::from(event("state", &state))), reader));
        }
        let due = async {
            clock.sleep_until(reader.due).await;
            None
        };
        let mut buffer = vec![0; limits::DASHBOARD_READ_BYTES];
        let read = async { Some(reader.file.read(&mut buffer).await) };
        match future::or(read, due).await {
            None => {}
            Some(Ok(0)) => return None,
            Some(Ok(count)) => {
                let text = reader.changes(buffer.get(..count).unwrap_or_default());
                if !text.is_empty() {
                    return Some((Ok(Bytes::from(text)), reader));
                }
            }
            Some(Err(why)) => return Some((Err(why), reader)),
        }
    }
}

impl Reader {
    /// The events of bytes of the watching file.
    fn changes(&mut self, bytes: &[u8]) -> String {
        self.rest.extend_from_slice(bytes);
        let end = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let time = self.dashboard.0.platform.now().as_millis();
        let time = u64::try_from(time).unwrap_or(u64::MAX);
        let mut text = String::new();
        for line in String::from_utf8_lossy(&whole).lines() {
            match Line::parse(line) {
                Ok(Line::Idle) => self.is_live = true,
                Ok(Line::Lost(count)) => {
                    self.is_live = false;
                    text.push_str(&event("lost", &count.to_string()));
                }
                Ok(Line::Record(_)) if self.is_live => {
                    let change = json!({ "unix_milliseconds": time, "line": line });
                    text.push_str(&event("change", &change.to_string()));
                }
                // Of the snapshot, which the state has too.
                Ok(Line::Record(_)) | Err(_) => {}
            }
        }
        text
    }
}

/// An event whose data is one line.
fn event(name: &str, data: &str) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
