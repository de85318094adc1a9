//! Artifacts in Azure Blob, proved against Microsoft's own emulator: it checks the signatures and keeps the blocks.
//! Installs azurite under `target/npm-tools` if it is not there.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test file: helpers outside `#[test]` too

use bailiwick_base::{ArtifactId, RunId, SeededRng, SystemRng, TenantId};
use bailiwick_store::{
    artifacts::{ArtifactError, ArtifactStore, CloudOptions, ObjectKey},
    keyring::{KEY_LEN, KeyEncryptionKey, Keyring, TenantKey},
};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use std::{
    fs,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};
use uuid::Uuid;

/// The account and key every azurite has; published by Microsoft (learn.microsoft.com, "Use the Azurite emulator").
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const MAKE_CONTAINER: &str = "
    const { BlobServiceClient, StorageSharedKeyCredential } = require('@azure/storage-blob');
    const [url, account, key] = process.argv.slice(1);
    new BlobServiceClient(url, new StorageSharedKeyCredential(account, key)).createContainer('artifacts')
        .catch((error) => { console.error(error.message); process.exit(1); });";

fn tools() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/npm-tools");
    fs::create_dir_all(&tools).unwrap();
    let tools = tools.canonicalize().unwrap();
    let lock = fs::File::create(tools.join(".azurite.lock")).unwrap();
    lock.lock().unwrap();
    let installed = |name: &str| tools.join("node_modules").join(name).join("package.json").exists();
    if !installed("azurite") || !installed("@azure/storage-blob") {
        let packages = ["azurite@3.35.0", "@azure/storage-blob@12"];
        let status = Command::new("npm").args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&tools).args(packages).status();
        assert!(status.expect("npm is needed: install nodejs and npm").success(), "npm could not install azurite");
    }
    tools
}

/// An emulator on a loopback port of its own; ends when dropped.
struct Azurite {
    process: Child,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Azurite {
    fn start() -> Self {
        let tools = tools();
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("node")
            .arg(tools.join("node_modules/azurite/dist/src/blob/main.js"))
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--skipApiVersionCheck", "--disableTelemetry", "--location"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut seen = Vec::new();
        let address = lines.by_ref().inspect(|line| seen.push(line.clone())).find_map(|line| {
            let rest = line.split_once("successfully listens on ")?.1;
            Some(rest.trim().trim_end_matches('/').to_owned())
        });
        let address = address.unwrap_or_else(|| panic!("azurite did not start: {seen:?}"));
        // It writes a line a request, and dies when nobody reads them.
        std::thread::spawn(move || lines.for_each(drop));
        let endpoint = format!("{address}/{ACCOUNT}");
        let azurite = Self { process, endpoint, folder };
        let made = Command::new("node")
            .current_dir(&tools)
            .args(["-e", MAKE_CONTAINER, &azurite.endpoint, ACCOUNT, ACCOUNT_KEY])
            .status()
            .unwrap();
        assert!(made.success(), "the container could not be made");
        azurite
    }

    fn store(&self) -> ArtifactStore {
        let key = self.folder.path().join("account-key");
        fs::write(&key, ACCOUNT_KEY).unwrap();
        let options =
            CloudOptions { account: Some(ACCOUNT.into()), access_key_file: Some(key), endpoint: Some(self.endpoint.clone()), region: None };
        ArtifactStore::open("az://artifacts/bailiwick", &options, Arc::new(SystemRng)).unwrap()
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn tenant_key() -> Arc<TenantKey> {
    let ring = Keyring::new(KeyEncryptionKey::new([1; KEY_LEN]), Arc::new(SeededRng::new(1)));
    Arc::new(ring.new_data_key(TenantId(Uuid::from_u128(1)), 1))
}

fn object(artifact: u128) -> ObjectKey {
    ObjectKey { tenant: TenantId(Uuid::from_u128(1)), run: RunId(Uuid::from_u128(2)), artifact: ArtifactId(Uuid::from_u128(artifact)) }
}

fn body(plain: &[u8]) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    stream::iter(plain.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_live_in_azure_blob() {
    let azurite = Azurite::start();
    let (store, key) = (azurite.store(), tenant_key());
    // one request, and several blocks
    for (artifact, size) in [(1, 5_000usize), (2, 20_000_000)] {
        let plain: Vec<u8> = (0..size).map(|i| (i * 7 + i / 253) as u8).collect();
        let stored = store.put(&object(artifact), &key, body(&plain), u64::MAX, None).await.unwrap();
        assert_eq!(stored.size, size as u64);
        let pieces: Vec<Bytes> = store.get(&object(artifact), key.clone(), Some(stored.sha256)).await.unwrap().try_collect().await.unwrap();
        assert!(pieces.concat() == plain, "{size} bytes came back changed");

        let mut reader = store.reader(&object(artifact), key.clone(), Some(stored.sha256)).await.unwrap();
        let again = tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        assert!(again.await.unwrap().unwrap() == plain);
    }
    let future = "2200-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(store.list_orphans(object(1).tenant, future).try_collect::<Vec<_>>().await.unwrap(), [object(1), object(2)]);

    for (refused, limit, expected) in [(3, u64::MAX, Some([0; 32])), (4, 9_999_999, None)] {
        store.put(&object(refused), &key, body(&vec![7; 10_000_000]), limit, expected).await.unwrap_err();
        let missing = store.get(&object(refused), key.clone(), None).await.err();
        assert!(matches!(missing, Some(ArtifactError::NotFound)), "a refused artifact is there");
    }
    let cut = body(&vec![7; 10_000_000]).chain(stream::iter([Err(io::Error::from(io::ErrorKind::ConnectionReset))]));
    assert!(matches!(store.put(&object(5), &key, cut, u64::MAX, None).await, Err(ArtifactError::Body(_))));

    store.delete(&object(1)).await.unwrap();
    store.delete(&object(1)).await.unwrap();
    assert_eq!(store.list_orphans(object(1).tenant, future).try_collect::<Vec<_>>().await.unwrap(), [object(2)]);
}
