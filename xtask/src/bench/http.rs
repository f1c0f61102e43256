//! Plain HTTP/1.1 requests to a local server, low-level enough to be aborted halfway.

mod answer;

use std::{
    io::{self, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

pub use self::answer::Answer;
use crate::step::started_now;

/// The content type of URL-encoded forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The content type of the API's bodies.
pub const JSON: &str = "application/json";

/// A local server.
#[derive(Clone, Copy)]
pub struct Site {
    /// The port on which it listens.
    pub port: u16,
}

/// A request.
#[derive(Clone)]
pub struct Request {
    line: String,
    headers: String,
    body: Vec<u8>,
}

/// A persistent connection, which sends one request after the other.
pub struct Connection {
    site: Site,
    stream: BufReader<Timed>,
}

/// A stream with a deadline for the whole response, regardless of the number of reads.
struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Site {
    /// The server's origin, as browsers see it.
    pub fn origin(self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Sends a request on its own connection and waits at most `limit` for the response.
    pub fn ask(self, request: &Request, limit: Duration) -> io::Result<Answer> {
        Connection::open(self, limit)?.ask(request)
    }
}

impl Request {
    /// Creates a GET request.
    pub fn get(path: &str) -> Self {
        Self {
            line: format!("GET {path} HTTP/1.1"),
            headers: String::new(),
            body: Vec::new(),
        }
    }

    /// Creates a POST request.
    pub fn post(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::with_body("POST", path, content_type, body.into())
    }

    /// Creates a PATCH request.
    pub fn patch(path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::with_body("PATCH", path, content_type, body.into())
    }

    fn with_body(method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Self {
        let length = body.len().to_string();
        let request = Self {
            line: format!("{method} {path} HTTP/1.1"),
            headers: String::new(),
            body,
        };
        request
            .with("Content-Type", content_type)
            .with("Content-Length", &length)
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// The request in one piece, so that a small request is a single packet.
    fn bytes(&self, site: Site) -> Vec<u8> {
        let head = format!(
            "{}\r\nHost: localhost:{}\r\n{}\r\n",
            self.line, site.port, self.headers
        );
        [head.as_bytes(), &self.body].concat()
    }
}

impl Connection {
    /// Connects. `limit` applies to connecting and the first response together.
    pub fn open(site: Site, limit: Duration) -> io::Result<Self> {
        let until = started_now() + limit;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, site.port));
        let stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(limit))?;
        let stream = BufReader::with_capacity(64 * 1024, Timed { stream, until });
        Ok(Self { site, stream })
    }

    /// Sets a new deadline.
    pub fn within(&mut self, limit: Duration) -> &mut Self {
        self.stream.get_mut().until = started_now() + limit;
        self
    }

    /// Sends a request and reads the response.
    pub fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        let sent = self.send(request);
        // A server that rejects a body can respond without reading all of it.
        match (sent, self.receive()) {
            (Err(error), Err(_)) => Err(error),
            (_, answer) => answer,
        }
    }

    /// Sends a complete request.
    pub fn send(&mut self, request: &Request) -> io::Result<()> {
        let bytes = request.bytes(self.site);
        self.send_bytes(&bytes)
    }

    /// Sends bytes that do not have to be a complete request.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().stream.write_all(bytes)
    }

    /// Reads a response.
    pub fn receive(&mut self) -> io::Result<Answer> {
        Answer::read(&mut self.stream)
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.until.saturating_duration_since(started_now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream
            .read(buffer)
            .map_err(|error| match error.kind() {
                // The error that Unix reports after a timeout.
                io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
                _ => error,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_where_it_goes_and_how_long_it_is() {
        let request = Request::post("/x", FORM, "a=b").with("Accept", "*/*");
        assert_eq!(
            String::from_utf8(request.bytes(Site { port: 5 })).unwrap(),
            "POST /x HTTP/1.1\r\nHost: localhost:5\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: 3\r\nAccept: */*\r\n\r\na=b"
        );
    }
}
