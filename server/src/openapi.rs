//! The OpenAPI 3.1 document, generated from the handlers and the types that they read and write.

pub mod words;

use axum::http::Method;
use latchkey::{convention::Convention, keys::import::MAX_ENTRIES, rate_limit::Cost};
use utoipa::{
    OpenApi,
    openapi::{
        Content, HeaderBuilder, Object, ObjectBuilder, OneOfBuilder, Ref, RefOr, Response,
        ResponseBuilder, Schema, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
        server::Server,
    },
};

use crate::{api, problem};

/// The parts of the document that describe the API as a whole. The operations come from [`api`].
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey",
        description = "Verify API keys, and manage organizations, keys, agents and projects. Authenticate every request with a service token: \
            `Authorization: Bearer TOKEN`. `/v1/verify` accepts tokens with any scope; all other operations require the \
            scope `manage`. Errors are problem details (RFC 9457) with a `code`. Times are RFC 3339 in UTC with three digits of a second. Lists are \
            paginated: a page has up to `limit` items and at most about 1 MB. To get the next page, send `next_cursor` as \
            `cursor`, until it is null. `{org}` is the slug or ID of an organization."
    ),
    components(schemas(problem::Document, words::KeySort, words::AgentSort, words::SortOrder, words::AuditEventFilter,
        words::FindingCursor, words::NumberOfDays, words::UsageCredential)),
    tags(
        (name = "Verification", description = "Verify a key on every request to your API."),
        (name = "Organizations", description = "Your customers' teams."),
        (name = "Keys", description = "The keys of an organization. The plaintext key is returned only when you create or rotate it."),
        (name = "Reviews", description = "What was found and decided when keys were reviewed."),
        (name = "Agents", description = "The bots, assistants and apps that use keys."),
        (name = "Projects", description = "Groups of keys and agents. Every organization has the project `Default`."),
        (name = "Members", description = "The people of an organization, and invitations. Only tokens for the whole instance manage them."),
        (name = "Service tokens", description = "Tokens of one organization, for its API servers and scripts. Only tokens for the whole instance manage them."),
        (name = "Usage", description = "The number of requests by result."),
        (name = "Instances", description = "The running instances."),
        (name = "Audit log", description = "Who did what in an organization, when and from where."),
    )
)]
struct Description;

/// Adds the service token, and the parts that every operation has.
fn add_common_parts(openapi: &mut utoipa::openapi::OpenApi) {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A service token, created with `latchkey token create`.",
        ));
    let components = openapi.components.get_or_insert_default();
    components.security_schemes.insert(
        "service_token".to_owned(),
        SecurityScheme::Http(token.build()).into(),
    );
    for (path, item) in &mut openapi.paths.paths {
        for (method, operation) in api::by_method(item) {
            complete(&method, path, operation);
        }
    }
}

/// Adds the parameters and errors that an operation has because of its method, path and body.
fn complete(method: &Method, path: &str, operation: &mut Operation) {
    let token = SecurityRequirement::new::<_, [&str; 0], &str>("service_token", []);
    operation.security = Some(vec![token]);
    let in_path = [
        ("org", "The slug or ID of the organization"),
        ("id", "The ID of the key"),
        ("public_id", "The public ID of the agent"),
        ("project_id", "The ID of the project"),
        ("token_id", "The ID of the service token"),
        ("user_id", "The ID of the member"),
        ("invitation_id", "The ID of the invitation"),
    ];
    for (name, description) in in_path.into_iter().rev() {
        if path.contains(&format!("{{{name}}}")) {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(utoipa::openapi::Required::True)
                .description(Some(description))
                .schema(Some(Object::with_type(Type::String)));
            operation
                .parameters
                .get_or_insert_default()
                .insert(0, parameter.build().into());
        }
    }
    if operation.responses.responses.contains_key("201") {
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "1 to 255 visible ASCII characters of your choice. If you repeat a request with the same key within 24 \
                 hours, the response contains the existing object and the header `Idempotent-Replayed: true`, or is 410 if the \
                 object no longer exists. A different request with the same key is rejected",
            ))
            .schema(Some(key_schema()));
        let parameters = operation.parameters.get_or_insert_default();
        parameters.push(parameter.build().into());
    }
    let names_one = ["{id}", "{public_id}", "{project_id}"]
        .iter()
        .any(|name| path.contains(name));
    // A review says something about a key, and changes nothing of it.
    let is_conditional = names_one && method != Method::GET && !path.ends_with("/reviews");
    if is_conditional {
        let parameters = operation.parameters.get_or_insert_default();
        parameters.push(precondition().into());
    }
    let has_body = operation.request_body.is_some();
    let creates_deletable = ["/agents", "/projects", "/invitations"]
        .iter()
        .any(|list| path.ends_with(list))
        && method == Method::POST;
    // Every operation rejects unknown parameters as an invalid request.
    let mut errors = vec![
        ("400", "INVALID_REQUEST"),
        ("401", "INVALID_SERVICE_TOKEN"),
        ("503", "UNAVAILABLE"),
    ];
    if path != "/v1/verify" {
        errors.push(("403", "INSUFFICIENT_TOKEN_SCOPE, INSTANCE_TOKEN_REQUIRED"));
    }
    if path.contains('{') {
        errors.push(("404", "NOT_FOUND"));
    }
    if creates_deletable {
        errors.push(("410", "OBJECT_GONE"));
    }
    if is_conditional {
        errors.push(("412", "CHANGED_MEANWHILE"));
    }
    if has_body {
        errors.push(("413", "BODY_TOO_LARGE"));
        errors.push(("415", "UNSUPPORTED_MEDIA_TYPE"));
    }
    if has_body && path != "/v1/verify" {
        let of_body = match operation.responses.responses.contains_key("201") {
            true => "INVALID_FIELD, IDEMPOTENCY_KEY_REUSED",
            false => "INVALID_FIELD",
        };
        errors.push(("422", of_body));
    }
    let responses = &mut operation.responses.responses;
    for (status, code) in errors {
        let response = ResponseBuilder::new().description(code).build();
        responses.insert(status.to_owned(), response.into());
    }
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            name_entity_tag(response);
        }
    }
    for (status, response) in responses
        .iter_mut()
        .filter(|(status, _)| status.as_str() >= "400")
    {
        if let utoipa::openapi::RefOr::T(response) = response {
            describe_problem(response);
        }
        debug_assert!(status.len() == 3, "{status}");
    }
}

/// The header that states which version of the object a change is meant for.
fn precondition() -> Parameter {
    let header = ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .description(Some(
            "One or more ETags, or `*`. If the object has none of them any more, because someone else changed it, the \
             request is rejected with 412. Weak ETags never match",
        ))
        .schema(Some(tags_schema()));
    header.build()
}

/// Adds the `ETag` header to a response that is a key or an agent.
fn name_entity_tag(response: &mut Response) {
    let tagged = ["Key", "Agent"].map(|schema| RefOr::Ref(Ref::from_schema_name(schema)));
    let Some(RefOr::T(content)) = response.content.get("application/json") else {
        return;
    };
    if content
        .schema
        .as_ref()
        .is_some_and(|schema| tagged.contains(schema))
    {
        let header = HeaderBuilder::new()
            .schema(Some(Object::with_type(Type::String)))
            .description(Some(
                "The state of the object, for `If-Match`. It changes with each change, not with use",
            ));
        response
            .headers
            .insert("ETag".to_owned(), header.build().into());
    }
}

fn describe_problem(response: &mut Response) {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    response
        .content
        .insert("application/problem+json".to_owned(), problem.into());
}

/// The schema of `*` or a list of at least one tag.
fn tags_schema() -> Schema {
    const TAG: &str = r#"(W/)?"[!#-~]*""#;
    let text = |object: ObjectBuilder| object.schema_type(Type::String);
    let any = text(ObjectBuilder::new()).enum_values(Some(["*"]));
    let list = format!(r"^[, \t]*{TAG}([ \t]*,[, \t]*{TAG})*[, \t]*$");
    let list = text(ObjectBuilder::new()).pattern(Some(list));
    Schema::OneOf(OneOfBuilder::new().item(any).item(list).build())
}

fn key_schema() -> Object {
    let mut object = Object::with_type(Type::String);
    object.pattern = Some("^[!-~]{1,255}$".to_owned());
    object
}

/// The document of an instance at this URL, with the scopes and endpoint classes of its convention.
pub fn document(public_url: &str, convention: &Convention) -> utoipa::openapi::OpenApi {
    let mut openapi = Description::openapi();
    openapi.merge(api::router().into_openapi());
    add_common_parts(&mut openapi);
    openapi.servers = Some(vec![Server::new(public_url)]);
    let scopes = convention.scopes.iter();
    let scopes = scopes.map(|scope| (scope.name.as_str(), scope.description.clone()));
    list_words(&mut openapi, "OfferedScope", scopes.collect());
    let classes = convention.classes.iter();
    let classes = classes.map(|(class, limit)| (class.as_str(), format!("{limit} a minute")));
    list_words(&mut openapi, "EndpointClass", classes.collect());
    limit_cost(&mut openapi, convention);
    limit_import(&mut openapi);
    openapi
}

/// Documents the maximum cost of a verification, since a cost above the limit of its class could never be allowed.
fn limit_cost(openapi: &mut utoipa::openapi::OpenApi, convention: &Convention) {
    let most = convention.classes.values().map(|limit| limit.get()).max();
    let schemas = openapi.components.as_mut().map(|all| &mut all.schemas);
    let body = schemas.and_then(|all| all.get_mut("VerificationRequest"));
    let Some(RefOr::T(Schema::Object(body))) = body else {
        return;
    };
    if let (Some(RefOr::T(Schema::Object(cost))), Some(most)) =
        (body.properties.get_mut("cost"), most)
    {
        cost.maximum = Some(most.min(Cost::MAX).into());
    }
}

/// Documents the maximum number of keys in an import.
fn limit_import(openapi: &mut utoipa::openapi::OpenApi) {
    let path = openapi.paths.paths.get_mut("/v1/orgs/{org}/keys/import");
    let body = path.and_then(|path| path.post.as_mut()?.request_body.as_mut());
    let Some(RefOr::T(body)) = body else {
        return;
    };
    let content = body.content.get_mut("application/json");
    let Some(RefOr::T(content)) = content else {
        return;
    };
    if let Some(RefOr::T(Schema::Array(keys))) = &mut content.schema {
        keys.min_items = Some(1);
        keys.max_items = Some(MAX_ENTRIES);
    }
}

/// Restricts a schema to these words, each with its meaning. Without words, the schema remains a string.
fn list_words(openapi: &mut utoipa::openapi::OpenApi, schema: &str, words: Vec<(&str, String)>) {
    let schemas = openapi.components.as_mut().map(|all| &mut all.schemas);
    let Some(RefOr::T(Schema::Object(object))) = schemas.and_then(|all| all.get_mut(schema)) else {
        return;
    };
    let described = object.description.take().unwrap_or_default();
    if words.is_empty() {
        object.description = Some(format!("{described} This instance has none."));
        return;
    }
    let meanings: Vec<String> = words
        .iter()
        .map(|(word, meaning)| format!("`{word}` ({meaning})"))
        .collect();
    object.description = Some(format!("{described} Here: {}.", meanings.join(", ")));
    let words = words.into_iter().map(|(word, _)| word.into());
    object.enum_values = Some(words.collect());
}
