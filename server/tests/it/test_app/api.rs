//! A program that calls the API with a service token. Each response is checked against the OpenAPI document.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderName, Method, Request, header},
};
use latchkey::{Engine, key::text::PlainKey, service_tokens::TokenScope};
use serde_json::Value;

use super::{
    TestApp, TestOrg,
    browser::{Answer, answer_of},
    schema,
};

/// A caller with a service token.
pub struct Api {
    router: Router,
    token: PlainKey,
    description: Value,
}

impl TestApp {
    /// A caller with the scope `manage`.
    pub async fn api(&self) -> Api {
        self.api_with(TokenScope::Manage).await
    }

    /// The API client of another engine's server.
    pub async fn api_on(&self, engine: &Arc<Engine>) -> Api {
        let router = self.server_on(engine);
        Api {
            router,
            ..self.api().await
        }
    }

    /// A client whose token is for the whole instance and has this scope.
    pub async fn api_with(&self, scope: TokenScope) -> Api {
        self.api_of(None, scope).await
    }

    /// A client whose token has this scope, for one organization or the whole instance.
    pub async fn api_of(&self, org: Option<&TestOrg>, scope: TokenScope) -> Api {
        let token = self.token(org, scope).await;
        let (router, origin) = self.server(&[]);
        Api {
            router,
            token,
            description: serde_json::to_value(latchkey_server::openapi::document(
                &origin,
                self.engine.convention(),
            ))
            .unwrap(),
        }
    }
}

impl Api {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", &[]).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &body.to_string(), &[]).await
    }

    /// Sends a POST request without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(Method::POST, path, "", &[]).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &body.to_string(), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "", &[]).await
    }

    /// Sends any request, with additional headers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(HeaderName, &str)],
    ) -> Answer {
        self.send_bytes(method, path, body.into(), headers).await
    }

    /// Sends a body that can be any bytes.
    pub async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &[(HeaderName, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(&method).uri(path).header(
            header::AUTHORIZATION,
            format!("Bearer {}", self.token.expose()),
        );
        // Paths outside the API are pages, which must name their host.
        request = request.header(header::HOST, "localhost:3000");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer = answer_of(&self.router, request).await;
        schema::check_answer(&self.description, &method, path, &answer);
        answer
    }
}
