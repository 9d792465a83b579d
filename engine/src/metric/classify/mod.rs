//! Metrics of classes and labels: of samples, or of the pixels of a segmentation.

mod accuracy;
mod auroc;
mod average_precision;
mod calibration;
mod confusion;
mod dice;
mod f_beta;
mod mean_iou;
mod per_class;
mod precision;
mod ranked;
mod read;
mod recall;

pub use accuracy::Accuracy;
pub use auroc::Auroc;
pub use average_precision::AveragePrecision;
pub use calibration::{CalibrationError, CalibrationNorm};
pub use confusion::ConfusionMatrix;
pub use dice::Dice;
pub use f_beta::FBeta;
pub use mean_iou::MeanIou;
pub use per_class::Average;
pub use precision::Precision;
pub use recall::Recall;
