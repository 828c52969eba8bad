//! An annotation file is read completely, or the error names the invalid record.

use super::*;
use crate::evaluation::coco::MAX_FILE_BYTES;
use crate::vision::error_chain::describe;

/// A file with one person in one image.
fn one_person() -> Value {
    json!({
        "info": {"year": 2017},
        "images": [{"id": 7, "file_name": "yard.jpg", "width": 640, "height": 480, "license": 4}],
        "annotations": [{
            "id": 31, "image_id": 7, "category_id": 1, "bbox": [1, 2.5, 30, 40], "area": 900.5, "iscrowd": 0,
            "segmentation": [[1, 2, 3, 4, 5, 6]],
        }],
        "categories": [{"id": 1, "name": "person", "supercategory": "person"}, {"id": 3, "name": "traffic light"}],
    })
}

#[test]
fn images_and_categories_are_found_by_number_and_name() {
    let truth = load(&one_person().to_string()).unwrap();
    let image = truth.images().next().unwrap();
    assert_eq!((image.id, image.file_name.as_str(), image.width, image.height), (ImageId(7), "yard.jpg", 640, 480));
    assert_eq!(truth.category("traffic light"), Some(CategoryId(3)));
    assert_eq!(truth.category("Person"), None);
    assert_eq!(truth.annotations().len(), 1);
    assert_eq!(truth.annotations()[0].bounding_box, PixelBox::new(1.0, 2.5, 30.0, 40.0).unwrap());
    assert_eq!((truth.annotations()[0].area, truth.annotations()[0].is_crowd), (900.5, false));
}

#[test]
fn a_mistake_is_told_with_the_record_that_has_it() {
    let again = one_person()["annotations"][0].clone();
    for (pointer, value, expected) in [
        ("/annotations/0/bbox", json!([1, 2, 3]), "annotation 31 has no box of four numbers"),
        ("/annotations/0/bbox", json!([1, 2, 3, 4, 5]), "annotation 31 has no box of four numbers"),
        ("/annotations/0/bbox", json!([1, 2, "3", 4]), "annotation 31 has no box of four numbers"),
        ("/annotations/0/bbox/0", Value::Null, "annotation 31 has no box of four numbers"),
        ("/annotations/0/bbox/2", json!(-0.5), "annotation 31 is wrong: the box has a negative width or height"),
        ("/annotations/0/bbox/3", json!(-40), "annotation 31 is wrong: the box has a negative width or height"),
        ("/annotations/0/area", Value::Null, "annotation 31 has no area of 0 or more"),
        ("/annotations/0/area", json!(-1), "annotation 31 has no area of 0 or more"),
        ("/annotations/0/image_id", json!(8), "annotation 31 is of image 8, which is not listed"),
        ("/annotations/0/category_id", json!(2), "annotation 31 is of category 2, which is not listed"),
        ("/annotations", json!([again, again]), "annotation 31 is listed twice"),
        ("/images/0/height", json!(0), "image 7 has no pixels"),
        ("/categories/1/id", json!(1), "category 1 is listed twice"),
        ("/categories/1/name", json!("person"), "category 3 has the same name as another, `person`"),
    ] {
        let mut file = one_person();
        *file.pointer_mut(pointer).unwrap() = value;
        let error = load(&file.to_string()).unwrap_err().to_string();
        assert!(error.ends_with(&format!("instances.json: {expected}")), "{error}");
    }
    let mut file = one_person();
    file["images"] = json!([file["images"][0], file["images"][0]]);
    assert!(load(&file.to_string()).unwrap_err().to_string().ends_with("image 7 is listed twice"));
}

#[test]
fn what_is_no_annotation_file_is_told_with_the_place() {
    let lacks_images = r#"{"annotations": [], "categories": []}"#;
    let not_a_number = one_person().to_string().replace("2.5", "NaN");
    let beyond_a_double = one_person().to_string().replace("2.5", "1e999");
    for (text, expected) in [
        ("", "EOF"),
        ("[]", "line 1"),
        (lacks_images, "missing field `images`"),
        (&not_a_number, "expected value at line 1 column"),
        (&beyond_a_double, "number out of range at line 1 column"),
    ] {
        let line = describe(&load(text).unwrap_err());
        assert!(line.contains("instances.json is not a COCO annotation file: ") && line.contains(expected), "{line}");
    }
}

#[test]
fn a_file_that_is_not_there_or_too_long_is_told_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("absent.json");
    let error = describe(&GroundTruth::load(&path).unwrap_err());
    assert!(error.contains("absent.json cannot be read: No such file"), "{error}");
    let path = directory.path().join("long.json");
    std::fs::File::create(&path).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let error = GroundTruth::load(&path).unwrap_err();
    assert!(matches!(error, GroundTruthError::TooLong { .. }), "{error}");
}
