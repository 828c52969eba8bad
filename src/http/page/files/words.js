// Says numbers, times and states in words.

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export const rate = (value) => (typeof value !== "number" ? "–" : value >= 100 ? whole.format(value) : number.format(value));
export const count = (value) => (typeof value === "number" ? whole.format(value) : "–");
export const plural = (amount, one, many = `${one}s`) => `${count(amount)} ${amount === 1 ? one : many}`;

export function bytes(value) {
    if (typeof value !== "number") return "–";
    const steps = ["bytes", "kB", "MB", "GB", "TB"];
    let step = 0;
    for (; value >= 1000 && step < steps.length - 1; step += 1) value /= 1000;
    return `${step === 0 || value >= 100 ? whole.format(value) : number.format(value)} ${steps[step]}`;
}

const CODECS = { h264: "H.264", h265: "H.265", mjpeg: "MJPEG" };
export const codec = (name) => CODECS[name] ?? name;

// A time span, as "12 s", "4 min", "3 h" or "2 days".
export function span(seconds) {
    seconds = Math.max(0, Math.round(seconds));
    if (seconds < 90) return `${seconds} s`;
    if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
    if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
    return `${Math.round(seconds / 86400)} days`;
}

export const ago = (seconds) => (seconds < 2 ? "just now" : `${span(seconds)} ago`);
export const secondsSince = (time) => (Date.now() - new Date(time).getTime()) / 1000;

// A time of day, with the date if it is not today.
export function clock(time) {
    const at = new Date(time);
    if (Number.isNaN(at.getTime())) return "";
    const hour = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    const isToday = at.toDateString() === new Date().toDateString();
    return isToday ? hour : `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${hour}`;
}

const CAMERA = {
    streaming: ["good", "Streaming"],
    connecting: ["busy", "Connecting"],
    stalled: ["bad", "No frames arrive"],
    "auth-failed": ["bad", "Login refused"],
    offline: ["bad", "Offline"],
    disabled: ["quiet", "Switched off"],
};
const MODEL = {
    RUNNING: ["good", "Running"],
    STARTING: ["busy", "Starting"],
    STOPPING: ["busy", "Stopping"],
    STOPPED: ["quiet", "Stopped"],
    FAILED: ["bad", "Failed"],
};
const BROKER = {
    off: ["quiet", "Switched off"],
    connected: ["good", "Connected"],
    away: ["bad", "Cannot be reached"],
    refused: ["bad", "Refuses the box"],
};
const ATTENTION = {
    followed: "every frame is decoded",
    watched: "nothing moves: keyframes are watched",
    catching_up: "something moves: catching up",
};
// Why frames were not decoded, or not analysed.
const LOSS = {
    before_keyframe: "came before the first keyframe",
    behind: "decoding was too slow",
    keyframes_only: "only keyframes are decoded",
    not_due: "not needed at this rate",
    rationed: "left out to save work",
    undecodable: "could not be decoded",
    closed: "the connection was closed",
    superseded: "a newer frame came first",
    stale: "too old to look at",
    still: "nothing had changed",
    no_free_slot: "every place was in use",
    no_units: "no unit was in service",
    model_stopped: "the model was stopped",
    camera_removed: "the camera was removed",
    draining: "the box was stopping",
    unit_died: "the unit died",
    unit_hung: "the unit did not answer",
    inference_error: "the inference failed",
    invalid_output: "the model's output was not valid",
};

const known = (table, key) => table[key] ?? ["quiet", String(key)];
export const cameraState = (state) => known(CAMERA, state);
export const modelState = (state) => known(MODEL, state);
export const brokerState = (state) => known(BROKER, state);
export const attention = (word) => ATTENTION[word] ?? String(word);
export const loss = (reason) => LOSS[reason] ?? String(reason).replaceAll("_", " ");
