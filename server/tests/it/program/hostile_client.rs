//! A client that tries to write into the log, and the resulting log.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    process::Stdio,
    thread::sleep,
    time::Duration,
};

use rstest::rstest;

use super::process::{Folder, Server};

/// Text that the client sends in every place, and that the log must not contain unescaped.
const FORGED: &str =
    "x\n2026-01-01T00:00:00Z  INFO forged line\r\n{\"level\":\"INFO\",\"forged\":true}";
const KEY: &str = "lk_sk_live_4f6vHq2mZcT9yBnR8sKdLw3XpA00aaaa";

#[rstest]
fn every_line_is_framed_and_holds_nothing_that_a_client_wrote(
    #[values("json", "readable")] format: &str,
) {
    let folder = Folder::with_org();
    let dana = folder.line(
        &[
            "user",
            "create",
            "--email",
            "dana@northwind.example",
            "--name",
            "Dana",
            "--org",
            "northwind",
            "--role",
            "owner",
            "--password-stdin",
        ],
        "granite teapot sings",
    );
    let path = folder.path().join("log");
    let server = folder.serve_with_log(&["--log-format", format], File::create(&path).unwrap());
    attack(&server);
    assert_eq!(server.end("TERM"), Some(0));
    let mut log = String::new();
    File::open(&path).unwrap().read_to_string(&mut log).unwrap();
    for line in log.lines() {
        let framed = match format {
            "json" => serde_json::from_str::<serde_json::Value>(line)
                .is_ok_and(|line| line["timestamp"].is_string() && line["level"].is_string()),
            _ => line
                .get(..30)
                .is_some_and(|frame| frame.starts_with("20") && frame.contains('Z')),
        };
        assert!(framed, "{format}: {line}");
    }
    for forged in [
        "forged",
        KEY,
        "nobody@",
        "granite",
        "dana@",
        "WARN tower",
        "x-forged-id",
    ] {
        assert!(
            !log.contains(forged),
            "{format}: {forged} is in the log:\n{log}"
        );
    }
    for expected in [
        "sign-in failed",
        "127.0.0.1",
        "unknown",
        dana.as_str(),
        "/orgs/{org}/keys",
        "client disconnected before the response",
        "/{*any}",
    ] {
        assert!(
            log.contains(expected),
            "{format}: {expected} is not in the log:\n{log}"
        );
    }
}

fn attack(server: &Server) {
    let origin = format!(
        "http://localhost:{}",
        server.address.rsplit(':').next().unwrap()
    );
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html"),
        ("Origin", origin.as_str()),
    ];
    let encoded: String = url::form_urlencoded::byte_serialize(FORGED.as_bytes()).collect();
    let sign_in = |email: &str| format!("email={email}&password={encoded}&next={encoded}");
    for body in [
        sign_in("nobody@northwind.example"),
        sign_in("dana%40northwind.example"),
        sign_in(&encoded),
        format!("email={encoded}"),
        format!("{encoded}[a][b]={encoded}"),
    ] {
        server.send("POST", "/sign-in", &form, &body);
    }
    let (_, port) = origin.rsplit_once(':').unwrap();
    let cookie = format!("latchkey-{port}=AAAAAAAAAAAAAAAAAAAAAA");
    for path in [
        format!("/orgs/{KEY}/keys?q={encoded}"),
        format!("/{KEY}"),
        format!("/v1/orgs/{KEY}/keys/{encoded}"),
        format!("/api/{encoded}"),
        "/orgs/northwind/keys?q=%00%0a".to_owned(),
    ] {
        server.send("GET", &path, &[("Cookie", &*cookie)], "");
    }
    let api = [
        ("Authorization", "Bearer lk_service_forged"),
        ("x-request-id", "x-forged-id"),
    ];
    server.send(
        "POST",
        "/v1/verify",
        &api,
        &format!("{{\"key\":\"{KEY}\",\"x\":\"forged\\n\"}}"),
    );
    server.send("FORGED", "/healthz", &[("x-request-id", "x-forged-id")], "");
    server.send(
        "GET",
        "/healthz",
        &[("Host", "forged"), ("User-Agent", "forged\x1b[31m")],
        "",
    );
    // These disconnect while their password is hashed: at least one of them does, however fast the machine is.
    for _ in 0..8 {
        let body = sign_in("dana%40northwind.example");
        let mut connection = TcpStream::connect(&server.address).unwrap();
        write!(
            connection,
            "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nOrigin: {origin}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        sleep(Duration::from_millis(5));
        connection.shutdown(Shutdown::Both).unwrap();
    }
    sleep(Duration::from_millis(300));
}

#[test]
#[cfg(target_os = "linux")]
fn half_requests_keep_nobody_out() {
    let folder = Folder::new();
    let mut command = std::process::Command::new("sh");
    let program = env!("CARGO_BIN_EXE_latchkey");
    command
        .args([
            "-c",
            &format!("ulimit -n 256; exec {program} serve --listen 127.0.0.1:0"),
        ])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stderr(Stdio::null());
    let server = Server::start(command);
    let half: Vec<TcpStream> = (0..320)
        .map(|_| {
            let mut connection = TcpStream::connect(&server.address).unwrap();
            // The server may have closed the connection already.
            let _ = connection.write_all(b"GET / HTTP/1.1\r\nHost:");
            connection
        })
        .collect();
    for _ in 0..20 {
        assert!(
            server
                .send("GET", "/healthz", &[], "")
                .starts_with("HTTP/1.1 200")
        );
    }
    drop(half);
    assert_eq!(server.end("TERM"), Some(0));
}
