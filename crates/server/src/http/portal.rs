//! The portal's shell: static files, the same for everybody, with the headers that bind what they may do.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

/// Where the files come from.
pub struct Portal {
    folder: Option<PathBuf>,
    /// For the shell, with the addresses of the configured sign-in.
    shell_policy: HeaderValue,
}

#[cfg(feature = "portal")]
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../web/dist"]
struct Embedded;

const MISSING: &str = "<!doctype html><meta charset=utf-8><title>Bailiwick</title><p>The portal is not built into this binary. Run <code>npm ci && npm run build</code> in <code>web</code>, then set <code>portal_folder</code> to <code>web/dist</code> or build with <code>--features portal</code>.";

/// The report viewer's own policy: an opaque origin with scripts and no network. A report inside it cannot act as anybody, nor call out.
const VIEWER_POLICY: &str = "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

impl Portal {
    /// `authorities` are the origins that the browser talks to for sign-in.
    pub fn new(folder: Option<PathBuf>, authorities: &[String]) -> Self {
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
             connect-src 'self' {}; frame-src 'self' {}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
            authorities.join(" "),
            authorities.join(" "),
        );
        Self { folder, shell_policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")) }
    }

    fn read(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        if let Some(folder) = &self.folder {
            let relative = Path::new(name);
            if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
                return None;
            }
            return std::fs::read(folder.join(relative)).ok().map(Cow::Owned);
        }
        embedded(name)
    }

    /// A file, or the shell for every address that is the portal's own.
    pub fn answer(&self, uri: &Uri) -> Response<Body> {
        let name = uri.path().trim_start_matches('/');
        let name = if name.is_empty() { "index.html" } else { name };
        if let Some(bytes) = self.read(name) {
            return self.file(name, bytes);
        }
        // Files have an ending and pages have none: a missing file is missing, a page is drawn by the shell.
        if name.rsplit('/').next().is_some_and(|last| last.contains('.')) {
            return self.page(StatusCode::NOT_FOUND, Cow::Borrowed(b"<!doctype html><title>Not found</title><p>There is no such file."));
        }
        match self.read("index.html") {
            Some(bytes) => self.page(StatusCode::OK, bytes),
            None => self.page(StatusCode::OK, Cow::Borrowed(MISSING.as_bytes())),
        }
    }

    fn file(&self, name: &str, bytes: Cow<'static, [u8]>) -> Response<Body> {
        if name.ends_with(".html") {
            let mut response = self.page(StatusCode::OK, bytes);
            if name == "viewer.html" {
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(VIEWER_POLICY));
                response.headers_mut().remove(header::X_FRAME_OPTIONS);
            }
            return response;
        }
        let mut response = Response::new(Body::from(bytes.into_owned()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
        // Built files carry their hash in their name.
        let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        response
    }

    fn page(&self, status: StatusCode, bytes: Cow<'static, [u8]>) -> Response<Body> {
        let mut response = Response::new(Body::from(bytes.into_owned()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, self.shell_policy.clone());
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        response
    }
}

#[cfg(feature = "portal")]
fn embedded(name: &str) -> Option<Cow<'static, [u8]>> {
    Embedded::get(name).map(|file| file.data)
}

#[cfg(not(feature = "portal"))]
fn embedded(_: &str) -> Option<Cow<'static, [u8]>> {
    None
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
