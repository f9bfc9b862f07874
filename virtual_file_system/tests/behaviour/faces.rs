//! Code that is generic over `embedded-io-async` works with files.

use devnet_virtual_file_system::{Error, VirtualFileSystem, pipe};
use embedded_io_async::{Read, ReadExactError, Seek, SeekFrom, Write};
use futures_lite::future::block_on;

use crate::support::create;

async fn copy<R: Read, W: Write<Error = R::Error>>(
    mut from: R,
    mut to: W,
) -> Result<usize, R::Error> {
    let mut total = 0;
    let mut buffer = [0; 7];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            to.flush().await?;
            return Ok(total);
        }
        to.write_all(&buffer[..count]).await?;
        total += count;
    }
}

async fn length<S: Seek>(mut file: S) -> Result<u64, S::Error> {
    let end = file.seek(SeekFrom::End(0)).await?;
    file.rewind().await?;
    Ok(end)
}

#[test]
fn generic_code_copies_files_and_pipes() {
    let tree = VirtualFileSystem::new();
    let (from, to) = (create(&tree, "/from"), create(&tree, "/to"));
    block_on(from.write_all(b"twenty bytes of data")).unwrap();
    assert_eq!(block_on(length(&from)), Ok(20));
    assert_eq!(block_on(copy(&from, &to)), Ok(20));
    assert_eq!(block_on(length(to.clone())), Ok(20));
    let (reader, writer) = pipe(64);
    assert_eq!(block_on(copy(to, writer)), Ok(20));
    let mut buffer = [0; 20];
    block_on((&reader).read_exact(&mut buffer)).unwrap();
    assert_eq!(&buffer, b"twenty bytes of data");
    assert_eq!(block_on((&reader).read_exact(&mut buffer)), Err(ReadExactError::UnexpectedEof));
}

#[test]
fn generic_code_sees_our_errors() {
    let (reader, writer) = pipe(8);
    assert_eq!(block_on(length(&reader)), Err(Error::IllegalSeek));
    drop(reader);
    assert_eq!(block_on(copy(&b"data"[..], Infallible(writer))), Ok(4));
}

/// A writer with the error type of a slice: a file can implement another trait's error.
struct Infallible(devnet_virtual_file_system::File);

impl embedded_io_async::ErrorType for Infallible {
    type Error = core::convert::Infallible;
}

impl Write for Infallible {
    async fn write(&mut self, data: &[u8]) -> Result<usize, Self::Error> {
        assert_eq!(Write::write(&mut self.0, data).await, Err(Error::BrokenPipe));
        Ok(data.len())
    }

    async fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}
