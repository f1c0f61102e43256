//! A program that calls the API with a service token. Each answer is checked against the API's own description.

use axum::{
    Router,
    body::Body,
    http::{HeaderName, Method, Request, header},
};
use latchkey::{
    access::Operator,
    key::text::PlainKey,
    service_tokens::{self, TokenScope},
};
use serde_json::Value;

use super::{
    TestApp,
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
    /// A caller who may manage everything.
    pub async fn api(&self) -> Api {
        self.api_with(TokenScope::Manage).await
    }

    /// A caller whose token has this scope.
    pub async fn api_with(&self, scope: TokenScope) -> Api {
        let operator = Operator::at_the_command_line();
        let name = "API".parse().unwrap();
        let token = service_tokens::create(&self.engine, &operator, &name, scope, None).await;
        let (router, origin) = self.server(&[]);
        Api {
            router,
            token: token.unwrap(),
            description: serde_json::to_value(latchkey_server::openapi::document(
                &origin,
                self.engine.convention(),
            ))
            .unwrap(),
        }
    }
}

impl Api {
    /// Reads something.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", &[]).await
    }

    /// Makes or does something.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &body.to_string(), &[]).await
    }

    /// Does something that takes no body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(Method::POST, path, "", &[]).await
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &body.to_string(), &[]).await
    }

    /// Deletes something.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "", &[]).await
    }

    /// Sends any request, with more headers.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(HeaderName, &str)],
    ) -> Answer {
        self.send_bytes(method, path, body.into(), headers).await
    }

    /// The same with a body that need not be text.
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
