//! The protocol of iperf3: a control connection, and the measured streams.
//!
//! This module has the messages: states, parameters, results, cookies. The command has the two
//! roles and the streams.
//!
//! The client connects, sends its cookie, and follows the server's one-byte states: 9 parameters,
//! 10 streams, 1 and 2 start. It ends the test with 4; both exchange results after 13; 14 and 16
//! conclude. TCP only.

use devnet_virtual_file_system::{Error, File};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;
use crate::sockets::read_exact;

/// The port that servers listen on.
pub const PORT: u16 = 5201;
/// Bytes of a cookie: 36 characters and a zero.
pub const COOKIE: usize = 37;
/// Default bytes of one write.
pub const BLOCK: u32 = 128 * 1024;

/// The states that one side sends to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Get ready.
    TestStart,
    /// Go.
    TestRunning,
    /// The client has measured enough.
    TestEnd,
    /// Send your parameters.
    ParameterExchange,
    /// Connect your streams.
    CreateStreams,
    /// The server aborts.
    ServerTerminate,
    /// The client aborts.
    ClientTerminate,
    /// Send your results.
    ExchangeResults,
    /// Show them.
    DisplayResults,
    /// All is done.
    Done,
    /// The server is busy with another client.
    AccessDenied,
    /// The server refuses; two numbers follow.
    ServerError,
}

impl State {
    const ALL: [(u8, Self); 12] = [
        (1, Self::TestStart),
        (2, Self::TestRunning),
        (4, Self::TestEnd),
        (9, Self::ParameterExchange),
        (10, Self::CreateStreams),
        (11, Self::ServerTerminate),
        (12, Self::ClientTerminate),
        (13, Self::ExchangeResults),
        (14, Self::DisplayResults),
        (16, Self::Done),
        (255, Self::AccessDenied),
        (254, Self::ServerError),
    ];

    fn byte(self) -> u8 {
        Self::ALL.iter().find(|(_, state)| *state == self).map_or(0, |(byte, _)| *byte)
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == byte).map(|(_, state)| *state)
    }
}

/// The parameters of a test; other fields are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Parameters {
    /// By TCP.
    #[serde(skip_serializing_if = "is_false")]
    pub tcp: bool,
    /// By UDP.
    #[serde(skip_serializing_if = "is_false")]
    pub udp: bool,
    /// Seconds at the start that are not measured.
    pub omit: u32,
    /// Seconds of the test; 0 if bytes end it.
    pub time: u32,
    /// Bytes of the test; 0 if time ends it.
    pub num: u64,
    /// Blocks of the test; 0 if something else ends it.
    pub blockcount: u64,
    /// Streams.
    pub parallel: u32,
    /// The server sends (reverse).
    #[serde(skip_serializing_if = "is_false")]
    pub reverse: bool,
    /// Both send (bidirectional).
    #[serde(skip_serializing_if = "is_false")]
    pub bidirectional: bool,
    /// Bytes of one write.
    pub len: u32,
    /// The client's version.
    pub client_version: String,
}

const fn is_false(value: &bool) -> bool {
    !*value
}

/// The results of one side.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    /// CPU utilisation in percent; ours is unknown.
    pub cpu_util_total: f64,
    /// Percent of a processor in user mode.
    pub cpu_util_user: f64,
    /// Percent of a processor in the kernel.
    pub cpu_util_system: f64,
    /// 1 when the retransmissions below are known.
    #[serde(deserialize_with = "integer")]
    pub sender_has_retransmits: i64,
    /// One per stream.
    pub streams: Vec<StreamResult>,
}

/// The results of one side for one stream.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StreamResult {
    /// Numbered 1, 3, 4, 5 …, as in the original.
    pub id: u32,
    /// Bytes that this side sent or received.
    pub bytes: u64,
    /// Retransmitted segments; -1 if unknown.
    #[serde(deserialize_with = "integer")]
    pub retransmits: i64,
    /// UDP only.
    pub jitter: f64,
    /// UDP only.
    #[serde(deserialize_with = "integer")]
    pub errors: i64,
    /// UDP only.
    #[serde(deserialize_with = "integer")]
    pub packets: i64,
    /// Seconds from the start.
    pub start_time: f64,
    /// Seconds from the start.
    pub end_time: f64,
}

/// The original writes −1 as 2⁶⁴ − 1.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let wrapped = number.as_u64().map(u64::cast_signed);
    Ok(number.as_i64().or(wrapped).unwrap_or(-1))
}

/// The results of our side; for a sender also the retransmitted segments of each stream.
#[must_use]
pub fn results(bytes: &[u64], seconds: f64, retransmissions: &[u32]) -> Results {
    let stream = |(place, bytes): (usize, &u64)| StreamResult {
        id: stream_identifier(place),
        bytes: *bytes,
        retransmits: retransmissions.get(place).map_or(-1, |count| i64::from(*count)),
        end_time: seconds,
        ..StreamResult::default()
    };
    let streams: Vec<StreamResult> = bytes.iter().enumerate().map(stream).collect();
    let is_known = !streams.is_empty() && streams.iter().all(|stream| stream.retransmits >= 0);
    Results { sender_has_retransmits: i64::from(is_known), streams, ..Results::default() }
}

/// The original numbers its streams 1, 3, 4, 5 and so on.
fn stream_identifier(place: usize) -> u32 {
    let place = u32::try_from(place).unwrap_or(u32::MAX);
    if place == 0 { 1 } else { place.saturating_add(2) }
}

/// A control connection.
pub struct Control {
    /// Its stream.
    pub file: File,
}

impl Control {
    /// Sends a state to the other side.
    ///
    /// # Errors
    /// Errors of the stream.
    pub async fn tell(&self, state: State) -> Result<(), Error> {
        self.file.write_all(&[state.byte()]).await
    }

    /// Waits for the other side's next state.
    ///
    /// # Errors
    /// `ConnectionReset` at the end of the stream, `BadMessage` for an unknown state, and errors of
    /// the stream.
    pub async fn hear(&self) -> Result<State, Error> {
        let mut byte = [0];
        if !read_exact(&self.file, &mut byte).await? {
            return Err(Error::ConnectionReset);
        }
        let [byte] = byte;
        State::from_byte(byte).ok_or(Error::BadMessage)
    }

    /// Sends a value: its length in four bytes, and JSON.
    ///
    /// # Errors
    /// Errors of the stream.
    pub async fn send<T: Serialize>(&self, value: &T) -> Result<(), Error> {
        let text = serde_json::to_vec(value).map_err(|_| Error::InvalidInput)?;
        let mut message =
            u32::try_from(text.len()).map_err(|_| Error::MessageTooLong)?.to_be_bytes().to_vec();
        message.extend_from_slice(&text);
        self.file.write_all(&message).await
    }

    /// Receives a value.
    ///
    /// # Errors
    /// `MessageTooLong` beyond [`limits::IPERF_JSON_BYTES`], `BadMessage` for another value, and
    /// errors of the stream.
    pub async fn receive<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let mut length = [0; 4];
        if !read_exact(&self.file, &mut length).await? {
            return Err(Error::ConnectionReset);
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > limits::IPERF_JSON_BYTES {
            return Err(Error::MessageTooLong);
        }
        let mut text = vec![0; length];
        if length > 0 && !read_exact(&self.file, &mut text).await? {
            return Err(Error::ConnectionReset);
        }
        serde_json::from_slice(&text).map_err(|_| Error::BadMessage)
    }

    /// Refuses a test: a state and two numbers, the reason and an errno.
    ///
    /// # Errors
    /// Errors of the stream.
    pub async fn refuse(&self, reason: u32) -> Result<(), Error> {
        let mut message = vec![State::ServerError.byte()];
        message.extend_from_slice(&reason.to_be_bytes());
        message.extend_from_slice(&[0; 4]);
        self.file.write_all(&message).await
    }
}

/// Makes a cookie from random bytes: characters that the original uses too, and a zero.
#[must_use]
pub fn cookie(random: &[u8; COOKIE]) -> [u8; COOKIE] {
    const CHARACTERS: [u8; 32] = *b"abcdefghijklmnopqrstuvwxyz234567";
    let mut cookie = [0; COOKIE];
    for (slot, byte) in cookie.iter_mut().zip(random).take(COOKIE - 1) {
        *slot = CHARACTERS.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
    }
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::block_on;

    fn pair() -> (Control, Control) {
        // One direction is enough: the other side receives what this one sends.
        let (reader, writer) = devnet_virtual_file_system::pipe(1 << 16);
        (Control { file: writer }, Control { file: reader })
    }

    #[test]
    fn states_have_the_original_s_numbers() {
        assert_eq!(
            (State::TestStart.byte(), State::Done.byte(), State::AccessDenied.byte()),
            (1, 16, 255)
        );
        for (byte, state) in State::ALL {
            assert_eq!(State::from_byte(byte), Some(state));
        }
        assert_eq!(State::from_byte(77), None);
    }

    #[test]
    fn parameters_of_the_original_are_understood() {
        let text = r#"{"tcp":true,"omit":0,"time":2,"num":0,"blockcount":0,"parallel":1,
            "reverse":true,"len":131072,"pacing_timer":1000,"client_version":"3.12"}"#;
        let parameters: Parameters = serde_json::from_str(text).unwrap();
        assert!(parameters.tcp && parameters.reverse && !parameters.udp);
        assert_eq!((parameters.time, parameters.parallel, parameters.len), (2, 1, 131_072));
        let ours =
            serde_json::to_string(&Parameters { tcp: true, ..Parameters::default() }).unwrap();
        assert!(
            ours.contains(r#""tcp":true"#) && !ours.contains("udp") && !ours.contains("reverse")
        );
    }

    #[test]
    fn results_are_numbered_like_the_original_s() {
        let results = results(&[5, 6, 7], 1.5, &[]);
        assert_eq!(results.streams.iter().map(|stream| stream.id).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!((results.streams[2].bytes, results.streams[2].end_time), (7, 1.5));
    }

    #[test]
    fn results_of_the_original_are_understood() {
        let text = r#"{"cpu_util_total":15.4,"cpu_util_user":15.4,"cpu_util_system":0,
            "sender_has_retransmits":18446744073709551615,"congestion_used":"bbr",
            "streams":[{"id":1,"bytes":1114932,"retransmits":18446744073709551615,"jitter":0,
            "errors":0,"packets":0,"start_time":0,"end_time":0.010117}]}"#;
        let results: Results = serde_json::from_str(text).unwrap();
        assert_eq!((results.sender_has_retransmits, results.streams[0].bytes), (-1, 1_114_932));
    }

    #[test]
    fn messages_survive_the_way() {
        let (here, there) = pair();
        let sent = results(&[1, 2], 1.0, &[4, 0]);
        block_on(async {
            here.tell(State::ExchangeResults).await.unwrap();
            here.send(&sent).await.unwrap();
            assert_eq!(there.hear().await, Ok(State::ExchangeResults));
            assert_eq!(there.receive::<Results>().await, Ok(sent));
        });
    }

    #[test]
    fn hostile_messages_are_errors() {
        for (bytes, error) in [
            (&[0xff, 0xff, 0xff, 0xff][..], Error::MessageTooLong),
            (&[0, 0, 0, 0], Error::BadMessage),
            (&[0, 0, 0, 2, b'{'], Error::ConnectionReset),
            (&[0, 0, 0, 2, b'1', b'2'], Error::BadMessage),
            (&[0, 0], Error::ConnectionReset),
            (&[], Error::ConnectionReset),
        ] {
            let (here, there) = pair();
            block_on(here.file.write_all(bytes)).unwrap();
            drop(here);
            assert_eq!(block_on(there.receive::<Parameters>()).err(), Some(error), "{bytes:?}");
        }
        let (here, there) = pair();
        block_on(here.file.write_all(&[77])).unwrap();
        assert_eq!(block_on(there.hear()), Err(Error::BadMessage));
    }

    #[test]
    fn cookies_are_characters_and_a_zero() {
        let cookie = cookie(&[0xff; COOKIE]);
        assert!(cookie[..36].iter().all(u8::is_ascii_alphanumeric) && cookie[36] == 0);
    }
}
