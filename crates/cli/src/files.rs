//! The files of an upload: checked before anything is sent, hashed and streamed from disk, never held whole.

use crate::failure::Failure;
use aws_lc_rs::digest::{Context, SHA256};
use futures::{StreamExt, future::ready};
use indicatif::ProgressBar;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::Duration;
use tokio_util::io::ReaderStream;

/// How much is read at a time.
const CHUNK: usize = 128 * 1024;
/// The longest name the API takes, in characters.
const LONGEST_NAME: usize = 200;

/// A file that may be sent.
#[derive(Debug)]
pub struct LocalFile {
    pub path: PathBuf,
    /// Its name as an artifact: the last part of the path.
    pub name: String,
    pub size: u64,
}

/// Looks at each file without reading it.
///
/// # Errors
/// A file that is absent, empty or no regular file, a name the API does not take, or two files of one name.
pub fn check(paths: &[PathBuf]) -> Result<Vec<LocalFile>, Failure> {
    let files: Vec<LocalFile> = paths.iter().map(|path| look(path)).collect::<Result<_, _>>()?;
    let mut seen: HashMap<&str, &Path> = HashMap::new();
    for file in &files {
        if let Some(other) = seen.insert(&file.name, &file.path) {
            return Err(Failure::input(format!("{} and {} have the same name, {}.", other.display(), file.path.display(), file.name))
                .hint("The files of one run need different names. Rename one, or upload them as two runs."));
        }
    }
    Ok(files)
}

fn look(path: &Path) -> Result<LocalFile, Failure> {
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|e| unreadable(path, &e))?;
    if meta.is_dir() {
        return Err(Failure::input(format!("{shown} is a folder.")).hint("Name the report files in it."));
    }
    if !meta.is_file() {
        return Err(Failure::input(format!("{shown} is not a regular file."))
            .hint("Write the report to a file first: it is read twice, to hash and to send."));
    }
    if meta.len() == 0 {
        return Err(Failure::input(format!("{shown} is empty.")).hint("Check that the tool that writes it has finished without an error."));
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        return Err(Failure::input(format!("{shown} has a name Bailiwick does not take."))
            .hint(format!("Rename it: 1 to {LONGEST_NAME} characters of UTF-8 text, no slash, no control character.")));
    }
    Ok(LocalFile { path: path.to_owned(), name: name.to_owned(), size: meta.len() })
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::input(format!("{} cannot be read: {cause}.", path.display())).hint("Check the path and its permissions.")
}

/// The file's SHA-256 in lower-case hex, and how many bytes that covers.
pub fn hash(file: &LocalFile, bar: &ProgressBar) -> Result<(String, u64), Failure> {
    let failed = |e: std::io::Error| unreadable(&file.path, &e);
    let mut reader = std::fs::File::open(&file.path).map_err(failed)?;
    let (mut context, mut size, mut chunk) = (Context::new(&SHA256), 0, vec![0; CHUNK]);
    loop {
        let n = reader.read(&mut chunk).map_err(failed)?;
        if n == 0 {
            return Ok((hex::encode(context.finish()), size));
        }
        context.update(&chunk[..n]);
        size += n as u64;
        bar.inc(n as u64);
    }
}

/// The file as a request body that begins after `grace`; `moved` counts what has been handed on.
pub async fn body(file: &LocalFile, grace: Duration, bar: ProgressBar, moved: Arc<AtomicU64>) -> Result<reqwest::Body, Failure> {
    let open = tokio::fs::File::open(&file.path).await.map_err(|e| unreadable(&file.path, &e))?;
    let stream = ReaderStream::with_capacity(open, CHUNK).inspect(move |chunk| {
        if let Ok(chunk) = chunk {
            bar.inc(chunk.len() as u64);
            moved.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
    });
    let pause = futures::stream::once(tokio::time::sleep(grace)).filter_map(|()| ready(None));
    Ok(reqwest::Body::wrap_stream(pause.chain(stream)))
}
