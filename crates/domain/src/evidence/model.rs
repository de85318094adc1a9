//! Rules of uploads that need no database.

use crate::handler::Upload;
use aws_lc_rs::digest::{Context, SHA256};
use bailiwick_base::{Code, Problem, ProjectId};
use bailiwick_contract::evidence::{Artifact, ArtifactKind, ManifestLine};
use futures::TryStreamExt;
use std::collections::{BTreeMap, BTreeSet};

/// A file name that is only that: no folder, no control character, nothing a file system reads as a place.
///
/// # Errors
/// `bad_request`, saying which rule was broken.
pub fn artifact_name(name: &str) -> Result<(), Problem> {
    let refuse = |why: &str| Err(Problem::new(Code::BadRequest, format!("The artifact's name {why}. Send a plain file name.")).at("name"));
    match name {
        "" => refuse("is empty"),
        "." | ".." => refuse("is a folder"),
        _ if name.chars().count() > 200 => refuse("is longer than 200 characters"),
        _ if name.contains(['/', '\\']) => refuse("holds a slash"),
        _ if name.chars().any(char::is_control) => refuse("holds a control character"),
        _ => Ok(()),
    }
}

/// What the first bytes say the file is.
pub fn kind_of(first_bytes: &[u8]) -> ArtifactKind {
    let mut text = first_bytes;
    for mark in [&b"\xEF\xBB\xBF"[..], b"\xFF\xFE", b"\xFE\xFF"] {
        text = text.strip_prefix(mark).unwrap_or(text);
    }
    // Zero bytes are the other half of UTF-16's ASCII.
    match text.iter().find(|b| **b != 0 && !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => ArtifactKind::Json,
        Some(b'<') => ArtifactKind::Html,
        _ => ArtifactKind::Other,
    }
}

/// A SHA-256 as people write it.
///
/// # Errors
/// `bad_request` when it is not 64 hexadecimal digits.
pub fn sha256(field: &str, text: &str) -> Result<[u8; 32], Problem> {
    let bytes = hex::decode(text).ok().and_then(|b| <[u8; 32]>::try_from(b).ok());
    bytes.ok_or_else(|| Problem::new(Code::BadRequest, format!("`{field}` is not a SHA-256: 64 hexadecimal digits.")).at(field))
}

/// The SHA-256 of bytes that are not kept.
///
/// # Errors
/// The sender broke off, or sent more than `limit` bytes.
pub async fn hash(mut bytes: Upload, limit: u64) -> Result<[u8; 32], Problem> {
    let (mut context, mut size) = (Context::new(&SHA256), 0u64);
    while let Some(piece) = bytes.try_next().await? {
        size += piece.len() as u64;
        if size > limit {
            return Err(Problem::new(Code::LimitExceeded, format!("The file is larger than the limit of {limit} bytes.")));
        }
        context.update(&piece);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Ok(hash)
}

/// Holds the manifest against what arrived.
///
/// # Errors
/// What is missing, surplus or different, by name.
pub fn check_manifest(manifest: &[ManifestLine], arrived: &[Artifact]) -> Result<(), Problem> {
    if manifest.is_empty() {
        return Err(Problem::new(Code::BadRequest, "The manifest names no artifact. Send at least one report first.").at("artifacts"));
    }
    let mut names = BTreeSet::new();
    let stored: BTreeMap<&str, &str> = arrived.iter().map(|a| (a.name.as_str(), a.sha256.as_str())).collect();
    for line in manifest {
        if !names.insert(line.name.as_str()) {
            return Err(Problem::new(Code::BadRequest, format!("The manifest names {:?} twice.", line.name)).at("artifacts"));
        }
        match stored.get(line.name.as_str()) {
            None => {
                return Err(Problem::new(
                    Code::WrongState,
                    format!("The artifact {:?} has not arrived. Send it, then complete again.", line.name),
                )
                .at("artifacts"));
            }
            Some(hash) if !hash.eq_ignore_ascii_case(&line.sha256) => {
                let detail = format!("The artifact {:?} arrived with SHA-256 {hash}, the manifest says {}.", line.name, line.sha256);
                return Err(Problem::new(Code::HashMismatch, detail).at("artifacts"));
            }
            Some(_) => {}
        }
    }
    if let Some(surplus) = arrived.iter().find(|a| !names.contains(a.name.as_str())) {
        return Err(
            Problem::new(Code::BadRequest, format!("The artifact {:?} arrived and is not in the manifest.", surplus.name)).at("artifacts")
        );
    }
    Ok(())
}

/// What makes an upload the same upload again: where it came from, and every file's bytes.
pub fn content_key(project: Option<ProjectId>, source: &str, pipeline_run_id: Option<&str>, manifest: &[ManifestLine]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    let mut add = |text: &str| {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    };
    add(&project.map(|p| p.to_string()).unwrap_or_default());
    add(source);
    add(pipeline_run_id.unwrap_or_default());
    let hashes: BTreeSet<String> = manifest.iter().map(|line| line.sha256.to_ascii_lowercase()).collect();
    for hash in hashes {
        add(&hash);
    }
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

/// The type an artifact is downloaded as. HTML leaves as plain bytes: opened by itself it must not run as a page of this site.
pub fn media_type(kind: ArtifactKind) -> &'static str {
    match kind {
        ArtifactKind::Json => "application/json",
        ArtifactKind::Html | ArtifactKind::Other => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bailiwick_base::{ArtifactId, RunId, Timestamp};
    use uuid::Uuid;

    fn line(name: &str, sha256: &str) -> ManifestLine {
        ManifestLine { name: name.into(), sha256: sha256.into() }
    }

    fn stored(name: &str, sha256: &str) -> Artifact {
        Artifact {
            id: ArtifactId(Uuid::nil()),
            run: RunId(Uuid::nil()),
            name: name.into(),
            kind: ArtifactKind::Json,
            size: 1,
            sha256: sha256.into(),
            stored_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_name_that_leads_anywhere_is_refused() {
        for bad in ["", ".", "..", "../a", "a/b", "a\\b", "a\nb", &"x".repeat(201)] {
            assert!(artifact_name(bad).is_err(), "{bad:?}");
        }
        for good in ["TestResults-2026-11-22.json", "résultats.html", "a b.sarif"] {
            assert!(artifact_name(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn the_kind_comes_from_the_bytes() {
        assert_eq!(kind_of(b"\xEF\xBB\xBF {"), ArtifactKind::Json);
        assert_eq!(kind_of(b"\xFF\xFE[\0"), ArtifactKind::Json);
        assert_eq!(kind_of(b"\n<!DOCTYPE html>"), ArtifactKind::Html);
        assert_eq!(kind_of(b"PK\x03\x04"), ArtifactKind::Other);
        assert_eq!(kind_of(b""), ArtifactKind::Other);
    }

    #[test]
    fn the_manifest_must_say_exactly_what_arrived() {
        let arrived = [stored("a", "aa"), stored("b", "bb")];
        let refused = |lines: &[ManifestLine]| check_manifest(lines, &arrived).unwrap_err().code;
        assert!(check_manifest(&[line("b", "BB"), line("a", "aa")], &arrived).is_ok());
        assert_eq!(refused(&[]), Code::BadRequest);
        assert_eq!(refused(&[line("a", "aa")]), Code::BadRequest);
        assert_eq!(refused(&[line("a", "aa"), line("a", "aa"), line("b", "bb")]), Code::BadRequest);
        assert_eq!(refused(&[line("a", "aa"), line("b", "cc")]), Code::HashMismatch);
        assert_eq!(refused(&[line("a", "aa"), line("b", "bb"), line("c", "cc")]), Code::WrongState);
    }

    #[test]
    fn the_content_key_tells_uploads_apart_and_not_file_names() {
        let key = |source: &str, pipeline: Option<&str>, lines: &[ManifestLine]| content_key(None, source, pipeline, lines);
        let base = key("ci", Some("7"), &[line("a", "aa"), line("b", "bb")]);
        assert_eq!(base, key("ci", Some("7"), &[line("y", "BB"), line("x", "AA")]));
        assert_ne!(base, key("ci", Some("8"), &[line("a", "aa"), line("b", "bb")]));
        assert_ne!(base, key("cd", Some("7"), &[line("a", "aa"), line("b", "bb")]));
        assert_ne!(base, key("ci", Some("7"), &[line("a", "aa")]));
    }
}
