//! The whole server on the engine of a test.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use latchkey::{
    Engine,
    access::Operator,
    key::text::PlainKey,
    role::Role,
    service_tokens::{self, NewToken, TokenScope},
};
use latchkey_server::{
    AppState,
    settings::{Layers, Settings},
};

use super::{
    TestApp, TestOrg,
    browser::{Answer, Browser, answer_of},
    org::PASSWORD,
};

impl TestApp {
    /// The server with these settings on top of the defaults. Its origin is `http://localhost:3000` unless the settings
    /// change it.
    pub fn server(&self, settings: &[(&str, &str)]) -> (Router, String) {
        let state = self.state(settings);
        let origin = state.public_url.origin().to_owned();
        (latchkey_server::router(state), origin)
    }

    /// The server with the default settings. There is one for a test, because it takes longer to build than to respond.
    pub fn router(&self) -> Router {
        self.served.get_or_init(|| self.server(&[]).0).clone()
    }

    /// The state of such a server.
    pub fn state(&self, settings: &[(&str, &str)]) -> AppState {
        let layers = Layers::defaults()
            .with_pairs("the test", settings.iter().copied())
            .unwrap();
        let settings = Arc::new(Settings::from_layers(&layers).unwrap());
        AppState::new(Arc::clone(&self.engine), settings, 3000)
    }

    /// A browser at the server, signed out.
    pub fn browser(&self) -> Browser {
        Browser::new(self.router(), "http://localhost:3000")
    }

    /// A browser at the server of another engine.
    pub fn browser_on(&self, engine: &Arc<Engine>) -> Browser {
        Browser::new(self.server_on(engine), "http://localhost:3000")
    }

    /// A server of another engine.
    pub fn server_on(&self, engine: &Arc<Engine>) -> Router {
        let AppState { settings, .. } = self.state(&[]);
        latchkey_server::router(AppState::new(Arc::clone(engine), settings, 3000))
    }

    /// A browser at a server with these settings.
    pub fn browser_with(&self, settings: &[(&str, &str)]) -> Browser {
        let (router, origin) = self.server(settings);
        Browser::new(router, &origin)
    }

    /// Creates a user in an org and returns their browser, signed in.
    pub async fn signed_in(&self, org: &TestOrg, name: &str, role: Role) -> Browser {
        org.person(name, role).await;
        let browser = self.browser();
        let answer = browser
            .sign_in(&format!("{name}@{}.example", org.org.slug), PASSWORD)
            .await;
        assert_eq!(answer.status, 303, "{answer:?}");
        assert!(browser.session_cookie().is_some(), "{answer:?}");
        browser
    }

    /// Creates a service token for the whole instance with the scope `verify`.
    pub async fn service_token(&self) -> PlainKey {
        self.token(None, TokenScope::Verify).await
    }

    /// Creates a service token, of an organization or for the whole instance.
    pub async fn token(&self, org: Option<&TestOrg>, scope: TokenScope) -> PlainKey {
        let new = NewToken {
            name: "API".parse().unwrap(),
            scope,
            expires_at: None,
            creation_token: None,
        };
        let created = match org {
            Some(org) => service_tokens::create_for_org(&self.engine, &org.permit(), new)
                .await
                .unwrap(),
            None => {
                let operator = Operator::at_the_command_line();
                service_tokens::create_for_instance(&self.engine, &operator, new)
                    .await
                    .unwrap()
            }
        };
        created.plain
    }

    /// Posts to `/v1/verify` with an optional token and a body.
    pub async fn post_verify(&self, token: Option<&PlainKey>, body: &str) -> Answer {
        let mut request = Request::builder().method(Method::POST).uri("/v1/verify");
        request = request.header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        answer_of(
            &self.router(),
            request.body(Body::from(body.to_owned())).unwrap(),
        )
        .await
    }

    /// Sends the preflight of a browser for a page of `origin`.
    pub async fn preflight(&self, path: &str, origin: &str) -> Answer {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri(path)
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
        answer_of(&self.router(), request.body(Body::empty()).unwrap()).await
    }
}
