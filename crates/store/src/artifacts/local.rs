//! A folder as the store: 0700 folders, 0600 files, each synced with the folder that names it.

use bailiwick_base::Timestamp;
use std::{
    fs::{self, DirBuilder, File, Permissions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

/// Makes the store's own folder. One that is there must be for us alone; an empty one is made so, a full one is left as it is.
pub(super) fn make_root(root: &Path) -> io::Result<PathBuf> {
    DirBuilder::new().mode(0o700).recursive(true).create(root)?;
    if fs::metadata(root)?.permissions().mode() & 0o077 != 0 {
        if fs::read_dir(root)?.next().is_some() {
            let advice = format!("it is not empty and open to others: run `chmod 700 {}` if it is Bailiwick's", root.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, advice));
        }
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
    }
    root.canonicalize()
}

/// Makes the folders between the root and a file, syncing each into its parent: object_store would make them for all to read.
pub(super) fn make_folders(root: &Path, file: &Path) -> io::Result<()> {
    let between = file.parent().and_then(|parent| parent.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    let mut folder = root.to_path_buf();
    for part in between.components() {
        let parent = folder.clone();
        folder.push(part);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => File::open(parent)?.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The files object_store writes beside `file` until it renames one: `<file>#<number>`.
fn staged(file: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Ok(Vec::new()) };
    let prefix = [name.as_bytes(), b"#"].concat();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_bytes().starts_with(&prefix) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Closes the files being written to others, before anything is in them.
pub(super) fn close_staged(file: &Path) -> io::Result<()> {
    for path in staged(file)? {
        match fs::set_permissions(&path, Permissions::from_mode(0o600)) {
            // another upload of the same key was renamed meanwhile
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result?,
        }
    }
    Ok(())
}

/// Removes half-written files last changed before `older_than`.
pub(super) fn sweep(root: &Path, older_than: Timestamp) -> io::Result<usize> {
    let mut removed = 0;
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let meta = entry.metadata()?;
            if meta.is_dir() {
                folders.push(entry.path());
            } else if meta.mtime() < older_than.as_second() && is_staged(entry.file_name().as_bytes()) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

fn is_staged(name: &[u8]) -> bool {
    let Some(at) = name.iter().rposition(|byte| *byte == b'#') else { return false };
    let number = &name[at + 1..];
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}
