//! The server's side of telnet (RFC 854), without input and output.
//!
//! It echoes (RFC 857) and suppresses go-aheads (RFC 858), so that every key comes at once, and
//! asks for the window's size (RFC 1073). Other options are refused, each once in each direction,
//! so that nobody makes it answer without end (RFC 855, RFC 1143).

use crate::limits;
use crate::telnet_protocol::{DO, DONT, IAC, SB, SE, WILL, WONT};
use crate::window::Size;

const EOF: u8 = 236;
const SUSPEND: u8 = 237;
const ABORT: u8 = 238;
const BREAK: u8 = 243;
const INTERRUPT: u8 = 244;
const ARE_YOU_THERE: u8 = 246;
const ERASE_CHARACTER: u8 = 247;
const ERASE_LINE: u8 = 248;

const ECHO: u8 = 1;
const SUPPRESS_GO_AHEAD: u8 = 3;
const WINDOW_SIZE: u8 = 31;

/// What the server says first.
pub(super) const OFFERS: [u8; 12] = [
    IAC,
    WILL,
    ECHO,
    IAC,
    WILL,
    SUPPRESS_GO_AHEAD,
    IAC,
    DO,
    SUPPRESS_GO_AHEAD,
    IAC,
    DO,
    WINDOW_SIZE,
];

#[derive(Default)]
enum State {
    #[default]
    Data,
    Command,
    /// After WILL, WONT, DO or DONT.
    Option(u8),
    /// Within a subnegotiation; true after an IAC in it.
    Parameters(Vec<u8>, bool),
}

/// What bytes of the peer mean.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Heard {
    /// Keys.
    pub(super) keys: Vec<u8>,
    /// What is to be answered, as it goes out.
    pub(super) answer: Vec<u8>,
    pub(super) size: Option<Size>,
}

/// Takes the protocol out of what a peer sends.
#[derive(Default)]
pub(super) struct Protocol {
    state: State,
    /// Options that were refused: offers, and requests.
    refused: [[u64; 4]; 2],
}

impl Protocol {
    pub(super) fn take(&mut self, bytes: &[u8]) -> Heard {
        let mut heard = Heard::default();
        for byte in bytes {
            self.byte(*byte, &mut heard);
        }
        heard
    }

    fn byte(&mut self, byte: u8, heard: &mut Heard) {
        match std::mem::take(&mut self.state) {
            State::Data if byte == IAC => self.state = State::Command,
            State::Data => heard.keys.push(byte),
            State::Command => self.command(byte, heard),
            State::Option(verb) => self.option(verb, byte, heard),
            State::Parameters(mut parameters, after_iac) => match (after_iac, byte) {
                (false, IAC) => self.state = State::Parameters(parameters, true),
                (true, SE) => heard.size = size(&parameters).or(heard.size),
                (true, other) if other != IAC => self.command(other, heard),
                _ => {
                    if parameters.len() < limits::TELNET_PARAMETERS {
                        parameters.push(byte);
                    }
                    self.state = State::Parameters(parameters, false);
                }
            },
        }
    }

    fn command(&mut self, byte: u8, heard: &mut Heard) {
        match byte {
            IAC => heard.keys.push(IAC),
            WILL | WONT | DO | DONT => self.state = State::Option(byte),
            SB => self.state = State::Parameters(Vec::new(), false),
            INTERRUPT | BREAK | ABORT => heard.keys.push(0x03),
            SUSPEND => heard.keys.push(0x1a),
            EOF => heard.keys.push(0x04),
            ERASE_CHARACTER => heard.keys.push(0x7f),
            ERASE_LINE => heard.keys.push(0x15),
            ARE_YOU_THERE => heard.answer.extend_from_slice(b"\r\n[Yes]\r\n"),
            // No operation, data mark, go ahead, and what nobody knows.
            _ => {}
        }
    }

    fn option(&mut self, verb: u8, option: u8, heard: &mut Heard) {
        let refusal = match (verb, option) {
            // Answers to what was offered and asked for.
            (DO, ECHO | SUPPRESS_GO_AHEAD) | (WILL, WINDOW_SIZE | SUPPRESS_GO_AHEAD) => return,
            (DO, _) | (DONT, ECHO | SUPPRESS_GO_AHEAD) => WONT,
            (WILL, _) => DONT,
            // Nothing that is on goes off.
            _ => return,
        };
        let [offers, requests] = &mut self.refused;
        let table = if refusal == WONT { requests } else { offers };
        let bit = 1_u64 << (option % 64);
        if let Some(refused) = table.get_mut(usize::from(option / 64))
            && *refused & bit == 0
        {
            *refused |= bit;
            heard.answer.extend_from_slice(&[IAC, refusal, option]);
        }
    }
}

/// The size that a subnegotiation tells.
fn size(parameters: &[u8]) -> Option<Size> {
    let [WINDOW_SIZE, columns @ .., high, low] = parameters else { return None };
    let columns: [u8; 2] = columns.try_into().ok()?;
    Some(Size { columns: u16::from_be_bytes(columns), rows: u16::from_be_bytes([*high, *low]) })
}

/// Text of the shell as it goes out: lines end with CR LF; over telnet a byte 255 is doubled.
pub(super) fn outgoing(bytes: &[u8], is_telnet: bool, after_return: &mut bool) -> Vec<u8> {
    let mut sent = Vec::with_capacity(bytes.len().saturating_add(16));
    for byte in bytes {
        match *byte {
            b'\n' if !*after_return => sent.extend_from_slice(b"\r\n"),
            IAC if is_telnet => sent.extend_from_slice(&[IAC, IAC]),
            // A return alone has a zero behind it (RFC 854).
            byte => {
                if *after_return && byte != b'\n' && is_telnet {
                    sent.push(0);
                }
                sent.push(byte);
            }
        }
        *after_return = *byte == b'\r';
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_answered_once_and_sizes_are_read() {
        let mut protocol = Protocol::default();
        let heard = protocol.take(&[IAC, DO, ECHO, IAC, DO, 3, IAC, WILL, 31, b'a', IAC, IAC]);
        assert_eq!((heard.keys.as_slice(), heard.answer.is_empty()), (&[b'a', IAC][..], true));
        let heard = protocol.take(&[IAC, WILL, 24, IAC, DO, 5, IAC, WILL, 24, IAC, WONT, 24]);
        assert_eq!(heard.answer, [IAC, DONT, 24, IAC, WONT, 5]);
        assert!(protocol.take(&[IAC, WILL, 24]).answer.is_empty());
        let size = [IAC, SB, 31, 0, 132, 1, IAC, IAC, IAC, SE, b'x'];
        let (first, rest) = size.split_at(5);
        assert_eq!(protocol.take(first), Heard::default());
        let heard = protocol.take(rest);
        assert_eq!(heard.size, Some(Size { columns: 132, rows: 511 }));
        assert_eq!(heard.keys, b"x");
    }

    #[test]
    fn commands_are_keys() {
        let mut protocol = Protocol::default();
        let bytes = [IAC, INTERRUPT, IAC, SUSPEND, IAC, EOF, IAC, ERASE_CHARACTER, IAC, ERASE_LINE];
        assert_eq!(protocol.take(&bytes).keys, [3, 0x1a, 4, 0x7f, 0x15]);
        assert_eq!(protocol.take(&[IAC, ARE_YOU_THERE]).answer, b"\r\n[Yes]\r\n");
        // Parameters without an end keep nothing.
        let long = [&[IAC, SB, 31][..], &[7; 100_000]].concat();
        protocol.take(&long);
        let State::Parameters(kept, _) = &protocol.state else { panic!() };
        assert_eq!(kept.len(), limits::TELNET_PARAMETERS);
    }

    #[test]
    fn lines_end_as_the_protocol_says() {
        let mut after = false;
        assert_eq!(outgoing(b"a\nb\r", true, &mut after), b"a\r\nb\r");
        assert_eq!(outgoing(b"\nc\rd\xff", true, &mut after), b"\nc\r\0d\xff\xff");
        assert_eq!(outgoing(b"c\rd\xff", false, &mut after), b"c\rd\xff");
    }
}
