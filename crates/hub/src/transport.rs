//! Requests to the hub, and to where it sends them on.

use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use crate::hub::HubOptions;
use crate::name::Model;
use crate::retry::{Failure, Passing, after};
use crate::watch::Watch;
use crate::{Error, Result};

const CONNECT: Duration = Duration::from_secs(15);
const HOPS: usize = 10;
/// The list of a model with 100,000 files is smaller.
const MOST_LIST: usize = 64 << 20;

pub(crate) struct Transport {
    http: Client,
    pub endpoint: Url,
    token: Option<HeaderValue>,
    /// How long nothing may come.
    stall: Duration,
}

impl Transport {
    pub fn new(options: &HubOptions) -> Result<Self> {
        let endpoint = endpoint(&options.endpoint)?;
        // Fails if it was done before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .user_agent(concat!("hypothesaes/", env!("CARGO_PKG_VERSION")))
            // Followed here, where it is seen who may know the token.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT.min(options.stall))
            // Bytes are counted and compared as they lie at the hub.
            .no_gzip()
            .build()
            .map_err(|e| Error::Unreachable { host: host(&endpoint), why: chain(&e) })?;
        let token = options.token.as_ref().and_then(crate::Token::header);
        Ok(Self { http, endpoint, token, stall: options.stall })
    }

    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    pub fn host(&self) -> String {
        host(&self.endpoint)
    }

    /// An address of the hub, of parts that are escaped.
    pub fn address<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// What a small answer of the hub says.
    pub async fn text(
        &self,
        url: Url,
        model: &Model,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let mut reply = self.get(url, None, model, watch).await?;
        let mut body = Vec::new();
        while let Some(part) = self.part(&mut reply, watch).await? {
            if body.len() + part.len() > MOST_LIST {
                return Err(self.foreign("its answer is larger than 64 MB").into());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// Asks for a file, from byte `from` on if given; what is not success or 416 is a failure.
    pub async fn get(
        &self,
        mut url: Url,
        from: Option<u64>,
        model: &Model,
        watch: &mut Watch<'_>,
    ) -> Result<Reply, Failure> {
        for _ in 0..HOPS {
            let is_own = url.origin() == self.endpoint.origin();
            let response = self.send(&url, from, is_own, watch).await?;
            let status = response.status();
            if let Some(to) = response.headers().get(LOCATION).filter(|_| status.is_redirection()) {
                url = self.next(&url, to)?;
            } else if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE {
                return Ok(Reply { response, host: host(&url) });
            } else {
                return Err(self.refusal(&response, is_own, &host(&url), model));
            }
        }
        Err(self.foreign("it leads from one address to another without end").into())
    }

    async fn send(
        &self,
        url: &Url,
        from: Option<u64>,
        is_own: bool,
        watch: &mut Watch<'_>,
    ) -> Result<Response, Failure> {
        let mut request = self.http.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(token) = self.token.as_ref().filter(|_| is_own) {
            request = request.header(AUTHORIZATION, token.clone());
        }
        if let Some(from) = from {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        match watch.within(self.stall, request.send()).await? {
            Some(sent) => sent.map_err(|e| broken(e, &host(url))),
            None => Err(self.stalled(&host(url))),
        }
    }

    /// The next bytes of a reply.
    pub async fn part(
        &self,
        reply: &mut Reply,
        watch: &mut Watch<'_>,
    ) -> Result<Option<impl std::ops::Deref<Target = [u8]> + use<>>, Failure> {
        match watch.within(self.stall, reply.response.chunk()).await? {
            Some(part) => part.map_err(|e| broken(e, &reply.host)),
            None => Err(self.stalled(&reply.host)),
        }
    }

    fn next(&self, url: &Url, to: &HeaderValue) -> Result<Url> {
        let next = to.to_str().ok().and_then(|to| url.join(to).ok());
        let next = next.ok_or_else(|| self.foreign("it leads to no address"))?;
        match (url.scheme(), next.scheme()) {
            ("https" | "http", "https") | ("http", "http") => Ok(next),
            _ => Err(self.foreign("it leads away from https")),
        }
    }

    fn refusal(&self, response: &Response, is_own: bool, host: &str, model: &Model) -> Failure {
        let status = response.status();
        let passes = status.is_server_error()
            || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        // An address that was signed for a while may have run out; the hub gives another.
        if passes || !is_own {
            let after = after(response.headers());
            let asks = after.map(|after| format!(", to be asked again in {} s", after.as_secs()));
            let why = format!("it answers {status}{}", asks.unwrap_or_default());
            let host = host.to_owned();
            return Failure::Passing(Passing { host, why, after, unconnected: false });
        }
        Failure::Final(self.refused(status.as_u16(), response.headers(), model))
    }

    fn refused(&self, status: u16, headers: &HeaderMap, model: &Model) -> Error {
        let Model { name, revision } = model.clone();
        let (host, with_token) = (self.host(), self.has_token());
        let code = headers.get("x-error-code").and_then(|code| code.to_str().ok());
        match (status, code) {
            (_, Some("GatedRepo")) => {
                let page = self.address(name.split('/')).to_string();
                Error::Gated { model: name, page, with_token }
            }
            (_, Some("RevisionNotFound")) => {
                let hint = "without one it is that of `main`".into();
                Error::NoRevision { model: name, revision, hint }
            }
            (_, Some("EntryNotFound")) => self.foreign("a file that it listed is not there"),
            (401 | 403, None) if with_token => Error::Refused { host, model: name, status },
            // Without a token 401 is also what the hub says of names that it does not know.
            (401 | 403 | 404, _) => {
                let is_full = name.contains('/');
                let hint = if is_full { "look up its page" } else { "most are `OWNER/NAME`" };
                Error::NoModel { host, model: name, with_token, hint: hint.into() }
            }
            _ => self.foreign(&format!("it answers {status}")),
        }
    }

    pub fn foreign(&self, why: &str) -> Error {
        Error::Foreign { host: self.host(), why: why.to_owned() }
    }

    fn stalled(&self, host: &str) -> Failure {
        let why = format!("nothing came for {} seconds", self.stall.as_secs_f64());
        Failure::Passing(Passing { host: host.to_owned(), why, after: None, unconnected: false })
    }
}

/// What a server sends, and which it is.
pub(crate) struct Reply {
    response: Response,
    pub host: String,
}

impl Reply {
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Where the bytes begin in the whole, if it is a part that was sent.
    pub fn start(&self) -> Option<u64> {
        let range = self.response.headers().get(reqwest::header::CONTENT_RANGE)?.to_str().ok()?;
        range.trim().strip_prefix("bytes ")?.split('-').next()?.parse().ok()
    }
}

/// # Errors
/// [`Error::Name`] if it is no http address, or has a password in it, which would be shown.
pub(crate) fn endpoint(given: &str) -> Result<Url> {
    let refuse = |shown: &str, why| Error::Name { kind: "address", given: shown.to_owned(), why };
    let Ok(url) = Url::parse(given.trim()) else {
        return Err(refuse("HF_ENDPOINT", "it is written `https://huggingface.co`"));
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refuse("HF_ENDPOINT", "it begins with `https://` or `http://`"));
    }
    if url.password().is_some() || !url.username().is_empty() {
        return Err(refuse(&host(&url), "a name or password in it is not sent; set HF_TOKEN"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse(&host(&url), "there is to be nothing after the path"));
    }
    Ok(url)
}

/// All of an address that is shown: paths and queries of signed ones are secrets.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn broken(error: reqwest::Error, host: &str) -> Failure {
    let unconnected = error.is_connect() || error.is_builder();
    let why = chain(&error.without_url());
    Failure::Passing(Passing { host: host.to_owned(), why, after: None, unconnected })
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
