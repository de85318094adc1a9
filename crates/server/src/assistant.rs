//! The assistant that explains fixes, from the configuration: where it is, and what it may be told.

use crate::config::{Config, given};
use crate::runtime::ranges;
use anyhow::{Context, ensure};
use bailiwick_base::Secret;
use bailiwick_cloud::assistant::Assistant as Client;
use bailiwick_cloud::{AllowedHost, Egress};
use bailiwick_domain::fixes::Assistant;
use url::Url;

fn address(config: &Config) -> anyhow::Result<Option<Url>> {
    let text = &config.assistant.url;
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text).ok().filter(|url| url.host_str().is_some());
    let url = url.with_context(|| format!("assistant.url is {text:?}: give the whole address of its chat completions"))?;
    ensure!(
        url.scheme() == "https" || (url.scheme() == "http" && !config.assistant.private_ranges.is_empty()),
        "assistant.url is {text:?}: it is asked over https, or over http inside assistant.private_ranges"
    );
    ensure!(!config.assistant.model.is_empty(), "assistant.model is empty: name the model to ask");
    Ok(Some(url))
}

/// The assistant's line of the allow-list.
///
/// # Errors
/// A setting that is not what it should be, by name.
pub fn allowed(config: &Config) -> anyhow::Result<Option<AllowedHost>> {
    let Some(url) = address(config)? else { return Ok(None) };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let mut allowed = AllowedHost::public(host, "the assistant that explains fixes");
    if let Some(port) = url.port_or_known_default() {
        allowed = allowed.port(port);
    }
    allowed = allowed.private(ranges(&config.assistant.private_ranges, "assistant.private_ranges")?);
    Ok(Some(if url.scheme() == "http" { allowed.plain_http() } else { allowed }))
}

/// The assistant, where one is configured.
///
/// # Errors
/// A setting that is not what it should be, by name.
pub fn assistant(config: &Config, egress: Egress) -> anyhow::Result<Option<Assistant>> {
    let Some(url) = address(config)? else { return Ok(None) };
    let key = match given(&config.assistant.key_file) {
        Some(file) => {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            Some(Secret::new(text.trim().to_owned()))
        }
        None => None,
    };
    let client = Client::new(url, config.assistant.model.clone(), key, egress);
    Ok(Some(Assistant { client, identifiers: config.assistant.identifiers }))
}
