//! What else people call the phases.

use crate::words::PHASES;
use proc_macro2::{Ident, Span};

/// Names that other engines have for the same places.
const ELSEWHERE: &[(&str, &str)] = &[
    ("setup", "before_run"),
    ("on_fit_start", "before_run"),
    ("init", "before_run"),
    ("started", "before_train"),
    ("on_loop_begin", "before_train"),
    ("on_train_begin", "before_train"),
    ("on_train_start", "before_train"),
    ("train_start", "before_train"),
    ("training_start", "before_train"),
    ("completed", "after_train"),
    ("on_loop_end", "after_train"),
    ("on_train_end", "after_train"),
    ("train_end", "after_train"),
    ("training_end", "after_train"),
    ("on_fit_end", "after_run"),
    ("teardown", "after_run"),
    ("cleanup", "after_run"),
    ("close", "after_run"),
    ("before_epoch", "before_train_epoch"),
    ("after_epoch", "after_train_epoch"),
    ("epoch_start", "before_train_epoch"),
    ("epoch_end", "after_train_epoch"),
    ("epoch_started", "before_train_epoch"),
    ("epoch_completed", "after_train_epoch"),
    ("on_epoch_begin", "before_train_epoch"),
    ("on_epoch_start", "before_train_epoch"),
    ("on_epoch_end", "after_train_epoch"),
    ("on_train_epoch_start", "before_train_epoch"),
    ("on_train_epoch_end", "after_train_epoch"),
    ("training_epoch_end", "after_train_epoch"),
    ("before_iter", "before_train_iter"),
    ("after_iter", "after_train_iter"),
    ("iteration_started", "before_train_iter"),
    ("iteration_completed", "after_train_iter"),
    ("on_iter", "after_train_iter"),
    ("on_step", "after_train_iter"),
    ("on_epoch", "after_train_epoch"),
    ("on_batch", "after_train_batch"),
    ("on_step_begin", "before_train_iter"),
    ("on_step_end", "after_train_iter"),
    ("before_step", "before_train_iter"),
    ("after_step", "after_train_iter"),
    ("before_train_step", "before_train_batch"),
    ("after_train_step", "after_train_iter"),
    ("before_batch", "before_train_batch"),
    ("after_batch", "after_train_batch"),
    ("on_batch_begin", "before_train_batch"),
    ("on_batch_start", "before_train_batch"),
    ("on_batch_end", "after_train_batch"),
    ("on_train_batch_begin", "before_train_batch"),
    ("on_train_batch_start", "before_train_batch"),
    ("on_train_batch_end", "after_train_iter"),
    ("before_save", "before_save_checkpoint"),
    ("after_save", "after_save_checkpoint"),
    ("after_load", "after_load_checkpoint"),
    ("on_before_backward", "after_forward"),
    ("before_backward", "after_forward"),
    ("on_forward_end", "after_forward"),
    ("on_backward_begin", "after_forward"),
    ("on_after_backward", "after_backward"),
    ("on_backward_end", "after_backward"),
    ("on_before_zero_grad", "before_train_iter"),
    ("on_before_optimizer_step", "before_optimizer_step"),
    ("on_optimizer_step_begin", "before_optimizer_step"),
    ("on_optimizer_step_end", "after_optimizer_step"),
    ("before_validation", "before_val"),
    ("after_validation", "after_val"),
    ("on_validation_start", "before_val"),
    ("on_validation_begin", "before_val"),
    ("on_validation_end", "after_val"),
    ("on_validation_model_eval", "before_val"),
    ("on_validation_model_train", "after_val"),
    ("on_validation_epoch_start", "before_val_epoch"),
    ("on_validation_epoch_end", "after_val_epoch"),
    ("validation_epoch_end", "after_val_epoch"),
    ("on_validation_batch_start", "before_val_iter"),
    ("on_validation_batch_end", "after_val_iter"),
    ("before_val_step", "before_val_iter"),
    ("after_val_step", "after_val_iter"),
    ("before_val_batch", "before_val_iter"),
    ("after_val_batch", "after_val_iter"),
    ("before_test_batch", "before_test_iter"),
    ("after_test_batch", "after_test_iter"),
    ("on_test_start", "before_test"),
    ("on_test_begin", "before_test"),
    ("on_test_end", "after_test"),
    ("on_test_epoch_start", "before_test_epoch"),
    ("on_test_epoch_end", "after_test_epoch"),
    ("on_test_batch_start", "before_test_iter"),
    ("on_test_batch_end", "after_test_iter"),
    ("before_test_step", "before_test_iter"),
    ("after_test_step", "after_test_iter"),
    ("before_predict_batch", "before_predict_iter"),
    ("after_predict_batch", "after_predict_iter"),
    ("on_predict_start", "before_predict"),
    ("on_predict_end", "after_predict"),
    ("on_predict_batch_start", "before_predict_iter"),
    ("on_predict_batch_end", "after_predict_iter"),
    ("before_predict_step", "before_predict_iter"),
    ("after_predict_step", "after_predict_iter"),
    ("on_save_checkpoint", "before_save_checkpoint"),
    ("on_load_checkpoint", "after_load_checkpoint"),
    ("before_load_checkpoint", "after_load_checkpoint"),
    ("on_keyboard_interrupt", "on_exception"),
    ("exception_raised", "on_exception"),
    ("on_error", "on_exception"),
];

/// The phase that other engines call so.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(there, _)| *there == name).map(|(_, here)| *here)
}

/// Whether a phase is called, to close another one, also when a run does not end well.
pub(crate) fn closes(name: &str) -> bool {
    // a checkpoint's end is an event of its own
    let opened = name.strip_prefix("after_").filter(|name| *name != "save_checkpoint");
    opened.is_some_and(|name| PHASES.iter().any(|phase| phase.strip_prefix("before_") == Some(name)))
}

/// The variant of `Phase`: `after_val_iter` is `AfterValIter`.
pub(crate) fn variant(name: &str) -> Ident {
    let camel: String = name
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect();
    Ident::new(&camel, Span::call_site())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_engines_lead_to_phases() {
        for (there, here) in ELSEWHERE {
            assert!(PHASES.contains(here) && !PHASES.contains(there), "{there}");
        }
    }

    /// Each cell of a row, as the document has them: `on_x` of a name that holds for several phases is left out.
    #[test]
    fn the_table_of_the_document_is_known() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/phases.md");
        let text = std::fs::read_to_string(path).unwrap();
        let (_, table) = text.split_once("## Other engines' names").unwrap();
        let names = |cell: &str| -> Vec<String> {
            let words = cell.split('`').skip(1).step_by(2).filter(|word| !word.contains('…'));
            words.map(str::to_owned).collect()
        };
        let mut known = 0;
        for row in table.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = row.split('|').skip(1);
            let here = names(cells.next().unwrap());
            // a cell with words besides names tells of another place: `on_loop_begin` of the validation's own loop
            for cell in cells.filter(|cell| !cell.contains("own loop") && !cell.contains("that loop")) {
                for there in names(cell).iter().filter(|name| !PHASES.contains(&name.as_str()) && !here.is_empty()) {
                    assert_eq!(elsewhere(there), Some(here[0].as_str()), "{there}");
                    known += 1;
                }
            }
        }
        assert!(known >= 35, "{known}");
    }

    #[test]
    fn phases_that_close_another_one_are_told_from_those_that_are_called_while_all_is_well() {
        let closing: Vec<&str> = PHASES.iter().copied().filter(|name| closes(name)).collect();
        assert_eq!(closing.len(), 14, "{closing:?}");
        assert!(closing.contains(&"after_val") && closing.contains(&"after_run"));
        for name in ["before_val", "after_forward", "after_backward", "after_save_checkpoint", "after_load_checkpoint"]
        {
            assert!(!closes(name), "{name}");
        }
    }

    #[test]
    fn a_variant_is_the_name_in_camel_case() {
        assert_eq!(variant("before_train_iter").to_string(), "BeforeTrainIter");
        assert_eq!(variant("on_exception").to_string(), "OnException");
    }
}
