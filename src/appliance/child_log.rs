//! What the log says of the messages of child processes.

use crate::appliance::stream_lines::StreamLines;
use crate::core::Core;
use crate::ipc::messages::{FromCapture, FromUnit};
use crate::os::clock::monotonic_now;
use crate::supervisor::unit_state::UnitId;

/// Logs a message of a capture process, as often as `lines` admits.
pub(super) fn log_capture(core: &Core, lines: &mut StreamLines, group: usize, message: &FromCapture) {
    let names = |index| match core.camera_of(group, index) {
        Some((camera, is_main)) => (Some(camera.as_str()), is_main.then_some("main")),
        None => (None, None),
    };
    match message {
        FromCapture::Hello { pid } => tracing::debug!(group, pid, "a capture process has started"),
        FromCapture::Streaming { camera, info } => {
            let (camera, stream) = names(*camera);
            let Some(left_out) = lines.admit_stream(camera, stream.is_some(), monotonic_now()) else { return };
            tracing::info!(
                left_out = left_out.count(),
                camera,
                stream,
                codec = info.codec,
                decoder = info.decoder,
                width = info.width,
                height = info.height,
                "a camera streams"
            );
        }
        FromCapture::Lost { camera, kind, detail } => {
            let (camera, stream) = names(*camera);
            let Some((left_out, times)) = lines.admit_loss(camera, stream.is_some(), detail, monotonic_now()) else {
                return;
            };
            tracing::warn!(
                left_out = left_out.count(),
                times = (times > 1).then_some(times),
                camera,
                stream,
                ?kind,
                detail,
                "a camera is lost; reconnecting"
            );
        }
        _ => {}
    }
}

/// Logs a message of an inference unit.
pub(super) fn log_unit(unit: UnitId, message: &FromUnit) {
    match message {
        FromUnit::Hello { pid } => tracing::debug!(%unit, pid, "an inference unit has started"),
        FromUnit::Ready {
            load_ms,
            from_cache,
            variant,
            execution_provider,
            providers,
            runtime_version,
            batch,
            run_us: _,
            cache_problem,
        } => {
            tracing::info!(%unit, load_ms, from_cache, %variant, %execution_provider, nodes = %providers, runtime_version, batch, "an inference unit is ready");
            if let Some(problem) = cache_problem {
                tracing::warn!(%unit, problem, "the model cache cannot be used");
            }
        }
        FromUnit::LoadFailed { reason } => tracing::error!(%unit, reason, "an inference unit cannot load its model"),
        // Clients that send invalid images must not flood the log.
        FromUnit::Failed { cause, detail, .. } if cause.is_of_the_image() => {
            tracing::debug!(%unit, %cause, detail, "an image was refused");
        }
        FromUnit::Failed { cause, detail, .. } => tracing::warn!(%unit, %cause, detail, "an inference failed"),
        FromUnit::Detected { .. } | FromUnit::Pong { .. } => {}
        FromUnit::Inspected(_) | FromUnit::Quantized(_) | FromUnit::Observed(_) => {}
    }
}
