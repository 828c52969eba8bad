// Live video of one camera, each box on the frame in which it was seen.
//
// The video comes over a WebSocket as fragments of one frame each and goes to MediaSource as it is. The boxes of a frame come
// over the same socket with the frame's place on the timeline of the video (`pts`, microseconds), which is the `mediaTime` at which the
// browser says that it shows the frame. So a box is drawn when its own frame is shown, however late it came.

import { get, path } from "./api.js";
import { draw } from "./boxes.js";
import { Pace } from "./pace.js";
import { SeenBoxes } from "./seen.js";
import { Snapshots } from "./snapshots.js";

// Seconds of video that are kept behind the picture.
const KEPT = 10;
// Bytes that wait for the browser before the connection is made anew.
const MOST_WAITING = 16 * 1024 * 1024;
// So often no connection may come about before snapshots are shown meanwhile: what is between may let no socket through.
const MOST_FAILURES = 3;
const LONGEST_RETRY_MS = 10000;
// The close code of a socket whose session has ended.
const LOGGED_OUT = 4401;

export class LivePlayer {
    // Called with a text when what is shown changes: "connecting", "live", "snapshots: why", or why there is no video.
    onstatus = () => {};
    // Called for each frame that is shown: {pts, exact, boxes}. `exact`: its boxes are its own.
    onframe = () => {};
    #host;
    #camera;
    #boxes;
    #labels;
    #status = "";
    #isStopped = true;
    #retryMs = 1000;
    #failures = 0;
    // How often the browser could not decode what came, since it last showed a frame.
    #undecodable = 0;
    #timers = new Set();
    #socket = null;
    #video = null;
    #canvas = null;
    #snapshots = null;
    #source = null;
    #buffer = null;
    #waiting = [];
    #waitingBytes = 0;
    #type = "";
    #pace;
    #seen = new SeenBoxes();

    // `host`: the element that is filled. `mode`: "exact" or "newest"; `labels`: what is written above boxes.
    constructor(host, camera, { mode = "exact", boxes = true, labels = true } = {}) {
        this.#host = host;
        this.#camera = camera;
        this.#pace = new Pace(mode === "exact");
        this.#boxes = boxes;
        this.#labels = labels;
    }

    start() {
        if (!this.#isStopped) return;
        this.#isStopped = false;
        this.#connect();
    }

    stop() {
        this.#isStopped = true;
        this.#disconnect();
        this.#timers.forEach(clearTimeout);
        this.#timers.clear();
        this.#hideSnapshots();
        this.#host.replaceChildren();
    }

    // === the connection ===

    #connect() {
        this.#disconnect();
        if (!this.#snapshots) this.#say("connecting");
        const scheme = location.protocol === "https:" ? "wss" : "ws";
        const socket = new WebSocket(`${scheme}://${location.host}${path("cameras", this.#camera, "live")}`);
        socket.binaryType = "arraybuffer";
        socket.onmessage = (event) => {
            if (socket !== this.#socket) return;
            this.#failures = 0;
            if (typeof event.data === "string") this.#told(JSON.parse(event.data));
            else this.#received(event.data);
        };
        socket.onclose = ({ code, reason }) => {
            if (socket !== this.#socket) return;
            this.#disconnect();
            if (code === LOGGED_OUT) return this.#end(reason);
            this.#failures += 1;
            // A page cannot read why a socket is refused, but it can ask.
            if (!this.#snapshots && this.#failures === 1) this.#askWhy();
            if (!this.#snapshots && this.#failures >= MOST_FAILURES) this.#fallBack("no video comes; it is tried again");
            else if (!this.#snapshots) this.#say("connecting");
            this.#later(() => this.#connect(), this.#retryMs);
            this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS);
        };
        this.#socket = socket;
    }

    #disconnect() {
        const socket = this.#socket;
        this.#socket = null;
        socket?.close();
        if (this.#video) {
            const url = this.#video.src;
            this.#video.removeAttribute("src");
            this.#video.load();
            URL.revokeObjectURL(url);
        }
        [this.#video, this.#canvas, this.#source, this.#buffer] = [null, null, null, null];
        [this.#waiting, this.#waitingBytes] = [[], 0];
        this.#seen.clear();
        this.#type = "";
        this.#pace.clear();
    }

    #told(message) {
        switch (message.type) {
            case "hello":
                return this.#hello(message);
            case "detections":
                return this.#remember(message);
            case "state":
                if (message.state !== "streaming") {
                    this.#seen.clear();
                    this.#say(message.reason ? `${message.state}: ${message.reason}` : message.state);
                } else if (this.#pace.hasBegun) {
                    this.#say("live");
                }
                return;
            case "dropped":
                // What follows begins with a keyframe. The gap is jumped over when it is reached.
                return;
            case "unplayable":
                return this.#fallBack(`no browser plays ${message.codec}`);
        }
    }

    #hello({ codec }) {
        if (!("MediaSource" in window) || !MediaSource.isTypeSupported(codec)) {
            const name = /hev1|hvc1/.test(codec) ? "H.265" : codec;
            return this.#fallBack(`this browser does not play ${name}`);
        }
        if (!this.#source) this.#build(codec);
        else if (codec !== this.#type) this.#waiting.push({ type: codec });
        this.#type = codec;
    }

    #received(data) {
        if (!this.#source) return;
        const pts = placeOf(data);
        if (pts !== null) this.#pace.frameCame(pts);
        this.#waiting.push({ data });
        this.#waitingBytes += data.byteLength;
        if (this.#waitingBytes > MOST_WAITING) return this.#connect();
        this.#pump();
    }

    // There is nobody to show anything to: what was shown goes.
    #end(why) {
        this.#say(why);
        this.stop();
    }

    // === the video ===

    #build(codec) {
        this.#hideSnapshots();
        const [stage, video, canvas] = ["div", "video", "canvas"].map((name) => document.createElement(name));
        stage.className = "live-stage";
        Object.assign(stage.style, { position: "relative", width: "100%", height: "100%" });
        Object.assign(video.style, { display: "block", width: "100%", height: "100%", objectFit: "contain" });
        Object.assign(canvas.style, { position: "absolute", inset: "0", width: "100%", height: "100%", pointerEvents: "none" });
        [video.muted, video.autoplay, video.playsInline, video.disablePictureInPicture] = [true, true, true, true];
        video.setAttribute("aria-label", `Camera ${this.#camera}`);
        stage.append(video, canvas);
        this.#host.replaceChildren(stage);
        const source = new MediaSource();
        [this.#video, this.#canvas, this.#source] = [video, canvas, source];
        video.src = URL.createObjectURL(source);
        video.onerror = () => {
            if (video !== this.#video || !video.hasAttribute("src")) return;
            this.#undecodable += 1;
            // It is tried once more from the beginning.
            if (this.#undecodable > 1) this.#fallBack("this browser cannot decode the video");
            else this.#socket?.close();
        };
        source.onsourceopen = () => {
            if (source !== this.#source) return;
            this.#buffer = source.addSourceBuffer(codec);
            this.#buffer.onupdateend = () => {
                if (source !== this.#source) return;
                this.#steer();
                this.#pump();
            };
            this.#pump();
        };
        this.#await(video);
    }

    #pump() {
        const buffer = this.#buffer;
        if (!buffer || buffer.updating || this.#source.readyState !== "open") return;
        const [video, ranges] = [this.#video, buffer.buffered];
        if (ranges.length && ranges.start(0) < video.currentTime - KEPT) {
            buffer.remove(0, video.currentTime - KEPT / 2);
            return;
        }
        const next = this.#waiting.shift();
        if (!next) return;
        if (next.type) {
            buffer.changeType(next.type);
            return this.#pump();
        }
        this.#waitingBytes -= next.data.byteLength;
        try {
            buffer.appendBuffer(next.data);
        } catch {
            // The browser's room is full, or it has given the stream up.
            this.#socket?.close();
        }
    }

    #steer() {
        const [video, ranges] = [this.#video, this.#buffer.buffered];
        if (!ranges.length) return;
        this.#pace.steer(video, ranges);
        if (video.paused) video.play().catch(() => this.#say("paused by the browser"));
        if (this.#pace.hasBegun) this.#say("live");
        this.#retryMs = 1000;
    }

    // === the boxes ===

    #remember(detections) {
        this.#pace.boxesCame(detections.pts);
        this.#seen.add(detections);
    }

    #await(video) {
        if (!video.requestVideoFrameCallback) {
            const look = () => {
                if (video !== this.#video) return;
                this.#shown(Math.round(video.currentTime * 1e6));
                requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
            return;
        }
        const look = (_, { mediaTime }) => {
            if (video !== this.#video) return;
            video.requestVideoFrameCallback(look);
            this.#shown(Math.round(mediaTime * 1e6));
        };
        video.requestVideoFrameCallback(look);
    }

    // A frame is shown.
    #shown(pts) {
        const { exact, boxes } = this.#seen.at(pts);
        const drawn = this.#boxes ? boxes : [];
        draw(this.#canvas, this.#video, drawn, exact, this.#labels);
        // Without a call for each frame this runs for each of the screen, also before there is a picture.
        if (this.#video.readyState >= 2) this.#undecodable = 0;
        this.onframe({ pts, exact, boxes: drawn });
    }

    async #askWhy() {
        try {
            await get(path("cameras", this.#camera, "live"));
        } catch (error) {
            if (this.#isStopped || error.status !== 403 || error.code !== "private") return;
            // It stays so until the settings change.
            this.#timers.forEach(clearTimeout);
            this.#timers.clear();
            this.#fallBack(error.message);
        }
    }

    // === without video ===

    #fallBack(why) {
        this.#disconnect();
        this.#hideSnapshots();
        this.#snapshots = new Snapshots(this.#host, this.#camera);
        this.#say(`snapshots: ${why}`);
    }

    #hideSnapshots() {
        this.#snapshots?.stop();
        this.#snapshots = null;
    }

    #later(action, ms) {
        const timer = setTimeout(() => {
            this.#timers.delete(timer);
            if (!this.#isStopped) action();
        }, ms);
        this.#timers.add(timer);
    }

    #say(text) {
        if (text === this.#status || this.#isStopped) return;
        this.#status = text;
        this.onstatus(text);
    }
}

// Where a fragment lies on the timeline, in microseconds; null for what is none. The box writes all fragments alike: `tfdt` at
// byte 48, and the composition offset of its only sample at 100.
function placeOf(data) {
    const view = new DataView(data);
    if (data.byteLength < 104 || view.getUint32(52) !== 0x74666474) return null;
    return Number(view.getBigUint64(60)) + view.getInt32(100);
}
