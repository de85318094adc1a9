//! From an address to a store.
//!
//! The traffic to Azure and S3 is the one exception to "all outbound HTTP goes through `cloud::Egress`": object_store
//! signs, retries and streams with a client of its own. It reaches nothing but the container the operator configured,
//! no tenant can influence its address, and what it carries is sealed.

use super::{ArtifactError, local};
use object_store::{ObjectStore, local::LocalFileSystem, path::Path};
use std::{path::PathBuf, sync::Arc};
use url::Url;

/// What a cloud's address does not say. With nothing set, the machine's own identity signs in (managed or workload identity).
#[derive(Debug, Clone, Default)]
pub struct CloudOptions {
    /// Azure: the storage account. S3: the access key's id.
    pub account: Option<String>,
    /// A file that holds the account's or the access key's secret.
    pub access_key_file: Option<PathBuf>,
    /// Another endpoint than the cloud's own; plain HTTP on loopback only.
    pub endpoint: Option<String>,
    /// S3 only.
    pub region: Option<String>,
}

pub(super) struct Place {
    pub store: Arc<dyn ObjectStore>,
    pub folder: Option<PathBuf>,
    pub prefix: Path,
}

pub(super) fn open(address: &str, options: &CloudOptions) -> Result<Place, ArtifactError> {
    let unknown = || ArtifactError::UnknownLocation(address.to_owned());
    if !address.contains("://") {
        return folder(address.into());
    }
    let url = Url::parse(address).map_err(|_| unknown())?;
    match (url.scheme(), url.host_str()) {
        ("file", _) => folder(url.to_file_path().map_err(|()| unknown())?),
        ("az" | "azure", _) => cloud::azure(address, &url, path_parts(&url, 0), options),
        ("https", Some(host)) if host.contains(".blob.") => cloud::azure(address, &url, path_parts(&url, 1), options),
        ("s3", _) => cloud::s3(address, path_parts(&url, 0), options),
        _ => Err(unknown()),
    }
}

fn folder(path: PathBuf) -> Result<Place, ArtifactError> {
    if path.as_os_str().is_empty() {
        return Err(ArtifactError::UnknownLocation(String::new()));
    }
    let fail = |source| ArtifactError::Folder { path: path.clone(), source };
    let root = local::make_root(&path).map_err(fail)?;
    let store = LocalFileSystem::new_with_prefix(&root)?.with_fsync(true);
    Ok(Place { store: Arc::new(store), folder: Some(root), prefix: Path::default() })
}

/// The path below the container, whose name may be the path's first part.
fn path_parts(url: &Url, skip: usize) -> Path {
    url.path_segments().into_iter().flatten().filter(|part| !part.is_empty()).skip(skip).collect()
}

#[cfg(feature = "cloud-storage")]
mod cloud {
    use super::{ArtifactError, CloudOptions, Path, Place, Url};
    use object_store::{aws::AmazonS3Builder, azure::MicrosoftAzureBuilder};
    use std::{fs, sync::Arc};
    use zeroize::Zeroizing;

    pub fn azure(address: &str, url: &Url, prefix: Path, options: &CloudOptions) -> Result<Place, ArtifactError> {
        let mut builder = MicrosoftAzureBuilder::from_env();
        builder = if url.scheme() == "https" {
            // Also the sovereign clouds' hosts, which object_store does not know by name.
            let unknown = || ArtifactError::UnknownLocation(address.to_owned());
            let host = url.host_str().ok_or_else(unknown)?;
            let container = url.path_segments().and_then(|mut parts| parts.next()).filter(|part| !part.is_empty()).ok_or_else(unknown)?;
            let account = host.split('.').next().unwrap_or(host);
            builder.with_account(account).with_container_name(container).with_endpoint(format!("https://{host}"))
        } else {
            builder.with_url(address)
        };
        if let Some(account) = &options.account {
            builder = builder.with_account(account);
        }
        if let Some(key) = access_key(options)? {
            builder = builder.with_access_key(key.as_str());
        }
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(endpoint.clone()).with_allow_http(on_loopback(endpoint));
        }
        Ok(Place { store: Arc::new(builder.build()?), folder: None, prefix })
    }

    pub fn s3(address: &str, prefix: Path, options: &CloudOptions) -> Result<Place, ArtifactError> {
        let mut builder = AmazonS3Builder::from_env().with_url(address);
        if let Some(account) = &options.account {
            builder = builder.with_access_key_id(account);
        }
        if let Some(key) = access_key(options)? {
            builder = builder.with_secret_access_key(key.as_str());
        }
        if let Some(region) = &options.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &options.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(on_loopback(endpoint));
        }
        Ok(Place { store: Arc::new(builder.build()?), folder: None, prefix })
    }

    fn access_key(options: &CloudOptions) -> Result<Option<Zeroizing<String>>, ArtifactError> {
        let Some(path) = &options.access_key_file else { return Ok(None) };
        let text = fs::read_to_string(path).map_err(|source| ArtifactError::Folder { path: path.clone(), source })?;
        let text = Zeroizing::new(text);
        Ok(Some(Zeroizing::new(text.trim().to_owned())))
    }

    fn on_loopback(endpoint: &str) -> bool {
        let host = Url::parse(endpoint).ok().and_then(|url| url.host().map(|host| host.to_owned()));
        match host {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }
}

#[cfg(not(feature = "cloud-storage"))]
mod cloud {
    use super::{ArtifactError, CloudOptions, Path, Place, Url};

    pub fn azure(address: &str, _: &Url, _: Path, _: &CloudOptions) -> Result<Place, ArtifactError> {
        Err(ArtifactError::UnknownLocation(format!("{address} (built without cloud-storage)")))
    }
    pub fn s3(address: &str, _: Path, _: &CloudOptions) -> Result<Place, ArtifactError> {
        Err(ArtifactError::UnknownLocation(format!("{address} (built without cloud-storage)")))
    }
}
