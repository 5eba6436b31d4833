//! A response body that can stop, hang, tear its connection down or be very long.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::Notify;

use crate::record::InFlight;

/// White space that long bodies are padded with, sent again and again so that it is allocated once.
static PADDING: [u8; 65_536] = [b' '; 65_536];

/// Tears down the connection that a request came on, with a reset and without another byte.
#[derive(Clone, Default)]
pub(crate) struct Abort(Arc<Notify>);

impl Abort {
    pub(crate) fn now(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn asked(&self) {
        self.0.notified().await;
    }
}

enum Step {
    Send(Bytes),
    Pad(u64),
    Hang,
    /// Told apart from `Abort` because hyper writes what it holds only when a body is pending.
    Flush,
    Abort(Abort),
}

/// The body of an answer, as the steps to take one after another.
pub(crate) struct Body {
    steps: VecDeque<Step>,
    /// What the length header promises of the rest, whether or not it is ever sent.
    promised: u64,
    in_flight: Option<InFlight>,
}

impl Body {
    pub(crate) fn whole(bytes: Bytes) -> Body {
        let promised = bytes.len() as u64;
        Body::of([Step::Send(bytes)].into(), promised)
    }

    pub(crate) fn half_then_reset(bytes: &Bytes, abort: Abort) -> Body {
        let half = bytes.slice(..bytes.len() / 2);
        let steps = [Step::Send(half), Step::Flush, Step::Abort(abort)];
        Body::of(steps.into(), bytes.len() as u64)
    }

    pub(crate) fn half_then_hang(bytes: &Bytes) -> Body {
        let half = bytes.slice(..bytes.len() / 2);
        Body::of([Step::Send(half), Step::Hang].into(), bytes.len() as u64)
    }

    pub(crate) fn padded(bytes: Bytes, size: u64) -> Body {
        let padding = size.saturating_sub(bytes.len() as u64);
        let promised = bytes.len() as u64 + padding;
        Body::of([Step::Send(bytes), Step::Pad(padding)].into(), promised)
    }

    /// Byte by byte, each one in a write of its own.
    pub(crate) fn dripping(bytes: &Bytes, size: u64) -> Body {
        let padded = bytes.iter().chain(&PADDING).take(usize::try_from(size).unwrap_or(0).max(bytes.len()));
        let bytes = Bytes::from_iter(padded.copied());
        let steps = (0..bytes.len()).flat_map(|at| [Step::Send(bytes.slice(at..=at)), Step::Flush]);
        Body::of(steps.collect(), bytes.len() as u64)
    }

    fn of(steps: VecDeque<Step>, promised: u64) -> Body {
        Body { steps, promised, in_flight: None }
    }

    /// Counts the request as being answered until this body was handed over.
    pub(crate) fn counted(mut self, in_flight: InFlight) -> Body {
        self.in_flight = Some(in_flight);
        self
    }

    fn send(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.promised -= bytes.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            match self.steps.pop_front() {
                None => {
                    self.in_flight = None;
                    return Poll::Ready(None);
                }
                Some(Step::Send(bytes)) if bytes.is_empty() => {}
                Some(Step::Send(bytes)) => return self.send(bytes),
                Some(Step::Pad(0)) => {}
                Some(Step::Pad(left)) => {
                    let chunk = left.min(PADDING.len() as u64);
                    self.steps.push_front(Step::Pad(left - chunk));
                    let bytes = Bytes::from_static(&PADDING);
                    return self.send(bytes.slice(..usize::try_from(chunk).unwrap_or(0)));
                }
                Some(Step::Flush) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Hang) => {
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
                Some(Step::Abort(abort)) => {
                    abort.now();
                    self.steps.push_front(Step::Hang);
                    return Poll::Pending;
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.promised == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
