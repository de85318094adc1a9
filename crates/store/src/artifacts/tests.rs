//! Artifacts in a folder: whole or absent, private, and refused when altered.

use super::*;
use crate::keyring::{KEY_LEN, KeyEncryptionKey, Keyring};
use bailiwick_base::{Code, Problem, SeededRng, SystemRng};
use futures::stream;
use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path as FilePath, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use uuid::Uuid;

const NO_LIMIT: u64 = u64::MAX;

struct Fixture {
    _top: TempDir,
    root: PathBuf,
    store: ArtifactStore,
    key: Arc<TenantKey>,
}

fn fixture() -> Fixture {
    let top = tempfile::tempdir().unwrap();
    let root = top.path().join("artifacts");
    let store = ArtifactStore::open(root.to_str().unwrap(), &CloudOptions::default(), Arc::new(SystemRng)).unwrap();
    Fixture { _top: top, root, store, key: tenant_key(1) }
}

fn tenant_key(tenant: u128) -> Arc<TenantKey> {
    let ring = Keyring::new(KeyEncryptionKey::new([1; KEY_LEN]), Arc::new(SeededRng::new(1)));
    Arc::new(ring.new_data_key(TenantId(Uuid::from_u128(tenant)), 1))
}

fn object(tenant: u128, artifact: u128) -> ObjectKey {
    ObjectKey { tenant: TenantId(Uuid::from_u128(tenant)), run: RunId(Uuid::from_u128(2)), artifact: ArtifactId(Uuid::from_u128(artifact)) }
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 7 + i / 253) as u8).collect()
}

fn body(plain: &[u8]) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let pieces: Vec<_> = plain.chunks(50_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

fn sha256(plain: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, plain).as_ref().try_into().unwrap()
}

/// Every file under a folder, with its mode.
fn files(folder: &FilePath) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        if entry.file_type().unwrap().is_dir() {
            assert_eq!(mode, 0o700, "{:?}", entry.path());
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path(), mode));
        }
    }
    found
}

async fn read(fixture: &Fixture, key: &ObjectKey, expected: [u8; 32]) -> Result<Vec<u8>, OpenError> {
    let pieces: Vec<Bytes> = fixture.store.get(key, fixture.key.clone(), Some(expected)).await.unwrap().try_collect().await?;
    Ok(pieces.concat())
}

#[tokio::test]
async fn what_goes_in_comes_out_and_is_not_readable_on_the_disk() {
    let fixture = fixture();
    for (artifact, size) in [(1, 0), (2, 10), (3, 70_000), (4, 3_500_000)] {
        let (key, plain) = (object(1, artifact), pattern(size));
        let stored = fixture.store.put(&key, &fixture.key, body(&plain), NO_LIMIT, Some(sha256(&plain))).await.unwrap();
        assert_eq!((stored.size, stored.sha256), (size as u64, sha256(&plain)));
        assert_eq!(read(&fixture, &key, stored.sha256).await.unwrap(), plain);

        let mut reader = fixture.store.reader(&key, fixture.key.clone(), Some(stored.sha256)).await.unwrap();
        let mut again = Vec::new();
        reader.read_to_end(&mut again).unwrap();
        assert_eq!(again, plain);

        let on_disk = fs::read(fixture.root.join(fixture.store.path(&key).as_ref())).unwrap();
        assert_eq!(on_disk.len() as u64, stored.sealed_size);
        assert!(size < 10 || !on_disk.windows(10).any(|part| part == &plain[..10]));
    }
    assert_eq!(fs::metadata(&fixture.root).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(files(&fixture.root).iter().all(|(_, mode)| *mode == 0o600));
}

#[tokio::test]
async fn a_refused_upload_leaves_nothing_and_says_why() {
    let fixture = fixture();
    let plain = pattern(2_500_000);
    let key = object(1, 1);

    let error = fixture.store.put(&key, &fixture.key, body(&plain), NO_LIMIT, Some([0; 32])).await.unwrap_err();
    assert_eq!(Problem::from(error).code, Code::HashMismatch);
    let error = fixture.store.put(&key, &fixture.key, body(&plain), 2_499_999, None).await.unwrap_err();
    assert_eq!(Problem::from(error).code, Code::LimitExceeded);
    let cut = body(&plain).chain(stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]));
    let error = fixture.store.put(&key, &fixture.key, cut, NO_LIMIT, None).await.unwrap_err();
    assert_eq!(Problem::from(error).code, Code::BadRequest);

    assert_eq!(files(&fixture.root), []);
    let missing = fixture.store.get(&key, fixture.key.clone(), None).await.err().unwrap();
    assert_eq!(Problem::from(missing).code, Code::NotFound);
    fixture.store.put(&key, &fixture.key, body(&plain), 2_500_000, None).await.unwrap();
}

#[tokio::test]
async fn an_upload_whose_sender_vanishes_leaves_nothing() {
    let fixture = fixture();
    let endless = body(&pattern(2_500_000)).chain(stream::pending());
    let key = object(1, 1);
    {
        let mut put = std::pin::pin!(fixture.store.put(&key, &fixture.key, endless, NO_LIMIT, None));
        let until = Instant::now() + Duration::from_secs(20);
        while !fixture.root.exists()
            || files(&fixture.root).iter().all(|(path, _)| fs::metadata(path).map_or(0, |meta| meta.len()) < 2_000_000)
        {
            assert!(futures::poll!(put.as_mut()).is_pending());
            assert!(Instant::now() < until, "nothing was written");
            tokio::task::yield_now().await;
        }
        assert!(files(&fixture.root).iter().all(|(_, mode)| *mode == 0o600), "readable while being written");
    }
    let until = Instant::now() + Duration::from_secs(20);
    while !files(&fixture.root).is_empty() {
        assert!(Instant::now() < until, "{:?}", files(&fixture.root));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn altered_swapped_and_foreign_artifacts_do_not_open() {
    let fixture = fixture();
    let (one, two) = (object(1, 1), object(1, 2));
    let plain = pattern(200_000);
    let hash = fixture.store.put(&one, &fixture.key, body(&plain), NO_LIMIT, None).await.unwrap().sha256;
    fixture.store.put(&two, &fixture.key, body(&plain), NO_LIMIT, None).await.unwrap();
    let file = |key: &ObjectKey| fixture.root.join(fixture.store.path(key).as_ref());

    let foreign = object(3, 1);
    assert!(matches!(fixture.store.put(&foreign, &fixture.key, body(&plain), NO_LIMIT, None).await, Err(ArtifactError::ForeignKey)));
    assert!(matches!(fixture.store.get(&one, tenant_key(3), None).await.err(), Some(ArtifactError::ForeignKey)));
    fs::create_dir_all(file(&foreign).parent().unwrap()).unwrap();
    fs::copy(file(&one), file(&foreign)).unwrap();
    let mut stolen = fixture.store.reader(&foreign, tenant_key(3), None).await.unwrap();
    assert!(stolen.read_to_end(&mut Vec::new()).is_err());

    assert!(matches!(read(&fixture, &one, [1; 32]).await, Err(OpenError::OtherContent)));
    fs::copy(file(&two), file(&one)).unwrap();
    assert!(matches!(read(&fixture, &one, hash).await, Err(OpenError::Altered)));
    let mut bytes = fs::read(file(&two)).unwrap();
    bytes.truncate(bytes.len() - 1);
    fs::write(file(&two), bytes).unwrap();
    assert!(matches!(read(&fixture, &two, hash).await, Err(OpenError::Altered)));
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_once_do_not_mix() {
    let fixture = Arc::new(fixture());
    let same: Vec<Vec<u8>> = (0..4).map(|i| [pattern(1_200_000), vec![i]].concat()).collect();
    let mut tasks = Vec::new();
    for i in 0..8usize {
        let (fixture, plain) = (fixture.clone(), same[i % 4].clone());
        let key = object(1, if i < 4 { 1 } else { 10 + i as u128 });
        tasks.push(tokio::spawn(async move {
            (key, fixture.store.put(&key, &fixture.key, body(&plain), NO_LIMIT, Some(sha256(&plain))).await.unwrap())
        }));
    }
    for task in tasks {
        let (key, stored) = task.await.unwrap();
        let pieces: Vec<Bytes> = fixture.store.get(&key, fixture.key.clone(), None).await.unwrap().try_collect().await.unwrap();
        let plain = pieces.concat();
        assert!(same.contains(&plain), "a mixture");
        assert!(key == object(1, 1) || sha256(&plain) == stored.sha256);
    }
    assert_eq!(files(&fixture.root).len(), 5);
}

#[tokio::test]
async fn orphans_are_listed_by_age_and_half_written_files_are_swept() {
    let fixture = fixture();
    let key = object(1, 1);
    fixture.store.put(&key, &fixture.key, body(b"kept"), NO_LIMIT, None).await.unwrap();
    let half = fixture.root.join(format!("{}#3", fixture.store.path(&object(1, 2))));
    fs::write(&half, "half").unwrap();
    let (past, future): (Timestamp, Timestamp) = ("2020-01-01T00:00:00Z".parse().unwrap(), "2200-01-01T00:00:00Z".parse().unwrap());

    assert_eq!(fixture.store.list_orphans(key.tenant, past).try_collect::<Vec<_>>().await.unwrap(), []);
    assert_eq!(fixture.store.list_orphans(key.tenant, future).try_collect::<Vec<_>>().await.unwrap(), [key]);
    assert_eq!(fixture.store.sweep_half_written(past).await.unwrap(), 0);
    assert_eq!(fixture.store.sweep_half_written(future).await.unwrap(), 1);
    assert!(!half.exists());

    fixture.store.delete(&key).await.unwrap();
    fixture.store.delete(&key).await.unwrap();
    assert_eq!(files(&fixture.root), []);
}

/// A file system of one mebibyte; unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &FilePath) -> Self {
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"]).arg(at).status().unwrap();
        assert!(status.success(), "this test mounts a small disk, as root may");
        Self(at.into())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_stays_usable() {
    let nested = object_store::Error::Generic { store: "any", source: Box::new(io::Error::from_raw_os_error(28)) };
    assert_eq!(Problem::from(ArtifactError::from(nested)).code, Code::StorageFull);
    if !nix::unistd::Uid::effective().is_root() {
        return; // the rest needs a disk of its own
    }
    let mut fixture = fixture();
    let _disk = SmallDisk::mount(&fixture.root);
    fixture.store = ArtifactStore::open(fixture.root.to_str().unwrap(), &CloudOptions::default(), Arc::new(SystemRng)).unwrap();
    let error = fixture.store.put(&object(1, 1), &fixture.key, body(&pattern(3_000_000)), NO_LIMIT, None).await.unwrap_err();
    assert_eq!(Problem::from(error).code, Code::StorageFull);
    assert_eq!(files(&fixture.root), []);
    fixture.store.put(&object(1, 2), &fixture.key, body(&pattern(300_000)), NO_LIMIT, None).await.unwrap();
    assert_eq!(read(&fixture, &object(1, 2), sha256(&pattern(300_000))).await.unwrap(), pattern(300_000));
}

#[test]
fn a_folder_that_is_not_ours_is_refused_and_left_alone() {
    let top = tempfile::tempdir().unwrap();
    let open = |folder: &FilePath| ArtifactStore::open(folder.to_str().unwrap(), &CloudOptions::default(), Arc::new(SystemRng));
    let mode = |folder: &FilePath| fs::metadata(folder).unwrap().permissions().mode() & 0o777;
    let shared = top.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(shared.join("thesis.txt"), "mine").unwrap();
    let refused = open(&shared).err().unwrap().to_string();
    assert!(refused.contains("chmod 700"), "{refused}");
    assert_eq!(mode(&shared), 0o755);
    fs::remove_file(shared.join("thesis.txt")).unwrap();
    open(&shared).unwrap();
    assert_eq!(mode(&shared), 0o700);
}

#[test]
fn an_address_of_no_known_kind_is_refused_by_name() {
    for address in ["", "ftp://host/a", "https://example.com/a", "https://acct.blob.core.windows.net/"] {
        let refused = ArtifactStore::open(address, &CloudOptions::default(), Arc::new(SystemRng)).err().unwrap();
        assert!(matches!(&refused, ArtifactError::UnknownLocation(named) if named == address), "{address}: {refused}");
    }
}
