//! Tags of VLANs (IEEE 802.1Q): we send none, and receive those that carry a priority only.

use smoltcp::wire::EthernetProtocol;

use crate::driver::Frame;

/// EtherTypes of tags, and the bytes of one behind its EtherType (IEEE 802.1Q §9.4).
const CUSTOMER_TAG: u16 = 0x8100;
const SERVICE_TAG: u16 = 0x88a8;
const TAG: usize = 4;
/// The most tags of VLAN 0 in front of a packet: an outer and an inner one.
const PRIORITY_TAGS: usize = 2;

/// Removes tags of VLAN 0, which carry a priority only (IEEE 802.1Q §6.9.1), and returns the
/// EtherType behind them. `None` when a tag is cut off. A tag of another VLAN stays: its frame is
/// not for an interface without VLANs.
pub(super) fn remove_priority_tags(
    frame: &mut Frame,
    mut ethertype: EthernetProtocol,
) -> Option<EthernetProtocol> {
    for _ in 0..PRIORITY_TAGS {
        if !matches!(ethertype, EthernetProtocol::Unknown(CUSTOMER_TAG | SERVICE_TAG)) {
            break;
        }
        let [high, low, first, second] = *frame.bytes().first_chunk()?;
        if u16::from_be_bytes([high & 0xf, low]) != 0 {
            break;
        }
        frame.advance(TAG);
        ethertype = EthernetProtocol::from(u16::from_be_bytes([first, second]));
    }
    Some(ethertype)
}
