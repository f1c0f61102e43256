//! Runs the program in its own folder.

use std::{
    fmt::Write as _,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

/// Creates the organization that commands use.
pub const CREATE_ORG: [&str; 6] = [
    "org",
    "create",
    "--name",
    "Northwind",
    "--slug",
    "northwind",
];
/// Creates a service token.
pub const CREATE_TOKEN: [&str; 6] = ["token", "create", "--name", "API", "--scope", "verify"];
/// Creates a key.
pub const CREATE_KEY: [&str; 8] = [
    "key",
    "create",
    "--org",
    "northwind",
    "--name",
    "Production",
    "--kind",
    "secret",
];

/// A folder in which the program runs, with an environment that contains no settings.
pub struct Folder(TempDir);

/// A server process, which is killed when this is dropped.
pub struct Server {
    child: Child,
    /// `127.0.0.1:PORT`
    pub address: String,
}

impl Folder {
    /// An empty folder.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder whose database has the organization of [`CREATE_ORG`].
    pub fn with_org() -> Self {
        let folder = Self::new();
        assert_eq!(folder.line(&CREATE_ORG, ""), "northwind");
        folder
    }

    /// Creates the organization, a service token and a key, and returns the last two.
    pub fn token_and_key(&self) -> (String, String) {
        self.line(&CREATE_ORG, "");
        (self.line(&CREATE_TOKEN, ""), self.line(&CREATE_KEY, ""))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The command for the program with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.args(arguments).current_dir(self.path()).env_clear();
        command
    }

    /// Runs the program with this standard input until it ends.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that rejects its arguments ends without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs the program, which must succeed, and returns the only line of its standard output.
    pub fn line(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        assert!(
            !line.contains('\n') && line.trim() == line,
            "a single line: {text:?}"
        );
        line.to_owned()
    }

    /// Starts a server on a free port and waits until it listens.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_with_log(arguments, Stdio::null())
    }

    /// Like [`Self::serve`], with the log in a file.
    pub fn serve_with_log(&self, arguments: &[&str], log: impl Into<Stdio>) -> Server {
        let mut command =
            self.command(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        command.stderr(log);
        Server::start(command)
    }
}

impl Server {
    /// Runs a command that serves on a free port, and waits until it listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let address = lines
            .find_map(|line| {
                line.unwrap()
                    .strip_prefix("Latchkey is listening on http://")
                    .map(str::to_owned)
            })
            .expect("the server prints its address");
        Self { child, address }
    }

    /// Sends a request on a new connection and returns the status line, headers and body.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        self.try_send(method, path, headers, body).unwrap()
    }

    /// Like [`Self::send`], to a server that can end meanwhile.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> io::Result<String> {
        let mut connection = TcpStream::connect(&self.address)?;
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        connection.write_all(request.as_bytes())?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Verifies a key.
    pub fn verify(&self, token: &str, key: &str) -> String {
        let headers = [
            ("Authorization", &*format!("Bearer {token}")),
            ("Content-Type", "application/json"),
        ];
        self.send(
            "POST",
            "/v1/verify",
            &headers,
            &format!("{{\"key\":\"{key}\"}}"),
        )
    }

    /// Sends a signal and waits for the end. Returns the exit code if the process exited by itself.
    pub fn end(mut self, signal: &str) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has already ended if the test succeeded.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The output of a program as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
