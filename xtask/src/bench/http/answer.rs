//! Reads HTTP responses.

use std::io::{self, BufRead, Read};

/// The number of bytes of a body that are kept. The rest is only counted: the response to an attack can have many
/// megabytes.
const KEPT: u64 = 64 * 1024;
/// The maximum length of the head, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// A response.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The size of the body in bytes.
    pub size: u64,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    /// Reads one response and nothing after it.
    pub fn read(reader: &mut impl BufRead) -> io::Result<Self> {
        let head = read_head(reader)?;
        let status = head.split_whitespace().nth(1);
        let status = status
            .and_then(|status| status.parse().ok())
            .ok_or_else(|| invalid("the answer has no status"))?;
        let mut answer = Self {
            status,
            size: 0,
            head,
            body: Vec::new(),
        };
        let is_chunked = answer.header("transfer-encoding").next().is_some();
        let length = answer
            .header("content-length")
            .find_map(|length| length.parse().ok());
        match length {
            _ if matches!(status, 204 | 304) => {}
            _ if is_chunked => answer.take_chunks(reader)?,
            Some(length) => answer.take_exactly(reader, length)?,
            None => answer.take(reader, u64::MAX).map(drop)?,
        }
        Ok(answer)
    }

    /// The values of a header.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The session cookie that the response sets, in the format of the `Cookie` header.
    pub fn session_cookie(&self) -> Option<&str> {
        self.header("set-cookie")
            .filter_map(|cookie| cookie.split(';').next())
            .find(|pair| {
                // The name ends with the port (see PublicUrl::cookie_name).
                let (name, value) = pair.split_once('=').unwrap_or_default();
                let port = name.strip_prefix("latchkey-").map(str::parse::<u16>);
                matches!(port, Some(Ok(_))) && !value.is_empty()
            })
    }

    /// The first 64 kB of the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads up to `length` bytes of the body.
    fn take(&mut self, reader: &mut impl BufRead, length: u64) -> io::Result<u64> {
        let room = KEPT.saturating_sub(self.body.len() as u64).min(length);
        let kept = reader.by_ref().take(room).read_to_end(&mut self.body)? as u64;
        let dropped = io::copy(&mut reader.by_ref().take(length - kept), &mut io::sink())?;
        self.size += kept + dropped;
        Ok(kept + dropped)
    }

    fn take_exactly(&mut self, reader: &mut impl BufRead, length: u64) -> io::Result<()> {
        if self.take(reader, length)? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    fn take_chunks(&mut self, reader: &mut impl BufRead) -> io::Result<()> {
        loop {
            let line = read_line(reader)?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = u64::from_str_radix(digits, 16)
                .map_err(|_| invalid("a chunk's length is no number"))?;
            self.take_exactly(reader, length)?;
            // Each chunk ends with a line break. The last one may be followed by trailers.
            while !read_line(reader)?.trim().is_empty() {}
            if length == 0 {
                return Ok(());
            }
        }
    }
}

fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    loop {
        let line = read_line(reader)?;
        if line.trim().is_empty() {
            return Ok(head);
        }
        head += &line;
        if head.len() > LONGEST_HEAD {
            return Err(invalid("the head does not end"));
        }
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    let longest = LONGEST_HEAD as u64;
    reader.by_ref().take(longest).read_line(&mut line)?;
    if line.ends_with('\n') {
        Ok(line)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> io::Result<Answer> {
        Answer::read(&mut text.as_bytes())
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        let two = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\nHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let mut reader = two.as_bytes();
        let first = Answer::read(&mut reader).unwrap();
        assert_eq!(
            (first.status, first.text(), first.size),
            (200, "ok\n".to_owned(), 3)
        );
        assert_eq!(Answer::read(&mut reader).unwrap().status, 404);
        let chunked = answer(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        );
        let chunked = chunked.unwrap();
        assert_eq!(
            (chunked.text(), chunked.size),
            ("abc0123456789".to_owned(), 13)
        );
        assert_eq!(
            answer("HTTP/1.1 200 OK\r\n\r\nto the end").unwrap().size,
            10
        );
    }

    #[test]
    fn a_large_body_is_counted_but_not_kept() {
        let large = "x".repeat(100_000);
        let answer = answer(&format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{large}"
        ));
        let answer = answer.unwrap();
        assert_eq!((answer.body.len() as u64, answer.size), (KEPT, 100_000));
    }

    #[test]
    fn half_an_answer_is_none() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        ] {
            assert_eq!(
                answer(text).err().unwrap().kind(),
                io::ErrorKind::UnexpectedEof
            );
        }
    }

    #[test]
    fn only_a_session_is_a_session() {
        let cookie = |cookie: &str| {
            let text =
                format!("HTTP/1.1 302 Found\r\nSet-Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n");
            answer(&text).unwrap().session_cookie().map(str::to_owned)
        };
        assert_eq!(
            cookie("latchkey-3000=abc; HttpOnly").as_deref(),
            Some("latchkey-3000=abc")
        );
        assert_eq!(cookie("latchkey-typed=email%3Dx; Max-Age=60"), None);
        assert_eq!(cookie("latchkey-browser-3000=x; Max-Age=60"), None);
        assert_eq!(cookie("latchkey-3000=; Max-Age=0"), None);
    }
}
