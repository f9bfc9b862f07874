//! The stack of deep recursion.
//!
//! A script that calls itself is a future in a future, and polling the outermost polls all. What
//! threads have as a stack would bound that to some tens of levels; here it goes on in memory, and
//! [`limits::EXECUTION_DEPTH`](crate::limits::EXECUTION_DEPTH) is the bound.

use std::pin::Pin;
use std::task::{Context, Poll};

use devnet_network::platform::BoxFuture;

use crate::limits;

struct Growing<'a, T: 'a>(BoxFuture<'a, T>);

impl<T> Future for Growing<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        stacker::maybe_grow(limits::STACK_LEFT_BYTES, limits::STACK_PIECE_BYTES, || {
            self.0.as_mut().poll(context)
        })
    }
}

impl<'a, T: 'a> Drop for Growing<'a, T> {
    fn drop(&mut self) {
        // Dropping goes as deep as polling.
        stacker::maybe_grow(limits::STACK_LEFT_BYTES, limits::STACK_PIECE_BYTES, || {
            self.0 = Box::pin(std::future::pending());
        });
    }
}

/// Boxes a future that finds stack whenever it is polled.
pub(super) fn growing<'a, T: Send + 'a>(
    future: impl Future<Output = T> + Send + 'a,
) -> BoxFuture<'a, T> {
    Box::pin(Growing(Box::pin(future)))
}
