//! The component as it was.

engine_tests::growing! {}
