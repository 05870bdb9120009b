//! Metrics, probes and the status page, on a listener and a thread of their own: a slow reader or a flood of requests
//! costs the stream nothing, and the service loop needs no runtime.
//!
//! Everything a client can make large or slow has a bound: connections, header, body, time to send and to take.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State as Extract};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::header::{X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{Html, IntoResponse, Json, Redirect, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::health::Health;
use super::page::render;
use super::report::Report;
use super::stalled::Stalled;
use super::status::Status;
use crate::config::Http;
use crate::metrics::{self, Metrics};

/// Most headers of a request.
const MAX_HEADERS: usize = 64;
/// The least buffer the protocol's implementation takes, bytes.
const LEAST_BUFFER: usize = 8192;
/// Time for open requests to end when the service stops.
const GRACE: Duration = Duration::from_secs(1);
/// Pause after a connection could not be accepted: mostly no file is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What there is, for those who ask for something else.
const PLACES: &str = "/status, /status.json, /metrics, /livez, /readyz";

/// What the pages are about.
#[derive(Debug, Clone)]
pub struct Shared {
    /// What Prometheus is told.
    pub metrics: Arc<Metrics>,
    /// Whether the service is ready.
    pub health: Arc<Health>,
    /// What people are shown.
    pub status: Arc<Status>,
}

/// A running listener; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Binds the address and begins to answer.
    ///
    /// # Errors
    /// When the address cannot be bound, or the thread not be started.
    pub fn start(http: &Http, shared: Shared) -> io::Result<Server> {
        let listener = TcpListener::bind(http.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (stop, stopped) = watch::channel(false);
        let (limits, router) = (http.clone(), router(shared, http.max_body));
        let run = move || {
            runtime.block_on(async {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => accept(listener, router, limits, stopped).await,
                    Err(error) => tracing::error!(%error, "the HTTP listener cannot be used"),
                }
            });
        };
        let thread = Builder::new().name("http".to_string()).spawn(run)?;
        Ok(Server { address, stop, thread: Some(thread) })
    }

    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets open requests end (for a second at most), and returns.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the HTTP thread ended in a panic");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Takes connections until told to stop.
async fn accept(listener: tokio::net::TcpListener, router: Router, limits: Http, mut stopped: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let limits = Arc::new(limits);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Beyond the limit a connection is closed at once: waiting would only move the queue.
                    if let Ok(permit) = permits.clone().try_acquire_owned() {
                        connections.spawn(serve(stream, router.clone(), limits.clone(), permit, stopped.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            _ = connections.join_next(), if !connections.is_empty() => {}
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    // Those that are not done by then are dropped with the set.
    let _ = timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

/// Answers the requests of one connection.
async fn serve(
    stream: TcpStream,
    router: Router,
    limits: Arc<Http>,
    _permit: OwnedSemaphorePermit,
    mut stopped: watch::Receiver<bool>,
) {
    let stream = TokioIo::new(Stalled::new(stream, limits.request_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_header_size(limits.max_header)
        .max_headers(MAX_HEADERS)
        .max_buf_size(limits.max_header.max(LEAST_BUFFER))
        .serve_connection(stream, TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    // A client's faults end its connection and are nobody else's business.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => {}
    }
    // The request at hand ends, and no other is taken.
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// All pages.
fn router(shared: Shared, max_body: usize) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/status") }))
        .route("/metrics", get(metrics))
        .route("/livez", get(|| async { "live\n" }))
        .route("/readyz", get(ready))
        .route("/status", get(status))
        .route("/status.json", get(status_json))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn(move |request: Request, next: Next| refuse_large(max_body, request, next)))
        .layer(map_response(guard))
        .with_state(shared)
}

async fn metrics(Extract(shared): Extract<Shared>) -> Response {
    shared.metrics.set_ready(shared.health.state().is_ready());
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], shared.metrics.render()).into_response()
}

/// 200 while decisions are made; else 503 and why not.
async fn ready(Extract(shared): Extract<Shared>) -> Response {
    let state = shared.health.state();
    if state.is_ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {state}\n")).into_response()
    }
}

fn report(shared: &Shared) -> Report {
    shared.status.report(&shared.health.state())
}

async fn status(Extract(shared): Extract<Shared>, headers: HeaderMap) -> Response {
    if prefers_json(&headers) {
        Json(report(&shared)).into_response()
    } else {
        Html(render(&report(&shared))).into_response()
    }
}

async fn status_json(Extract(shared): Extract<Shared>) -> Response {
    Json(report(&shared)).into_response()
}

/// Whether JSON is named before HTML, as programs do; browsers name HTML first.
fn prefers_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let place = |media: &str| accept.find(media);
    place("application/json").is_some_and(|json| place("text/html").is_none_or(|html| json < html))
}

async fn not_found(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, format!("there is nothing at {}; there are {PLACES}\n", uri.path())).into_response()
}

async fn not_allowed(method: Method) -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not possible here; GET is\n")).into_response()
}

/// Refuses bodies that are said to be too large; others are never read.
async fn refuse_large(most: usize, request: Request, next: Next) -> Response {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most as u64) {
        return (StatusCode::PAYLOAD_TOO_LARGE, format!("a body may have {most} bytes\n")).into_response();
    }
    next.run(request).await
}

/// What browsers must not do with any of this: keep it, guess at it, frame it, or load anything.
async fn guard(mut response: Response) -> Response {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
