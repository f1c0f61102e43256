//! A browser: keeps cookies and sends the headers that browsers send.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header, request::Builder},
    response::Response,
};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use url::form_urlencoded;

/// The browser of one person at one server.
pub struct Browser {
    router: Router,
    origin: String,
    cookies: Mutex<BTreeMap<String, String>>,
    address: SocketAddr,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Browser {
    /// A browser without cookies, at a server with this origin.
    pub fn new(router: Router, origin: &str) -> Self {
        Self {
            router,
            origin: origin.to_owned(),
            cookies: Mutex::default(),
            address: (Ipv4Addr::new(192, 0, 2, 1), 50_000).into(),
        }
    }

    /// The same browser at another address.
    pub fn at_address(mut self, address: [u8; 4]) -> Self {
        self.address = (Ipv4Addr::from(address), 50_000).into();
        self
    }

    /// The browser as it is now: what it sends later has the cookies of now, as if it had not received further responses.
    pub fn as_it_is(&self) -> Self {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        Self {
            router: self.router.clone(),
            origin: self.origin.clone(),
            cookies: Mutex::new(cookies.clone()),
            address: self.address,
        }
    }

    /// Adds a cookie, as another page of the site could.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.insert(name.to_owned(), value.to_owned());
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path), "").await
    }

    /// Opens a page without reading its body.
    pub async fn begin(&self, path: &str) -> Response {
        let request = self.to_own_host(self.request(Method::GET, path));
        let request = request
            .extension(ConnectInfo(self.address))
            .header(header::COOKIE, self.cookie_header());
        let request = request.body(Body::empty()).unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Submits a form of a page.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(
            self.request(Method::POST, path)
                .header(header::ACCEPT, "text/html,*/*;q=0.8"),
            &encoded(fields),
        )
        .await
    }

    /// Submits the form of a button on the page of a key of the org `northwind`.
    pub async fn change_key(&self, key: &str, change: &str) -> Answer {
        let fields = [("change", change), ("reason", "compromised")];
        let path = format!("/orgs/northwind/keys/{key}");
        self.submit(&path, &fields).await
    }

    /// Calls a server function like a page's script.
    pub async fn call(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(
            self.request(Method::POST, path)
                .header(header::ACCEPT, "application/json"),
            &encoded(fields),
        )
        .await
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.submit(
            "/sign-in",
            &[("email", email), ("password", password), ("next", "")],
        )
        .await
    }

    /// A request to the server from one of its own pages.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let request = Request::builder()
            .method(&method)
            .uri(path)
            .header("sec-fetch-site", "same-origin");
        if method == Method::GET {
            request
        } else {
            request.header(header::ORIGIN, &self.origin)
        }
    }

    /// Adds the host of the server's pages, unless the request has another.
    fn to_own_host(&self, request: Builder) -> Builder {
        let names_host = request
            .headers_ref()
            .is_some_and(|headers| headers.contains_key(header::HOST));
        if names_host {
            return request;
        }
        let (_, host) = self.origin.split_once("://").unwrap();
        request.header(header::HOST, host)
    }

    /// Sends a request with the cookies and any body, whose type the request states.
    pub async fn send_raw(&self, request: Builder, body: impl Into<Body>) -> Answer {
        let request = self
            .to_own_host(request)
            .extension(ConnectInfo(self.address))
            .header(header::COOKIE, self.cookie_header());
        answer_of(&self.router, request.body(body.into()).unwrap()).await
    }

    /// Sends a request with the cookies and a form as its body, and stores the cookies of the response.
    pub async fn send(&self, request: Builder, form: &str) -> Answer {
        let mut request = self
            .to_own_host(request)
            .extension(ConnectInfo(self.address));
        let cookies = self.cookie_header();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        if request.method_ref() == Some(&Method::POST) {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(header::CONTENT_LENGTH, form.len());
        }
        let answer = answer_of(
            &self.router,
            request.body(Body::from(form.to_owned())).unwrap(),
        )
        .await;
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for cookie in answer.set_cookies() {
            let (name, value) = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='))
                .unwrap();
            if cookie.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// The session cookie, if it exists.
    pub fn session_cookie(&self) -> Option<String> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies
            .iter()
            .find(|(name, _)| ["__Host-latchkey", "latchkey-3000"].contains(&name.as_str()))
            .map(|(_, value)| value.clone())
    }

    /// Sets a cookie, as someone else with access to the browser could.
    pub fn plant_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.insert(name.to_owned(), value.to_owned());
    }

    fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

impl Answer {
    /// The value of a header, or an empty string if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect()
    }

    /// The body without the hydration markers that Leptos inserts between texts.
    pub fn text(&self) -> String {
        self.body.replace("<!>", "").replace("<wbr>", "")
    }

    /// The body without the nonces, which differ in each response.
    pub fn without_nonces(&self) -> String {
        let mut text = self.body.clone();
        while let Some((before, after)) = text.split_once(" nonce=\"") {
            let after = after.split_once('"').map_or("", |(_, after)| after);
            text = format!("{before}{after}");
        }
        text
    }

    /// The value of a hidden field of the page's form.
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&start)
            .unwrap_or_else(|| panic!("no {name}: {}", self.body));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends a request to a server and reads the whole response, or of a stream, which has no end, only its head.
pub async fn answer_of(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let is_stream = parts.headers.get(header::CONTENT_TYPE);
    let is_stream = is_stream.is_some_and(|kind| kind == "text/event-stream");
    let body = match is_stream {
        true => Bytes::new(),
        false => body.collect().await.unwrap().to_bytes(),
    };
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}
