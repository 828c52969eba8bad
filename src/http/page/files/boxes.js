// Boxes over a picture: where they are between two frames, and how they are drawn.

// Below this width of the picture in pixels a label is its word alone.
const WIDE = 560;

// A box on its way from one to another; beyond the second, as far again at most.
export function between(from, to, share) {
    const part = Math.min(share, 2);
    const side = (name) => from[name] + (to[name] - from[name]) * part;
    return { left: side("left"), top: side("top"), width: Math.max(0, side("width")), height: Math.max(0, side("height")) };
}

// Draws boxes over the picture, which may be smaller than its element. Those that are not the frame's own are faint.
export function draw(canvas, video, boxes, isExact, hasLabels) {
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const to = canvas.getContext("2d");
    to.setTransform(scale, 0, 0, scale, 0, 0);
    to.clearRect(0, 0, width, height);
    if (!boxes.length || !video.videoWidth) return;
    const fit = Math.min(width / video.videoWidth, height / video.videoHeight);
    const picture = { width: video.videoWidth * fit, height: video.videoHeight * fit };
    [picture.left, picture.top] = [(width - picture.width) / 2, (height - picture.height) / 2];
    to.globalAlpha = isExact ? 1 : 0.5;
    to.setLineDash(isExact ? [] : [6, 4]);
    to.lineWidth = 2;
    const placed = boxes.filter(({ box }) => box).map(({ box, ...what }) => ({
        ...what,
        left: picture.left + box.left * picture.width,
        top: picture.top + box.top * picture.height,
        width: box.width * picture.width,
        height: box.height * picture.height,
    }));
    for (const { label, left, top, width: across, height: down } of placed) {
        to.strokeStyle = colour(label);
        to.strokeRect(left, top, across, down);
    }
    to.globalAlpha = isExact ? 1 : 0.8;
    if (hasLabels) writeLabels(to, placed, picture);
}

// Writes a label above its box, below it or in it, wherever no other label is; where there is no room the box stands alone.
// What was seen first comes first, so that labels do not hop from frame to frame.
function writeLabels(to, boxes, picture) {
    const isWide = picture.width >= WIDE;
    const high = isWide ? 18 : 15;
    to.font = `${isWide ? 13 : 11}px system-ui, sans-serif`;
    to.textBaseline = "middle";
    const taken = [];
    const seenAs = ({ track }) => track ?? Number.MAX_SAFE_INTEGER;
    for (const box of [...boxes].sort((one, other) => seenAs(one) - seenAs(other))) {
        const { label, confidence, track } = box;
        const text = isWide ? `${label} ${Math.round(confidence * 100)}%${track === undefined ? "" : ` #${track}`}` : label;
        const long = to.measureText(text).width + 8;
        const left = Math.max(picture.left, Math.min(box.left - 1, picture.left + picture.width - long));
        const places = [box.top - high, box.top + box.height, box.top].map((top) => ({ left, top, right: left + long, bottom: top + high }));
        const isInside = ({ top, bottom }) => top >= picture.top && bottom <= picture.top + picture.height;
        const isFree = (one) => taken.every((other) => one.right <= other.left || one.left >= other.right || one.bottom <= other.top || one.top >= other.bottom);
        const place = places.find((one) => isInside(one) && isFree(one));
        if (!place) continue;
        taken.push(place);
        to.fillStyle = colour(label);
        to.fillRect(place.left, place.top, long, high);
        to.fillStyle = "#000";
        to.fillText(text, place.left + 4, place.top + high / 2 + 1);
    }
}

// Each label has its colour, the same on every page.
function colour(label) {
    let sum = 0;
    for (const letter of label) sum = (31 * sum + letter.codePointAt(0)) % 360;
    return `hsl(${sum} 90% 60%)`;
}
