use super::*;
use std::cell::Cell;
use tch::{Kind, Tensor};

fn floats(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape([-1])).unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_fit_is_made_once_and_comes_back_from_a_checkpoint_to_the_bit() {
    let asked = Cell::new(0);
    let samples = |values: &[f32]| {
        asked.set(asked.get() + 1);
        Ok(Tensor::from_slice(values).reshape([-1, 1]))
    };
    let mut scale = Fitted::<Standardize>::default();
    let error = scale.get().unwrap_err().to_string();
    assert!(error.starts_with("the preprocessor `Standardize` is not fitted: call `fit`"), "{error}");
    scale.fit(&StandardizeConfig::default(), || samples(&[0.1, 0.7, 0.4])).unwrap();
    scale.fit(&StandardizeConfig::default(), || samples(&[5.0, 9.0])).unwrap();
    assert_eq!(asked.get(), 1);
    let mut restored = Fitted::<Standardize>::restore(scale.save()).unwrap();
    restored.fit(&StandardizeConfig::default(), || samples(&[5.0, 9.0])).unwrap();
    assert_eq!(asked.get(), 1);
    let batch = Tensor::from_slice2(&[[0.3f32], [0.9]]);
    assert_eq!(
        floats(&restored.get().unwrap().apply(&batch).unwrap()),
        floats(&scale.get().unwrap().apply(&batch).unwrap())
    );
    // one that was never fitted can be saved too
    assert!(!Fitted::<Standardize>::restore(Fitted::<Standardize>::default().save()).unwrap().is_fitted());
}

#[test]
fn features_have_the_scale_of_scikit_learn() {
    // StandardScaler().fit([[1, 10, 7], [2, 20, 7], [4, 60, 7]]): mean_ [2.33333333, 30., 7.],
    // scale_ [1.24721913, 21.60246899, 1.]; scikit-learn 1.7.2
    let samples = Tensor::from_slice2(&[[1.0, 10.0, 7.0], [2.0, 20.0, 7.0], [4.0, 60.0, 7.0]]);
    let fitted = Standardize::fit(&StandardizeConfig::default(), &samples).unwrap();
    let near = |found: &Tensor, expected: [f32; 3]| {
        floats(found)
            .iter()
            .zip(expected)
            .for_each(|(found, expected)| assert!((found - expected).abs() < 2e-6, "{found} {expected}"));
    };
    near(fitted.mean(), [2.333_333_3, 30.0, 7.0]);
    near(fitted.scale(), [1.247_219_1, 21.602_469, 1.0]);
    let scaled = fitted.apply(&samples).unwrap();
    assert_eq!(scaled.kind(), Kind::Float);
    near(&scaled.get(0), [-1.069_045, -0.925_82, 0.0]);
    let only = |mean, deviation| Standardize::fit(&StandardizeConfig { mean, deviation }, &samples).unwrap();
    near(only(false, true).mean(), [0.0; 3]);
    near(only(true, false).scale(), [1.0; 3]);
    // a third of 0.1 is not exact: equal numbers are not divided by their rounding
    let equal =
        Standardize::fit(&StandardizeConfig::default(), &Tensor::from_slice(&[0.1; 7]).reshape([7, 1])).unwrap();
    assert_eq!(floats(equal.scale()), [1.0]);
}

#[test]
fn what_can_not_be_fitted_is_refused_with_its_reason() {
    let refused = |samples: Tensor| Standardize::fit(&StandardizeConfig::default(), &samples).unwrap_err().to_string();
    assert_eq!(refused(Tensor::from_slice(&[1.0])), "it takes samples [n, features], and these have the shape [1]");
    assert!(refused(Tensor::zeros([0, 3], tch::kind::DOUBLE_CPU)).starts_with("there are 0 samples of 3 features"));
    assert!(
        refused(Tensor::from_slice2(&[[0.0, f64::NAN]])).starts_with("feature 1 has values that are NaN or infinite")
    );
    let fitted = Standardize::fit(&StandardizeConfig::default(), &Tensor::from_slice2(&[[0.0, 1.0]])).unwrap();
    let error = fitted.apply(&Tensor::from_slice2(&[[0.0, 1.0, 2.0]])).unwrap_err().to_string();
    assert!(error.contains("fitted on samples of 2 features, and these have the shape [1, 3]"), "{error}");
    let mut scale = Fitted::<Standardize>::default();
    let error = scale.fit(&StandardizeConfig::default(), || Err::<Tensor, _>(Error::msg("no table"))).unwrap_err();
    assert_eq!(format!("{error:#}"), "the preprocessor `Standardize` can't be fitted: no table");
    // a state of something else
    assert!(Fitted::<Standardize>::restore(StateValue::Int(3)).is_err());
    let mut map = StateMap::new();
    map.put("mean", &Tensor::from_slice(&[0.0f32]));
    map.put("scale", &Tensor::from_slice(&[0.0f32, 1.0]));
    assert!(matches!(Standardize::restore(StateValue::Map(map)), Err(StateError::Unfit { .. })));
    assert!(Categories::restore(texts(&["b", "a"]).save()).is_err());
}

#[test]
fn texts_have_numbers_in_the_order_of_their_bytes() {
    let data = texts(&["pear", "fig", "pear", "date", "fig", "pear"]);
    let fit = |at_least, most| Categories::fit(&CategoriesConfig { at_least, most }, &data);
    let all = fit(1, None).unwrap();
    assert_eq!(all.len(), 4);
    let numbers = all.apply(&texts(&["date", "fig", "pear", "plum", ""])).unwrap();
    assert_eq!(Vec::<i64>::try_from(&numbers).unwrap(), [1, 2, 3, 0, 0]);
    assert_eq!((all.text(2), all.text(0), all.text(4), all.text(i64::MIN)), (Some("fig"), None, None, None));
    assert_eq!(fit(2, None).unwrap().texts(), ["fig", "pear"]);
    assert_eq!(fit(1, Some(1)).unwrap().texts(), ["pear"]);
    let error = fit(4, None).unwrap_err().to_string();
    assert_eq!(error, "none of the 6 texts would be known (`at_least: 4`, `most: None`)");
    assert_eq!(Categories::restore(all.save()).unwrap().texts(), all.texts());
}
