//! A device's name in the file tree, taken back when it is dropped.

use alloc::sync::Arc;

use virtual_file_system::{CharacterDevice, Credentials, Mode, Path, Result, VirtualFileSystem};

/// A mounted device; dropping this unmounts it.
pub(crate) struct Mount {
    files: VirtualFileSystem,
    path: Path,
}

impl Mount {
    /// Mounts a network device: everybody may read it, its owner and group may change it.
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

impl Drop for Mount {
    fn drop(&mut self) {
        // Somebody may have unmounted it already; then there is nothing to undo.
        let _ = self.files.unmount(&Credentials::root(), &self.path);
    }
}
