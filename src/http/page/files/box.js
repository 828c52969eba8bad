// What the page knows of the box: its status, its models and its events, renewed while somebody looks.
import { Refusal, get, lines } from "./api.js";
import { clock } from "./words.js";

const PERIOD = 2000;
const PAST_SECONDS = 3600;

// Objects that are remembered; the oldest ones go first.
const MOST_OBJECTS = 2000;

export const box = {
    status: null,
    models: null,
    // Objects that were seen, by key; each collects the events about it.
    objects: new Map(),
    trouble: "",
    stop: null,
};

// Takes in an event. All that is known of one object is one entry: it came, changed and left.
export function take(event, objects = box.objects) {
    if (event.error) return;
    const key = `${event.id.split("-")[0]} ${event.camera} ${event.track}`;
    const known = objects.get(key) ?? { key, ids: [], regions: [] };
    if (known.ids.includes(event.id)) return;
    known.ids.push(event.id);
    // The first one: it begins before the object.
    if (event.clip && !(known.clipSeq < event.seq)) [known.clip, known.clipSeq] = [event.clip, event.seq];
    if (!(known.seq > event.seq)) {
        const { seq, camera, track, label, at, began_at: beganAt, ended_at: endedAt, confidence, regions, model } = event;
        Object.assign(known, { seq, camera, track, label, at, beganAt, endedAt, confidence, regions, model, box: event.box });
        known.version = event.model_version;
        known.isOver = event.type === "ended";
    }
    objects.delete(key);
    objects.set(key, known);
    if (objects.size > MOST_OBJECTS) objects.delete(objects.keys().next().value);
}

// The objects of both. Of one that is in both, the older events are known by `older` alone, and the newest by `newer`.
export function merged(older, newer) {
    const all = new Map(older);
    for (const [key, object] of newer) {
        const before = older.get(key);
        all.set(key, before ? { ...object, ids: [...new Set([...before.ids, ...object.ids])], clip: before.clip ?? object.clip } : object);
    }
    return all;
}

// True while an object is in view. What an earlier run of the box has left open has ended with it.
export const isInView = (object) => !object.isOver && object.key.startsWith(`${box.status?.boot_id} `);

// The objects, the newest first.
export const newestFirst = (objects = box.objects) => [...objects.values()]
    .sort((one, other) => (other.beganAt > one.beganAt) - (other.beganAt < one.beganAt) || other.track - one.track);

// Renews all that is known until `box.stop` is called, and tells `listener` of it.
export function follow(listener) {
    box.stop?.();
    const end = new AbortController();
    let timer = 0;
    let lost = null;
    const ask = async () => {
        clearTimeout(timer);
        if (document.visibilityState === "hidden") return;
        try {
            const [status, models] = await Promise.all([get("/api/status", end.signal), get("/api/models", end.signal)]);
            [box.status, box.models, box.trouble, lost] = [status, models.models, "", null];
        } catch (error) {
            if (end.signal.aborted) return;
            lost ??= new Date();
            const why = error instanceof Refusal ? error.message : `The box does not answer since ${clock(lost)}.`;
            box.trouble = `${why} What is shown is older.`;
        }
        if (end.signal.aborted) return;
        listener();
        clearTimeout(timer);
        timer = setTimeout(ask, PERIOD);
    };
    const followEvents = async () => {
        let pause = 3000;
        try {
            for await (const some of lines(`/api/events?since_seconds=${PAST_SECONDS}&follow=true`, end.signal)) {
                some.forEach((event) => take(event));
                if (some.length > 0) listener();
            }
        } catch (error) {
            // A box that stores no events has none to follow.
            if (error instanceof Refusal && error.status === 404) pause = 60000;
        }
        if (!end.signal.aborted) setTimeout(() => !end.signal.aborted && followEvents(), pause);
    };
    document.addEventListener("visibilitychange", ask, { signal: end.signal });
    box.stop = () => {
        end.abort();
        clearTimeout(timer);
        box.stop = null;
    };
    ask();
    followEvents();
}
