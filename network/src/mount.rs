//! A device mounted in the file tree until it is dropped.

use alloc::sync::Arc;

use devnet_virtual_file_system::{
    CharacterDevice, Credentials, Error, Mode, Path, Result, VirtualFileSystem,
};

/// A mounted device; dropping it unmounts the device.
pub(crate) struct Mount {
    files: VirtualFileSystem,
    path: Path,
}

impl Mount {
    /// Mounts a network device: readable for all, writable for owner and group.
    ///
    /// # Errors
    /// Those of the file tree.
    pub(crate) fn new(
        files: &VirtualFileSystem,
        path: &str,
        device: Arc<dyn CharacterDevice>,
    ) -> Result<Self> {
        let (path, mode) = (Path::parse(path)?, Mode::from_bits_truncate(0o664));
        files.mount(&Credentials::root(), &path, device, mode)?;
        Ok(Self { files: files.clone(), path })
    }
}

impl Mount {
    /// Gives the device another name in its directory; files that are open stay.
    ///
    /// # Errors
    /// Those of the file tree.
    pub(crate) fn rename(&mut self, name: &str) -> Result<()> {
        let path = self.path.parent().ok_or(Error::InvalidInput)?.join(name)?;
        self.files.rename_device(&Credentials::root(), &self.path, name)?;
        self.path = path;
        Ok(())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // It may have been unmounted already.
        let _ = self.files.unmount(&Credentials::root(), &self.path);
    }
}
