//! Detectors of faces, which have key points beside the boxes.

use super::form::{UnreadForm, ending_in, has_outputs};

const INSTEAD: &str = "of face detectors, those of SSD's form (UltraFace) and YOLO's are read";

pub(super) const FORMS: [UnreadForm; 4] = [
    UnreadForm {
        what: "a YuNet export (faces)",
        instead: INSTEAD,
        is: |subject| has_outputs(subject.facts, &["cls_8", "obj_8", "bbox_8", "kps_8"]),
    },
    UnreadForm {
        what: "an SCRFD export (faces)",
        instead: INSTEAD,
        is: |subject| {
            let facts = subject.facts;
            let [scores, boxes, points] = [1, 4, 10].map(|last| ending_in(facts, last));
            scores == 3 && boxes == 3 && scores + boxes + points == facts.outputs.len()
        },
    },
    UnreadForm {
        what: "a RetinaFace export (faces)",
        instead: INSTEAD,
        is: |subject| {
            let facts = subject.facts;
            facts.outputs.len() == 3 && [2, 4, 10].iter().all(|last| ending_in(facts, *last) == 1)
        },
    },
    UnreadForm {
        what: "a MediaPipe BlazeFace export (faces)",
        instead: INSTEAD,
        is: |subject| {
            let facts = subject.facts;
            let is_whole = facts.outputs.len() == 2 || facts.outputs.len() == 4;
            is_whole
                && ending_in(facts, 16) == facts.outputs.len() / 2
                && ending_in(facts, 1) == facts.outputs.len() / 2
        },
    },
];
