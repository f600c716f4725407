//! Patches and transforms, input-compatible with pt.fn.crossplane.io/v1beta1 Resources.
