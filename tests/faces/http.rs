//! `hyper` over the faces of `futures-io`: a server for everybody, and a client.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use devnet_network::{TcpListener, TcpStream};
use futures_lite::{StreamExt, future};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use smol_hyper::rt::FuturesIo;

use crate::pair::{System, pair, pattern};

/// What a server counted.
#[derive(Default, Debug)]
pub(crate) struct Counts {
    pub(crate) connections: AtomicUsize,
    pub(crate) requests: AtomicUsize,
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut response = Response::new(Full::new(match path.as_str() {
        "/" => Bytes::from_static(b"hello from the other system"),
        "/echo" => body,
        "/large" => pattern(300_000).into(),
        _ => Bytes::new(),
    }));
    if !["/", "/echo", "/large"].contains(&path.as_str()) {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

/// Serves at port 80 for as long as the system lives.
pub(crate) fn serve(system: &System) -> Arc<Counts> {
    let counts = Arc::<Counts>::default();
    let counted = Arc::clone(&counts);
    let listener = TcpListener::bind(&system.sockets(), "0.0.0.0:80".parse().unwrap(), 64).unwrap();
    system.spawn(async move {
        let executor = async_executor::Executor::new();
        executor
            .run(async {
                let mut incoming = listener.incoming();
                while let Some(stream) = incoming.next().await {
                    counted.connections.fetch_add(1, Ordering::Relaxed);
                    let counted = Arc::clone(&counted);
                    let service = service_fn(move |request| {
                        counted.requests.fetch_add(1, Ordering::Relaxed);
                        answer(request)
                    });
                    let io = FuturesIo::new(stream.unwrap());
                    let connection =
                        hyper::server::conn::http1::Builder::new().serve_connection(io, service);
                    executor.spawn(connection).detach();
                }
            })
            .await;
    });
    counts
}

/// Sends requests over one connection, which stays open between them.
async fn ask(system: &System, requests: usize) {
    let stream = TcpStream::connect(&system.sockets(), "10.0.0.2:80").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(FuturesIo::new(stream)).await.unwrap();
    let exchange = async move {
        for number in 0..requests {
            let body = Bytes::from(pattern(number * 997));
            let request = Request::post("/echo")
                .header("host", "web.lan")
                .body(Full::new(body.clone()))
                .unwrap();
            sender.ready().await.unwrap();
            let response = sender.send_request(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            assert!(response.into_body().collect().await.unwrap().to_bytes() == body);
        }
    };
    let (outcome, ()) = future::zip(connection, exchange).await;
    outcome.unwrap();
}

#[test]
fn a_hundred_requests_on_four_connections_that_stay_open() {
    let (client, server) = pair();
    let counts = serve(&server);
    future::block_on(async {
        let asks = [(); 4].map(|()| ask(&client, 25));
        let [first, second, third, fourth] = asks;
        future::zip(future::zip(first, second), future::zip(third, fourth)).await;
    });
    assert_eq!(
        (counts.connections.load(Ordering::Relaxed), counts.requests.load(Ordering::Relaxed)),
        (4, 100)
    );
}
