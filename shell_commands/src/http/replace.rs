//! A file that a document is written into. What the file has already of the document stays where it
//! is: a server without ranges sends it once more, and a transfer that breaks off then must not
//! leave less than there was.

use devnet_virtual_file_system::{File, Result};
use embedded_io_async::SeekFrom;

/// A file with a part that is compared, not written.
pub struct Replaced {
    file: File,
    /// Bytes behind the position that are not compared yet.
    old: u64,
}

impl Replaced {
    /// Writes from the file's position on; `old` bytes there may be the document's.
    #[must_use]
    pub const fn new(file: File, old: u64) -> Self {
        Self { file, old }
    }

    /// Writes the next bytes of the document. From the first difference on, what the file has is
    /// cut off.
    ///
    /// # Errors
    /// Errors of the file.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        // A stream has no place.
        if self.old == 0 {
            return self.file.write_all(bytes).await;
        }
        let wanted = usize::try_from(self.old).unwrap_or(usize::MAX).min(bytes.len());
        let (expected, behind) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        let start = self.file.seek(SeekFrom::Current(0))?;
        let mut found = vec![0; wanted];
        let count = self.file.read(&mut found).await?;
        let found = found.iter().take(count);
        let same = found.zip(expected).take_while(|(found, expected)| found == expected).count();
        self.old = self.old.saturating_sub(same as u64);
        if same == wanted {
            return self.file.write_all(behind).await;
        }
        let place = start.saturating_add(same as u64);
        self.file.seek(SeekFrom::Start(place))?;
        self.finish()?;
        self.file.write_all(bytes.get(same..).unwrap_or_default()).await
    }

    /// The document has ended: cuts off what the file has behind it.
    ///
    /// # Errors
    /// Errors of the file.
    pub fn finish(&mut self) -> Result<()> {
        if std::mem::take(&mut self.old) == 0 {
            return Ok(());
        }
        self.file.set_length(self.file.seek(SeekFrom::Current(0))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    /// The file after a document came in these pieces, and perhaps its end.
    fn replaced(old: &str, pieces: &[&str], ends: bool) -> String {
        let world = World::new();
        world.output(&format!("echo -n '{old}' > /temporary/f"));
        let mut replaced = Replaced::new(world.open("/temporary/f"), old.len() as u64);
        for piece in pieces {
            world.block_on(replaced.write(piece.as_bytes())).unwrap();
        }
        if ends {
            replaced.finish().unwrap();
        }
        world.text("/temporary/f")
    }

    #[test]
    fn what_is_the_same_stays() {
        for (old, pieces, broken, whole) in [
            ("abc", &[][..], "abc", ""),
            ("abc", &["a"], "abc", "a"),
            ("abc", &["a", "b", "c"], "abc", "abc"),
            ("abc", &["ab", "cdef", "g"], "abcdefg", "abcdefg"),
            ("abc", &["abcdef"], "abcdef", "abcdef"),
            ("abc", &["aB"], "aB", "aB"),
            ("abc", &["ab", "D", "c"], "abDc", "abDc"),
            ("abc", &["ABCD"], "ABCD", "ABCD"),
            ("", &["ab", "c"], "abc", "abc"),
        ] {
            assert_eq!(replaced(old, pieces, false), broken, "{pieces:?}");
            assert_eq!(replaced(old, pieces, true), whole, "{pieces:?}");
        }
    }
}
