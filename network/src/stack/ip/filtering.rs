//! Packets to be sent and the firewall.

use devnet_virtual_file_system::Error;

use super::Ip;
use crate::command::firewall::FirewallAction;
use crate::driver::Frame;
use crate::limits;
use crate::stack::context::Context;
use crate::stack::counters::Counter;
use crate::stack::firewall::answer;
use crate::stack::wire::header;
use crate::trace::dropped;

impl Ip {
    /// Passes a packet with its header through the chain `out`. One that does not pass is counted,
    /// and the answer of a rule comes as if from its destination.
    ///
    /// # Errors
    /// `PermissionDenied`, as Linux' netfilter answers.
    pub(super) fn filter_output(&mut self, cx: &mut Context, frame: Frame) -> Result<Frame, Error> {
        let packet = frame.bytes();
        let action = self.firewall.output(cx, packet);
        let hop_limit = limits::HOP_LIMIT;
        let answer = match action {
            FirewallAction::Accept => return Ok(frame),
            FirewallAction::Reject if answer::is_segment(packet) => {
                answer::reset(&mut cx.pool, hop_limit, packet).map(|(frame, _)| frame)
            }
            FirewallAction::Reject | FirewallAction::Prohibit => {
                answer::error(&mut cx.pool, hop_limit, packet)
            }
            FirewallAction::Drop | FirewallAction::Continue => None,
        };
        let is_ipv6 = header::is_ipv6(packet);
        cx.counters.count(is_ipv6, Counter::IpOutDiscards);
        dropped!(cx, FirewallOut, "devnet::firewall", "{} bytes to be sent", packet.len());
        cx.pool.put(frame);
        if let Some(answer) = answer {
            // A full queue drops it and counts it.
            let _ = self.loop_back(cx, answer);
        }
        Err(Error::PermissionDenied)
    }
}
