// How the box is, in sentences, and what it is made of.
import { post } from "./api.js";
import { ask } from "./dialog.js";
import { el, facts, pill, say, show } from "./dom.js";
import { mayChange } from "./session.js";
import { ago, brokerState, bytes, clock, count, plural } from "./words.js";

const section = (title, place) => el("section", { class: "card card-body" }, el("h2", {}, title), place);

function troubles(status) {
    const { reasons, last_trouble: last } = status;
    const list = reasons.length === 0 ? [el("p", {}, pill("good", "All is well"))] : [el("ul", { class: "reasons" }, reasons.map((reason) => el("li", {}, reason)))];
    if (last && (last.ended_at || !reasons.includes(last.what))) list.push(el("p", { class: "quiet" }, `Last trouble, ${ago(last.seconds_ago)}: ${last.what}${last.ended_at ? ` (over since ${clock(last.ended_at)})` : ""}`));
    return list;
}

function disk({ outbox, unwritten_files: unwritten }) {
    const rows = outbox ? [
        ["Stored events", bytes(outbox.bytes)],
        ["Waiting to be sent", count(outbox.waiting)],
        ["Sent, not acknowledged", count(outbox.unacknowledged)],
        ["Dropped for want of room", outbox.dropped === 0 ? "none" : count(outbox.dropped)],
    ] : [["Stored events", "none are kept"]];
    return [facts(rows), ...[outbox?.trouble, ...unwritten].filter(Boolean).map((what) => el("p", { class: "reason" }, what)),
        unwritten.length === 0 ? el("p", { class: "quiet" }, "All state files are written.") : null];
}

function broker({ broker: { state, reason, published } }) {
    const [kind, word] = brokerState(state);
    return [el("p", {}, pill(kind, word)), reason ? el("p", { class: "reason" }, reason) : null, facts([["Messages sent", state === "off" ? "" : count(published)]])];
}

export function health() {
    const [summary, reasons, diskPlace, brokerPlace, sandbox, about] = Array.from({ length: 6 }, () => el("div"));
    const told = el("p", { role: "status", hidden: true });
    const reload = el("button", { type: "button", on: { click: () => readAgain() } }, "Read the settings again");
    async function readAgain() {
        if (!await ask({ title: "Read the settings again?", text: "What has changed in the files is put in force. With a mistake in them nothing changes.", action: "Read them" })) return;
        reload.disabled = true;
        let kind = "good";
        try {
            const { changed, needs_restart: restart } = await post("/api/reload");
            const lines = [...changed, ...restart.map((key) => `${key} needs a restart`)];
            say(told, lines.length ? lines.join("; ") : "Nothing has changed.");
        } catch (error) {
            kind = "bad";
            say(told, error.message);
        }
        told.className = `notice ${kind}`;
        told.hidden = false;
        reload.disabled = false;
    }
    const element = el("section", {}, el("div", { class: "heading" }, el("h1", {}, "The box")), summary, told,
        el("div", { class: "sections" }, section("Health", reasons), section("Disk and events", diskPlace), section("Broker", brokerPlace),
            section("Sandbox", sandbox), section("About", about)));
    return {
        element,
        update({ status }) {
            if (!status) return;
            summary.className = "summary";
            say(summary, status.summary);
            show(reasons, JSON.stringify([status.reasons, status.last_trouble]), () => troubles(status));
            show(diskPlace, JSON.stringify([status.outbox, status.unwritten_files]), () => disk(status));
            show(brokerPlace, JSON.stringify(status.broker), () => broker(status));
            show(sandbox, status.sandbox, () => el("p", {}, status.sandbox || "nothing is known of it"));
            const rows = [
                ["Id", status.box_id],
                ["Version", status.version],
                ["Clock", status.clock_synced ? "synchronised" : "not known to be right: times may be wrong"],
                ["Units", `${status.in_service_units} of ${plural(status.desired_units, "unit")} in service`],
                ["Cameras", `${status.streaming_cameras} of ${status.wanted_cameras} streaming`],
            ];
            show(about, JSON.stringify(rows), () => [facts(rows), mayChange() ? el("div", { class: "tools" }, reload) : null]);
        },
    };
}
