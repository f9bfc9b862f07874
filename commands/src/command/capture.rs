//! Types of the capture commands.
//!
//! The command [`Capture`](super::Capture), or the line `capture`, makes an open file a capture: it
//! reads a pcapng stream of the frames of both directions. On an interface's device these are those
//! of the interface, and what is written to the file is sent as frames; on `/devices/sockets` they
//! are those of all interfaces, each of which the stream describes, also of those that are
//! registered later. The module `capture` of `devnet-network` describes the language of filters.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::words::words;

/// Which frames are captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum CaptureDirection {
    /// Received and sent ones.
    #[default]
    Both,
    /// Received ones.
    In,
    /// Sent ones.
    Out,
}

words! {
    CaptureDirection {
        Both => "both",
        In => "in",
        Out => "out",
    }
}

/// What to capture.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CaptureOptions {
    /// The bytes of a frame that are kept at most; 0, the default, for all.
    pub snap_length: u32,
    /// Which way the frames go; both unless set.
    pub direction: CaptureDirection,
    /// The Unix time, in microseconds, at which the clock of the stack began: the stack does not
    /// know it. Times of frames count from there; with 0, the default, they are those of the
    /// stack's clock.
    pub clock_offset: u64,
    /// A filter in the language of pcap-filter(7); every frame passes an empty one, the default.
    pub filter: String,
}

/// What a capture has seen, of all its interfaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CaptureStatistics {
    /// Frames that passed the filter.
    pub passed: u64,
    /// Those of them that were lost, because the reader was slow.
    pub lost: u64,
    /// Frames that were written to the file and sent.
    pub sent: u64,
}

/// What a capture has seen of one interface.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InterfaceCapture {
    /// The name that the interface had when the capture, or the interface, began.
    pub interface: String,
    /// Frames that passed the filter.
    pub passed: u64,
    /// Those of them that were lost, because the reader was slow.
    pub lost: u64,
}
