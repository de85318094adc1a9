//! Connections to listed hosts that do not speak HTTP: the mail server.
//!
//! Stays true: the host is on the allow-list, and the address that was checked is the one connected to. A connection
//! that will stay without TLS reaches only what its rule opens to that.

use super::{Call, Egress, EgressError, SetupError, Underway, resolver::RefusedAddress};
use lettre::transport::smtp::client::{AsyncTokioStream, Certificate, CertificateStore, TlsParameters};
use rustls::pki_types::ServerName;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// An open connection.
#[derive(Debug)]
pub(crate) enum Line {
    Bare(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What runs on a connection after it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// TLS at once.
    Tls,
    /// Nothing yet: the protocol turns to TLS by itself before anything that matters.
    Later,
    /// Nothing, to the end.
    Never,
}

impl Egress {
    /// Connects to a listed host; `what` names the protocol in the record.
    ///
    /// # Errors
    /// [`EgressError::NotAllowed`], `RefusedAddress`, `Timeout`, `Network`.
    pub(crate) async fn dial(&self, host: &str, port: u16, wrap: Wrap, what: &str) -> Result<Line, EgressError> {
        let call = Call::connecting(self.0.clock.now(), host, port, what);
        let underway = Underway::begin(call, self.0.recorder.as_ref());
        let limit = self.0.config.connect_timeout;
        let outcome = match tokio::time::timeout(limit, self.connect(host, port, wrap)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(EgressError::Timeout { host: host.to_owned() }),
        };
        match &outcome {
            Ok(_) => underway.connected(),
            Err(error) => underway.failed(error.reason()),
        }
        outcome
    }

    async fn connect(&self, host: &str, port: u16, wrap: Wrap) -> Result<Line, EgressError> {
        let plain = wrap == Wrap::Never;
        if !self.lists(host, port, plain) {
            return Err(EgressError::NotAllowed { host: format!("{host}:{port}") });
        }
        let addresses = self.addresses(host, port, plain).await?;
        let network = |e: io::Error| EgressError::Network { host: host.to_owned(), cause: e.to_string() };
        let stream = TcpStream::connect(&addresses[..]).await.map_err(network)?;
        // A command is one small write and waits for its answer.
        stream.set_nodelay(true).map_err(network)?;
        if wrap != Wrap::Tls {
            return Ok(Line::Bare(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(|e| network(io::Error::other(e)))?;
        let stream = TlsConnector::from(self.0.trust.clone()).connect(name, stream).await.map_err(network)?;
        Ok(Line::Tls(Box::new(stream)))
    }

    async fn addresses(&self, host: &str, port: u16, plain: bool) -> Result<Vec<SocketAddr>, EgressError> {
        let gate = &self.0.gates[usize::from(plain)];
        let refused = |RefusedAddress { address, why }: &RefusedAddress| {
            let (address, why) = (*address, *why);
            EgressError::RefusedAddress { host: host.to_owned(), address, why }
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            gate.check(host, address).map_err(|e| refused(&e))?;
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = gate.addresses(host).await.map_err(|e| match e.downcast_ref() {
            Some(refusal) => refused(refusal),
            None => EgressError::Network { host: host.to_owned(), cause: e.to_string() },
        })?;
        let port_of = |at: SocketAddr| if at.port() == 0 { port } else { at.port() };
        Ok(found.into_iter().map(|at| SocketAddr::new(at.ip(), port_of(at))).collect())
    }

    /// The same trust as everywhere, for a protocol that turns to TLS on its way.
    ///
    /// # Errors
    /// When the host cannot be a name in a certificate, or the extra roots cannot be read.
    pub(crate) fn starttls(&self, host: &str) -> Result<TlsParameters, SetupError> {
        let failed = |e: lettre::transport::smtp::Error| SetupError::Tls { cause: e.to_string() };
        let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
        if let Some(pem) = &self.0.config.extra_roots_pem {
            builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(failed)?);
        }
        builder.build_rustls().map_err(failed)
    }
}

impl Line {
    /// The connection as the mail library wants it.
    pub(crate) fn boxed(self) -> Box<dyn AsyncTokioStream> {
        Box::new(self)
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut dyn Both> {
        Pin::new(match self.get_mut() {
            Self::Bare(stream) => stream,
            Self::Tls(stream) => &mut **stream,
        })
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Both for T {}

impl AsyncTokioStream for Line {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Bare(stream) => stream.peer_addr(),
            Self::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
