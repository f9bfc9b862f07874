//! `iperf3`: measures throughput, as client or server.
//!
//! | file | owns |
//! |---|---|
//! | this one | the command's arguments |
//! | `client`, `server` | the two roles, up to the end of a test |
//! | `transfer` | the streams: moving bytes and counting them |

mod client;
mod server;
mod transfer;

use std::net::SocketAddr;

use lexopt::prelude::*;

use self::client::Test;
use super::{target, words};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::iperf::{BLOCK, PORT, Parameters};
use crate::limits;
use crate::sockets::Family;
use crate::status::Status;

/// Default seconds of a test.
const SECONDS: u32 = 10;

struct Options {
    serve: bool,
    once: bool,
    json: bool,
    host: Option<String>,
    port: u16,
    family: Family,
    parameters: Parameters,
}

pub(super) async fn run(context: &Context) -> Outcome {
    let options = parse(context)?;
    match (options.serve, options.host) {
        (true, None) => {
            let address = SocketAddr::new(options.family.unspecified(), options.port);
            server::run(context, address, options.once, options.json).await?;
        }
        (false, Some(host)) => {
            let (sockets, addresses) = target::addresses(context, &host, options.family).await?;
            let Options { port, parameters, json, .. } = options;
            client::run(context, &Test { host, sockets, addresses, port, parameters, json })
                .await?;
        }
        _ => return Err(Failure::usage("either -s or -c HOST is needed")),
    }
    Ok(Status::SUCCESS)
}

fn parse(context: &Context) -> Result<Options, Failure> {
    let parameters = Parameters {
        tcp: true,
        time: SECONDS,
        parallel: 1,
        len: BLOCK,
        client_version: String::from("3.12"),
        ..Parameters::default()
    };
    let mut chosen = Options {
        serve: false,
        once: false,
        json: false,
        host: None,
        port: PORT,
        family: Family::Any,
        parameters,
    };
    let mut options = context.options();
    while let Some(argument) = options.next()? {
        match argument {
            Short('s') => chosen.serve = true,
            Short('1') => chosen.once = true,
            Short('J') => chosen.json = true,
            Short('R') => chosen.parameters.reverse = true,
            Short('4') => chosen.family = Family::V4,
            Short('6') => chosen.family = Family::V6,
            Short('c') => chosen.host = Some(options.value()?.string()?),
            Short('p') => chosen.port = words::parse(&options.value()?.string()?, "port")?,
            Short('t') => {
                chosen.parameters.time =
                    words::parse(&options.value()?.string()?, "number of seconds")?
            }
            Short('P') => {
                let streams: u32 = words::parse(&options.value()?.string()?, "number of streams")?;
                if !(1..=limits::IPERF_STREAMS).contains(&streams) {
                    return Err(Failure::usage(format!("{streams}: bad number of streams")));
                }
                chosen.parameters.parallel = streams;
            }
            Short('n') => {
                (chosen.parameters.num, chosen.parameters.time) =
                    (size(&options.value()?.string()?)?, 0);
            }
            Short('l') => {
                let bytes = size(&options.value()?.string()?)?;
                let block = u32::try_from(bytes)
                    .ok()
                    .filter(|_| (1..=limits::IPERF_BLOCK_BYTES as u64).contains(&bytes));
                chosen.parameters.len =
                    block.ok_or_else(|| Failure::usage(format!("{bytes}: bad length")))?;
            }
            Short('u') => return Err(Failure::usage("-u: only TCP is measured")),
            other => return Err(other.unexpected().into()),
        }
    }
    if chosen.parameters.time == 0 && chosen.parameters.num == 0 {
        return Err(Failure::usage("the test must have an end"));
    }
    Ok(chosen)
}

/// `1000`, `64K`, `1M` or `2G`, in units of 1024.
fn size(text: &str) -> Result<u64, Failure> {
    let (digits, shift) = match text.bytes().last().map(|byte| byte.to_ascii_uppercase()) {
        Some(b'K') => (text.get(..text.len() - 1), 10),
        Some(b'M') => (text.get(..text.len() - 1), 20),
        Some(b'G') => (text.get(..text.len() - 1), 30),
        _ => (Some(text), 0),
    };
    let number: Option<u64> = digits.and_then(|digits| digits.parse().ok());
    let bytes = number.and_then(|number| number.checked_mul(1 << shift)).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| Failure::usage(format!("{text}: bad number of bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_suffixes() {
        for (text, bytes) in [("1000", 1000), ("64K", 65_536), ("1m", 1 << 20), ("2G", 2 << 30)] {
            assert_eq!(size(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "K", "0", "-1", "1X", "99999999999999G", "1.5M"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
