//! Copies bytes of a stream in and out of a ring buffer, one slice at a time.

use alloc::collections::VecDeque;

use crate::limits;

/// Makes room for `length` bytes in all. Doubles the capacity, but not beyond `limit` unless more
/// is needed.
fn reserve(ring: &mut VecDeque<u8>, length: usize, limit: usize) {
    if ring.capacity() < length {
        let target = (ring.capacity() * 2).max(512).min(limit).max(length);
        ring.reserve_exact(target - ring.len());
    }
}

/// Gives memory back that an emptier ring does not need.
#[inline]
pub(super) fn shrink(ring: &mut VecDeque<u8>) {
    if ring.capacity() > (2 * ring.len()).max(limits::TCP_BUFFER_KEPT) {
        ring.shrink_to(ring.len());
    }
}

/// Appends bytes.
pub(super) fn append(ring: &mut VecDeque<u8>, data: &[u8], limit: usize) {
    reserve(ring, ring.len() + data.len(), limit);
    ring.extend(data);
}

/// Writes bytes at `place`, over existing bytes and beyond; fills a gap with zeros.
pub(super) fn write(ring: &mut VecDeque<u8>, place: usize, data: &[u8], limit: usize) {
    reserve(ring, place + data.len(), limit);
    if ring.len() < place {
        ring.resize(place, 0);
    }
    let (over, beyond) = data.split_at(data.len().min(ring.len() - place));
    let (first, second) = ring.as_mut_slices();
    let split = first.len();
    let in_first = over.len().min(split.saturating_sub(place));
    let (head, tail) = over.split_at(in_first);
    if let Some(target) = first.get_mut(place..place + in_first) {
        target.copy_from_slice(head);
    }
    let place = place.saturating_sub(split);
    if let Some(target) = second.get_mut(place..place + tail.len()) {
        target.copy_from_slice(tail);
    }
    ring.extend(beyond);
}

/// Copies the bytes from `place` on into `target`, as far as there are any.
pub(super) fn copy(ring: &VecDeque<u8>, place: usize, target: &mut [u8]) {
    let (first, second) = ring.as_slices();
    let head = first.get(place..).unwrap_or_default();
    let count = head.len().min(target.len());
    let (front, back) = target.split_at_mut(count);
    front.copy_from_slice(head.get(..count).unwrap_or_default());
    let rest = second.get(place.saturating_sub(first.len())..).unwrap_or_default();
    let count = rest.len().min(back.len());
    if let (Some(target), Some(source)) = (back.get_mut(..count), rest.get(..count)) {
        target.copy_from_slice(source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn bytes_wrap_around_and_keep_their_places() {
        let mut ring = VecDeque::new();
        let mut model: Vec<u8> = Vec::new();
        let mut seed = 7u32;
        for step in 0..20_000u32 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let length = (seed >> 24) as usize;
            let data: Vec<u8> = (0..length).map(|byte| (byte as u32 + step) as u8).collect();
            match (seed >> 8) % 3 {
                0 => {
                    append(&mut ring, &data, 4096);
                    model.extend(&data);
                }
                1 => {
                    let place = (seed >> 12) as usize % (model.len() + 100);
                    write(&mut ring, place, &data, 4096);
                    model.resize(model.len().max(place + length), 0);
                    model[place..place + length].copy_from_slice(&data);
                }
                _ => {
                    let count = (4 * length).min(model.len());
                    ring.drain(..count);
                    model.drain(..count);
                }
            }
            let place = (seed >> 4) as usize % (model.len() + 1);
            let mut out = vec![0; (model.len() - place).min(300)];
            copy(&ring, place, &mut out);
            assert_eq!(out, model[place..place + out.len()], "step {step}");
        }
        assert_eq!(ring.make_contiguous(), model);
    }
}
