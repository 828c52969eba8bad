// How far behind the newest frame a video plays: as little as its boxes allow.

// In seconds. Boxes come late by the time that the model takes.
const EXACT_BEHIND = 0.2;
const NEWEST_BEHIND = 0.03;
// A box of a model that takes longer is waited for, up to this.
const MOST_BEHIND = 1.0;
// Farther from where it should be, the video jumps; nearer, it plays a little faster or slower.
const JUMP = 1.0;

const now = () => performance.now() / 1000;

export class Pace {
    #isExact;
    // The newest place on the timeline, and the clock's seconds minus the timeline's when frames come without delay.
    #newest = 0;
    #offset = null;
    #behind = EXACT_BEHIND;

    constructor(isExact) {
        this.#isExact = isExact;
    }

    // Another timeline begins.
    clear() {
        [this.#newest, this.#offset] = [0, null];
    }

    // True once a frame has come.
    get hasBegun() {
        return this.#newest > 0;
    }

    // A frame has come. Frames come early or late; the earliest of the last seconds says how the clock and the timeline lie to each other.
    frameCame(pts) {
        const offset = now() - pts / 1e6;
        // A clock that runs slow is noticed within a minute.
        this.#offset = this.#offset === null ? offset : Math.min(offset, this.#offset + 0.001);
        this.#newest = Math.max(this.#newest, pts / 1e6);
    }

    // The boxes of a frame have come.
    boxesCame(pts) {
        const late = now() - this.#offset - pts / 1e6;
        if (this.#offset !== null && late < MOST_BEHIND) {
            // Up at once, down slowly.
            this.#behind = Math.max(EXACT_BEHIND, late + 0.05, this.#behind - 0.002);
        }
    }

    // Keeps the picture as far behind as it is meant to be, within what has been received.
    steer(video, ranges) {
        const [start, end] = [ranges.start(ranges.length - 1), ranges.end(ranges.length - 1)];
        const wanted = Math.max(start, now() - this.#offset - (this.#isExact ? this.#behind : NEWEST_BEHIND));
        const ahead = wanted - video.currentTime;
        if (video.currentTime < start || Math.abs(ahead) > JUMP) {
            video.currentTime = Math.max(start, Math.min(wanted, end - 0.02));
            video.playbackRate = 1;
        } else {
            video.playbackRate = Math.abs(ahead) < 0.04 ? 1 : 1 + Math.max(-0.15, Math.min(0.15, ahead));
        }
    }
}
