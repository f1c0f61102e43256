//! The test setup: an attacker in their own organization, and another organization whose key must keep working.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use super::{
    payload,
    probe::{Probe, Probes},
    process::Process,
};
use crate::{
    bench::{
        http::{FORM, JSON, Request, Site},
        without_rate_limit,
    },
    server::{self, Running, free_port},
    step::output,
    workspace::Workspace,
};

/// The password of all users.
pub const PASSWORD: &str = "marmalade on a tuesday";
/// The number of legitimate users: an account can have only ten concurrent sign-in attempts.
pub const HONEST_PEOPLE: usize = 8;

const ATTACKER: &str = "owner@attacker.example";
const ATTACKERS_ADDRESS: &str = "203.0.113.66";
const VICTIMS_ADDRESS: &str = "203.0.113.99";
const SIGNING_IN: Duration = Duration::from_secs(10);

/// The data folder and the credentials stored in it.
pub struct Scene {
    /// The probes that check whether others are still served.
    pub probes: Probes,
    program: PathBuf,
    folder: TempDir,
    convention: PathBuf,
    manage_token: String,
    /// The token of the attacker's organization.
    own_token: String,
}

/// A server with this setup, which is stopped when dropped.
pub struct Server {
    /// The address of the server.
    pub site: Site,
    /// The process, for measuring resource usage.
    pub process: Process,
    /// Checks that a member of another organization can open its keys.
    pub page: Probe,
    _running: Running,
}

/// The attacker, with a session and a token.
pub struct Attacker {
    /// The server's address.
    pub site: Site,
    cookie: String,
    manage_token: String,
    own_token: String,
}

impl Scene {
    /// Creates the setup with the program's own commands.
    pub fn make(workspace: &Workspace, program: PathBuf) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("latchkey-abuse-")
            .tempdir()?;
        let convention = folder.path().join("convention.toml");
        // The probe sends more requests than the rate limit of a key allows.
        fs::write(&convention, without_rate_limit(workspace)?)?;
        let say = |arguments: &str| {
            let mut command = latchkey(&program, folder.path(), &convention, free_port()?);
            output(command.args(arguments.split(' ')))
        };
        let add_person = |email: &str, org: &str| {
            let mut command = latchkey(&program, folder.path(), &convention, free_port()?);
            let flags = format!("user create --email {email} --org {org} --role owner");
            command.args(flags.split(' ')).arg("--password-stdin");
            run_with_input(&mut command, PASSWORD)
        };

        say("migrate")?;
        say("org create --name Attacker --slug attacker")?;
        say("org create --name Victim --slug victim")?;
        add_person(ATTACKER, "attacker")?;
        for number in 0..HONEST_PEOPLE {
            add_person(&honest_person(number), "victim")?;
        }
        let verify_token = say("token create --name Probe --scope verify")?;
        let manage_token = say("token create --name Attacker --scope manage")?;
        let own_token = say("token create --name Own --scope manage --org attacker")?;
        let key = say("key create --org victim --name Warm --kind secret")?;
        Ok(Self {
            probes: probes(&verify_token, &key),
            program,
            folder,
            convention,
            manage_token,
            own_token,
        })
    }

    /// Starts a server with this limit of open files and waits until the probes succeed. The key is then cached.
    pub fn start(&self, files: Option<u32>) -> Result<Server> {
        let site = Site { port: free_port()? };
        let mut command = match files {
            None => self.latchkey(&self.program, site.port),
            Some(files) => {
                let mut command = self.latchkey(Path::new("sh"), site.port);
                let script = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
                command.arg("-c").arg(script).arg(&self.program);
                command
            }
        };
        command.arg("serve");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Running::start(&mut command)?;
        running.wait_for_port(site.port)?;
        self.probes.check(site)?;
        let cookie = session(site, &honest_person(0), VICTIMS_ADDRESS)?;
        let page = Request::get("/orgs/victim/keys")
            .with("Accept", "text/html,*/*;q=0.8")
            .with("Cookie", &cookie)
            .with("X-Forwarded-For", VICTIMS_ADDRESS);
        Ok(Server {
            site,
            process: Process::of(running.id())?,
            page: Probe::of_page(page, "Warm"),
            _running: running,
        })
    }

    /// Signs the attacker in.
    pub fn attacker(&self, site: Site) -> Result<Attacker> {
        Ok(Attacker {
            site,
            cookie: session(site, ATTACKER, ATTACKERS_ADDRESS)?,
            manage_token: self.manage_token.clone(),
            own_token: self.own_token.clone(),
        })
    }

    fn latchkey(&self, program: &Path, port: u16) -> Command {
        latchkey(program, self.folder.path(), &self.convention, port)
    }
}

impl Attacker {
    /// A form that the attacker submits on a page.
    pub fn by_page(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Request {
        from_page(self.site, Request::post(path, content_type, body), path)
            .with("Accept", "text/html,*/*;q=0.8")
            .with("Cookie", &self.cookie)
            .with("X-Forwarded-For", ATTACKERS_ADDRESS)
    }

    /// A JSON body that the attacker sends to the API.
    pub fn by_program(&self, path: &str, body: impl Into<Vec<u8>>) -> Request {
        self.as_program(Request::post(path, JSON, body))
    }

    /// An API request of the attacker.
    pub fn as_program(&self, request: Request) -> Request {
        request.with("Authorization", &format!("Bearer {}", self.manage_token))
    }

    /// An API request with the token of the attacker's organization.
    pub fn as_own_program(&self, request: Request) -> Request {
        request.with("Authorization", &format!("Bearer {}", self.own_token))
    }

    /// A page that the attacker opens.
    pub fn of_page(&self, path: &str) -> Request {
        Request::get(path)
            .with("Accept", "text/html,*/*;q=0.8")
            .with("Cookie", &self.cookie)
            .with("X-Forwarded-For", ATTACKERS_ADDRESS)
    }
}

/// Signs a user in. Returns the session's cookie.
fn session(site: Site, email: &str, from: &str) -> Result<String> {
    let request = sign_in(site, email, from).with("Accept", "text/html,*/*;q=0.8");
    let answer = site.ask(&request, SIGNING_IN)?;
    let cookie = answer
        .session_cookie()
        .with_context(|| format!("{email} was not signed in: {}", answer.status))?;
    Ok(cookie.to_owned())
}

/// The e-mail address of a legitimate user.
pub fn honest_person(number: usize) -> String {
    format!("honest{}@victim.example", number % HONEST_PEOPLE)
}

/// A sign-in with the common password, without an `Accept` header.
pub fn sign_in(site: Site, email: &str, from: &str) -> Request {
    let fields = [("email", email), ("password", PASSWORD), ("next", "")];
    public_form(site, "sign-in", &fields, from)
}

/// A form that needs no session; `from` is the client's address.
pub fn public_form(site: Site, name: &str, fields: &[(&str, &str)], from: &str) -> Request {
    let request = Request::post(&format!("/{name}"), FORM, payload::form(fields));
    from_page(site, request, &format!("/{name}")).with("X-Forwarded-For", from)
}

/// Adds the headers that browsers send for a form on `page`.
fn from_page(site: Site, request: Request, page: &str) -> Request {
    let origin = site.origin();
    request
        .with("Origin", &origin)
        .with("Referer", &format!("{origin}{page}"))
}

/// The program with the settings of this setup.
fn latchkey(program: &Path, data: &Path, convention: &Path, port: u16) -> Command {
    let mut command = server::command(program, data, port);
    command
        // A developer's own database must not be attacked.
        .env_remove("LATCHKEY_DATABASE_URL")
        .env("LATCHKEY_PUBLIC_URL", Site { port }.origin())
        .env("LATCHKEY_CONVENTION", convention)
        .env("LATCHKEY_SIGN_UP", "open")
        // The stored data exceeds the default limits of an organization.
        .env("LATCHKEY_DOMAINS_PER_ORG", "1000000")
        // With a trusted proxy, `X-Forwarded-For` sets the client's address.
        .env("LATCHKEY_TRUSTED_PROXIES", "127.0.0.1");
    command
}

fn probes(verify_token: &str, key: &str) -> Probes {
    let verify = Request::post("/v1/verify", JSON, format!("{{\"key\":\"{key}\"}}"))
        .with("Authorization", &format!("Bearer {verify_token}"));
    Probes {
        healthz: Probe::new(Request::get("/healthz"), "ok"),
        verify: Probe::new(verify, "\"valid\":true"),
    }
}

/// Runs a program with this standard input. Its output is shown only if it fails.
fn run_with_input(command: &mut Command, input: &str) -> Result<()> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let Some(mut stdin) = child.stdin.take() else {
        bail!("the program has no standard input");
    };
    // A program that rejects its arguments exits without reading its input and reports why.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(
        output.status.success(),
        "the program ended with {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
