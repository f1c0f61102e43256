//! A mail server on loopback that keeps what it receives. It speaks as much SMTP as our client uses.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// A mail server.
pub struct SmtpServer {
    /// Such as `smtp://127.0.0.1:41234`.
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    mails: Vec<Mail>,
    /// The responses to the next recipients. Without one, they are accepted.
    responses: VecDeque<&'static str>,
    tried: usize,
    /// Whether it turns clients away before they can say anything.
    is_closed: bool,
    credentials: Vec<String>,
}

/// A mail that the server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: String,
    /// The headers and parts, decoded.
    pub text: String,
}

impl Mail {
    /// The path of the link to a page below this one.
    pub fn link(&self, page: &str) -> String {
        let start = format!("http://localhost:3000/{page}/");
        let (_, rest) = self
            .text
            .split_once(&start)
            .unwrap_or_else(|| panic!("no {page}: {}", self.text));
        let token: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        format!("/{page}/{token}")
    }

    pub fn subject(&self) -> &str {
        let mut lines = self.text.lines();
        lines
            .find_map(|line| line.strip_prefix("Subject: "))
            .unwrap()
    }
}

impl SmtpServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let inner: Arc<Mutex<Inner>> = Arc::default();
        let receiving = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inner = Arc::clone(&receiving);
                tokio::spawn(async move {
                    // A client that ends the conversation early has nothing more to say.
                    let _ = converse(stream, &inner).await;
                });
            }
        });
        Self { url, inner }
    }

    /// Responds like this to the next recipients.
    pub fn respond(&self, responses: &[&'static str]) {
        lock(&self.inner).responses.extend(responses);
    }

    /// From now on, turns clients away, or no longer.
    pub fn greets(&self, greets: bool) {
        lock(&self.inner).is_closed = !greets;
    }

    /// How many recipients were named.
    pub fn tried(&self) -> usize {
        lock(&self.inner).tried
    }

    /// What clients sent to sign in, in Base64.
    pub fn credentials(&self) -> Vec<String> {
        lock(&self.inner).credentials.clone()
    }

    /// All mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        lock(&self.inner).mails.clone()
    }

    /// Waits for the next mail to an address, and takes it out.
    pub async fn mail_to(&self, address: &str) -> Mail {
        let found = async {
            loop {
                {
                    let mut inner = lock(&self.inner);
                    if let Some(at) = inner.mails.iter().position(|mail| mail.to == address) {
                        return inner.mails.remove(at);
                    }
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), found)
            .await
            .unwrap_or_else(|_| panic!("no mail to {address}: {:?}", self.mails()))
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse(stream: TcpStream, inner: &Mutex<Inner>) -> std::io::Result<()> {
    let mut stream = BufStream::new(stream);
    if lock(inner).is_closed {
        return say(&mut stream, "421 closed").await;
    }
    say(&mut stream, "220 test").await?;
    let (mut from, mut to) = (String::new(), String::new());
    loop {
        let line = read(&mut stream).await?;
        let word = line
            .split([' ', ':'])
            .next()
            .unwrap_or_default()
            .to_uppercase();
        let answer = match word.as_str() {
            "" => return Ok(()),
            "EHLO" => "250-test\r\n250 AUTH PLAIN",
            "AUTH" => {
                lock(inner).credentials.push(line);
                "235 welcome"
            }
            "MAIL" => {
                from = address_in(&line);
                "250 ok"
            }
            "RCPT" => {
                to = address_in(&line);
                let mut inner = lock(inner);
                inner.tried += 1;
                inner.responses.pop_front().unwrap_or("250 ok")
            }
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                let mut text = String::new();
                loop {
                    let line = read(&mut stream).await?;
                    match line.as_str() {
                        "." => break,
                        line => text += &format!("{}\n", line.strip_prefix('.').unwrap_or(line)),
                    }
                }
                let (from, to, text) = (from.clone(), to.clone(), decoded(&text));
                lock(inner).mails.push(Mail { from, to, text });
                "250 queued"
            }
            "QUIT" => {
                return say(&mut stream, "221 bye").await;
            }
            _ => "250 ok",
        };
        say(&mut stream, answer).await?;
    }
}

/// Decodes quoted-printable, in which long lines are cut and other characters than ASCII are `=E2`.
fn decoded(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'=' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn address_in(line: &str) -> String {
    let (_, rest) = line.split_once('<').unwrap_or_default();
    rest.split('>').next().unwrap_or_default().to_owned()
}

async fn read(stream: &mut BufStream<TcpStream>) -> std::io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

async fn say(stream: &mut BufStream<TcpStream>, line: &str) -> std::io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}
