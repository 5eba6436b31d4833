//! One HTTP/1.1 listener on loopback, on a thread and a runtime of its own.
//!
//! A thread of its own keeps the simulator alive over several runtimes of a test or a bench, keeps
//! its timers real where a test pauses the clock, and takes no turns from the client it answers.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::body::{Abort, Body};

/// Answers requests. Each gets a handle to tear its own connection down.
pub(crate) trait Handler: Send + Sync + 'static {
    fn handle(self: Arc<Self>, request: Request<Incoming>, abort: Abort)
    -> impl Future<Output = Response<Body>> + Send;
}

/// A listener that answers until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a port of 127.0.0.1, 0 for any.
    pub(crate) fn start<H: Handler>(port: u16, tls: Option<TlsAcceptor>, handler: Arc<H>) -> io::Result<Server> {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("simulator".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, tls, handler) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    /// Waits for the thread, so that the port is closed for certain when this returns.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there was already printed, and a drop has nobody to tell.
            let _ = thread.join();
        }
    }
}

async fn accept<H: Handler>(listener: TcpListener, tls: Option<TlsAcceptor>, handler: Arc<H>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others may close theirs meanwhile.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // A client that has gone already makes this fail, and is of no concern.
        let _ = stream.set_nodelay(true);
        let handler = handler.clone();
        match tls.clone() {
            None => drop(tokio::spawn(converse(stream, handler))),
            Some(tls) => drop(tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    converse(stream, handler).await;
                }
            })),
        }
    }
}

async fn converse<S: Socket, H: Handler>(stream: S, handler: Arc<H>) {
    let abort = Abort::default();
    let service = service_fn(|request| {
        let answer = handler.clone().handle(request, abort.clone());
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection =
        http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A connection that broke is the client's doing, or its end.
        _ = &mut connection => {}
        () = abort.asked() => connection.into_parts().io.into_inner().reset(),
    }
}

/// A connection that can be reset rather than closed.
trait Socket: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn reset(self);
}

impl Socket for TcpStream {
    fn reset(self) {
        // With no time to linger, closing sends a reset and drops what was not sent.
        let _ = self.set_zero_linger();
    }
}

impl Socket for TlsStream<TcpStream> {
    fn reset(self) {
        self.into_inner().0.reset();
    }
}
