//! How a mutex of the capture process is taken.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes the mutex, also after a panic of another thread: what is guarded here is whole after each step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
