//! What a layout does not read of a model: it is told, and not passed over in silence.

use crate::model::recognition::setting::Setting;
use crate::model::recognition::subject::Subject;
use crate::model::recognition::toml_value::TomlValue;

/// A text for each output that no line of `[output]` names.
pub(super) fn outputs(subject: &Subject<'_>, output: &[Setting]) -> Vec<String> {
    let names = |setting: &Setting, name: &str| match &setting.value {
        TomlValue::Text(text) => text == name,
        TomlValue::Texts(texts) => texts.iter().any(|text| text == name),
        _ => false,
    };
    let all = subject.facts.outputs.iter();
    let unread = all.filter(|tensor| !output.iter().any(|setting| names(setting, &tensor.name)));
    unread.map(|tensor| format!("the output {tensor}")).collect()
}
