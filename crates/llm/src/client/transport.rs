//! One request over the network: status, headers, body, or why there is none.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::server::Server;
use crate::{Error, Result};

/// No reply that is waited for is larger: 2,048 vectors of 4,096 numbers in base64 are 45 MB.
const MAX_BODY: usize = 256 << 20;
/// For files of batch jobs, up or down.
const FILE_TIMEOUT: Duration = Duration::from_mins(30);

#[derive(Clone)]
pub(super) struct Transport {
    http: reqwest::Client,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is no reply.
#[derive(Debug)]
pub(super) struct Broken {
    pub why: String,
    /// The connection itself was not made: address, network, certificate.
    pub unconnected: bool,
}

impl Transport {
    pub fn new(timeout: Duration) -> Result<Self> {
        // Fails if it was done before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("hypothesaes/", env!("CARGO_PKG_VERSION")))
            // Texts go where the user sent them, not where a server points to.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(15).min(timeout))
            .timeout(timeout)
            .tcp_nodelay(true)
            .pool_idle_timeout(Duration::from_mins(1))
            .build()
            .map_err(|e| Error::Unreachable { server: "any server".into(), why: chain(&e) })?;
        Ok(Self { http })
    }

    pub async fn post(&self, server: &Server, path: &str, body: &Value) -> Result<Reply, Broken> {
        let request = self.http.post(server.url(path)).headers(headers(server));
        self.send(server, request.header(CONTENT_TYPE, "application/json").body(body.to_string()))
            .await
    }

    pub async fn get(&self, server: &Server, path: &str) -> Result<Reply, Broken> {
        let request = self.http.get(server.url(path)).headers(headers(server));
        self.send(server, request.timeout(FILE_TIMEOUT)).await
    }

    pub async fn delete(&self, server: &Server, path: &str) -> Result<Reply, Broken> {
        self.send(server, self.http.delete(server.url(path)).headers(headers(server))).await
    }

    /// Sends a file of questions for a batch job.
    pub async fn upload(&self, server: &Server, lines: &str) -> Result<Reply, Broken> {
        let file = Part::text(lines.to_owned()).file_name("questions.jsonl");
        let form = Form::new().text("purpose", "batch").part("file", file);
        let request = self.http.post(server.url("files")).headers(headers(server));
        self.send(server, request.multipart(form).timeout(FILE_TIMEOUT)).await
    }

    async fn send(
        &self,
        server: &Server,
        request: reqwest::RequestBuilder,
    ) -> Result<Reply, Broken> {
        let broken = |e: reqwest::Error| {
            let unconnected = e.is_connect() || e.is_builder();
            let why = chain(&e.without_url());
            let why = server.key().map_or_else(|| why.clone(), |key| key.redact(&why));
            Broken { why, unconnected }
        };
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(broken)? {
            if body.len() + part.len() > MAX_BODY {
                let why = "the reply is larger than 256 MB".into();
                return Err(Broken { why, unconnected: false });
            }
            body.extend_from_slice(&part);
        }
        Ok(Reply { status, headers, body })
    }
}

fn headers(server: &Server) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(key) = server.key() else { return headers };
    let (name, text) = if server.is_azure() {
        (reqwest::header::HeaderName::from_static("api-key"), key.secret().to_owned())
    } else {
        (AUTHORIZATION, format!("Bearer {}", key.secret()))
    };
    let mut value = HeaderValue::from_str(&text).expect("a key is printable ASCII");
    value.set_sensitive(true);
    headers.insert(name, value);
    headers
}

/// An error with its causes; the outermost alone seldom says what happened.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        at = cause.source();
    }
    text
}
