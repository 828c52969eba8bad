// The boxes of frames that were analysed, and what may be shown on the frames between them.
import { between } from "./boxes.js";

// Seconds for which boxes are remembered.
const KEPT = 10;
// For so long a box that was seen before is shown on frames that were not analysed, in seconds.
const FADES_AFTER = 1.5;

export class SeenBoxes {
    // By their place on the timeline in microseconds: [{pts, boxes}].
    #frames = [];

    clear() {
        this.#frames = [];
    }

    add({ pts, boxes }) {
        const place = this.#frames.findLastIndex((one) => one.pts < pts) + 1;
        this.#frames.splice(place, 0, { pts, boxes });
        while (this.#frames.length > 1 && this.#frames[0].pts < pts - KEPT * 1e6) this.#frames.shift();
    }

    // The boxes of the frame at this place. `exact`: they are its own.
    at(pts) {
        const own = this.#frames.find((one) => Math.abs(one.pts - pts) <= 2);
        return { exact: own !== undefined, boxes: own ? own.boxes : this.#supposed(pts) };
    }

    // What a frame that was not analysed may show: boxes of the frame before it, moved along their tracks.
    #supposed(pts) {
        const index = this.#frames.findLastIndex((one) => one.pts < pts);
        const before = this.#frames[index];
        if (!before || pts - before.pts > FADES_AFTER * 1e6) return [];
        const [after, earlier] = [this.#frames[index + 1], this.#frames[index - 1]];
        return before.boxes.map((seen) => {
            const same = (frame) => seen.track === undefined ? undefined
                : frame?.boxes.find((one) => one.track === seen.track && one.box);
            const [next, last] = [same(after), same(earlier)];
            if (!seen.box) return seen;
            if (next) return { ...seen, box: between(seen.box, next.box, (pts - before.pts) / (after.pts - before.pts)) };
            if (last) return { ...seen, box: between(last.box, seen.box, (pts - earlier.pts) / (before.pts - earlier.pts)) };
            return seen;
        });
    }
}
