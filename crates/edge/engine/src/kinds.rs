//! Which kinds do the definitions define right now?

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use purlin_api::meta::Gvk;
use purlin_api::xrd::Xrd;

/// What an object of a kind is.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// A composite of this definition.
    Composite(Arc<Xrd>),
    /// A claim of this definition.
    Claim(Arc<Xrd>),
}

/// The definitions whose composites, and whose claims, are served.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    composites: BTreeMap<String, Arc<Xrd>>,
    claims: BTreeMap<String, Arc<Xrd>>,
}

impl Kinds {
    /// Starts serving a definition's composites; answers what was served before.
    pub(crate) fn put_composite(&self, xrd: &Arc<Xrd>) -> Option<Arc<Xrd>> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.composites.insert(xrd.name.clone(), Arc::clone(xrd))
    }

    /// Starts serving a definition's claims; answers what was served before.
    pub(crate) fn put_claim(&self, xrd: &Arc<Xrd>) -> Option<Arc<Xrd>> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.claims.insert(xrd.name.clone(), Arc::clone(xrd))
    }

    pub(crate) fn remove_composite(&self, name: &str) -> Option<Arc<Xrd>> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.composites.remove(name)
    }

    pub(crate) fn remove_claim(&self, name: &str) -> Option<Arc<Xrd>> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.claims.remove(name)
    }

    pub(crate) fn composite(&self, name: &str) -> Option<Arc<Xrd>> {
        self.read().composites.get(name).cloned()
    }

    pub(crate) fn claim(&self, name: &str) -> Option<Arc<Xrd>> {
        self.read().claims.get(name).cloned()
    }

    pub(crate) fn composites(&self) -> Vec<Arc<Xrd>> {
        self.read().composites.values().cloned().collect()
    }

    /// What objects of a kind are; nothing for kinds that no definition defines.
    pub(crate) fn role(&self, gvk: &Gvk) -> Option<Role> {
        let inner = self.read();
        let composite = inner.composites.values().find(|xrd| xrd.composite == *gvk);
        if let Some(xrd) = composite {
            return Some(Role::Composite(Arc::clone(xrd)));
        }
        let claim = inner
            .claims
            .values()
            .find(|xrd| xrd.claim.as_ref() == Some(gvk));
        claim.map(|xrd| Role::Claim(Arc::clone(xrd)))
    }

    /// The definition of a composite kind in any version.
    pub(crate) fn composite_of(&self, group: &str, kind: &str) -> Option<Arc<Xrd>> {
        self.read()
            .composites
            .values()
            .find(|xrd| xrd.composite.group == group && xrd.composite.kind == kind)
            .cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}
