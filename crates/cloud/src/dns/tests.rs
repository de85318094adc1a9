//! What name servers say and do not say, against one on loopback.

use super::*;
use hickory_resolver::proto::{
    op::{Message, OpCode},
    rr::{
        Record,
        rdata::{CNAME, TXT},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
};

/// What the server says to a question; nothing is silence.
fn said(question: &Message) -> Option<Message> {
    let query = question.queries[0].clone();
    let (name, kind) = (query.name().clone(), query.query_type());
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.add_query(query);
    answer.metadata.recursion_available = true;
    let text = |parts: &[&str]| RData::TXT(TXT::new(parts.iter().map(|part| part.to_string()).collect()));
    let alias = |to: &str| RData::CNAME(CNAME(Name::from_ascii(to).unwrap()));
    let mut add = |name: &Name, data| {
        answer.add_answer(Record::from_rdata(name.clone(), 60, data));
    };
    match (name.to_ascii().as_str(), kind) {
        ("contoso.com.", RecordType::TXT) => {
            add(&name, text(&["v=spf1 include:spf.protection.outlook.com", " -all"]));
            add(&name, text(&["MS=ms1"]));
        }
        ("_dmarc.contoso.com.", RecordType::TXT) => {
            let target = Name::from_ascii("dmarc.provider.example.").unwrap();
            add(&name, alias("dmarc.provider.example."));
            add(&target, text(&["v=DMARC1; p=reject"]));
        }
        ("selector1._domainkey.contoso.com.", RecordType::CNAME) => add(&name, alias("Selector1.contoso.onmicrosoft.com.")),
        ("many.contoso.com.", RecordType::TXT) => (0..300).for_each(|i| add(&name, text(&[&format!("record {i}")]))),
        ("none.contoso.com.", _) => {}
        ("broken.contoso.com.", _) => answer.metadata.response_code = ResponseCode::ServFail,
        ("refused.contoso.com.", _) => answer.metadata.response_code = ResponseCode::Refused,
        ("silent.contoso.com.", _) => return None,
        _ => answer.metadata.response_code = ResponseCode::NXDomain,
    }
    Some(answer)
}

/// A name server over UDP, which sends to TCP for what does not fit, and TCP at the same port.
async fn server() -> SocketAddr {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = tcp.local_addr().unwrap();
    let udp = UdpSocket::bind(at).await.unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
            let Some(answer) = said(&Message::from_vec(&buffer[..length]).unwrap()) else { continue };
            let mut bytes = answer.to_vec().unwrap();
            if bytes.len() > 512 {
                bytes = answer.truncate().to_vec().unwrap();
            }
            udp.send_to(&bytes, from).await.unwrap();
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let mut length = [0; 2];
            while stream.read_exact(&mut length).await.is_ok() {
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut question).await.unwrap();
                let Some(answer) = said(&Message::from_vec(&question).unwrap()) else { continue };
                let bytes = answer.to_vec().unwrap();
                stream.write_all(&u16::try_from(bytes.len()).unwrap().to_be_bytes()).await.unwrap();
                stream.write_all(&bytes).await.unwrap();
            }
        }
    });
    at
}

async fn dns() -> Dns {
    Dns::new(DnsConfig { servers: vec![server().await], timeout: Duration::from_millis(300), retries: 0, at_once: 4 })
}

fn found(records: &[&str]) -> Result<DnsAnswer, DnsError> {
    Ok(DnsAnswer { exists: true, records: records.iter().map(|record| record.to_string()).collect() })
}

#[tokio::test]
async fn records_come_whole_and_aliases_are_followed() {
    let dns = dns().await;
    assert_eq!(dns.txt("Contoso.COM.").await, found(&["v=spf1 include:spf.protection.outlook.com -all", "MS=ms1"]));
    assert_eq!(dns.txt("_dmarc.contoso.com").await, found(&["v=DMARC1; p=reject"]));
    assert_eq!(dns.cname("selector1._domainkey.contoso.com").await, found(&["Selector1.contoso.onmicrosoft.com"]));
}

#[tokio::test]
async fn an_absent_record_is_an_answer_and_a_failing_server_is_none() {
    let dns = dns().await;
    assert_eq!(dns.txt("none.contoso.com").await, found(&[]));
    assert_eq!(dns.txt("gone.contoso.com").await, Ok(DnsAnswer { exists: false, records: vec![] }));
    for (name, reason) in [("broken", "failed"), ("refused", "failed"), ("silent", "timeout")] {
        let error = dns.txt(&format!("{name}.contoso.com")).await.unwrap_err();
        assert_eq!((error.reason(), error.transient()), (reason, true), "{error}");
    }
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let dns = Dns::new(DnsConfig { servers: vec![nobody], timeout: Duration::from_millis(300), retries: 0, at_once: 1 });
    assert!(dns.txt("contoso.com").await.unwrap_err().transient());
}

#[tokio::test]
async fn more_than_is_read_is_told_and_not_cut_off() {
    // It does not fit a datagram, so it came over TCP.
    assert_eq!(dns().await.txt("many.contoso.com").await.unwrap_err().reason(), "too_much");
}

#[tokio::test]
async fn names_of_the_inner_network_are_not_asked_about() {
    // No server at all: were one asked, the reason would be another.
    let nobody = "127.0.0.1:9".parse().unwrap();
    let dns = Dns::new(DnsConfig { servers: vec![nobody], timeout: Duration::from_millis(300), retries: 0, at_once: 1 });
    for name in [
        "db",
        "localhost",
        "printer.local",
        "vault.internal",
        "x.LAN",
        "1.0.0.127.in-addr.arpa",
        "127.0.0.1",
        "2130706433",
        "[::1]",
        "a..b",
        "",
        ".",
        "a b.com",
        &format!("{}.com", "x".repeat(64)),
    ] {
        assert_eq!(dns.txt(name).await.unwrap_err().reason(), "not_asked", "{name}");
    }
}
